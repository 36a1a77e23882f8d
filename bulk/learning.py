"""The rate that nobody told: found from the answers alone. Arithmetic only, time comes in.

A token bucket gives itself away where it is empty, and it is empty whenever it says no. Between two such moments it
accepts exactly what flowed in, so

    rate = calls accepted between two throttles / seconds between them

whatever the pace was in between. The pace therefore stays a little below the estimate, and after a while without a
throttle grows past it until the next one: a probe that costs a call or two and gives a new estimate. A rate that rose
is met by the same growth, one that fell by throttles close together, which weigh in as fast as they come.

Before the first throttle nothing is known but a guess, and the pace doubles every half second; the service's burst
pays for what that spends too early. With a `ceiling`, the rate that somebody configured, the pace starts there and never
exceeds it: it gives way where others use the account too, and comes back when they have gone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Self

DOUBLING = 0.5  # seconds in which the pace doubles while nothing is known
LEAD = 4.0  # the pace is at most so many times what the answers so far bear out
MARGIN = 0.985  # of the estimate, right after a throttle
REST = 3.0  # seconds between a throttle and the growth past the estimate, at least …
REST_CALLS = 150  # … and calls, so that a slow service is not asked for more all the time
REDOUBLING = 0.5  # rests in which the pace then doubles
ENOUGH = 75  # calls accepted between two throttles that make an estimate by themselves
FIRST_WEIGHT, WEIGHT = 3.0, 12.0  # calls that the estimate before counts for, the first and later
SLOWEST = 0.05  # calls per second


@dataclass(frozen=True, slots=True)
class Learner:
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
        names = [field.name for field in fields(self)][2:]
        known = replace(self, **dict(zip(names, state, strict=True)))
        return known if known.knows else self

    def begin(self, now: float) -> Self:
        """Start the clock at the first call."""
        return self if not math.isnan(self.started) else replace(self, started=now, since=now)

    def pace(self, now: float) -> float:
        """Tell how many calls a second to make now."""
        if not self.knows:
            return min(self._searching(now), self.ceiling)
        rest = max(REST, REST_CALLS / self.estimate)
        calm = now - self.throttled_at
        factor = MARGIN if calm < rest else math.exp2(min((calm - rest) / (REDOUBLING * rest), 6.0))
        return min(self.estimate * factor, self.ceiling)

    def _searching(self, now: float) -> float:
        if not self.is_free or math.isnan(self.started):
            return min(self.guess, self.ceiling)
        time = now - self.started
        borne_out = LEAD * max(self.guess, (self.total + 1) / (time + DOUBLING))
        return min(self.guess * math.exp2(min(time / DOUBLING, 60.0)), borne_out)

    def took(self, calls: int) -> Self:
        """Count calls that the service accepted."""
        return replace(self, accepted=self.accepted + calls, total=self.total + calls) if calls else self

    def throttled(self, now: float) -> Self:
        """Learn from a no: the service's bucket is empty now."""
        known = self if self.knows else self._first(now)
        calls, seconds = known.accepted + known.weight, now - known.since + known.weight / known.prior
        estimate = max(calls / seconds, SLOWEST)
        if known.accepted >= ENOUGH:
            return replace(
                known, estimate=estimate, throttled_at=now, since=now, prior=estimate, accepted=0.0, weight=WEIGHT
            )
        return replace(known, estimate=estimate, throttled_at=now)

    def _first(self, now: float) -> Self:
        """Start from what was accepted so far, which is too much by the service's burst."""
        begun = self.begin(now)
        prior = min(max(begun.total, 1.0) / max(now - begun.started, 0.1), self.ceiling)
        return replace(begun, since=now, accepted=0.0, prior=prior)
