"""When is a person's window open? Arithmetic only: time is an argument (Unix seconds).

A window is open by the clocks on the wall: at an instant, the local time in *every* zone the person may be in has to
lie in a window of that local day, and the local date must be no holiday. What a window has after midnight belongs to
the next day, so a week is seven days of spans within 24 hours each, and the laws of a region are a week to cut it with.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from datetime import date
from functools import reduce

from bulk.campaign import HoursTable, WeekTable
from bulk.rules.spans import Span, Spans, common, joined
from bulk.rules.zones import DAY, Locality, pieces

Week = tuple[Spans, ...]
"""The open spans of the days from Monday, in seconds after midnight."""

ALWAYS: Week = ((((0, DAY)),),) * 7

_EPOCH = date(1970, 1, 1).toordinal()
_THURSDAY = 3  # the epoch's weekday, from Monday
_LONGEST_SEARCH = 366  # days: after a year the offsets of zones to each other have been all that they will be


def week_of(table: WeekTable) -> Week:
    """Return the week that a table tells; every day is open where it names none."""
    if table.days is None:
        return ALWAYS
    days: list[list[Span]] = [[] for _ in range(7)]
    for place, windows in enumerate(table.days):
        for start, end in windows:
            days[place].append((start * 60, min(end * 60, DAY)))
            if end * 60 > DAY:
                days[(place + 1) % 7].append((0, end * 60 - DAY))
    return tuple(map(joined, days))


def both(some: Week, other: Week) -> Week:
    """Return what is open in both weeks."""
    return tuple(map(common, some, other))


class Hours:
    """The windows of a campaign, cut with the laws' where the person is.

    `laws` give the week of a region. What is found is kept by locality, of which a list has few: a second question
    about the same window costs a look into a table.
    """

    def __init__(self, table: HoursTable, laws: Sequence[Callable[[str | None], Week]] = ()) -> None:
        self._week = week_of(table)
        self._laws = laws
        self._fallback = table.unknown_zone
        self._holidays = frozenset(day for first, last in table.holidays for day in _days(first, last))
        self._weeks: dict[str | None, Week] = {}
        self._found: dict[Locality, tuple[float, Span]] = {}
        self.active = bool(laws or self._holidays or self._week != ALWAYS)

    def zones(self, place: Locality) -> tuple[str, ...]:
        """Return the zones that decide: the possible ones, else those set for unknown zones, else none."""
        return place.zones or self._fallback

    def widened(self) -> "Hours":
        """Return the same windows as if the campaign had every hour open: laws and holidays stay."""
        other = copy(self)
        other._week, other._weeks, other._found = ALWAYS, {}, {}  # noqa: SLF001 - its own kind
        return other

    def open_at(self, place: Locality, now: float) -> bool:
        """Return whether the window is open now. It never is where no zone decides."""
        return self.opening(place, now)[0] <= now

    def next_opening(self, place: Locality, now: float) -> float | None:
        """Return the first instant from now on at which the window is open: `now` where it is, None if it never is."""
        start = max(now, self.opening(place, now)[0])
        return None if start == math.inf else start

    def opening(self, place: Locality, now: float) -> Span:
        """Return an open span that holds now, else begins the soonest. It may end before the window does.

        Both its ends are infinite where the window never opens.
        """
        found = self._found.get(place)
        if found is None or not found[0] <= now < found[1][1]:
            span = next((span for span in self.spans(place, now) if span[1] > now), (math.inf, math.inf))
            found = self._found[place] = now, span
        return found[1]

    def spans(self, place: Locality, since: float) -> Iterator[Span]:
        """Yield the open spans from then on, cut into pieces of a day at most. Ends where no more are to be found."""
        zones, week, day = self.zones(place), self._week_in(place.region), math.floor(since)
        if not zones or not any(week):
            return
        after_holidays = (max(self._holidays, default=0) + 1) * DAY
        limit = max(day, after_holidays) + _LONGEST_SEARCH * DAY
        while day < limit:
            for span in self._in_all(zones, week, day):
                yield span
                limit = max(day, after_holidays) + _LONGEST_SEARCH * DAY
            day += DAY

    def _week_in(self, region: str | None) -> Week:
        week = self._weeks.get(region)
        if week is None:
            week = self._weeks[region] = reduce(both, (week(region) for week in self._laws), self._week)
        return week

    def _in_all(self, zones: tuple[str, ...], week: Week, start: int) -> Spans:
        """Return the spans of the 24 hours after `start` that are open in every zone."""
        shared: Spans = ((start, start + DAY),)
        for zone in zones:
            if shared:
                shared = common(shared, joined(self._in_one(zone, week, start)))
        return shared

    def _in_one(self, zone: str, week: Week, start: int) -> Iterator[Span]:
        for since, until, ahead in pieces(zone, start, start + DAY):
            for day in range((since + ahead) // DAY, (until - 1 + ahead) // DAY + 1):
                midnight = day * DAY - ahead
                opened = () if day in self._holidays else week[(day + _THURSDAY) % 7]
                for opens, closes in opened:
                    if max(since, midnight + opens) < min(until, midnight + closes):
                        yield max(since, midnight + opens), min(until, midnight + closes)


def _days(first: date, last: date) -> range:
    """Return the days of a range by their numbers from the epoch."""
    return range(first.toordinal() - _EPOCH, last.toordinal() - _EPOCH + 1)
