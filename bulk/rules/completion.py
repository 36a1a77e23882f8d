"""When will a run be done? An estimate: rows flow at a rate, each locality's while its windows are open.

It goes as a run does: the list is read from its beginning to its end, what is closed at its turn is passed by, and the
list is read again when the first window opens of those. A list is a row of stretches, in each of which the localities
are mixed evenly. Between two instants at which a window opens or closes nothing changes, so the estimate goes from one
to the next.
"""

import math
from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bulk.rules.hours import Hours
from bulk.rules.zones import Locality

Stretch = Mapping[Locality, float]
"""Rows of a part of the list, by locality."""

_NOTHING = 1e-3  # of a row, that the rounding of numbers leaves


class Course:
    """How far a run will be at which time: instants (Unix seconds), and how many rows are sent by then."""

    def __init__(self, start: float) -> None:
        self._times, self._sent = array("d", [start]), array("d", [0.0])

    @property
    def end(self) -> float:
        """When the last row will be sent."""
        return self._times[-1]

    def add(self, until: float, rows: float) -> None:
        """Add a piece of time in which rows go evenly."""
        self._times.append(until)
        self._sent.append(self._sent[-1] + rows)

    def when(self, rows: float) -> float:
        """Return when so many rows will be sent."""
        after = bisect_left(self._sent, rows)
        if after == 0 or after == len(self._sent):
            return self._times[min(after, len(self._times) - 1)]
        (began, ended), (before, done) = self._times[after - 1 : after + 1], self._sent[after - 1 : after + 1]
        return began + (ended - began) * (rows - before) / (done - before)


@dataclass(slots=True)
class _Reading:
    """The list as it is read: until when, at which rate, and when the first window `opens` of those passed by."""

    hours: Hours
    per_second: float
    now: float
    course: Course
    opens: float

    def begin(self) -> None:
        """Go to the beginning of the list, once the first window opens of what was passed by."""
        self.now = max(self.now, self.opens)
        self.course.add(self.now, 0.0)
        self.opens = math.inf

    def through(self, stretch: Stretch) -> dict[Locality, float]:
        """Read a stretch, and return what of it was passed by."""
        unread, passed = dict(stretch), dict.fromkeys(stretch, 0.0)
        while unread:
            windows = {place: self.hours.opening(place, self.now) for place in unread}
            opened = {place for place, window in windows.items() if window[0] <= self.now}
            change = min(window[1] if place in opened else window[0] for place, window in windows.items())
            part = self._send(sum(unread[place] for place in opened), change) if opened else 1.0
            for place, rows in unread.items():
                if place not in opened:
                    passed[place] += rows * part
                    self.opens = min(self.opens, windows[place][0])
            unread = {place: left for place, rows in unread.items() if (left := rows * (1 - part)) > _NOTHING}
        return {place: rows for place, rows in passed.items() if rows > _NOTHING}

    def _send(self, rows: float, change: float) -> float:
        """Send rows until something changes, and return which part of them went."""
        done = self.now + rows / self.per_second
        ended = min(done, change)
        part = 1.0 if done == ended else (ended - self.now) * self.per_second / rows
        self.course.add(ended, part * rows)
        self.now = ended
        return part


def course(hours: Hours, stretches: Sequence[Stretch], *, per_second: float, start: float) -> Course:
    """Return how far a run of a list will be at which time. What is never open takes no time."""
    total, expected = sum(sum(stretch.values()) for stretch in stretches), Course(start)
    if not hours.active:
        expected.add(start + total / per_second, total)
        return expected
    reading = _Reading(hours, per_second, start, expected, start)
    while stretches and reading.opens < math.inf:
        reading.begin()
        stretches = [passed for stretch in stretches if (passed := reading.through(stretch))]
    return expected


def finish_at(hours: Hours, rows: Stretch, *, per_second: float, start: float) -> float:
    """Return when so many rows, by locality and mixed evenly, will be sent (Unix seconds)."""
    return course(hours, [rows], per_second=per_second, start=start).end
