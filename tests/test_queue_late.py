"""Turns on an event loop that wakes late, as every real one does: it …"""

import asyncio

import anyio
import pytest
import virtual
from hypothesis import given, settings
from hypothesis import strategies as st

from bulk.pacing.estimator import RateEstimator
from bulk.pacing.limiter import AdaptiveLimiter
from bulk.pacing.limits import Bucket, Limits
from bulk.pacing.queue import CATCH_UP, LocalStore, RateLimitQueue
from bulk.stop import Stop

ROUNDING = 1e-6  # seconds


def departures(pace: AdaptiveLimiter, calls: int, *, late: float, seed: int = 0, at_once: int = 256) -> list[float]:
    """Return when so many calls go, each of which takes 100 ms and every timer of which is up to `late` s late."""

    async def go() -> list[float]:
        turns, went, left = RateLimitQueue(LocalStore(pace), Stop()), list[float](), iter(range(calls))

        async def work() -> None:
            for _ in left:
                await turns.take()
                went.append(anyio.current_time())
                turns.accepted()
                await anyio.sleep(0.1)

        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(work())
        return went

    return virtual.run(go(), virtual.late_loop(late, seed))


def paced(per_second: float, burst: int) -> AdaptiveLimiter:
    """Return the pace of a configured rate."""
    return AdaptiveLimiter(Bucket(per_second, burst), RateEstimator(per_second, per_second))


def earliness(bucket: Bucket, went: list[float], amount: int = 1) -> float:
    """Return by how many seconds the call that went too early went too early."""
    worst = 0.0
    for now in went:
        bucket, wait = bucket.take(now, amount)
        worst = max(worst, wait)
    return worst


@pytest.mark.parametrize("per_second, burst", [(50, 45), (200, 180), (400, 360), (400, 28), (800, 100)])
@pytest.mark.parametrize("late", [0.001, 0.003, 0.008])
def test_a_high_rate_is_reached_though_every_timer_is_late(per_second: int, burst: int, late: float) -> None:
    calls = 10 * per_second + burst
    went = departures(paced(per_second, burst), calls, late=late)
    assert calls / (burst + per_second * (went[-1] - went[0])) > 0.98
    assert earliness(Bucket(per_second, burst), went) < ROUNDING


def test_lateness_is_made_up_for_as_long_as_two_hundredths_of_a_second() -> None:
    assert CATCH_UP == 0.02


def test_a_stall_of_the_loop_is_made_up_for_as_far_as_the_burst_goes() -> None:
    went = departures(paced(400, 28), 4000, late=0.05)
    assert 4000 / (28 + 400 * (went[-1] - went[0])) > 0.9
    assert earliness(Bucket(400, 28), went) < ROUNDING


@given(
    per_second=st.floats(1, 490),
    burst=st.integers(1, 60),
    late=st.floats(0, 0.1),
    seed=st.integers(0, 2**16),
    at_once=st.integers(1, 60),
)
@settings(max_examples=60)
def test_however_late_the_loop_the_rate_is_never_exceeded(
    per_second: float, burst: int, late: float, seed: int, at_once: int
) -> None:
    went = departures(paced(per_second, burst), 150, late=late, seed=seed, at_once=at_once)
    assert earliness(Bucket(per_second, burst), went) < ROUNDING


@given(late=st.floats(0, 0.5), seed=st.integers(0, 2**16), burst=st.integers(1, 3))
@settings(max_examples=30)
def test_nor_is_any_limit_that_the_campaign_has_besides(late: float, seed: int, burst: int) -> None:
    slow = Bucket(7, burst, name="parts")
    went = departures(paced(50, 45)._replace(others=Limits([slow])), 60, late=late, seed=seed)
    assert earliness(slow, went) < ROUNDING
