"""The driver's replacements for queue and client: each call is made by a worker.

The queue lets a call in when there is room for it in a lot: how many are under way is what may be in doubt if this
process is killed. Its intent is made durable then, and after that it joins a lot.
"""

from collections.abc import Callable, Mapping
from typing import Any

import anyio

from bulk.cluster.lots import Lots
from bulk.cluster.rate import AHEAD
from bulk.model import Call, Reply
from bulk.pacing.queue import LimiterStore, RateLimitQueue
from bulk.stop import Stop

RECHECK = 0.5  # seconds after which room is looked for again: a lease may have ended meanwhile


class LotQueue(RateLimitQueue):
    """The queue of one operation, whose turns are places in lots."""

    def __init__(self, store: LimiterStore, stop: Stop, *, lots: Lots, **settings: Any) -> None:
        super().__init__(store, stop, **settings)
        self._lots = lots
        self._under_way = 0
        self._released = anyio.Event()
        self._places = 0

    async def _take(self, parts: int) -> None:
        with self._waiting:
            async with self._queue:
                self._stop.check()
                await self._find_lot()
                if not self._places:
                    await self._find_place(parts)
                self._places -= 1
                self._under_way += 1

    async def _find_lot(self) -> None:
        """Wait until another call may be under way."""
        while self._under_way >= self._lots.capacity(self._clock()):
            self._released = anyio.Event()
            await self._stop.sleep_or(self._released, RECHECK)

    async def _find_place(self, parts: int) -> None:
        now, lots = self._clock(), self._lots
        self._places, wait = lots.rate.place(now, parts, tail=lots.tail, under_way=self._under_way)
        if wait > AHEAD:
            await self._stop.sleep(wait - AHEAD)

    def release(self) -> None:
        """Record that a call is over: there is room for another."""
        self._under_way -= 1
        self._released.set()

    def accepted(self) -> None:
        """Record that the service accepted a call: the lots know it from the workers, and when that was."""

    def throttled(self) -> None:
        """Record that the service refused a call for its rate: likewise."""


class ClusterTransport:
    """Makes requests through workers. `parts_of` counts the segments of a call."""

    def __init__(self, lots: Mapping[str, Lots], parts_of: Callable[[Call], int]) -> None:
        self._lots = lots
        self._parts_of = parts_of

    async def prepare(self) -> None:
        """Leave credentials to the workers, who see to them before each call."""

    async def call(self, call: Call, token: str) -> Reply:
        """Have one request made, once. Raises `CallFailed`, `CallNotMade`, `Halted`."""
        return await self._lots[call.operation].make(call, token, self._parts_of(call))
