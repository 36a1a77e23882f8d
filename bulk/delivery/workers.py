"""Many deliveries at once. The only module that owns tasks.

Workers take items from a feed that holds one batch ahead: memory does not grow with the list, and if anything
downstream is slow, reading slows. They are as many as are needed, `at_once` at most: it begins with one, and another
joins when an item is taken, or has got its turn, and nobody waits for a turn behind it. Where open contacts leave no
room, one waits for it and the others leave: items wait in the list, in its order, not in many hands. After a stop no
worker takes another item; what is in flight has `grace` seconds to end.
"""

from collections import deque
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from bulk.errors import BulkError, Halted
from bulk.pacing.waiters import WaiterCount
from bulk.stop import Stop, Stopped

T = TypeVar("T")


class Feed(Generic[T]):
    """Batches come in, items go out, in order, to whoever asks first."""

    def __init__(self, batches: MemoryObjectReceiveStream[Sequence[T]]) -> None:
        self._batches = batches
        self._items: deque[T] = deque()
        self._refilling = anyio.Lock()
        self.ended = False

    async def take(self) -> T:
        """Return the next item. Raises `anyio.EndOfStream` after the last."""
        while not self._items:
            async with self._refilling:
                if not self._items:
                    self._items.extend(await self._more())
        return self._items.popleft()

    async def _more(self) -> Sequence[T]:
        try:
            return await self._batches.receive()
        except anyio.EndOfStream:
            self.ended = True
            raise


@dataclass(slots=True)
class _Crew:
    """The workers, `at_once` at most."""

    at_once: int
    waiting: WaiterCount
    number: int = 0

    def join(self) -> bool:
        """Return whether another worker may join, and count it."""
        joins = self.number < self.at_once
        self.number += joins
        return joins

    def leave(self) -> bool:
        """Return whether a worker is to leave that has no item, and count it out: another waits for room already."""
        leaves = self.number > 1 and self.waiting.is_full
        self.number -= leaves
        return leaves


async def send(
    batches: AsyncIterable[Sequence[T]],
    deliver: Callable[[T], Awaitable[None]],
    *,
    at_once: int,
    waiting: WaiterCount,
    stop: Stop,
    grace: float,
) -> None:
    """Deliver every item of every batch, `at_once` at most in flight, until the list or the run ends.

    `waiting` are those who wait for a turn. A `BulkError` of one delivery halts the run as a whole. Other exceptions
    propagate.
    """
    outbox, inbox = anyio.create_memory_object_stream[Sequence[T]](0)
    feed = Feed(inbox)
    async with inbox, anyio.create_task_group() as ending:
        filling = anyio.CancelScope()
        ending.start_soon(_end_after, stop, grace, filling, ending.cancel_scope)
        async with anyio.create_task_group() as group:
            group.start_soon(_fill, batches, outbox, stop, filling)
            crew = _Crew(at_once, waiting)

            def join() -> None:
                if not feed.ended and crew.join():
                    group.start_soon(_work, feed, delivered, stop, crew)

            async def delivered(item: T) -> None:
                if waiting.nobody:
                    join()
                await deliver(item)

            waiting.when_nobody = join
            join()
        ending.cancel_scope.cancel()


async def _end_after(stop: Stop, grace: float, filling: anyio.CancelScope, flight: anyio.CancelScope) -> None:
    await stop.wait()
    filling.cancel()
    await anyio.sleep(grace)
    flight.cancel()


async def _fill(
    batches: AsyncIterable[Sequence[T]],
    outbox: MemoryObjectSendStream[Sequence[T]],
    stop: Stop,
    filling: anyio.CancelScope,
) -> None:
    with filling:
        async with outbox:
            try:
                async for batch in batches:
                    await outbox.send(batch)
            except BulkError as cause:
                stop.ask(str(cause), Halted.exit_code)


async def _work(feed: Feed[T], deliver: Callable[[T], Awaitable[None]], stop: Stop, crew: _Crew) -> None:
    while not (stop.asked or crew.leave()):
        try:
            await deliver(await feed.take())
        except (Stopped, anyio.EndOfStream, anyio.ClosedResourceError):
            return
        except BulkError as cause:
            stop.ask(str(cause), Halted.exit_code)
