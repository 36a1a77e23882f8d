"""Many deliveries at once, in virtual time: it …"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from virtual import in_virtual_time, run

from bulk.delivery.workers import send
from bulk.errors import Halted, LedgerError, ListError
from bulk.pacing.estimator import RateEstimator
from bulk.pacing.limiter import AdaptiveLimiter
from bulk.pacing.limits import Bucket
from bulk.pacing.open_contacts import OpenContactLimit
from bulk.pacing.queue import LocalStore, RateLimitQueue
from bulk.pacing.waiters import WaiterCount
from bulk.stop import Stop, Stopped


async def fed(batches: Iterable[Sequence[int]], read: list[int] | None = None) -> AsyncIterator[Sequence[int]]:
    """Return the batches, noting each as it is read."""
    for number, batch in enumerate(batches):
        if read is not None:
            read.append(number)
        yield batch


class Post:
    """Delivers by waiting a while; keeps count."""

    def __init__(self, *, takes: Callable[[int], float] = lambda _: 1.0) -> None:
        self.takes = takes
        self.begun: list[int] = []
        self.done: list[int] = []
        self.most = 0

    async def deliver(self, item: int) -> None:
        self.begun.append(item)
        self.most = max(self.most, len(self.begun) - len(self.done))
        await anyio.sleep(self.takes(item))
        self.done.append(item)


async def sent(
    batches: Iterable[Sequence[int]] | AsyncIterator[Sequence[int]],
    deliver: Callable[[int], Awaitable[None]],
    *,
    at_once: int = 3,
    stop: Stop | None = None,
    grace: float = 10.0,
) -> None:
    """Send, at no rate: who asks for a turn has it."""
    waiting = WaiterCount()

    async def at_its_turn(item: int) -> None:
        with waiting:
            pass
        await deliver(item)

    coming = batches if isinstance(batches, AsyncIterator) else fed(batches)
    await send(coming, at_its_turn, at_once=at_once, waiting=waiting, stop=stop or Stop(), grace=grace)


async def asking(stop: Stop, at: float) -> None:
    await anyio.sleep(at)
    stop.ask("enough", 130)


@settings(max_examples=40)
@given(
    batches=st.lists(st.lists(st.integers(), max_size=6), max_size=6),
    at_once=st.integers(1, 8),
    times=st.lists(st.floats(0, 2), min_size=1, max_size=5),
)
def test_each_item_is_delivered_exactly_once(batches: list[list[int]], at_once: int, times: list[float]) -> None:
    post = Post(takes=lambda item: times[item % len(times)])
    run(sent(batches, post.deliver, at_once=at_once))
    assert Counter(post.done) == Counter(item for batch in batches for item in batch)
    assert post.most <= at_once


@in_virtual_time
async def test_items_are_taken_in_the_order_of_the_list() -> None:
    post = Post(takes=lambda item: 0.1 + item % 3)
    await sent([range(10), range(10, 20)], post.deliver)
    assert post.begun == list(range(20))


@in_virtual_time
async def test_as_many_are_in_flight_as_allowed_and_no_more() -> None:
    post = Post()
    await sent([range(100)], post.deliver, at_once=7)
    assert (post.most, anyio.current_time()) == (7, 15.0)


@in_virtual_time
@pytest.mark.parametrize("latency, needed", [(0.1, 5), (1.0, 50), (3.0, 150), (30.0, 200)])
async def test_as_many_are_in_flight_as_rate_and_latency_need(latency: float, needed: int) -> None:
    """And hardly more: a few wait for their turn. The rate alone decides, unless `at_once` bounds it."""
    stop, waiting, post = Stop(), WaiterCount(), Post(takes=lambda _: latency)
    turns = RateLimitQueue(LocalStore(AdaptiveLimiter(Bucket(50), RateEstimator(50, 50))), stop, waiting=waiting)
    workers: set[asyncio.Task[None] | None] = set()

    async def deliver(item: int) -> None:
        workers.add(asyncio.current_task())
        await turns.take()
        await post.deliver(item)

    await send(fed([range(1000)]), deliver, at_once=200, waiting=waiting, stop=stop, grace=1.0)
    assert needed <= post.most <= len(workers) <= needed + 4
    if needed < 200:
        assert anyio.current_time() == pytest.approx(999 / 50 + latency)


@dataclass
class FullRoom:
    """Deliveries to a service that has room for 10 contacts at once, each for a minute; rows 15 and 16 open none."""

    waiting: WaiterCount
    taken: list[tuple[float, int]] = field(default_factory=list)
    done: list[tuple[float, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        pace, room = AdaptiveLimiter(Bucket(10), RateEstimator(10, 10)), OpenContactLimit(10, 60.0)
        self.turns = RateLimitQueue(LocalStore(pace), Stop(), room=room, waiting=self.waiting)

    async def deliver(self, item: int) -> None:
        self.taken.append((anyio.current_time(), item))
        await self.turns.take(opens=item not in (15, 16))
        await anyio.sleep(0.3)
        self.done.append((anyio.current_time(), item))
        self.waiting.unsettled -= item in (15, 16)

    async def send(self) -> None:
        await send(fed([range(40)]), self.deliver, at_once=20, waiting=self.waiting, stop=Stop(), grace=1.0)

    def taken_until(self, time: float) -> list[int]:
        return [item for taken_at, item in self.taken if taken_at <= time]


@in_virtual_time
async def test_one_waits_for_room_and_the_other_rows_wait_in_the_list() -> None:
    service = FullRoom(WaiterCount())
    await service.send()
    assert service.taken_until(59.0) == list(range(len(service.taken_until(59.0))))
    assert len(service.taken_until(59.0)) <= 10 + 5  # those that fill it, and those that were under way then
    assert len(service.taken_until(119.0)) <= 20 + 5
    assert [item for _, item in service.done] == list(range(40))
    assert service.done[-1][0] == pytest.approx(180 + 0.9 + 0.3, abs=0.4)


@in_virtual_time
async def test_rows_that_are_to_be_settled_do_not_wait_behind_one_that_waits_for_room() -> None:
    service = FullRoom(WaiterCount(unsettled=2))
    await service.send()
    settled = {item: at for at, item in service.done if item in (15, 16)}
    assert max(settled.values()) < 3.0
    assert len(service.taken_until(59.0)) > 15
    assert sorted(item for _, item in service.done) == list(range(40))


@in_virtual_time
async def test_the_list_is_read_no_more_than_a_batch_ahead() -> None:
    read: list[int] = []
    ahead = 0

    async def deliver(item: int) -> None:
        nonlocal ahead
        ahead = max(ahead, len(read) - 1 - item // 10)
        await anyio.sleep(1)

    await sent(fed([range(start, start + 10) for start in range(0, 200, 10)], read), deliver, at_once=2)
    assert len(read) == 20
    assert 1 <= ahead <= 2


@in_virtual_time
async def test_an_empty_list_ends_at_once() -> None:
    await sent([], Post().deliver)
    await sent([[], []], Post().deliver)
    assert anyio.current_time() == 0.0


@in_virtual_time
async def test_nothing_starts_after_a_stop_and_what_is_in_flight_ends() -> None:
    stop, post = Stop(), Post(takes=lambda _: 4.0)
    async with anyio.create_task_group() as group:
        group.start_soon(asking, stop, 5.0)
        await sent([range(50)], post.deliver, stop=stop)
    assert post.begun == sorted(post.done) == list(range(6))
    assert anyio.current_time() == 8.0


@in_virtual_time
async def test_what_has_not_ended_within_the_grace_time_is_cut_off() -> None:
    stop, post = Stop(), Post(takes=lambda item: 100.0 if item == 1 else 1.0)
    async with anyio.create_task_group() as group:
        group.start_soon(asking, stop, 5.5)
        await sent([range(50)], post.deliver, stop=stop, grace=2.0)
    assert 1 not in post.done
    assert set(post.begun) - set(post.done) == {1}
    assert anyio.current_time() == 7.5


@in_virtual_time
async def test_a_stop_before_the_start_delivers_nothing() -> None:
    stop, post = Stop(), Post()
    stop.ask("enough", 130)
    await sent([range(50)], post.deliver, stop=stop)
    assert (post.begun, anyio.current_time()) == ([], 0.0)


@in_virtual_time
async def test_a_stop_does_not_wait_for_a_list_that_is_slow_to_read() -> None:
    stop = Stop()

    async def slow() -> AsyncIterator[Sequence[int]]:
        yield [1]
        await anyio.sleep(3600)
        yield [2]

    async with anyio.create_task_group() as group:
        group.start_soon(asking, stop, 5.0)
        await sent(slow(), Post().deliver, stop=stop)
    assert anyio.current_time() == 5.0


@in_virtual_time
async def test_a_cause_that_fails_every_row_stops_the_rest() -> None:
    stop, post = Stop(), Post(takes=lambda item: 1.0 + item / 100)

    async def deliver(item: int) -> None:
        await post.deliver(item)
        if item == 4:
            raise Halted("no permission")

    await sent([range(50)], deliver, stop=stop)
    assert (stop.reason, stop.exit_code) == ("no permission", 3)
    assert post.begun == sorted(post.done) == list(range(7))


@in_virtual_time
async def test_the_first_cause_stands() -> None:
    stop = Stop()

    async def deliver(item: int) -> None:
        await anyio.sleep(item)
        raise Halted(f"cause {item}")

    await sent([range(3)], deliver, stop=stop)
    assert stop.reason == "cause 0"


@in_virtual_time
async def test_a_ledger_that_cannot_be_written_halts_the_run() -> None:
    stop = Stop()

    async def deliver(item: int) -> None:
        raise LedgerError(f"the disk is full at {item}")

    await sent([range(50)], deliver, at_once=1, stop=stop)
    assert (stop.reason, stop.exit_code) == ("the disk is full at 0", 3)


@in_virtual_time
async def test_a_list_that_breaks_off_halts_the_run_and_what_was_read_before_ends() -> None:
    stop, post = Stop(), Post()

    async def broken() -> AsyncIterator[Sequence[int]]:
        yield [1, 2, 3]
        raise ListError("contacts.csv: line 5: not UTF-8")

    await sent(broken(), post.deliver, stop=stop)
    assert (stop.reason, stop.exit_code) == ("contacts.csv: line 5: not UTF-8", 3)
    assert post.done == post.begun


@in_virtual_time
async def test_a_delivery_that_was_stopped_ends_its_worker_quietly() -> None:
    stop, post = Stop(), Post()

    async def deliver(item: int) -> None:
        await post.deliver(item)
        stop.ask("enough", 143)
        raise Stopped

    await sent([range(50)], deliver, stop=stop)
    assert post.begun == [0, 1, 2]


@in_virtual_time
async def test_an_error_of_ours_propagates() -> None:
    async def deliver(item: int) -> None:
        raise ZeroDivisionError(item)

    with pytest.raises(ExceptionGroup) as raised:
        await sent([range(50)], deliver)
    assert raised.value.subgroup(ZeroDivisionError) is not None


@in_virtual_time
async def test_being_cancelled_ends_everything() -> None:
    post = Post(takes=lambda _: 1000.0)
    with anyio.move_on_after(5.0):
        await sent([range(50)], post.deliver)
    assert (post.begun, post.done, anyio.current_time()) == ([0, 1, 2], [], 5.0)
