"""Work in a thread, and one item ahead."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Event
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from bulk.threads import ahead, go_on, in_thread

Waiting = Callable[[], Coroutine[Any, Any, None]]
Way = Callable[[Waiting, Event], Coroutine[Any, Any, None]]


async def cancelled_by_asyncio(waiting: Waiting, started: Event) -> None:
    """Cancel it as Ctrl-C does under `asyncio.run`, when the thread is at work."""
    task = asyncio.create_task(waiting())
    await anyio.to_thread.run_sync(started.wait)
    for _ in range(3):  # an impatient person
        task.cancel()
        await asyncio.sleep(0.01)
    with pytest.raises(asyncio.CancelledError):
        await task


async def cancelled_by_a_scope(waiting: Waiting, started: Event) -> None:
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:
            group.start_soon(waiting)
            while not started.is_set():
                await anyio.lowlevel.checkpoint()
            scope.cancel()


ways = pytest.mark.parametrize("cancelled", [cancelled_by_asyncio, cancelled_by_a_scope])


async def test_it_gives_what_the_work_gives() -> None:
    assert await in_thread(divmod, 7, 2) == (3, 1)


async def test_it_raises_what_the_work_raises_and_no_group() -> None:
    with pytest.raises(ZeroDivisionError):
        await in_thread(divmod, 7, 0)


@ways
async def test_who_is_cancelled_leaves_when_the_work_has_ended(
    cancelled: Callable[..., Coroutine[Any, Any, None]],
) -> None:
    """What the thread uses can be closed then; SQLite ends the process where it is closed before."""
    started, closed, seen = Event(), Event(), []

    def work() -> None:
        started.set()
        seen.append(closed.wait(0.1))

    async def waiting() -> None:
        try:
            await in_thread(work)
        finally:
            closed.set()

    await cancelled(waiting, started)
    assert seen == [False]


@ways
async def test_long_work_that_nobody_waits_for_ends_early(cancelled: Way) -> None:
    started = Event()

    made = []

    def work() -> None:
        for number in ahead(count()):
            made.append(number)
            started.set()

    await cancelled(lambda: in_thread(work), started)
    ended_after = len(made)
    await asyncio.sleep(0.05)
    assert len(made) == ended_after


def test_work_in_any_other_thread_goes_on() -> None:
    with ThreadPoolExecutor(1) as other:
        assert other.submit(go_on).result() is None


@pytest.mark.parametrize("items", [[], [None], [0, "", None, 3], range(1000)])
def test_it_gives_what_it_was_given_in_order(items: list[object]) -> None:
    assert list(ahead(items)) == list(items)


def test_the_next_item_is_made_while_one_is_used() -> None:
    """The second item is made before it is asked for, the third is not."""
    made = [Event(), Event(), Event()]

    def items() -> Iterator[int]:
        for number, event in enumerate(made):
            event.set()
            yield number

    coming = ahead(items())
    assert next(coming) == 0
    assert made[1].wait(10)
    assert not made[2].is_set()
    assert list(coming) == [1, 2]


def test_what_goes_wrong_is_raised_where_the_item_is_asked_for() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("no second one")

    coming = ahead(items())
    assert next(coming) == 1
    with pytest.raises(ValueError, match="no second one"):
        next(coming)


def test_who_stops_asking_leaves_nothing_running() -> None:
    """The items are closed when nobody wants more of them."""
    closed = Event()

    def items() -> Iterator[int]:
        try:
            yield from range(10)
        finally:
            closed.set()

    coming = ahead(items())
    assert next(coming) == 0
    coming.close()
    del coming
    assert closed.wait(10)
