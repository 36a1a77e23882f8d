"""The report as one HTML document that loads nothing from elsewhere.

`page.html` has its structure, `page.css` its looks; here are its sentences. Whatever comes from a list or from the
service is escaped, shows its control characters, and keeps its direction of writing to itself (`<bdi>`). There is no
script, and a Content-Security-Policy lets nothing in but the one style sheet, which is known by its hash (W3C, Content
Security Policy Level 3).
"""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from bulk.model import Status
from bulk.reports.charts import marks, panels, span
from bulk.reports.figures import Report
from bulk.reports.intervals import DAY, HOUR, MINUTE
from bulk.reports.rate_chart import rate_charts
from bulk.text.plain import duration, plain

REASONS: Final = 30  # shown one by one

CLAIMS: Final = {
    Status.SENT: "Amazon Connect accepted it and gave a contact id; delivery to the person is not claimed",
    Status.SKIPPED: "left out on purpose: a duplicate, suppressed, …",
    Status.REFUSED: "refused by bulk before any call: the row cannot make a valid request",
    Status.REJECTED: "refused by Amazon Connect for good",
    Status.UNKNOWN: "tried, and it is not known whether it was accepted; not sent again unless you say so",
    Status.PENDING: "not tried yet",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of what is known of the run: its name, its value, what that means."""

    name: str
    value: str
    means: str


def page(report: Report) -> str:
    """Write the page. The same report gives the same text."""
    environment, figures = _environment(), report.figures
    style = environment.get_template("page.css").render()
    return environment.get_template("page.html").render(
        report=report,
        figures=figures,
        style=style,
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        state=_state(report),
        facts=list(_facts(report)),
        claims=CLAIMS,
        reasons=figures.whys[:REASONS],
        other_reasons=figures.whys[REASONS:],
        panels=list(panels(figures.timeline)) if figures.timeline else [],
        marks=list(marks(figures.timeline)) if figures.timeline else [],
        rows_take=_rows_take(report.about.operations),
        message=report.message,
        rate_charts=list(rate_charts(report.wire)),
        segments=sum(wire.segments for wire in report.wire),
        Status=Status,
    )


def _state(report: Report) -> str:
    """Return in a sentence how the run stands, and what to do."""
    about, pending = report.about, report.figures.counts[Status.PENDING]
    rows = "1 row is" if pending == 1 else f"{pending:,} rows are"
    if about.sender:
        flying = f"{report.figures.in_flight:,} in flight; " if report.figures.in_flight else ""
        return f"It is being sent by {about.sender}: {flying}all figures are those of this moment."
    if about.halted:
        return f"It was halted by a cause that every row would meet; {rows} pending. Mend the cause and send again."
    if about.ended_at is None:
        return (
            "Its last sending ended without a word, as where a process is killed. Send again: nothing goes out twice."
        )
    if pending:
        return f"It was stopped before its end; {rows} pending. Send again to go on with the rest."
    return "It came to its end: no row is pending."


def _facts(report: Report) -> Iterator[Fact]:
    """Yield what is known of the run."""
    about = report.about
    yield Fact("Campaign", about.campaign, "what was to be sent")
    yield Fact("Run", about.run, "one sending of the campaign, in which no row is sent twice")
    yield Fact("Channel", about.channel, f"a row takes {', then '.join(about.operations)}")
    yield Fact("Instance", about.instance, "of Amazon Connect")
    yield Fact("Region", about.region, f"at {about.endpoint}")
    yield Fact("Begun", _moment(about.started_at), "when its first pass began")
    if about.ended_at is None:
        yield Fact("Lasts", _lasted(about.started_at, report.made_at), "until this page was made, with all pauses")
    else:
        yield Fact("Ended", _moment(about.ended_at), "when its last pass ended")
        yield Fact("Lasted", _lasted(about.started_at, about.ended_at), "with all pauses")
    yield Fact("Passes", f"{about.passes:,}", "how often it was started")
    yield Fact("Calls", f"{about.calls:,}", "API requests in the passes that ended, repeats included")
    throttled = f"{about.throttled:,}" + (
        f" ({_share(about.throttled, about.calls)} of the calls)" if about.calls else ""
    )
    yield Fact("Throttled", throttled, "calls that came too fast for the service; such a call is made again later")


def _rows_take(operations: tuple[str, ...]) -> str:
    calls = "1 call" if len(operations) == 1 else f"{len(operations)} calls"
    return f"Where nothing goes wrong a row takes {calls} ({', '.join(operations)})."


def _lasted(start: datetime, end: datetime) -> str:
    return duration(max(0.0, (end - start).total_seconds()))


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _share(part: int, whole: int) -> str:
    """Write a part of a whole in per cent. What is little is not nothing, and nearly all is not all."""
    percent = 100 * part / whole if whole else 0.0
    if 0 < percent < 0.1:
        return "< 0.1 %"
    if 99.9 < percent < 100:
        return "> 99.9 %"
    return f"{percent:.0f} %" if percent in (0, 100) else f"{percent:.1f} %"


def _per_second(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"


def _latency(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def _length(seconds: int) -> str:
    """Name the length of an interval, in its largest unit."""
    units = ((DAY, "day", "days"), (HOUR, "hour", "hours"), (MINUTE, "minute", "minutes"), (1, "second", "seconds"))
    unit, one, several = next(unit for unit in units if seconds % unit[0] == 0)
    return f"{seconds // unit} {one if seconds == unit else several}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("bulk.reports", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"plain": plain, "moment": _moment, "length_of": _length, "per_second": _per_second}
    environment.filters |= {"duration": duration, "latency": _latency}
    environment.globals |= {"share": _share, "span": span}
    return environment
