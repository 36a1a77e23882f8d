"""The rate of an operation in the driver of a cluster: what was learned, and each worker's part of it.

Each call has its place in the limiter that the processes of a state directory share, some of it ahead of its time: so a
run after this one, should this be killed, does not spend once more what workers still may spend.
"""

from collections.abc import Callable

from bulk.cluster.answers import Answers
from bulk.cluster.lease import Idle, Lease, credit_of, divided
from bulk.pacing.limiter import AdaptiveLimiter
from bulk.pacing.limits import Bucket
from bulk.pacing.queue import LimiterStore

LOT = 0.25  # seconds that a lot lasts at its worker's rate …
LEARNING_LOT = 0.1  # … and where the rate is learned: what is known of it grows old meanwhile
AHEAD = 1.0  # seconds ahead of its time at which a call may take its place
TOGETHER = 0.05  # seconds whose calls take their places as one, where no other limit counts them singly


class SharedRate:
    """The rate of one operation. Times in seconds."""

    def __init__(self, store: LimiterStore, *, clock: Callable[[], float]) -> None:
        self._store = store
        self._answers = Answers()
        self._limiter = store.change(lambda limiter: (limiter, limiter))
        now = clock()
        self.credit = max(0.0, credit_of(self._limiter, now))
        self.per_second = self._limiter.estimator.pace(now)

    @property
    def burst(self) -> int:
        """How many calls may be made at once."""
        return self._limiter.first.burst

    @property
    def lot(self) -> float:
        """How long a lot lasts, in seconds."""
        return LEARNING_LOT if self._limiter.estimator.is_free else LOT

    @property
    def is_searched(self) -> bool:
        """Whether nothing is known of it yet."""
        estimator = self._limiter.estimator
        return estimator.is_free and not estimator.knows

    def place(self, now: float, parts: int, *, tail: float, under_way: int) -> tuple[int, float]:
        """Take the next place; return for how many calls it is, and how long they wait. Raises `LedgerError`.

        `under_way` are the calls that workers still may spend.
        """

        def change(limiter: AdaptiveLimiter) -> tuple[AdaptiveLimiter, tuple[int, float]]:
            calls = _together(limiter)
            known = self._answers.fed(limiter, now, self.lot + tail).at_most_ahead(now, under_way)
            placed, wait = known.take(now, parts, calls=calls)
            self._know(placed, now)
            return placed, (calls, wait)

        return self._store.change(change)

    def note(self, at: float, *, throttled: bool) -> None:
        """Take note of an answer: a call was accepted, or refused for its rate."""
        self._answers.note(at, throttled=throttled)

    def learn(self, now: float, tail: float) -> None:
        """Learn from what was noted. `tail`: seconds for which an answer may be on its way."""

        def change(limiter: AdaptiveLimiter) -> tuple[AdaptiveLimiter, None]:
            fed = self._answers.fed(limiter, now, self.lot + tail)
            self._know(fed, now)
            return fed, None

        self._store.change(change)

    def _know(self, limiter: AdaptiveLimiter, now: float) -> None:
        self._limiter, self.per_second = limiter, limiter.estimator.pace(now)

    def lasts(self, calls: int, parts: int, fraction: float) -> float:
        """Return how many seconds so many calls, of so many parts, take with a part of the rate."""
        others = [limit for limit in self._limiter.others if isinstance(limit, Bucket)]
        amounts = [(parts if limit.of_parts else calls) / limit.per_second for limit in others]
        return max([calls / self.per_second, *amounts]) / fraction

    def lease(
        self,
        fraction: float,
        workers: int,
        *,
        not_after: float,
        ahead: float,
        credit: float | None,
        idle: Idle | None = None,
    ) -> Lease:
        """Return the lease of one of so many workers, whose clock is so many seconds `ahead` of ours."""
        limiter = self._limiter
        return Lease(
            limiter.estimator.share(fraction).at_clock(ahead),
            fraction,
            max(1, limiter.first.burst // workers),
            not_after + ahead,
            self._answers.known_at + ahead,
            credit,
            divided(limiter.others, workers, fraction),
            idle._replace(since=idle.since + ahead) if idle else None,
        )


def _together(limiter: AdaptiveLimiter) -> int:
    """Return how many calls take their places as one: the file is written once for them."""
    bucket, pace = limiter.first, limiter.estimator.paced_at
    many = min(bucket.burst // 2, int(pace * TOGETHER)) if pace > 0 and not limiter.others else 1
    return max(limiter.together, many)
