"""The current speed of a run, and how long the rest takes.

What earlier sendings did is no part of it: a run that goes on meets those rows in a moment.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

WINDOW = 30.0  # seconds over which the rate is taken


class _Reading(NamedTuple):
    """What this sending has done by a time, in seconds: rows sent, and rows that came to any end."""

    at: float
    sent: int
    done: int


@dataclass(slots=True)
class Meter:
    """Counts what one sending does from `started` on."""

    started: float
    sent: int = 0
    done: int = 0
    _readings: deque[_Reading] = field(default_factory=deque, init=False)

    def __post_init__(self) -> None:
        self._readings.append(_Reading(self.started, 0, 0))

    def count(self, *, sent: bool) -> None:
        """Count a row that came to its end."""
        self.sent += sent
        self.done += 1

    def per_second(self, now: float) -> float:
        """Return how many rows are sent a second. A reading of each look is kept while it is in the window."""
        since = self._since(now)
        return (self.sent - since.sent) / (now - since.at) if now > since.at else 0.0

    def seconds_left(self, now: float, rows: int) -> float:
        """Return how long so many more rows take; 0 where nothing has been done from which to tell."""
        since = self._since(now)
        done = self.done - since.done
        return rows * (now - since.at) / done if done else 0.0

    def _since(self, now: float) -> _Reading:
        """Return the newest reading that is as old as the window, else the oldest, and keep one of now."""
        readings = self._readings
        while len(readings) > 1 and readings[1].at <= now - WINDOW:
            readings.popleft()
        if readings[-1].at < now:
            readings.append(_Reading(now, self.sent, self.done))
        return readings[0]
