"""Room for open contacts, who waits for it, and what is seen of that, in virtual time: it …"""

from collections.abc import Callable
from typing import TypeVar

import anyio
import pytest
from virtual import in_virtual_time

from bulk.pacing.estimator import RateEstimator
from bulk.pacing.limiter import AdaptiveLimiter
from bulk.pacing.limits import Bucket, Limits
from bulk.pacing.open_contacts import OpenContactLimit
from bulk.pacing.queue import LocalStore, QueueState, RateLimitQueue
from bulk.pacing.waiters import WaiterCount
from bulk.stop import Stop, Stopped

T = TypeVar("T")


def queue(
    room: OpenContactLimit | None,
    *,
    per_second: float = 1000.0,
    stop: Stop | None = None,
    waiting: WaiterCount | None = None,
) -> RateLimitQueue:
    pace = AdaptiveLimiter(Bucket(per_second), RateEstimator(per_second, per_second))
    return RateLimitQueue(LocalStore(pace), stop or Stop(), room=room, waiting=waiting)


async def went_at(turns: RateLimitQueue, *, opens: bool = True) -> float:
    await turns.take(opens=opens)
    return anyio.current_time()


@in_virtual_time
async def test_a_contact_takes_its_room_for_its_time() -> None:
    turns = queue(OpenContactLimit(2, 100.0))
    assert [await went_at(turns) for _ in range(4)] == pytest.approx([0.0, 0.001, 100.0, 100.001])


@in_virtual_time
async def test_it_waits_for_room_however_short_the_time() -> None:
    turns = queue(OpenContactLimit(1, 0.25))
    assert [await went_at(turns) for _ in range(3)] == pytest.approx([0.0, 0.25, 0.5])


@in_virtual_time
@pytest.mark.parametrize("how", ["give back", "refill"])
async def test_who_waits_for_room_goes_as_soon_as_there_is_some(how: str) -> None:
    turns, went = queue(OpenContactLimit(1, 100.0)), []

    async def caller() -> None:
        went.append(await went_at(turns))

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(caller)
        await anyio.sleep(10)
        turns.give_back() if how == "give back" else turns.refill([])
    assert went == pytest.approx([0.0, 10.0, 110.0])  # the third waits anew, and for all of its time


@in_virtual_time
async def test_what_others_opened_counts_from_its_own_time() -> None:
    turns = queue(OpenContactLimit(2, 100.0))
    turns.refill([-90.0, -20.0])
    assert [await went_at(turns) for _ in range(2)] == pytest.approx([10.0, 80.0])


@in_virtual_time
async def test_where_contacts_are_not_bounded_giving_back_is_nothing() -> None:
    turns = queue(None)
    turns.give_back()
    turns.refill([1.0])
    turns.release()
    assert await went_at(turns) == 0.0
    assert turns.state.room is None


@in_virtual_time
async def test_it_is_seen_what_the_head_of_a_queue_waits_for_and_until_when() -> None:
    room = OpenContactLimit(2, 100.0)
    turns = queue(room, per_second=0.1)
    assert turns.state == QueueState(room, None, None, None)
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(turns.take)
        await anyio.sleep(1)
        seen = turns.state
        assert seen.room_at is None
        assert seen.turn_at == pytest.approx(10.0)
        assert seen.estimator is not None
        await anyio.sleep(10)
        assert turns.state.room_at == pytest.approx(100.0)
        assert turns.state.turn_at is None
    assert (turns.state.room_at, turns.state.turn_at) == (None, None)


@in_virtual_time
async def test_nothing_is_waited_for_any_more_after_a_stop() -> None:
    for pending in ("room", "turn"):
        stop = Stop()
        turns = queue(OpenContactLimit(1, 100.0) if pending == "room" else None, per_second=0.1, stop=stop)
        await turns.take()

        async def caller(turns: RateLimitQueue = turns) -> None:
            with pytest.raises(Stopped):
                await turns.take()

        async with anyio.create_task_group() as group:
            group.start_soon(caller)
            await anyio.sleep(1)
            assert (turns.state.room_at is None, turns.state.turn_at is None) == (pending == "turn", pending == "room")
            stop.ask("enough", 0)
        assert (turns.state.room_at, turns.state.turn_at) == (None, None)


# Who waits


def test_nobody_waits_when_as_many_have_gone_on_as_came() -> None:
    waiting, told = WaiterCount(), []
    waiting.when_nobody = lambda: told.append(waiting.nobody)
    assert waiting.nobody
    with waiting:
        assert not waiting.nobody
        with waiting:
            assert not waiting.nobody
        assert (waiting.nobody, told) == (False, [])
    assert (waiting.nobody, told) == (True, [True])


@in_virtual_time
async def test_those_who_wait_for_a_turn_are_counted_over_all_queues_of_a_run() -> None:
    waiting = WaiterCount()
    first, second = (queue(None, per_second=0.1, waiting=waiting) for _ in range(2))
    for turns in (first, second):
        await turns.take()
    assert waiting.nobody
    async with anyio.create_task_group() as group:
        for turns in (first, second):
            group.start_soon(turns.take)
        await anyio.sleep(1)
        assert (waiting.nobody, waiting._number) == (False, 2)
    assert waiting.nobody


@in_virtual_time
async def test_parts_take_as_many_turns() -> None:
    parts = Bucket(2, 2, of_parts=True, name="parts")
    pace = AdaptiveLimiter(Bucket(1000, 1000), RateEstimator(1000, 1000))
    turns = RateLimitQueue(LocalStore(pace._replace(others=Limits([parts]))), Stop())
    went = []
    for count in (2, 2, 1):
        await turns.take(count)
        went.append(anyio.current_time())
    await turns.take()  # one, where nothing is said
    assert [*went, anyio.current_time()] == pytest.approx([0.0, 1.0, 1.5, 2.0])


# What the pace is told


@in_virtual_time
async def test_the_calls_of_a_moment_take_one_look_at_the_pace() -> None:
    looks = 0

    class Counted(LocalStore):
        def change(self, change: Callable[[AdaptiveLimiter], tuple[AdaptiveLimiter, T]]) -> T:
            nonlocal looks
            looks += 1
            return super().change(change)

    pace = AdaptiveLimiter(Bucket(10_000, 1000), RateEstimator(10_000, 10_000))
    turns = RateLimitQueue(Counted(pace), Stop())
    for _ in range(2):  # the pace is known from the second moment on
        await turns.take()
    at_once = turns._granted + 1
    for _ in range(3 * at_once - 1):
        await turns.take()
    assert at_once > 5
    assert looks == 1 + 3


@in_virtual_time
async def test_each_throttle_is_told_as_one_and_with_what_was_accepted_before() -> None:
    paces = LocalStore(AdaptiveLimiter(Bucket(100, 50), RateEstimator(100)))
    turns = RateLimitQueue(paces, Stop())
    await turns.take()
    for _ in range(60):
        turns.accepted()
    await anyio.sleep(3.0)
    expected = paces.pace.answered(3.0, accepted=60, throttled=1)
    turns.throttled()
    assert paces.pace == expected
    turns.throttled()
    assert paces.pace == expected.answered(3.0, accepted=0, throttled=1)
