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
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from bulk.learning import SETTINGS, Learner

CROWD = 16  # calls that processes of a host may have waiting under one limit, one each
LATE = 0.05  # seconds that a call may be late without the ones after it being delayed, where the burst is learned too


@dataclass(frozen=True, slots=True)
class Bucket:
    """One limit: `per_second` calls, of which `burst` may go at once. `due` is the next even place, in seconds.

    With `of_parts` it counts the parts of messages instead of calls.
    """

    per_second: float
    burst: int = 1
    due: float = -math.inf
    of_parts: bool = False

    def __post_init__(self) -> None:
        """Refuse a limit that would let nothing through."""
        if not self.per_second > 0 or self.burst < 1:
            raise ValueError(f"a limit lets something through: {self.per_second}/s, burst {self.burst}")

    def wait(self, now: float, amount: int = 1) -> float:
        """Tell how long the next `amount` have to wait, in seconds."""
        return max(0.0, self.due - (self.burst - amount) / self.per_second - now)

    def take(self, now: float, amount: int = 1) -> tuple[Self, float]:
        """Give the next `amount` their place: the bucket after them, and how long they wait."""
        wait = self.wait(now, amount)
        return self.at(max(self.due, now + wait) + amount / self.per_second), wait

    def at(self, due: float) -> Self:
        """Give the same limit at another place."""
        return type(self)(self.per_second, self.burst, due, self.of_parts)

    def empty(self, now: float) -> Self:
        """Know that the service's bucket is empty now: the burst is spent, and one place is left out."""
        return self.at(max(self.due, now + self.burst / self.per_second))


class Limits(NamedTuple):
    """Several limits at once, such as 2 a second and 10,000 a day: the strictest of the moment decides."""

    buckets: tuple[Bucket, ...]

    def take(self, now: float, parts: int = 1) -> tuple[Self, float]:
        """Give a call of so many parts its place under every limit: the limits after it, and how long it waits."""
        wait = max((bucket.wait(now, _amount(bucket, parts)) for bucket in self.buckets), default=0.0)
        taken = tuple(bucket.take(now + wait, _amount(bucket, parts))[0] for bucket in self.buckets)
        return type(self)(taken), wait


def _amount(bucket: Bucket, parts: int) -> int:
    return parts if bucket.of_parts else 1


def inside(per_second: float, burst: int) -> Bucket:
    """Give the bucket that stays inside a service's `per_second` and `burst`, whatever the jitter of the line."""
    return Bucket(per_second, max(1, burst - max(1, burst // 10)))


class Pace(NamedTuple):
    """The pace of one operation: its limits, of which the first follows what is learned from the answers.

    `state` is what a restart and other processes have to know, as numbers; `with_state` takes it back.
    """

    limits: Limits
    learner: Learner

    def take(self, now: float, parts: int = 1) -> tuple[Self, float]:
        """Give the next call its place: the pace after it, and how long it waits, in seconds."""
        first, *others = self.limits.buckets
        learner = self.learner.asked(now, now - first.due)
        led = self._led(learner, now)
        limits, wait = Limits((led, *others)).take(now, parts)
        return type(self)(self._at(limits.buckets), learner.leads(led.per_second)), wait

    def answered(self, now: float, *, took: int, throttled: int) -> Self:
        """Learn from answers: calls taken since the last time, and throttles, if any, just now."""
        if not took and not throttled:
            return self
        before = self.learner.took(took, now)
        if not throttled:
            return self._replace(learner=before)
        learner = before.throttled(now)
        if learner.rests_until == before.rests_until:  # a stray
            return self._replace(learner=learner)
        led = self._led(learner, now)
        limits = self._at((led.empty(now), *self.limits.buckets[1:]))
        return type(self)(limits, learner.leads(led.per_second))

    def _led(self, learner: Learner, now: float) -> Bucket:
        """Give the first bucket at the rate that the learner leads it to. What went ahead are calls, not seconds."""
        first, per_second = self.limits.buckets[0], learner.pace(now)
        burst = max(first.burst, int(per_second * LATE)) if learner.is_free else first.burst
        ahead = first.due - now
        if ahead > 0 and learner.led > 0 and learner.led != per_second:
            return Bucket(per_second, burst, now + ahead * learner.led / per_second, first.of_parts)
        return Bucket(per_second, burst, first.due, first.of_parts)

    def _at(self, buckets: Iterable[Bucket]) -> Limits:
        """Give the limits as they were said, at the places of these buckets."""
        return Limits(tuple(said.at(now.due) for said, now in zip(self.limits.buckets, buckets, strict=True)))

    def anew(self, now: float) -> Self:
        """Begin another run: what was spent and learned holds, a search that found nothing begins again.

        A place further ahead than a spent burst and a crowd of callers comes from a clock that was set back since.
        """
        places = (min(one.due, now + (one.burst + CROWD) / one.per_second) for one in self.limits.buckets)
        limits = Limits(tuple(one.at(due) for one, due in zip(self.limits.buckets, places, strict=True)))
        return type(self)(limits, self.learner.anew(now))

    @property
    def state(self) -> tuple[float, ...]:
        """How many numbers follow, then the places and what was learned."""
        numbers = (*(bucket.due for bucket in self.limits.buckets), *self.learner[SETTINGS:])
        return len(numbers), *numbers

    def with_state(self, state: Sequence[float]) -> Self:
        """Go on from a state, whatever follows it; one of another shape is of no use, and nothing is known then."""
        count = len(self.limits.buckets)
        length = count + len(self.learner) - SETTINGS
        if len(state) <= length or state[0] != length:
            return self
        places = zip(self.limits.buckets, state[1 : count + 1], strict=True)
        limits = Limits(tuple(bucket.at(due) for bucket, due in places))
        return type(self)(limits, self.learner.with_state(state[count + 1 : length + 1]))


class Room:
    """The contacts that may be open at once: `limit` of them, each for `open_for` seconds.

    `opened` are the times at which those opened that are open already, the oldest first.
    """

    def __init__(self, limit: int, open_for: float, opened: Iterable[float] = ()) -> None:
        self._limit = limit
        self._open_for = open_for
        self._opened = deque(opened, maxlen=limit)

    def wait(self, now: float) -> float:
        """Tell how long until there is room for one more, in seconds."""
        return max(0.0, self._opened[0] + self._open_for - now) if len(self._opened) == self._limit else 0.0

    def take(self, now: float) -> None:
        """Count a contact that opens now: of more than the limit, the oldest has ended."""
        self._opened.append(now)

    def give_back(self) -> None:
        """Count one contact less: it did not open after all."""
        if self._opened:
            self._opened.pop()
