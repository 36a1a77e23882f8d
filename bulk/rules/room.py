"""How fast rows can go where only so many contacts may be open: as fast as the pace, until these are; then as they end.

Contacts end in the order and at the rate in which they opened, `open_for` seconds later. So what was sent before says
how many end now, and until when that stays so.
"""

import math
from collections import deque
from dataclasses import dataclass, field

ROUNDS = 10_000  # how often the room is filled anew, from which on the mean of it is near enough
_NOTHING = 1e-6  # of a contact


@dataclass(frozen=True, slots=True)
class Room:
    """`limit` contacts may be open at once, each for `open_for` seconds."""

    limit: int
    open_for: float

    def mean(self, per_second: float) -> float:
        """Return the rate (a second) at which many rows go in the end."""
        return min(per_second, self.limit / self.open_for)


@dataclass(slots=True)
class Filling:
    """A room as it fills: `_sent` are stretches of time in which rows went, with their rate, the oldest first."""

    room: Room
    _sent: deque[tuple[float, float, float]] = field(default_factory=deque)

    def rate(self, now: float, per_second: float) -> tuple[float, float]:
        """Return the rate at which rows can go from now on (a second), and the time until which that holds."""
        ends = now - self.room.open_for
        while self._sent and self._sent[0][1] <= ends:
            self._sent.popleft()
        leaving, until = self._leaving(ends)
        free = self.room.limit - sum((end - max(start, ends)) * rate for start, end, rate in self._sent)
        if free <= _NOTHING:
            return min(per_second, leaving), until
        if per_second > leaving:
            until = min(until, now + free / (per_second - leaving))
        return per_second, until

    def note(self, start: float, end: float, rate: float) -> None:
        """Record that rows went at a rate."""
        if rate > 0 and end > start:
            self._sent.append((start, end, rate))

    def _leaving(self, ends: float) -> tuple[float, float]:
        """Return at which rate contacts end now, and until when."""
        if not self._sent:
            return 0.0, math.inf
        start, end, rate = self._sent[0]
        later = self.room.open_for
        return (rate, end + later) if start <= ends else (0.0, start + later)
