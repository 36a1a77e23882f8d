"""When may the next call go? The limits of an operation, of which the first follows what the answers teach.

Arithmetic only: time is a number that comes in, and nothing here waits. What a restart and other processes have to know
is a row of numbers (`state`): what was learned, and each limit's own under its name. What stands there of limits that
only other processes have is left as it is.
"""

import math
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from typing import NamedTuple, Self

from bulk.model import digest
from bulk.pacing.estimator import SETTINGS, RateEstimator
from bulk.pacing.limits import Bucket, Limits

LATE = 0.05  # seconds that a call may be late without the ones after it being delayed, where the burst is learned too

MOMENT, MOST = 0.002, 64  # seconds between the calls of a burst; how many go as one, at most, where the pace is faster
BURST_SPEED = 4.0  # times the rate at which a burst goes, at least, however fast the rate is

Numbers = tuple[float, ...]


class AdaptiveLimiter(NamedTuple):
    """The pace of one operation: its `first` limit, which is led by what is learned from the answers, and the others.

    `strange` are the limits that only other processes have: their names and states, as numbers.
    """

    first: Bucket
    learner: RateEstimator
    others: Limits = Limits(())
    strange: tuple[tuple[float, Numbers], ...] = ()

    @property
    def together(self) -> int:
        """How many calls may take their places as one: those of a moment, where no other limit counts them singly."""
        led = self.learner.led
        return max(1, min(MOST, int(led * MOMENT), self.first.burst // 2)) if led > 0 and not self.others else 1

    def take(self, now: float, parts: int = 1, *, calls: int = 1) -> tuple[Self, float]:
        """Return the limiter after the next calls have taken their place, and how many seconds they wait."""
        learner = self.learner.asked(now, now - self.first.due)
        led = self._led(learner, now)
        wait = max(led.wait(now, calls), self.others.wait(now, parts))
        after, _ = led.take(now + wait, calls)
        others, _ = self.others.take(now + wait, parts)
        return type(self)(self.first.at(after.due), learner.leads(led.per_second), others, self.strange), wait

    def bears(self, parts: int = 1, *, calls: int = 1) -> float:
        """Return the time until which the calls that took the last place may go without another."""
        return min(self.first.due - calls / self.learner.led, self.others.bears(parts))

    def gone(self, now: float, parts: int = 1, *, calls: int = 1) -> Self:
        """Return the pace where the calls that took the last place go now, later than that could bear."""
        first = self.first.at(max(self.first.due, now + calls / self.learner.led))
        return self._replace(first=first, others=self.others.gone(now, parts))

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
        return self._replace(first=self.first.at(led.empty(now).due), learner=learner.leads(led.per_second))

    def anew(self, now: float) -> Self:
        """Begin another run: what was spent and learned holds, a search that found nothing begins again."""
        return self._replace(first=self.first.anew(now), learner=self.learner.anew(now), others=self.others.anew(now))

    def _led(self, learner: RateEstimator, now: float) -> Bucket:
        """Return the first limit at the rate that the learner leads it to. What went ahead are calls, not seconds."""
        first, per_second = self.first, learner.pace(now)
        burst = max(first.burst, int(per_second * LATE)) if learner.is_free else first.burst
        ahead, due = first.due - now, first.due
        if ahead > 0 and learner.led > 0 and learner.led != per_second:
            due = now + ahead * learner.led / per_second
        return Bucket(per_second, burst, due)

    @property
    def state(self) -> Numbers:
        """How many numbers follow, then what was learned (and how many these are), then each limit."""
        ours = [(_number(limit.name), limit.state) for limit in (self.first, *self.others)]
        learned = self.learner[SETTINGS:]
        places = [number for name, own in (*ours, *self.strange) for number in (name, len(own), *own)]
        return (1 + len(learned) + len(places), len(learned), *learned, *places)

    def with_state(self, state: Sequence[float]) -> Self:
        """Go on from a state, whatever follows it; one of another shape, or damaged, is of no use: nothing is known."""
        length = len(self.learner) - SETTINGS
        if len(state) < 2 or not len(state) > state[0] >= state[1] == length:
            return self
        try:
            places = dict(_places(state[length + 2 : int(state[0]) + 1]))
            first = self.first.with_state(places.pop(_number(self.first.name), ()))
            others = Limits(limit.with_state(places.pop(_number(limit.name), ())) for limit in self.others)
        except (ValueError, TypeError, OverflowError):
            return self
        return type(self)(first, self.learner.with_state(state[2 : length + 2]), others, tuple(places.items()))


def _places(numbers: Sequence[float]) -> Iterator[tuple[float, Numbers]]:
    """Take the states of limits apart. Raises ValueError or OverflowError where these are none."""
    left = iter(numbers)
    for name in left:
        size = int(next(left, math.nan))
        own = tuple(islice(left, size))
        if len(own) != size:
            raise ValueError(f"{len(own)} numbers where there should be {size}")
        yield name, own


@cache
def _number(name: str) -> float:
    """Return the number by which a limit is known to other processes: whole, and small enough to be exact."""
    return float(int.from_bytes(digest(name)[:6]))
