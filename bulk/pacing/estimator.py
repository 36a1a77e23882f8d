"""An unknown rate, estimated from the answers only. Arithmetic only: time is an argument.

A token bucket gives itself away where it is empty, and it is empty whenever it throttles. Between two such moments it
accepts exactly what flowed in, so

    rate = calls accepted between two throttles / seconds between them

whatever the pace was in between. The pace therefore rests a little below the estimate, and then goes past it, by an
excess that doubles until the next throttle: a probe that costs a call or two and gives a new estimate. A rate that
rose is met by the same growth, one that fell by throttles close together, which weigh in as fast as they come.

Before the first throttle nothing is known but a guess, and the pace doubles twice a second or so; the service's burst
pays for what that spends too early. With a `ceiling`, the rate that somebody configured, the pace starts there and
never exceeds it: it gives way where others use the account too, and comes back when they have gone.

Not every throttle comes from an empty bucket. Strays, such as faults and the bursts of others, come at any pace, and
what is accepted between two of them is only the pace at which we went: taken for the rate, each would lower the next.
An experiment tells them apart. While the pace rests, below what the service has just shown, throttles that come singly
are forgiven. At the first of them after calls enough for an estimate, the estimate is lowered to what was accepted,
and the rest begins again: if it was too high, the throttles now cease. Those that do not are strays, and as many again
are forgiven while the pace grows, until it is time for another look.

Time in which nobody asks is not sending time. The search and the growth stand still in it, and after a pause the
service's bucket may hold anything, so that no estimate comes from a time with a pause in it.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple, Self

DOUBLING = 0.55  # seconds in which the pace doubles while nothing is known
MARGIN = 0.985  # of the estimate, while the pace rests
REST = 2.8, 80, 30.0  # seconds and calls, at least, and seconds, at most, that it rests after a throttle
SHORT = 0.2  # of that, after a leap: the estimate is then no more than the middle of too low and too high
EXCESS = 0.04  # of the estimate: how far the pace goes past it when it has rested …
GROWTH = 0.9, 10, 3.0  # … and the seconds and calls, at least, and seconds, at most, in which that doubles
LEAP = 2.0  # estimates: a throttle at more than that shows that the estimate was too low
ENOUGH, ENOUGH_CALLS = 1.0, 40  # seconds and calls, at least, between two throttles that make an estimate
PRIOR = 0.25  # of so many calls is what the estimate before counts for, where there are fewer
LIGHT = 2.5  # calls that it counts for after a leap
TOLERANCE = 0.08  # of the calls, at most, are strays …
CREDIT = 4.0  # … and so many at once; one, while nothing is known
AMPLE = 2.0  # times the strays of the rest are forgiven in the growth …
EXPIRY = 5.0  # … for so many rests
PAUSE = 1.0  # seconds without a call after which the service's bucket may hold anything
SETTINGS = 2  # the fields of a estimator that are said and not learned: guess and ceiling
OF_RATE = "guess", "ceiling", "estimate", "accepted", "prior", "paced_at"  # the fields that are half for half the rate
SLOWEST, FASTEST = 0.05, 1e4  # calls per second


class RateEstimator(NamedTuple):
    """What is known of a rate. Times in seconds; `ceiling` is infinite where no rate was configured.

    `accepted` counts since `since`: the first call, and later the last moment at which the service's bucket was taken
    to be empty; that is not a number after a pause. `prior` was the estimate then, and counts for `weight` calls.
    `credit` throttles may be forgiven now; `strays` have been in this rest, which is `tested` (1) once its estimate was
    lowered. `paced_at` is the pace of the last call.
    """

    guess: float
    ceiling: float = math.inf
    estimate: float = math.nan
    since: float = math.nan
    accepted: float = 0.0
    prior: float = math.nan
    weight: float = LIGHT
    rests_until: float = math.nan
    credit: float = 1.0
    strays: float = 0.0
    tested: float = 0.0
    paced_at: float = math.nan

    @property
    def knows(self) -> bool:
        """Whether the service has ever shown its rate."""
        return not math.isnan(self.estimate)

    @property
    def is_free(self) -> bool:
        """Whether nobody configured a rate."""
        return math.isinf(self.ceiling)

    def with_state(self, state: Sequence[float]) -> Self:
        """Go on from what was learned before: all but guess and ceiling, in the order of the fields."""
        return type(self)(*self[:SETTINGS], *state)

    def share(self, fraction: float) -> Self:
        """Return what is known of a part of the rate, for one of several senders: of what each second lets through."""
        parts = {name: getattr(self, name) * fraction for name in OF_RATE}
        weight = self.weight if self.weight == LIGHT else self.weight * fraction
        return self._replace(**parts, weight=weight)

    def at_clock(self, ahead: float) -> Self:
        """Return the same by a clock that is so many seconds ahead."""
        return self._replace(since=self.since + ahead, rests_until=self.rests_until + ahead)

    def for_new_run(self, now: float) -> Self:
        """Keep what is known; a search that found nothing begins again. No estimate comes from times yet to come."""
        if not self.knows:
            return type(self)(self.guess, self.ceiling)
        return self._replace(since=math.nan, rests_until=now) if self.since > now else self

    def with_request(self, now: float, late: float) -> Self:
        """Note that a call asks for its place, `late` seconds after the timetable had one."""
        if math.isnan(self.paced_at):
            return self._replace(since=now)
        if late <= 0:
            return self
        if self.knows and late > PAUSE:
            rest = max(0.0, self.rests_until - (now - late))
            return self._replace(since=math.nan, rests_until=now + rest)
        idle = late + 1 / self.paced_at
        if self.knows:
            return self._replace(rests_until=self.rests_until + idle)
        return self._replace(since=self.since + idle)

    def pace(self, now: float) -> float:
        """Return how many calls a second to make now."""
        if not self.knows:
            pace = self._searched(now)
        elif self._is_resting(now):
            pace = self.estimate * MARGIN
        else:
            doublings = (now - self.rests_until) / _spell(self.estimate, *GROWTH)
            pace = self.estimate * (1 + EXCESS * math.exp2(min(doublings, 60.0)))
        return min(pace, self.ceiling, FASTEST)

    def _searched(self, now: float) -> float:
        """Return how far the search has come. A configured rate is not searched for."""
        if not self.is_free or math.isnan(self.since):
            return self.guess
        return self.guess * math.exp2(min((now - self.since) / DOUBLING, 60.0))

    def at_pace(self, pace: float) -> Self:
        """Note the pace at which a call goes."""
        return self if pace == self.paced_at else self._replace(paced_at=pace)

    def with_accepted(self, calls: int, now: float) -> Self:
        """Count calls that the service accepted."""
        credit = min(CREDIT if self.knows else 1.0, self.credit + calls * self._tolerance(now))
        return self._replace(accepted=self.accepted + calls, credit=credit)

    def throttled(self, now: float) -> Self:
        """Learn from a throttle: the service's bucket is empty now, unless the throttle is a stray."""
        if self.knows and math.isnan(self.since):
            return self._replace(since=now, accepted=0.0, prior=self.estimate).throttled(now)
        if self.credit >= 1 and self._tolerance(now):
            return self._forgiving(now)
        return self._believing(now) if self.knows else self._window(now, self._first(now), LIGHT)

    def _first(self, now: float) -> float:
        """Begin with the rate that was configured, else with the middle: the pace is too high, what it gave too low."""
        if not self.is_free:
            return self.ceiling
        return math.sqrt(max(1.0, self.accepted) / max(0.1, now - self.since) * self.pace(now))

    def _forgiving(self, now: float) -> Self:
        """Count a stray; in the rest, look once whether the estimate is too high instead."""
        credit, is_resting = self.credit - 1, self._is_resting(now)
        if is_resting and not self.tested and self._is_measured(now):
            lower = min(self.estimate, self._measured(now))
            return self._window(now, lower)._replace(credit=credit, strays=0.0, tested=1.0)
        return self._replace(credit=credit, strays=self.strays + is_resting)

    def _believing(self, now: float) -> Self:
        """Renew the estimate, and rest."""
        estimate, pace = self._measured(now), self.pace(now)
        if pace > LEAP * self.estimate:
            known = self._window(now, math.sqrt(estimate * pace), LIGHT)
        elif self._is_measured(now):
            known = self._window(now, estimate)
        else:
            known = self._replace(estimate=estimate, rests_until=now + _rest(estimate, self.weight))
        return known._replace(credit=0.0, strays=0.0, tested=self.tested if self._is_resting(now) else 0.0)

    def _window(self, now: float, estimate: float, weight: float = 0.0) -> Self:
        """Start counting again, at an empty bucket, and rest."""
        estimate = min(estimate, self.ceiling)
        weight = weight or PRIOR * max(ENOUGH_CALLS, ENOUGH * estimate)
        rests_until = now + _rest(estimate, weight)
        return self._replace(
            estimate=estimate, since=now, accepted=0.0, prior=estimate, weight=weight, rests_until=rests_until
        )

    def _is_measured(self, now: float) -> bool:
        """Whether there are calls enough since the last empty bucket that they make an estimate by themselves."""
        return self.accepted >= ENOUGH_CALLS and now - self.since >= ENOUGH

    def _measured(self, now: float) -> float:
        """Return what the service accepts each second, from what it accepted since the last empty bucket."""
        calls, seconds = self.accepted, now - self.since
        if not self._is_measured(now):
            calls, seconds = calls + self.weight, seconds + self.weight / self.prior
        return max(calls / seconds, SLOWEST)

    def _is_resting(self, now: float) -> bool:
        return now < self.rests_until

    def _tolerance(self, now: float) -> float:
        """Return what share of the calls may be strays now."""
        if self._is_resting(now) or (self.is_free and not self.knows):
            return TOLERANCE
        rest = _rest(self.estimate, self.weight)
        if not self.strays or now > self.rests_until + EXPIRY * rest:
            return 0.0
        return min(TOLERANCE, AMPLE * (self.strays + 1) / (self.estimate * rest))


def _rest(estimate: float, weight: float) -> float:
    """Return how long to rest, in seconds."""
    return _spell(estimate, *REST) * (SHORT if weight == LIGHT else 1.0)


def _spell(per_second: float, seconds: float, calls: int, most: float) -> float:
    """Return how long so many seconds and calls last, in seconds."""
    return min(max(seconds, calls / per_second), most)
