"""The progress of a run as text: a line for a log, or lines of any width for a terminal."""

import textwrap
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bulk.text.plain import counted, duration, plain

if TYPE_CHECKING:
    from bulk.run.summary import Progress, Waiting

NARROWEST = 40  # columns


def line(told: "Progress", now: float) -> str:
    """Return in one line where a sending stands; `now` is in Unix seconds."""
    waits = list(waits_of(told, now))
    said = f"{rows(told)}: {', '.join(facts(told, now))}"
    return said + (f"; waiting: {'; '.join(waits)}" if waits else "")


def lines(told: "Progress", now: float, width: int) -> list[str]:
    """Return the same in as many lines of a terminal as it takes, the waits in lines of their own."""
    waits = [line for one in waits_of(told, now) for line in wrapped(f"waiting: {one}", width)]
    return [*packed([*facts(told, now)], width), *waits]


def brief(name: str, told: "Progress", now: float, width: int) -> list[str]:
    """Return one line of facts for one of several runs, and one of its waits where it waits."""
    ends = [] if told.ends_at is None else [f"ends {clock(told.ends_at, now)}"]
    main = [f"{told.sent:,} sent", f"{told.failed:,} failed", rate(told), f"{told.throttled:,} throttled", *ends]
    said = [f"{name}: {', '.join(main)}"]
    if told.waits:
        said.append(f"  waiting: {'; '.join(waits_of(told, now))}")
    return [fitted(line, width) for line in said]


def rows(told: "Progress") -> str:
    """Return how far this pass has come: `120 of 1,000 rows (12%)`."""
    total = "" if told.total is None else f" of {told.total:,}"
    percent = "" if told.percent is None else f" ({told.percent}%)"
    return f"{told.done:,}{total} {'row' if (told.total or told.done) == 1 else 'rows'}{percent}"


def facts(told: "Progress", now: float) -> Iterator[str]:
    """Yield what this pass did, how fast it goes, and when it ends."""
    yield f"{told.sent:,} sent"
    if told.skipped:
        yield f"{told.skipped:,} skipped"
    yield failed(told)
    if told.in_flight:
        yield f"{told.in_flight:,} in flight"
    yield rate(told)
    yield f"{told.throttled:,} throttled"
    if told.granted is not None and told.permitted is not None:
        yield f"the service grants about {told.granted:.2g}/s, not {told.permitted:.3g}"
    if told.ends_at is not None and told.seconds_left is not None:
        yield f"ends {clock(told.ends_at, now, seconds=True)}"
        yield f"{duration(told.seconds_left)} left"
    if told.before:
        yield f"{told.before:,} done before"


def failed(told: "Progress") -> str:
    """Return how many rows failed: those that we refused apart from those that the service rejected."""
    kinds = {"refused": told.refused, "rejected": told.rejected, "unknown": told.unknown}
    some = ", ".join(f"{number:,} {kind}" for kind, number in kinds.items() if number)
    return f"{told.failed:,} failed" + (f" ({some})" if some else "")


def rate(told: "Progress") -> str:
    """Return the rate of the last half minute, beside what is permitted."""
    permitted = "" if told.permitted is None else f" of {told.permitted:.3g}/s"
    return f"{told.per_second:.1f}/s{permitted}"


def waits_of(told: "Progress", now: float) -> Iterator[str]:
    """Yield why rows wait, and until when."""
    return (wait(one, now) for one in told.waits)


def wait(one: "Waiting", now: float) -> str:
    """Return one reason to wait, with its end."""
    left = None if one.until is None else max(0.0, one.until - now)
    match one.reason:
        case "open_contacts":
            return f"{one.open:,} of {one.limit:,} contacts open" + (f", next in {duration(left)}" if left else "")
        case "hours":
            return f"opens {_opening(one, now)}" + (f", {counted(one.rows, 'row')}" if one.rows else "")
        case "full":
            again = "now" if not left else f"in {duration(left)}"
            return f"{one.operation}: the service is full, asked again {again}"
        case "rate":
            return f"{one.operation}: as the rate allows" + (f", next in {duration(left)}" if left else "")
    return one.reason + ("" if one.until is None else f" until {clock(one.until, now)}")


def _opening(one: "Waiting", now: float) -> str:
    if one.until is None:
        return "at some time"
    return f"{clock(one.until, now, zone=one.zone)} in {one.zone}" if one.zone else clock(one.until, now)


def clock(at: float, now: float, *, zone: str | None = None, seconds: bool = False) -> str:
    """Return a time by the clock on the wall, of this machine or of a zone; with its date where that is not today's."""
    there = ZoneInfo(zone) if zone else None
    then, today = (datetime.fromtimestamp(one, there) if there else _local(one) for one in (at, now))
    told = f"{then:%H:%M:%S}" if seconds and at - now < 3600 else f"{then:%H:%M}"
    return told if then.date() == today.date() else f"{then:%Y-%m-%d} {told}"


def _local(at: float) -> datetime:
    return datetime.fromtimestamp(at).astimezone()


def packed(phrases: Sequence[str], width: int) -> list[str]:
    """Put phrases into lines of a width, a comma between them; one that is longer than a line takes two."""
    made: list[str] = []
    for phrase in phrases:
        if made and len(made[-1]) + 2 + len(phrase) <= width:
            made[-1] += f", {phrase}"
        else:
            made += wrapped(phrase, width)
    return made


def wrapped(text: str, width: int) -> list[str]:
    """Break text into lines of a width; those after the first are indented."""
    return textwrap.wrap(plain(text), width, subsequent_indent="  ")


def fitted(text: str, width: int) -> str:
    """Cut text to a width of the terminal."""
    text = plain(text)
    return text if len(text) <= width else f"{text[: width - 1]}…"
