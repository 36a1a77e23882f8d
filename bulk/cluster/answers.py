"""The reports of workers, passed to the limiter in the order of their times. Arithmetic, and a heap.

A rate is learned from what was accepted between two throttles, by all workers together. Their lots come back one after
the other, so answers wait until those that happened before them have had the time to arrive.
"""

import math
from dataclasses import dataclass, field
from heapq import heappop, heappush

from bulk.pacing.limiter import AdaptiveLimiter

MARGIN = 0.05  # seconds, beside the length of a lot and its tail, that an answer waits


@dataclass(slots=True)
class Answers:
    """The answers of an operation that the limiter has not heard of. Times in seconds, by our clock."""

    known_at: float = -math.inf
    _coming: list[tuple[float, bool]] = field(default_factory=list)

    def note(self, at: float, *, throttled: bool) -> None:
        """Take an answer: the service accepted a call, or refused it for its rate."""
        heappush(self._coming, (max(at, self.known_at), throttled))

    def fed(self, limiter: AdaptiveLimiter, now: float, delay: float) -> AdaptiveLimiter:
        """Return the limiter with what happened long enough ago: `delay` is for how long a lot keeps its answers."""
        until, accepted, at = now - MARGIN - delay, 0, now
        while self._coming and self._coming[0][0] <= until:
            at, throttled = heappop(self._coming)
            if throttled:
                limiter, accepted = limiter.answered(at, accepted=accepted, throttled=1), 0
            else:
                accepted += 1
        self.known_at = max(self.known_at, until)
        return limiter.answered(at, accepted=accepted, throttled=0)
