"""The worker's side of a run: a client of Amazon Connect, and a queue for each operation that keeps its lease.

The calls of a lot go in its order, and a lot begins when the one before it has had its last turn. It ends early when
its lease does, when the run stops, or when an answer says that no further call would come through: the rest of its
calls are not made, and say so.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Protocol

import anyio

from bulk.cluster.lease import Lease
from bulk.cluster.message import SentCall, result_body
from bulk.errors import BulkError, CallFailed, Halted
from bulk.model import Call, Reply, Verdict
from bulk.operations.verdicts import is_of_transport, verdict
from bulk.pacing.queue import LocalStore, RateLimitQueue
from bulk.stop import Stop, Stopped

Answer = tuple[int, Any, float]
"""Which call of the lot, what became of it, and when that was known (seconds, by the worker's clock)."""


class Client(Protocol):
    """What a worker makes requests with."""

    region: str
    url: str

    async def prepare(self) -> None:
        """See to it that the next request can be signed. Raises `SetupError`."""

    async def call(self, call: Call, token: str) -> Reply:
        """Make one request, once. Raises `CallFailed` and `Halted`."""

    async def account(self) -> str:
        """Return the account that the credentials are of, or what stands for it."""


@dataclass(slots=True)
class Lane:
    """One operation of a session. `throttled_at` is when the service last refused a call for its rate."""

    stop: Stop
    clock: Callable[[], float]
    order: anyio.Lock = field(default_factory=anyio.Lock)
    throttled_at: float = -math.inf
    lots: "list[_Lot]" = field(default_factory=list)
    _store: LocalStore | None = None
    _queue: RateLimitQueue | None = None
    _fraction: float = 1.0

    def take_lease(self, lease: Lease) -> RateLimitQueue:
        """Go on under another lease; return the queue that keeps it."""
        now = self.clock()
        if self._store is None or self._queue is None:
            self._store = LocalStore(lease.opened(now))
            self._queue = RateLimitQueue(self._store, self.stop, clock=self.clock)
        else:
            self._store.pace = lease.renewed(
                self._store.pace, now, fraction=self._fraction, throttled_at=self.throttled_at
            )
        self._fraction = lease.fraction
        return self._queue

    def end_lots(self) -> None:
        """End the lots that are here: no further call would come through."""
        for lot in self.lots:
            lot.ended = True


@dataclass(slots=True)
class Session:
    """A run, as a worker knows it. `varies` tells for which operations a row itself names a resource."""

    client: Client
    stack: AsyncExitStack
    varies: Mapping[str, bool]
    slots: anyio.Semaphore
    clock: Callable[[], float]
    stop: Stop = field(default_factory=Stop)
    lots: int = 0
    used_at: float = 0.0
    _lanes: dict[str, Lane] = field(default_factory=dict)

    async def make(self, operation: str, lease: Lease, calls: Sequence[SentCall]) -> tuple[list[Answer], float]:
        """Make the calls of a lot, as far as its lease allows.

        Return the answers, and the seconds from the last turn to the last answer.
        """
        lane = self._lanes.setdefault(operation, Lane(self.stop, self.clock))
        lot = _Lot(self, lane, lease)
        self.lots += 1
        lane.lots.append(lot)
        try:
            async with anyio.create_task_group() as group, lane.order:
                queue = lane.take_lease(lease)
                for place, sent in enumerate(calls):
                    if not await lot.turn(queue, sent.parts):
                        break
                    group.start_soon(lot.make, queue, place, sent)
        finally:
            self.lots -= 1
            lane.lots.remove(lot)
            self.used_at = self.clock()
        return lot.answers, self.clock() - lot.turned_at

    async def close(self) -> None:
        """Close the client."""
        self.stop.ask("the run has ended", 0)
        await self.stack.aclose()


@dataclass(slots=True, eq=False)
class _Lot:
    session: Session
    lane: Lane
    lease: Lease
    answers: list[Answer] = field(default_factory=list)
    turned_at: float = math.inf
    ended: bool = False

    async def turn(self, queue: RateLimitQueue, parts: int) -> bool:
        """Wait for the next call's turn; return whether it has one."""
        await self.session.slots.acquire()
        if await self._turn(queue, parts):
            self.turned_at = self.session.clock()
            return True
        self.session.slots.release()
        return False

    async def _turn(self, queue: RateLimitQueue, parts: int) -> bool:
        left = self.lease.not_after - self.session.clock()
        if self.ended or left <= 0:
            return False
        try:
            with anyio.move_on_after(left):
                await queue.take(parts)
        except Stopped:
            return False
        return not self.ended and self.session.clock() < self.lease.not_after

    async def make(self, queue: RateLimitQueue, place: int, sent: SentCall) -> None:
        """Make one call; note what became of it."""
        session = self.session
        try:
            result = await self._called(sent)
        finally:
            session.slots.release()
        if result is None:
            return
        now = session.clock()
        if isinstance(result, Reply):
            queue.accepted()
        else:
            self._slow_down(queue, sent.call, result, now)
        self.answers.append((place, result_body(result), now))

    async def _called(self, sent: SentCall) -> Reply | BulkError | None:
        """Make a request; None where it was not made."""
        try:
            await self.session.client.prepare()
            if self.session.stop.asked or self.session.clock() >= self.lease.not_after:
                return None
            return await self.session.client.call(sent.call, sent.token)
        except BulkError as error:
            return error
        except Exception as error:  # noqa: BLE001 - it may have left; nobody here can tell
            return CallFailed(sent.call.operation, type(error).__name__, "the worker tripped over the call")

    def _slow_down(self, queue: RateLimitQueue, call: Call, error: BulkError, now: float) -> None:
        """Slow down, or end the lot, where a failure asks for it."""
        if isinstance(error, Halted):
            self.lane.end_lots()
        if not isinstance(error, CallFailed):
            return
        match verdict(error, varies=self.session.varies.get(call.operation, False)):
            case Verdict.THROTTLE:
                self.lane.throttled_at = now
                queue.throttled()
            case Verdict.HOLD:
                self.lane.end_lots()
            case Verdict.HALT if not call.optional or is_of_transport(error):
                self.lane.end_lots()
