"""When may the next call go? Arithmetic only: time is a number that comes in, and nothing here waits.

A service's token bucket holds `burst` tokens and gains `per_second` of them each second; a call takes one. The same
rule told as a timetable (the generic cell rate algorithm, ITU-T I.371): calls at an even pace would go at `due`,
`due + 1/per_second`, …; a call may go ahead of its even place by as much as `burst - 1` calls. One number is the whole
state, nothing polls, and a late call does not delay the ones after it.

Calls leave here evenly and arrive unevenly. A sender that spends the service's last token is throttled as soon as one
call travels faster than the one before it. `inside` therefore leaves a tenth of the burst, at least one token, in
the service's bucket for good; the rate is the same to the last call.
"""

import math
from dataclasses import dataclass, replace
from typing import Self


@dataclass(frozen=True, slots=True)
class Bucket:
    """One limit: `per_second` calls, of which `burst` may go at once. `due` is the next even place, in seconds."""

    per_second: float
    burst: int = 1
    due: float = -math.inf

    def __post_init__(self) -> None:
        """Refuse a limit that would let nothing through."""
        if not self.per_second > 0 or self.burst < 1:
            raise ValueError(f"a limit lets something through: {self.per_second}/s, burst {self.burst}")

    @property
    def ahead(self) -> float:
        """How far ahead of its even place a call may go, in seconds."""
        return (self.burst - 1) / self.per_second

    def wait(self, now: float) -> float:
        """Tell how long the next call has to wait, in seconds."""
        return max(0.0, self.due - self.ahead - now)

    def take(self, now: float) -> tuple[Self, float]:
        """Give the next call its place: the bucket after it, and how long it waits."""
        wait = self.wait(now)
        return replace(self, due=max(self.due, now + wait) + 1 / self.per_second), wait


@dataclass(frozen=True, slots=True)
class Limits:
    """Several limits at once, such as 2 a second and 10,000 a day: the strictest of the moment decides."""

    buckets: tuple[Bucket, ...]

    def wait(self, now: float) -> float:
        """Tell how long the next call has to wait, in seconds."""
        return max((bucket.wait(now) for bucket in self.buckets), default=0.0)

    def take(self, now: float) -> tuple[Self, float]:
        """Give the next call its place under every limit: the limits after it, and how long it waits."""
        wait = self.wait(now)
        return replace(self, buckets=tuple(bucket.take(now + wait)[0] for bucket in self.buckets)), wait


def inside(per_second: float, burst: int) -> Bucket:
    """Give the bucket that stays inside a service's `per_second` and `burst`, whatever the jitter of the line."""
    return Bucket(per_second, max(1, burst - max(1, burst // 10)))
