"""Turns and gates in virtual time: it …"""

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from typing import TypeVar

import anyio
import pytest
from virtual import in_virtual_time

from bulk.pacing.estimator import DOUBLING, RateEstimator
from bulk.pacing.gate import Gate
from bulk.pacing.limiter import BURST_SPEED, MOMENT, AdaptiveLimiter
from bulk.pacing.limits import Bucket
from bulk.pacing.open_contacts import OpenContactLimit
from bulk.pacing.queue import LocalStore, RateLimitQueue
from bulk.stop import Stop, Stopped

pytestmark = in_virtual_time

T = TypeVar("T")


def queues_of(bucket: Bucket, stop: Stop) -> RateLimitQueue:
    """Return the turns of an operation whose rate was configured."""
    return RateLimitQueue(
        LocalStore(AdaptiveLimiter(bucket, RateEstimator(bucket.per_second, bucket.per_second))), stop
    )


async def test_callers_go_at_the_pace_first_come_first_served() -> None:
    turns, went = queues_of(Bucket(2), Stop()), []

    async def caller(name: str) -> None:
        await turns.take()
        went.append((name, anyio.current_time()))

    async with asyncio.TaskGroup() as group:
        for name in "abcd":
            group.create_task(caller(name))
    assert went == [("a", 0.0), ("b", 0.5), ("c", 1.0), ("d", 1.5)]


async def test_one_who_comes_later_does_not_overtake() -> None:
    turns, went = queues_of(Bucket(1), Stop()), []

    async def caller(name: str, comes_at: float) -> None:
        await anyio.sleep(comes_at)
        await turns.take()
        went.append(name)

    async with asyncio.TaskGroup() as group:
        for name, comes_at in {"d": 1.9, "a": 0.0, "c": 0.2, "b": 0.1}.items():
            group.create_task(caller(name, comes_at))
    assert went == ["a", "b", "c", "d"]


async def test_an_hour_of_turns_has_exactly_the_calls_that_the_rate_allows() -> None:
    turns, went = queues_of(Bucket(2, 4), Stop()), 0

    async def caller() -> None:
        nonlocal went
        while True:
            await turns.take()
            went += 1
            await anyio.sleep(0.3)

    with anyio.move_on_after(3600 - 0.001):
        async with asyncio.TaskGroup() as group:
            for _ in range(7):
                group.create_task(caller())
    assert went == 3600 * 2 + 3


async def test_a_stop_wakes_all_who_wait_at_once_and_lets_nobody_start_after() -> None:
    stop = Stop()
    turns, went, woken = queues_of(Bucket(1 / 60), stop), [], []

    async def caller() -> None:
        try:
            await turns.take()
            went.append(anyio.current_time())
        except Stopped:
            woken.append(anyio.current_time())

    async with asyncio.TaskGroup() as group:
        for _ in range(50):
            group.create_task(caller())
        await anyio.sleep(70)
        stop.ask("enough", 0)
        await caller()
    assert went == [0.0, 60.0]
    assert woken == [70.0] * 49


async def test_a_thousand_who_wait_cost_one_timer() -> None:
    turns = queues_of(Bucket(1 / 60), Stop())
    tasks = [asyncio.create_task(turns.take()) for _ in range(1000)]
    await anyio.sleep(1)
    assert len([timer for timer in asyncio.get_running_loop()._scheduled if not timer.cancelled()]) == 1  # type: ignore[attr-defined]  # asyncio's own
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_cancelled_caller_gives_its_turn_to_the_next() -> None:
    turns, went = queues_of(Bucket(1), Stop()), []

    async def caller() -> None:
        await turns.take()
        went.append(anyio.current_time())

    async with asyncio.TaskGroup() as group:
        group.create_task(caller())
        given_up = group.create_task(caller())
        group.create_task(caller())
        await anyio.sleep(0.5)
        given_up.cancel()
    assert len(went) == 2
    assert went[1] <= 2.0


class Service:
    """A service that is full until a moment; each call takes a while."""

    def __init__(self, gate: Gate, *, full_until: float, takes: float = 0.25) -> None:
        self.gate = gate
        self.full_until = full_until
        self.takes = takes
        self.probes: list[float] = []
        self.accepted: list[float] = []
        self.probing = 0

    async def call(self) -> None:
        while True:
            async with self.gate.passing() as probing:
                if probing:
                    self.probes.append(anyio.current_time())
                    self.probing += 1
                    assert self.probing == 1
                await anyio.sleep(self.takes)
                self.probing -= probing
                if anyio.current_time() < self.full_until:
                    self.gate.close(probing=probing)
                    continue
                if probing:
                    self.gate.open()
            self.accepted.append(anyio.current_time())
            return


async def test_an_open_gate_lets_everybody_pass_at_once() -> None:
    service = Service(Gate(Stop()), full_until=0.0)
    await asyncio.gather(*[service.call() for _ in range(5)])
    assert (service.probes, service.accepted) == ([], [0.25] * 5)


async def test_one_caller_at_a_time_probes_ever_more_rarely() -> None:
    service = Service(Gate(Stop(), longest=8.0), full_until=40.0)
    await asyncio.gather(*[service.call() for _ in range(5)])
    assert service.probes == [1.25, 3.5, 7.75, 16.0, 24.25, 32.5, 40.75]  # after 1, 2, 4, 8, 8, … seconds


async def test_a_probe_that_is_taken_opens_the_gate_for_all() -> None:
    gate = Gate(Stop())
    service = Service(gate, full_until=2.0)
    await asyncio.gather(*[service.call() for _ in range(5)])
    assert service.accepted == [3.75, 4.0, 4.0, 4.0, 4.0]
    assert gate.closed_at is None


async def test_a_gate_that_closes_again_starts_with_short_waits() -> None:
    service = Service(Gate(Stop()), full_until=20.0)
    await service.call()
    service.full_until = anyio.current_time() + 1.0
    service.probes.clear()
    begun = anyio.current_time()
    await service.call()
    assert service.probes == [begun + 0.25 + 1.0]


async def test_what_calls_under_way_say_of_a_closed_gate_changes_nothing() -> None:
    gate = Gate(Stop())
    for _ in range(20):
        gate.close(probing=False)
        await anyio.sleep(0.01)
    async with gate.passing() as probing:
        assert probing
        assert anyio.current_time() == pytest.approx(1.0)
    assert gate.closed_at == 0.0


async def test_a_probe_that_fails_for_another_reason_lets_the_next_one_probe() -> None:
    gate = Gate(Stop())
    gate.close(probing=False)
    with pytest.raises(ConnectionError):
        async with gate.passing():
            raise ConnectionError
    async with gate.passing() as probing:
        assert probing


async def test_a_stop_wakes_all_before_the_gate_at_once() -> None:
    stop = Stop()
    gate, woken = Gate(stop), []
    gate.close(probing=False)

    async def caller() -> None:
        try:
            async with gate.passing():
                raise AssertionError("nothing may start after the stop")
        except Stopped:
            woken.append(anyio.current_time())

    async with asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(caller())
        await anyio.sleep(0.5)
        stop.ask("enough", 0)
        await caller()
    assert woken == [0.5] * 21


@pytest.mark.parametrize("per_second, burst", [(2, 5), (50, 50), (400, 100), (900, 1)])
async def test_the_calls_of_a_burst_go_a_moment_apart_and_nothing_is_lost_by_it(per_second: int, burst: int) -> None:
    turns, went = (
        RateLimitQueue(
            LocalStore(AdaptiveLimiter(Bucket(per_second, burst), RateEstimator(per_second, per_second))), Stop()
        ),
        [],
    )
    for _ in range(10 * per_second):
        await turns.take()
        went.append(anyio.current_time())
    gap = min(MOMENT, 1 / (BURST_SPEED * per_second)) if burst > 1 else 1 / per_second
    assert min(later - earlier for earlier, later in pairwise(went)) == pytest.approx(gap)
    assert went[-1] == pytest.approx((10 * per_second - burst) / per_second)


async def test_where_the_pace_is_too_fast_to_tell_calls_apart_some_take_their_turns_as_one() -> None:
    """It costs a look at the shared pace for some dozen calls, and is no faster."""
    changes, went = 0, 0

    class Counted(LocalStore):
        def change(self, change: Callable[[AdaptiveLimiter], tuple[AdaptiveLimiter, T]]) -> T:
            nonlocal changes
            changes += 1
            return super().change(change)

    turns = RateLimitQueue(Counted(AdaptiveLimiter(Bucket(10_000, 100), RateEstimator(10_000, 10_000))), Stop())
    while anyio.current_time() < 1:
        await turns.take()
        went += 1
    assert went <= 10_000 + 100
    assert changes < went / 15


async def test_nobody_overtakes_by_a_turn_that_was_granted_with_others() -> None:
    turns, went = RateLimitQueue(LocalStore(AdaptiveLimiter(Bucket(10_000, 100), RateEstimator(1e4, 1e4))), Stop()), []
    while anyio.current_time() == 0 or turns._granted:
        await turns.take()

    async def caller(name: str) -> None:
        for _ in range(2):
            await turns.take()
            went.append(name)

    async with asyncio.TaskGroup() as group:
        for name in "abc":
            group.create_task(caller(name))
    assert went == [*"abcabc"]


async def test_who_waits_at_a_stop_takes_no_place() -> None:
    """What is not used is not spent: the next run begins where this one stopped."""
    stop, pace = Stop(), LocalStore(AdaptiveLimiter(Bucket(1), RateEstimator(1, 1)))
    turns = RateLimitQueue(pace, stop)

    async def caller() -> None:
        with suppress(Stopped):
            await turns.take()

    async with asyncio.TaskGroup() as group:
        for _ in range(50):
            group.create_task(caller())
        await anyio.sleep(2.5)
        stop.ask("enough", 130)
    assert pace.pace.first.due == 4.0


async def test_turns_that_nobody_took_in_their_moment_are_gone() -> None:
    turns = RateLimitQueue(LocalStore(AdaptiveLimiter(Bucket(10_000, 100), RateEstimator(10_000, 10_000))), Stop())
    for _ in range(3):
        await turns.take()
    assert turns._granted > 0
    await anyio.sleep(3600)
    went = 0
    while anyio.current_time() == 3600:
        await turns.take()
        went += 1
    assert went <= 101


async def test_the_rate_holds_where_open_contacts_are_bounded_too() -> None:
    bucket = Bucket(2, 2)
    turns, went = (
        RateLimitQueue(
            LocalStore(AdaptiveLimiter(bucket, RateEstimator(2, 2))), Stop(), room=OpenContactLimit(100, 3600.0)
        ),
        [],
    )

    async def caller() -> None:
        await turns.take()
        went.append(anyio.current_time())

    async with asyncio.TaskGroup() as group:
        for _ in range(6):
            group.create_task(caller())
    assert went == pytest.approx([0.0, MOMENT, 0.5, 1.0, 1.5, 2.0])


async def test_a_call_that_opens_nothing_more_waits_for_the_rate_but_for_no_room() -> None:
    turns, went = (
        RateLimitQueue(
            LocalStore(AdaptiveLimiter(Bucket(2), RateEstimator(2, 2))), Stop(), room=OpenContactLimit(1, 3600.0)
        ),
        [],
    )
    for opens in (True, False, False):
        await turns.take(opens=opens)
        went.append(anyio.current_time())
    assert went == [0.0, 0.5, 1.0]


@pytest.mark.parametrize("accepted", [0, 1, 7])
async def test_the_estimator_is_told_each_accepted_call_once(accepted: int) -> None:
    paces = LocalStore(AdaptiveLimiter(Bucket(100, 50), RateEstimator(100)))
    turns = RateLimitQueue(paces, Stop())
    await turns.take()
    for _ in range(accepted):
        turns.accepted()
    await turns.take()
    assert paces.pace.estimator.accepted == accepted
    await turns.take()
    assert paces.pace.estimator.accepted == accepted


async def test_a_throttle_is_told_with_the_calls_that_were_accepted_before_it() -> None:
    paces = LocalStore(AdaptiveLimiter(Bucket(10, 50), RateEstimator(10.0)))
    turns = RateLimitQueue(paces, Stop())
    await turns.take()
    for _ in range(20):
        turns.accepted()
    await anyio.sleep(2.0)
    turns.throttled()  # the first is forgiven, the second believed
    turns.throttled()
    estimator = paces.pace.estimator
    assert estimator.estimate == pytest.approx(math.sqrt(20 / 2 * 10 * 2 ** (2 / DOUBLING)))
    assert estimator.accepted == 0


async def test_after_a_stop_nobody_takes_room_though_a_turn_is_left() -> None:
    stop, room = Stop(), OpenContactLimit(5, 3600.0)
    turns = RateLimitQueue(
        LocalStore(AdaptiveLimiter(Bucket(10_000, 100), RateEstimator(10_000, 10_000))), stop, room=room
    )
    for _ in range(3):
        await turns.take()
    assert turns._granted > 0
    stop.ask("enough", 0)
    with pytest.raises(Stopped):
        await turns.take()
    assert room.count(anyio.current_time()) == 3
