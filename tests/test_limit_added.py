"""A limit is one class: one that the program has never met …"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import anyio
import pytest
from virtual import in_virtual_time

from bulk.pacing.estimator import RateEstimator
from bulk.pacing.limiter import AdaptiveLimiter
from bulk.pacing.limits import Bucket, Limit, Limits
from bulk.pacing.queue import LocalStore, RateLimitQueue
from bulk.pacing.shared import FileStore
from bulk.pacing.sliding_window import SlidingWindow
from bulk.stop import Stop

GAP = 10.0


@dataclass(frozen=True, slots=True)
class Gap:
    """The messages of one sender are so many seconds apart: it knows no rate and no burst."""

    sender: str
    seconds: float = GAP
    free_at: float = 0.0
    of_parts: bool = False

    @property
    def name(self) -> str:
        return f"gap of {self.sender}"

    def wait(self, now: float, amount: int = 1) -> float:
        return max(0.0, self.free_at - now)

    def take(self, now: float, amount: int = 1) -> tuple[Self, float]:
        wait = self.wait(now)
        return replace(self, free_at=now + wait + amount * self.seconds), wait

    def valid_until(self, amount: int = 1) -> float:
        return self.free_at - amount * self.seconds

    def taken_late(self, now: float, amount: int = 1) -> Self:
        return replace(self, free_at=max(self.free_at, now + amount * self.seconds))

    def duration_of(self, amount: int) -> float:
        return (amount - 1) * self.seconds

    def remainder(self, amount: int) -> int:
        return 0

    def for_new_run(self, now: float) -> Self:
        return replace(self, free_at=min(self.free_at, now + self.seconds))

    @property
    def state(self) -> tuple[float, ...]:
        return (self.free_at,)

    def with_state(self, state: Sequence[float]) -> Self:
        return replace(self, free_at=state[0]) if state else self


def with_limits(*others: Limit) -> AdaptiveLimiter:
    """Return the limiter of an operation that may be called 50 times a second, with further limits."""
    return AdaptiveLimiter(Bucket(50, 50), RateEstimator(50, 50), Limits(others))


def waits(pace: AdaptiveLimiter, calls: int, parts: int = 1) -> list[float]:
    """Return how long each of some callers waits who ask at once."""
    found = []
    for _ in range(calls):
        pace, wait = pace.take(0.0, parts)
        found.append(wait)
    return found


def test_is_kept_by_the_limiter() -> None:
    assert waits(with_limits(Gap("+1")), 3) == [0, GAP, 2 * GAP]


def test_counts_parts_where_it_says_so() -> None:
    assert waits(with_limits(Gap("+1", of_parts=True)), 3, parts=2) == [0, 2 * GAP, 4 * GAP]


def test_holds_beside_the_others_and_the_strictest_decides() -> None:
    assert waits(with_limits(Gap("+1"), SlidingWindow(2, 3600.0)), 3) == pytest.approx([0, GAP, 3600.0], abs=60)


def test_is_counted_in_how_long_a_list_takes() -> None:
    assert Limits([Bucket(50, 50), Gap("+1")]).duration_of(7) == 6 * GAP
    assert Limits([Gap("+1"), SlidingWindow(5, 3600.0)]).duration_of(7) == 3600.0 + GAP


@in_virtual_time
async def test_is_kept_by_the_queue() -> None:
    queue, went = RateLimitQueue(LocalStore(with_limits(Gap("+1"))), Stop()), []
    start = anyio.current_time()
    for _ in range(3):
        await queue.take()
        went.append(anyio.current_time() - start)
    assert went == pytest.approx([0, GAP, 2 * GAP])


def test_is_one_limit_for_all_processes_that_give_it_the_same_name(tmp_path: Path) -> None:
    def wait(sender: str, now: float) -> float:
        store = FileStore(tmp_path, ("endpoint", "region", "Operation"), with_limits(Gap(sender)))
        try:
            return store.change(lambda pace: pace.take(now))
        finally:
            store.close()

    assert wait("+1", 1e9) == 0
    assert wait("+1", 1e9) == GAP
    assert wait("+2", 1e9 + GAP) == 0
    assert wait("+1", 1e9 + GAP) == GAP
