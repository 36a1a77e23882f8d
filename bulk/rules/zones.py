"""Time zones as arithmetic: where somebody is, and the spans of time with one offset in a zone.

In such a piece local time is UTC plus a constant, so windows by the clock on the wall become spans of UTC by
subtraction. That is all there is to daylight saving time: an hour that the clock skips belongs to no piece, one that it
shows twice belongs to two. The date line is but a large offset, and leap days are days like others.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

DAY = 86400


class Locality(NamedTuple):
    """Where somebody may be: the possible zones (IANA names), none where unknown, and the region.

    A region is a country (ISO 3166-1, `GB`), with its subdivision where that is known and a law asks for it
    (ISO 3166-2, `US-FL`); None where it is unknown.
    """

    zones: tuple[str, ...] = ()
    region: str | None = None


def pieces(zone: str, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Cut a span of Unix seconds, no longer than a day, where the zone's offset changes: from, to, offset.

    No zone changes its offset twice within a day.
    """
    first, last = offset(zone, start), offset(zone, end - 1)
    if first == last:
        yield start, end, first
        return
    changed = _change(zone, start, end - 1)
    yield start, changed, first
    yield changed, end, last


def offset(zone: str, at: float) -> int:
    """Return what a zone's clocks are ahead of UTC then, in seconds."""
    ahead = datetime.fromtimestamp(at, _zone(zone)).utcoffset()
    return round(ahead.total_seconds()) if ahead is not None else 0


@lru_cache(1024)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _change(zone: str, before: int, after: int) -> int:
    """Find the first second of the later offset by halving."""
    first = offset(zone, before)
    while after - before > 1:
        middle = (before + after) // 2
        if offset(zone, middle) == first:
            before = middle
        else:
            after = middle
    return after
