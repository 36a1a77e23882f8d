"""What is said, and how: as words or as JSON, to people on stderr or to programs on stdout."""

import json
import logging
import sys
import time
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from bulk.run import Plan, Progress, Run, Summary

log = logging.getLogger("bulk")

ERRORS_SHOWN = 5
WIDTH = 100


def set_json(ctx: click.Context, _param: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's callback
    ctx.find_root().meta["bulk.json"] = value


def set_quiet(ctx: click.Context, _param: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's callback
    ctx.find_root().meta["bulk.quiet"] = value


def set_level(_ctx: click.Context, _param: click.Parameter, value: str) -> None:
    log.setLevel(value.upper())


def set_format(_ctx: click.Context, _param: click.Parameter, value: str) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(_Json() if value == "json" else _Text())
    log.handlers, log.propagate = [handler], False


def is_json() -> bool:
    """Whether the outcome goes to stdout as one JSON object."""
    return bool(click.get_current_context().find_root().meta.get("bulk.json"))


def is_quiet() -> bool:
    """Whether only complaints are wanted."""
    return bool(click.get_current_context().find_root().meta.get("bulk.quiet"))


def is_terminal() -> bool:
    """Whether a person is there to look and to answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def say(text: str) -> None:
    """Say something to people."""
    if not is_quiet():
        click.echo(text, err=True)


def complain(text: str) -> None:
    """Say what is wrong."""
    click.echo(f"bulk: {text}", err=True)


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%H:%M:%S", time.localtime(record.created))
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        return f"{at} {level}{record.getMessage()}"


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))
        facts = getattr(record, "facts", {})
        return json.dumps({"at": at, "level": record.levelname.lower(), "message": record.getMessage(), **facts})


def progress_line(progress: "Progress") -> str:
    """Tell in one line where a run stands."""
    total = f" of {progress.total:,}" if progress.total is not None else ""
    held = f", waiting: {', '.join(progress.full)} full" if progress.full else ""
    left = f", {duration(progress.seconds_left)} left" if progress.seconds_left is not None else ""
    return (
        f"{progress.done:,}{total} rows: {progress.sent:,} sent, {progress.failed:,} failed, "
        f"{progress.per_second:.1f}/s, {progress.throttled:,} throttled{left}{held}"
    )


def counts(summary: "Summary") -> str:
    """Tell the counts of a run."""
    names = ("sent", "skipped", "refused", "rejected", "unknown", "pending")
    told = ", ".join(f"{getattr(summary, name):,} {name}" for name in names if getattr(summary, name))
    return f"{summary.campaign}, run {summary.run}: {summary.rows:,} rows: {told or 'none'}"


def summary(run: "Run") -> None:
    """Tell people how a run ended."""
    told = run.summary
    calls = f"{told.calls:,} calls in {duration(told.seconds)}, {told.throttled:,} throttled"
    say(f"{counts(told)}\n{calls}")
    if told.halted:
        complain(f"halted: {told.halted}")
    if told.results:
        say(f"results: {told.results}")
    if told.pending or told.unknown:
        say(_next(told))


def _next(told: "Summary") -> str:
    if told.pending:
        return "run the same command again to go on with the rest"
    return "rows are unknown: see `bulk resolve`"


def plan(found: "Plan") -> str:
    """Tell a plan."""
    lines = [
        f"{found.campaign}, run {found.run}: {found.rows:,} rows, {found.sendable:,} to be sent by {found.channel}"
    ]
    for reason in found.reasons:
        if reason.code:
            lines.append(f"  {reason.rows:,} {reason.status}: {reason.code}")
            lines += [f"    row {one.row}, key {one.key!r}: {one.message or ''}" for one in reason.examples]
    if found.parts:
        lines.append(f"{found.parts:,} SMS parts")
    lines += [f"{count:,} calls of {operation}" for operation, count in found.calls.items()]
    lines.append(f"at the campaign's rates this takes about {duration(found.seconds)}")
    for preview in found.previews:
        lines += ["", f"row {preview.row} to {preview.destination}:", *_indented(preview.texts)]
    return "\n".join(lines)


def _indented(texts: Any) -> list[str]:
    words = [
        text if isinstance(text, str) else json.dumps(text, ensure_ascii=False, indent=2) for text in texts.values()
    ]
    return [f"  {line}" for text in words for line in text.splitlines()]


def duration(seconds: float) -> str:
    """Write a duration as people say it: `83 s`, `1 h 23 min`."""
    whole = round(seconds)
    if whole < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    hours, minutes = divmod(round(whole / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
