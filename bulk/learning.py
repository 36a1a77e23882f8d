"""The rate that nobody told: found from the answers alone. Arithmetic only, time comes in.

A token bucket gives itself away where it is empty, and it is empty whenever it says no. Between two such moments it
accepts exactly what flowed in, so

    rate = calls accepted between two throttles / seconds between them

whatever the pace was in between. The pace therefore stays a little below the estimate, and after a while without a
throttle goes past it until the next one: a probe that costs a call or two and gives a new estimate. A rate that rose
is met by the same growth, one that fell by throttles close together, which weigh in as fast as they come.

Before the first throttle nothing is known but a guess, and the pace doubles twice a second or so; the service's burst
pays for what that spends too early. With a `ceiling`, the rate that somebody configured, the pace starts there and
never exceeds it: it gives way where others use the account too, and comes back when they have gone.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple, Self

DOUBLING = 0.6  # seconds in which the pace doubles while nothing is known
MARGIN = 0.985  # of the estimate, right after a throttle
REST = 2.7  # seconds between a throttle and the growth past the estimate, at least …
FIRST_REST = 0.25  # of that, while the only estimate is the first, which is too low where the search was slow
REST_CALLS = 130  # … and calls, so that a slow service is not asked for more all the time
FEELING = 1.04  # of the estimate, for the first of that growth: where the rate is the old one, it costs a call or two
FEELS = 0.4  # rests that this lasts
REDOUBLING = 0.42  # rests in which the pace then doubles
ENOUGH = 75  # calls accepted between two throttles that make an estimate by themselves
FIRST_WEIGHT, WEIGHT = 3.0, 8.0  # calls that the estimate before counts for, the first and later
SETTINGS = 2  # the fields of a learner that are said and not learned: guess and ceiling
SLOWEST, FASTEST = 0.05, 1e4  # calls per second


class Learner(NamedTuple):
    """What is known of a rate. Times in seconds; `ceiling` is infinite where no rate was configured.

    `accepted` counts since `since`, the last moment at which the service's bucket was known to be empty with `prior`
    as the estimate, which counts for `weight` calls; `total` counts since `started`.
    """

    guess: float
    ceiling: float = math.inf
    estimate: float = math.nan
    started: float = math.nan
    since: float = math.nan
    throttled_at: float = math.nan
    prior: float = math.nan
    weight: float = FIRST_WEIGHT
    accepted: float = 0.0
    total: float = 0.0

    @property
    def knows(self) -> bool:
        """Whether the service has ever shown its rate."""
        return not math.isnan(self.throttled_at)

    @property
    def is_free(self) -> bool:
        """Whether nobody configured a rate."""
        return math.isinf(self.ceiling)

    def with_state(self, state: Sequence[float]) -> Self:
        """Go on from what was learned before: all but guess and ceiling, in the order of the fields."""
        return type(self)(*self[:SETTINGS], *state)

    def anew(self) -> Self:
        """Keep what is known; a search that found nothing begins again."""
        return self if self.knows else type(self)(self.guess, self.ceiling)

    def begin(self, now: float) -> Self:
        """Start the clock at the first call."""
        return self if not math.isnan(self.started) else self._replace(started=now, since=now)

    def pace(self, now: float) -> float:
        """Tell how many calls a second to make now."""
        if not self.knows:
            return min(self._searching(now), self.ceiling)
        return min(self.estimate * self._factor(now - self.throttled_at), self.ceiling)

    def _factor(self, calm: float) -> float:
        """Tell how far from the estimate to go, so many seconds after the last throttle."""
        searched_slowly = self.weight == FIRST_WEIGHT and self.estimate > self.guess
        rest = max(REST, REST_CALLS / self.estimate) * (FIRST_REST if searched_slowly else 1.0)
        if calm < rest:
            return MARGIN
        return FEELING * math.exp2(min(max(0.0, calm / rest - 1 - FEELS) / REDOUBLING, 6.0))

    def _searching(self, now: float) -> float:
        if not self.is_free or math.isnan(self.started):
            return min(self.guess, self.ceiling)
        return min(self.guess * math.exp2(min((now - self.started) / DOUBLING, 60.0)), FASTEST)

    def took(self, calls: int) -> Self:
        """Count calls that the service accepted."""
        return self._replace(accepted=self.accepted + calls, total=self.total + calls) if calls else self

    def throttled(self, now: float) -> Self:
        """Learn from a no: the service's bucket is empty now."""
        known = self if self.knows else self._first(now)
        calls, seconds = known.accepted + known.weight, now - known.since + known.weight / known.prior
        estimate = max(calls / seconds, SLOWEST)
        if known.accepted >= ENOUGH:
            return known._replace(
                estimate=estimate, throttled_at=now, since=now, prior=estimate, accepted=0.0, weight=WEIGHT
            )
        return known._replace(estimate=estimate, throttled_at=now)

    def _first(self, now: float) -> Self:
        """Start from what was accepted so far, which is too much by the service's burst."""
        begun = self.begin(now)
        prior = min(max(begun.total, 1.0) / max(now - begun.started, 0.1), self.ceiling)
        return begun._replace(since=now, accepted=0.0, prior=prior)
