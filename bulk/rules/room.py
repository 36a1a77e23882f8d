"""When will a run be done if only so many contacts may be open at once? Simulated row by row.

One row more may cost as long as a contact stays open, an hour perhaps, so an even mixture of the list is not assumed.
The next row of the list with an open window waits for room, then for its turn. Rows whose windows are closed when they
are reached, or close while they wait, are passed by. The list is read again when the first of their windows opens.
Between two instants at which a window opens or closes, the same localities are open, and the rows of each go in order,
so a row costs one step of a heap.
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
    """The rows of a locality: the places in the list of those that are left."""

    place: Locality
    left: "array[int]"

    def at(self, position: int) -> int:
        """Return which of them is the first from a place in the list on."""
        return bisect_left(self.left, position)


@dataclass(slots=True)
class _Open:
    """Rows whose window is open until `closes` (Unix seconds): `first` to `at` are sent, and `at` is the next."""

    rows: _Rows
    closes: float
    first: int
    at: int


class _Look:
    """Which windows are open at one time, for the rows from a place in the list on, until one of them `changes`."""

    def __init__(self, hours: Hours, all_rows: Sequence[_Rows], position: int, now: float) -> None:
        self._position = position
        self._open: list[_Open] = []
        self._closed: list[tuple[_Rows, float]] = []
        for rows in all_rows:
            opens, closes = hours.opening(rows.place, now)
            if opens > now:
                self._closed.append((rows, opens))
            else:
                first = rows.at(position)
                self._open.append(_Open(rows, closes, first, first))
        self.changes = min([opens for _, opens in self._closed] + [rows.closes for rows in self._open])
        places = ((self._place(rows), number) for number, rows in enumerate(self._open))
        self._heap = [(place, number) for place, number in places if place is not None]
        heapq.heapify(self._heap)

    @staticmethod
    def _place(rows: _Open) -> int | None:
        """Return the place in the list of the next of these rows, None after the last."""
        left = rows.rows.left
        return left[rows.at] if rows.at < len(left) else None

    def next(self) -> tuple[int, _Open] | None:
        """Return the next row that is open, by its place in the list, and the rows it is of; None after the last."""
        if not self._heap:
            return None
        place, number = self._heap[0]
        return place, self._open[number]

    def take(self) -> None:
        """Take the next row: it is sent."""
        _, number = self._heap[0]
        rows = self._open[number]
        rows.at += 1
        if (place := self._place(rows)) is None:
            heapq.heappop(self._heap)
        else:
            heapq.heapreplace(self._heap, (place, number))

    def end(self, position: float) -> float:
        """Forget what was sent; return when the first window opens of the closed rows before a place in the list."""
        for rows in self._open:
            del rows.rows.left[rows.first : rows.at]
        return min((opens for rows, opens in self._closed if self._passed(rows, position)), default=math.inf)

    def _passed(self, rows: _Rows, position: float) -> bool:
        first = rows.at(self._position)
        return first < len(rows.left) and rows.left[first] < position


class _Run:
    """A run that goes through its list."""

    def __init__(self, hours: Hours, room: Room, rows: Sequence[_Rows], interval: float, start: float) -> None:
        self._hours = hours
        self._room = room
        self._rows = rows
        self._interval = interval
        self._now = self._turn = start
        self._opened: deque[float] = deque(maxlen=room.limit)
        self._course = Course(start)

    def go(self) -> Course:
        """Read the list until no window opens any more for what is left."""
        while (opens := self._read()) < math.inf:
            self._now = max(self._now, opens)
        return self._course

    def _read(self) -> float:
        """Read the list once; return when the first window opens of what was passed by, infinity for nothing."""
        opens, look = math.inf, self._look(0)
        while found := look.next():
            position, rows = found
            self._now = at = self._earliest()
            if at < rows.closes:
                self._send(at)
                look.take()
            else:
                opens = min(opens, self._hours.opening(rows.rows.place, at)[0])
            if at >= look.changes:
                opens = min(opens, look.end(position + 1))
                look = self._look(position + 1)
        return min(opens, look.end(math.inf))

    def _look(self, position: int) -> _Look:
        return _Look(self._hours, self._rows, position, self._now)

    def _earliest(self) -> float:
        """Return when the next row has its turn, and room."""
        at = max(self._now, self._turn)
        return at if len(self._opened) < self._room.limit else max(at, self._opened[0] + self._room.open_for)

    def _send(self, at: float) -> None:
        self._opened.append(at)
        self._turn = at + self._interval
        self._course.add(at, 1)


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
