"""A worker's share of a rate, and how long it is valid. Arithmetic only.

A lease is written by the driver in the worker's own time. It holds what is known of the rate, as a part: the worker
learns on by the same arithmetic (`pacing.estimator`), so that a throttle slows it down at once, and is told better by
the next lease. A bucket's credit, the calls that may go at once, is the worker's own and passes from lease to lease;
only the first says how much there is, for what another worker spent of the burst is spent.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from bulk.pacing.estimator import RateEstimator
from bulk.pacing.limiter import AdaptiveLimiter
from bulk.pacing.limits import Bucket, Limit, Limits

FRESH = 5.0  # seconds for which what is known of a rate is not old


class Idle(NamedTuple):
    """A part of a rate that nobody has spent `since` then (seconds)."""

    fraction: float
    since: float


@dataclass(frozen=True, slots=True)
class Lease:
    """What a worker may spend on one operation, until `not_after` (seconds, by its own clock).

    `fraction` is its part of the rate, `burst` the calls that it may make at once, `credit` how many of these it has
    now, where it does not know it itself. `known_at`: the estimator knows of answers up to then. `others` are further
    limits: calls or segments a second, at once, whether of segments, and a name. What is `idle` is part of `fraction`,
    and the calls that nobody made with it meanwhile may be made at once.
    """

    estimator: RateEstimator
    fraction: float
    burst: int
    not_after: float
    known_at: float
    credit: float | None = None
    others: tuple[tuple[float, int, bool, str], ...] = ()
    idle: Idle | None = None

    def body(self) -> list[Any]:
        """Return the lease as part of a message."""
        named = list(self.estimator), self.fraction, self.burst, self.not_after, self.known_at, self.credit
        return [*named, [list(other) for other in self.others], self.idle]

    @classmethod
    def of(cls, body: list[Any]) -> Self:
        """Return a lease that came in a message."""
        numbers, fraction, burst, not_after, known_at, credit, others, idle = body
        listed = tuple((rate, most, of_parts, name) for rate, most, of_parts, name in others)
        unused = Idle(*idle) if idle else None
        return cls(RateEstimator(*numbers), fraction, burst, not_after, known_at, credit, listed, unused)

    def opened(self, now: float) -> AdaptiveLimiter:
        """Return the limiter of a worker's first lease."""
        credit = self.burst if self.credit is None else self.credit
        known = self._known(now)
        pace = known.pace(now)
        first = self._bucket(pace, min(credit, self.burst), now)
        others = Limits(Bucket(rate, most, of_parts=parts, name=name) for rate, most, parts, name in self.others)
        return AdaptiveLimiter(first, known.at_pace(pace), others)

    def _known(self, now: float) -> RateEstimator:
        """Return what is known of the rate, without the time of which no answers are known yet."""
        estimator, unknown = self.estimator, max(0.0, now - self.known_at)
        return estimator._replace(since=estimator.since + unknown) if estimator.knows and unknown < FRESH else estimator

    def renewed(self, limiter: AdaptiveLimiter, now: float, *, fraction: float, throttled_at: float) -> AdaptiveLimiter:
        """Return the limiter after the lease before, which had a `fraction`. A later throttle is not forgotten."""
        told = self.known_at >= throttled_at
        known = self._known(now) if told else limiter.estimator.share(self.fraction / fraction)
        credit = credit_of(limiter, now) if self.credit is None else min(self.credit, credit_of(limiter, now))
        pace = known.pace(now)
        first = self._bucket(pace, min(credit, self.burst), now)
        others = Limits(_renewed(limit, other, now) for limit, other in zip(limiter.others, self.others, strict=True))
        return AdaptiveLimiter(first, known.at_pace(pace), others)

    def _bucket(self, pace: float, credit: float, now: float) -> Bucket:
        """Return the bucket of this lease, with so much credit and what was idle. No more is idle than a burst."""
        unused = 0
        if self.idle:
            part = self.idle.fraction / self.fraction
            unused = math.floor(min(self.burst, part * pace * (now - self.idle.since)))
        return Bucket(pace, self.burst + unused, now + (self.burst - credit) / pace)


def credit_of(limiter: AdaptiveLimiter, now: float) -> float:
    """Return how many calls may go at once; below 0 where places are taken that have not come yet."""
    pace, first = limiter.estimator.paced_at, limiter.first
    per_second = pace if pace > 0 else first.per_second
    return first.burst - max(0.0, (first.due - now) * per_second)


def divided(others: Limits, workers: int, fraction: float) -> tuple[tuple[float, int, bool, str], ...]:
    """Return a worker's part of further limits. One that is no bucket, such as a day's, the driver keeps."""
    return tuple(
        (limit.per_second * fraction, max(1, limit.burst // workers), limit.of_parts, limit.name)
        for limit in others
        if isinstance(limit, Bucket)
    )


def _renewed(limit: Limit, other: tuple[float, int, bool, str], now: float) -> Bucket:
    per_second, burst, of_parts, name = other
    assert isinstance(limit, Bucket)  # noqa: S101 - a worker has no others
    ahead = max(0.0, (limit.due - now) * limit.per_second)
    return Bucket(per_second, burst, now + ahead / per_second, of_parts=of_parts, name=name)
