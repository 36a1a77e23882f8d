"""A report as data: the numbers of the page with stable names, for `--json`."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from bulk.reports.figures import Report


def as_dict(report: Report) -> dict[str, Any]:
    """Return the numbers of a page. Times are in ISO 8601, rates in calls a second, durations in seconds."""
    figures = report.figures
    told = {
        **asdict(report.about),
        "rehearsal": report.rehearsal,
        "complete": report.complete,
        "made_at": report.made_at,
        "notes": list(report.notes),
        "message": asdict(report.message),
        "rows": figures.rows,
        "counts": {status.value: rows for status, rows in figures.counts.items()},
        "in_flight": figures.in_flight,
        "to_look_at": figures.to_look_at,
        "breakdowns": {one.by: _without_name(asdict(one)) for one in figures.breakdowns},
        "reasons": [
            {
                **asdict(why),
                "remedy": remedy.why if remedy else None,
                "command": (remedy.words or None) if remedy else None,
            }
            for why in figures.whys
            for remedy in (report.remedies.get((why.status, why.code)),)
        ],
        "look": [asdict(row) for row in figures.look],
        "attempts": figures.attempts,
        "timeline": figures.timeline and asdict(figures.timeline),
        "throughput": figures.throughput and asdict(figures.throughput),
        "segments": sum(one.segments for one in report.wire),
        "wire": [asdict(one) for one in report.wire],
        "who": [asdict(one) for one in report.passes],
        "left": report.left and asdict(report.left),
        "outcomes": report.outcomes and asdict(report.outcomes),
        "commands": [asdict(one) for one in report.commands],
    }
    return {name: _plain(value) for name, value in told.items()}


def _without_name(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name != "by"}


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
