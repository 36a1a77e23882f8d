"""When may the next call go? The limits of an operation; the first of them follows the answers.

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
from bulk.pacing.limits import CROWD, Bucket, Limits

LATE = 0.05  # seconds that a call may be late without the ones after it being delayed, where the burst is learned too

MOMENT, MOST = 0.002, 64  # seconds between the calls of a burst; how many go as one, at most, where the pace is faster
BURST_SPEED = 4.0  # times the rate at which a burst goes, at least, however fast the rate is

Numbers = tuple[float, ...]

FORMAT = 2, RateEstimator._fields[SETTINGS:]
"""What `state` consists of: its version, and the names of what was learned, which begins it. A change is a version."""


class AdaptiveLimiter(NamedTuple):
    """The pace of one operation: its `first` limit, which is led by what is learned from the answers, and the others.

    `foreign` are the limits that only other processes have: their names and states, as numbers.
    """

    first: Bucket
    estimator: RateEstimator
    others: Limits = Limits(())
    foreign: tuple[tuple[float, Numbers], ...] = ()

    @property
    def together(self) -> int:
        """How many calls may take their places as one: those of a moment, where no other limit counts them singly."""
        first = self.estimator.paced_at
        return max(1, min(MOST, int(first * MOMENT), self.first.burst // 2)) if first > 0 and not self.others else 1

    def take(self, now: float, parts: int = 1, *, calls: int = 1) -> tuple[Self, float]:
        """Return the limiter after the next calls have taken their place, and how many seconds they wait."""
        estimator = self.estimator.with_request(now, now - self.first.due)
        first = self._first_now(estimator, now)
        wait = max(first.wait(now, calls), self.others.wait(now, parts))
        after, _ = first.take(now + wait, calls)
        others, _ = self.others.take(now + wait, parts)
        return type(self)(self.first.at(after.due), estimator.at_pace(first.per_second), others, self.foreign), wait

    def valid_until(self, parts: int = 1, *, calls: int = 1) -> float:
        """Return the time until which the calls that accepted the last place may go without another."""
        return min(self.first.due - calls / self.estimator.paced_at, self.others.valid_until(parts))

    def taken_late(self, now: float, parts: int = 1, *, calls: int = 1) -> Self:
        """Return the pace where the calls that accepted the last place go now, later than that could bear."""
        first = self.first.at(max(self.first.due, now + calls / self.estimator.paced_at))
        return self._replace(first=first, others=self.others.taken_late(now, parts))

    def answered(self, now: float, *, accepted: int, throttled: int) -> Self:
        """Learn from answers: calls taken since the last time, and throttles, if any, just now."""
        if not accepted and not throttled:
            return self
        before = self.estimator.with_accepted(accepted, now)
        if not throttled:
            return self._replace(estimator=before)
        estimator = before.throttled(now)
        if estimator.rests_until == before.rests_until:  # a stray
            return self._replace(estimator=estimator)
        first = self._first_now(estimator, now)
        return self._replace(first=self.first.at(first.empty(now).due), estimator=estimator.at_pace(first.per_second))

    def at_most_ahead(self, now: float, calls: int) -> Self:
        """Return the pace where no more than so many calls, and those of a burst, have a place that has not come yet.

        Places that were taken at a higher pace would else last for longer than what they were taken for.
        """
        pace = self.estimator.paced_at
        if not pace > 0:
            return self
        most = now + (self.first.burst + calls + CROWD) / pace
        return self if self.first.due <= most else self._replace(first=self.first.at(most))

    def for_new_run(self, now: float) -> Self:
        """Begin another run: what was spent and learned holds, a search that found nothing begins again."""
        return self._replace(
            first=self.first.for_new_run(now),
            estimator=self.estimator.for_new_run(now),
            others=self.others.for_new_run(now),
        )

    def _first_now(self, estimator: RateEstimator, now: float) -> Bucket:
        """Return the first limit at the rate that the estimator leads it to. What went ahead are calls, not seconds."""
        first, per_second = self.first, estimator.pace(now)
        burst = max(first.burst, int(per_second * LATE)) if estimator.is_free else first.burst
        ahead, due = first.due - now, first.due
        if ahead > 0 and estimator.paced_at > 0 and estimator.paced_at != per_second:
            due = now + ahead * estimator.paced_at / per_second
        return Bucket(per_second, burst, due)

    @property
    def state(self) -> Numbers:
        """How many numbers follow, then what was learned (and how many these are), then each limit."""
        ours = [(_number(limit.name), limit.state) for limit in (self.first, *self.others)]
        learned = self.estimator[SETTINGS:]
        places = [number for name, own in (*ours, *self.foreign) for number in (name, len(own), *own)]
        return (1 + len(learned) + len(places), len(learned), *learned, *places)

    def with_state(self, state: Sequence[float]) -> Self:
        """Go on from a state, whatever follows it; one of another shape, or damaged, is of no use: nothing is known."""
        length = len(self.estimator) - SETTINGS
        if len(state) < 2 or not len(state) > state[0] >= state[1] == length:
            return self
        try:
            places = dict(_places(state[length + 2 : int(state[0]) + 1]))
            first = self.first.with_state(places.pop(_number(self.first.name), ()))
            others = Limits(limit.with_state(places.pop(_number(limit.name), ())) for limit in self.others)
        except (ValueError, TypeError, OverflowError):
            return self
        return type(self)(first, self.estimator.with_state(state[2 : length + 2]), others, tuple(places.items()))


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
