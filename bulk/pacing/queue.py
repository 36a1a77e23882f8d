"""The queue of an operation: calls leave it at the permitted rate.

Callers queue in the order they came; only the head of the queue sleeps, so a thousand waiting callers cost one timer.

The calls of a burst go a moment apart. All at once they would leave together, when the last of them has had the
processor and its connection: so late that the service's bucket, full meanwhile, has lost what flowed in, and throttles
the calls that follow. At a pace too fast to tell calls apart, those of a moment have their turns as one.

A timer wakes late, by a millisecond on an idle machine and by many on a busy one. The next moment therefore counts from
the one that was planned, not from the wake-up, or the lateness of every call would add up; what was missed is caught up
with for `CATCH_UP` seconds at most. The bucket is kept all the same: a call that goes later than it could bear, because
the bucket would have been full meanwhile, is entered again at the time at which it went.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeVar

import anyio

from bulk.pacing.estimator import RateEstimator
from bulk.pacing.limiter import BURST_SPEED, MOMENT, AdaptiveLimiter
from bulk.pacing.open_contacts import OpenContactLimit
from bulk.pacing.waiters import WaiterCount
from bulk.stop import Stop

T = TypeVar("T")

CATCH_UP = 0.02  # seconds of lateness, at most, that are made up for without a moment between the calls


class LimiterStore(Protocol):
    """Where a limiter is kept: in this process alone, or shared with others."""

    def change(self, change: Callable[[AdaptiveLimiter], tuple[AdaptiveLimiter, T]]) -> T:
        """Change the limiter while nobody else does; return what the change returns."""


class LocalStore:
    """A limiter that nobody shares."""

    def __init__(self, pace: AdaptiveLimiter) -> None:
        self.pace = pace

    def change(self, change: Callable[[AdaptiveLimiter], tuple[AdaptiveLimiter, T]]) -> T:
        """Change the limiter; return what the change returns."""
        self.pace, given = change(self.pace)
        return given


class QueueState(NamedTuple):
    """Where a queue stands, for who watches. `room_at` and `turn_at` are what its head waits for, in clock seconds.

    They are None where nobody waits for that. `estimator` is what is known of the rate, None before the first call.
    """

    room: OpenContactLimit | None
    room_at: float | None
    turn_at: float | None
    estimator: RateEstimator | None


class _Place(NamedTuple):
    """What the limiter granted to `calls` calls: their `wait`, and the `moment` until the next may go, in seconds.

    They may go until `valid_until` (seconds); after that the limiter has to be told.
    """

    wait: float
    calls: int
    moment: float
    valid_until: float


class RateLimitQueue:
    """Lets the calls of one operation go, each when its limits allow.

    `clock` returns seconds on the scale of the limiter; `room` bounds open contacts.

    `waiting` is shared by the operations of a run.
    """

    def __init__(
        self,
        paces: LimiterStore,
        stop: Stop,
        *,
        room: OpenContactLimit | None = None,
        clock: Callable[[], float] = anyio.current_time,
        waiting: WaiterCount | None = None,
    ) -> None:
        self._waiting = waiting or WaiterCount()
        self._paces = paces
        self._stop = stop
        self._room = room
        self._clock = clock
        self._queue = anyio.Lock(fast_acquire=True)
        self._entrance = anyio.Lock(fast_acquire=True)
        self._freed = anyio.Event()
        self._accepted = 0
        self._granted, self._granted_until = 0, 0.0  # turns of this moment that nobody has taken yet
        self._free_at = 0.0  # when the next moment begins
        self._room_at: float | None = None
        self._turn_at: float | None = None
        self._estimator: RateEstimator | None = None

    @property
    def state(self) -> QueueState:
        """Where it stands."""
        return QueueState(self._room, self._room_at, self._turn_at, self._estimator)

    async def take(self, parts: int = 1, *, opens: bool = True) -> None:
        """Wait until the caller may make one call, of so many parts. Raises `Stopped`.

        `opens`: the call opens a contact for which no room was taken yet. Only such calls queue for room.
        """
        if self._room is None or not opens:
            await self._take(parts)
            return
        with self._waiting:
            async with self._entrance:
                await self._find_room(self._room)
                await self._take(parts)
                self._room.take(self._clock())

    async def _find_room(self, room: OpenContactLimit) -> None:
        """Wait until there is room: until the oldest contact ends by itself, or one is given back."""
        self._stop.check()
        if room.wait(self._clock()) > 0:
            with self._waiting.for_room():
                await self._wait_for_room(room)

    async def _wait_for_room(self, room: OpenContactLimit) -> None:
        while (seconds := room.wait(self._clock())) > 0:
            self._freed = anyio.Event()
            self._room_at = self._clock() + seconds
            try:
                await self._stop.sleep_or(self._freed, seconds)
            finally:
                self._room_at = None

    async def _take(self, parts: int) -> None:
        if not self._queue.locked() and self._takes_granted():
            return
        came = self._clock()
        with self._waiting:
            async with self._queue:
                self._stop.check()  # after a stop nobody takes a place that he will not use
                if not self._takes_granted():
                    await self._wait_for_place(parts, came)

    def _takes_granted(self) -> bool:
        """Take a turn of this moment, if one is left."""
        if not self._granted or self._clock() >= self._granted_until:
            return False
        self._granted -= 1
        return True

    async def _wait_for_place(self, parts: int, came: float) -> None:
        now = self._clock()
        place = self._paces.change(lambda pace: self._placed(pace, now, parts))
        planned = max(self._free_at, now + place.wait if place.wait else came)
        if planned > now:
            self._turn_at = planned
            try:
                await self._stop.sleep(planned - now)
            finally:
                self._turn_at = None
            now = self._clock()
            if now > place.valid_until:
                self._paces.change(lambda pace: (pace.taken_late(now, parts, calls=place.calls), None))
        self._free_at = max(planned, now - CATCH_UP) + place.moment
        self._granted, self._granted_until = place.calls - 1, now + CATCH_UP

    def _placed(self, pace: AdaptiveLimiter, now: float, parts: int) -> tuple[AdaptiveLimiter, "_Place"]:
        calls = pace.together
        placed, wait = self._learned(pace).take(now, parts, calls=calls)
        self._estimator = placed.estimator
        moment = min(MOMENT, calls / (placed.estimator.paced_at * BURST_SPEED))
        return placed, _Place(wait, calls, moment, placed.valid_until(parts, calls=calls))

    def release(self) -> None:
        """Record that a call is over: how many are under way is nothing to a rate."""

    def accepted(self) -> None:
        """Record that the service accepted a call."""
        self._accepted += 1

    def give_back(self) -> None:
        """Record that a contact did not open after all, or has ended."""
        if self._room is not None:
            self._room.give_back()
            self._freed.set()

    def refill(self, opened: Sequence[float]) -> None:
        """Record which contacts are open, whoever opened them, by the times at which they were opened."""
        if self._room is not None:
            self._room.refill(opened)
            self._freed.set()

    def throttled(self) -> None:
        """Record that the service refused a call for its rate."""
        self._paces.change(lambda pace: (self._learned(pace, throttled=1), None))

    def _learned(self, pace: AdaptiveLimiter, *, throttled: int = 0) -> AdaptiveLimiter:
        accepted, self._accepted = self._accepted, 0
        return pace.answered(self._clock(), accepted=accepted, throttled=throttled)
