"""Whose turn is it? The pacing arithmetic set in motion, and the gate that closes while the service is full.

Callers queue in the order they came; only the head of the queue sleeps, so a thousand waiting callers cost one timer.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio

from bulk.pacing import Limits
from bulk.stopping import Stop

FIRST_PROBE = 1.0  # seconds between the service's word that it is full and the first probe; each wait is twice the last


class Turns:
    """The turns of one operation. `clock` gives monotonic seconds."""

    def __init__(self, limits: Limits, stop: Stop, *, clock: Callable[[], float] = anyio.current_time) -> None:
        self._limits = limits
        self._stop = stop
        self._clock = clock
        self._queue = anyio.Lock()

    async def take(self) -> None:
        """Return when the caller may make one call. Raises `Stopped`."""
        async with self._queue:
            await self._stop.sleep(self._limits.wait(self._clock()))
            self._limits, _ = self._limits.take(self._clock())


class Gate:
    """Closed while the service is full (`Verdict.HOLD`). One caller probes, ever more rarely; others wait."""

    def __init__(self, stop: Stop, *, longest: float = 60.0, clock: Callable[[], float] = anyio.current_time) -> None:
        self._stop = stop
        self._longest = longest
        self._clock = clock
        self._queue = anyio.Lock()
        self._wait = 0.0
        self._probe_at = 0.0
        self.closed_at: float | None = None

    @asynccontextmanager
    async def passing(self) -> AsyncIterator[bool]:
        """Make one call inside. Gives whether that call is a probe. Raises `Stopped`."""
        if self.closed_at is not None:
            async with self._queue:
                if self.closed_at is not None:
                    await self._stop.sleep(self._probe_at - self._clock())
                    yield True
                    return
        yield False

    def close(self, *, probing: bool) -> None:
        """Say that the service is full. What other calls under way say of it changes nothing."""
        if probing or self.closed_at is None:
            self._wait = min(self._wait * 2 or FIRST_PROBE, self._longest)
            self._probe_at = self._clock() + self._wait
        if self.closed_at is None:
            self.closed_at = self._clock()

    def open(self) -> None:
        """Say that the service took a probe."""
        self._wait, self.closed_at = 0.0, None
