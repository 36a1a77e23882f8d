"""When will a run be done of which only so many contacts may be open at once? Gone through row by row, as the run does.

A row too many costs as long as a contact stays open, which may be an hour; so nothing is taken for evenly mixed here.
The next row of the list whose window is open waits for room, then for its turn. What is closed when it is come to is
passed by, and so is a row whose window closes while it waits. The list is read again when the first window opens of
those. Between two instants at which a window opens or closes the localities that are open stay the same, and of each
the rows go in order: so a row costs a step of a heap.
"""

import heapq
import math
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bulk.rules.completion import Course
from bulk.rules.hours import Hours
from bulk.rules.zones import Locality


@dataclass(frozen=True, slots=True)
class Room:
    """`limit` contacts may be open at once, each for `open_for` seconds."""

    limit: int
    open_for: float


@dataclass(slots=True)
class _Rows:
    """The rows of a locality: the places in the list of those that are left. `at` is the next, `since` the first sent.

    `closes` is when its window closes, 0.0 while it is closed.
    """

    place: Locality
    left: "array[int]"
    at: int = 0
    since: int = 0
    closes: float = 0.0

    def begin(self, position: int, closes: float) -> None:
        """Send its rows from a place in the list on."""
        self.at = self.since = bisect_left(self.left, position)
        self.closes = closes

    def end(self) -> None:
        """Forget what was sent."""
        del self.left[self.since : self.at]
        self.at, self.closes = self.since, 0.0


class _Run:
    """A run that goes through its list. `_passed` are closed rows that are passed by, with when their windows open."""

    def __init__(self, hours: Hours, room: Room, rows: Sequence[_Rows], interval: float, start: float) -> None:
        self._hours = hours
        self._room = room
        self._rows = rows
        self._interval = interval
        self._now = self._turn = start
        self._opened: deque[float] = deque(maxlen=room.limit)
        self._next: list[tuple[int, int]] = []
        self._changes = self._opens = math.inf
        self._looked_at = 0
        self._passed: list[tuple[_Rows, float]] = []
        self.course = Course(start)

    def go(self) -> Course:
        """Read the list until no window opens any more for what is left."""
        while True:
            self._opens = math.inf
            self._look(0)
            self._read()
            if self._opens == math.inf:
                return self.course
            if self._opens > self._now:
                self._now = self._opens
                self.course.add(self._now, 0)

    def _read(self) -> None:
        position, opened, room = 0, self._opened, self._room
        while self._next:
            position, number = self._next[0]
            rows = self._rows[number]
            at = max(self._now, self._turn)
            if len(opened) == room.limit:
                at = max(at, opened[0] + room.open_for)
            if at >= rows.closes:
                self._opens = min(self._opens, self._hours.opening(rows.place, at)[0])
            else:
                rows.at += 1
                following = (rows.left[rows.at], number) if rows.at < len(rows.left) else None
                heapq.heapreplace(self._next, following) if following else heapq.heappop(self._next)
                opened.append(at)
                self._turn = at + self._interval
                self.course.add(at, 1)
            self._now = at
            if at >= self._changes:
                self._look(position + 1)
        self._pass_by(math.inf)
        for rows in self._rows:
            rows.end()

    def _look(self, position: int) -> None:
        """Look which windows are open for the rows from a place in the list on."""
        self._pass_by(position)
        self._passed, self._looked_at, self._changes, self._next = [], position, math.inf, []
        for number, rows in enumerate(self._rows):
            rows.end()
            opens, closes = self._hours.opening(rows.place, self._now)
            self._changes = min(self._changes, closes if opens <= self._now else opens)
            if opens > self._now:
                self._passed.append((rows, opens))
                continue
            rows.begin(position, closes)
            if rows.at < len(rows.left):
                self._next.append((rows.left[rows.at], number))
        heapq.heapify(self._next)

    def _pass_by(self, position: float) -> None:
        """Note when the windows open of what was closed and lies before a place in the list."""
        for rows, opens in self._passed:
            first = bisect_left(rows.left, self._looked_at)
            if first < len(rows.left) and rows.left[first] < position:
                self._opens = min(self._opens, opens)


def course_in_room(
    hours: Hours, room: Room, order: Iterable[int], places: Sequence[Locality], *, per_second: float, start: float
) -> Course:
    """Return how far a run will be at which time. No contact is open at the start; what never opens takes no time.

    `order` are the rows of the list, each by the number of its place among `places`.
    """
    rows = [_Rows(place, array("Q")) for place in places]
    for position, number in enumerate(order):
        rows[number].left.append(position)
    return _Run(hours, room, rows, 1 / per_second, start).go()
