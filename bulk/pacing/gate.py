"""The gate of an operation, which closes while the service is full."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

import anyio

from bulk.pacing.waiters import WaiterCount
from bulk.stop import Stop

OPEN = nullcontext(False)  # noqa: FBT003 - no probe

FIRST_PROBE = 1.0  # seconds between the service's word that it is full and the first probe; each wait is twice the last


class Gate:
    """Closed while the service is full (`Verdict.HOLD`). One caller probes, ever more rarely; others wait."""

    def __init__(
        self,
        stop: Stop,
        *,
        longest: float = 60.0,
        clock: Callable[[], float] = anyio.current_time,
        waiting: WaiterCount | None = None,
    ) -> None:
        self._stop = stop
        self._waiting = waiting or WaiterCount()
        self._longest = longest
        self._clock = clock
        self._queue = anyio.Lock()
        self._wait = 0.0
        self._probe_at = 0.0
        self.closed_at: float | None = None

    def passing(self) -> AbstractAsyncContextManager[bool]:
        """Make one call inside. Gives whether that call is a probe. Raises `Stopped`."""
        return OPEN if self.closed_at is None else self._queued()

    @asynccontextmanager
    async def _queued(self) -> AsyncIterator[bool]:
        async with self._queue:
            if self.closed_at is not None:
                with self._waiting.for_room():
                    await self._stop.sleep(self._probe_at - self._clock())
                yield True
                return
        yield False

    def close(self, *, probing: bool) -> None:
        """Record that the service is full. What other calls under way say of it changes nothing."""
        if probing or self.closed_at is None:
            self._wait = min(self._wait * 2 or FIRST_PROBE, self._longest)
            self._probe_at = self._clock() + self._wait
        if self.closed_at is None:
            self.closed_at = self._clock()

    def probes_in(self) -> float:
        """Return how many seconds it is to the next probe."""
        return max(0.0, self._probe_at - self._clock())

    def closed_for(self) -> float:
        """Return for how many seconds it has been closed."""
        return 0.0 if self.closed_at is None else self._clock() - self.closed_at

    def open(self) -> None:
        """Record that the service took a probe."""
        self._wait, self.closed_at = 0.0, None
