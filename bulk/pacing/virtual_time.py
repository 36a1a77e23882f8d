"""Virtual time: a day of sending takes seconds, because the clock skips the time in which everything waits.

The clock of a `VirtualLoop` stands while anything is under way: a task that can go on, bytes on a connection, work in
a thread. Only when all of that has ended does it jump, to the moment at which the next timer is due. So what is real
(HTTP to the sandbox of this process, the ledger's thread, the list that is read) takes no time at all by this clock,
and what is waited for (pace, sending hours, open contacts, expiries) takes exactly as long as it would.

Who asks for the time asks here: in any other event loop these are the clocks of the machine. `clock` and `ticks` return
a function that may go along into a thread.
"""

import asyncio
import heapq
import selectors
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from itertools import count
from typing import Any, TypeVar

T = TypeVar("T")

GRACE = 0.002  # real seconds for which a request on its way may keep the clock, when nothing is to be seen of it


class _Jump(selectors.DefaultSelector):
    """Reports what is ready, waits for what is under way elsewhere, and moves the clock where nothing is."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.began = time.monotonic()
        self.is_real = False
        self.elsewhere = 0  # pieces of work in threads whose end the loop will hear of
        self.on_the_wire = 0  # requests without an answer
        self.alarms: list[tuple[float, int, asyncio.Future[None]]] = []

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self.is_real:
            return super().select(self._until_alarm(timeout)) if not self.rings() else []
        ready = super().select(0)
        if ready or self.rings() or (timeout is not None and timeout <= 0):
            return ready
        if self.elsewhere or timeout is None:
            return super().select(self._until_alarm(None))
        if self.on_the_wire and (ready := super().select(GRACE)):
            return ready
        self.now += timeout
        return []

    def rings(self) -> bool:
        """Wake whose real time has come, and return whether there was somebody."""
        rung = False
        while self.alarms and self.alarms[0][0] <= time.monotonic():
            waiting = heapq.heappop(self.alarms)[2]
            if not waiting.done():
                waiting.set_result(None)
                rung = True
        return rung

    def _until_alarm(self, timeout: float | None) -> float | None:
        if not self.alarms:
            return timeout
        left = max(0.0, self.alarms[0][0] - time.monotonic())
        return left if timeout is None else min(left, timeout)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time, which begins at 0 (seconds), and by the wall clock at the present."""

    def __init__(self) -> None:
        self._jump = _Jump()
        self._numbers = count()
        self.epoch = time.time()
        super().__init__(self._jump)

    def time(self) -> float:
        """Return the virtual time, in seconds."""
        jump = self._jump
        return jump.now + (time.monotonic() - jump.began if jump.is_real else 0.0)

    def wall(self) -> float:
        """Return the virtual time in Unix seconds."""
        return self.epoch + self.time()

    def go_real(self) -> None:
        """Let time pass as it does from now on: there is somebody who looks."""
        if not self._jump.is_real:
            self._jump.began, self._jump.is_real = time.monotonic(), True

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the clock from moving inside."""
        self.hold()
        try:
            yield
        finally:
            self.release()

    def hold(self) -> None:
        """Keep the clock from moving until `release` is called in the loop: work is under way elsewhere."""
        self._jump.elsewhere += 1

    def release(self) -> None:
        """Record that work announced by `hold` has ended."""
        self._jump.elsewhere -= 1

    @contextmanager
    def crossing(self) -> Iterator[None]:
        """Let real time pass for the request that is made inside, until it is seen."""
        self._jump.on_the_wire += 1
        try:
            yield
        finally:
            self._jump.on_the_wire -= 1

    async def pause(self, seconds: float) -> None:
        """Wait for real seconds. What waits so keeps nothing from moving on."""
        waiting = self.create_future()
        heapq.heappush(self._jump.alarms, (time.monotonic() + seconds, next(self._numbers), waiting))
        await waiting

    def run_in_executor(  # type: ignore[override]  # the interface has type variables of its own
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Do work in a thread; the clock stands until it has ended."""
        self.hold()
        try:
            future = super().run_in_executor(executor, func, *args)
        except BaseException:
            self.release()
            raise
        future.add_done_callback(lambda _: self.release())
        return future


def current() -> VirtualLoop | None:
    """Return the event loop of the caller where it is in virtual time; None elsewhere, and in a thread without one."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return None
    return loop if isinstance(loop, VirtualLoop) else None


def clock() -> Callable[[], float]:
    """Return a clock of Unix seconds."""
    loop = current()
    return loop.wall if loop else time.time


def ticks() -> Callable[[], float]:
    """Return a clock for durations (seconds), which is never set."""
    loop = current()
    return loop.time if loop else time.monotonic


def hold(loop: asyncio.AbstractEventLoop | None) -> None:
    """Keep the clock of a loop from moving until `release`, where it is virtual."""
    if isinstance(loop, VirtualLoop):
        loop.hold()


def release(loop: asyncio.AbstractEventLoop | None) -> None:
    """Record, in the loop, that what `hold` was for has ended."""
    if isinstance(loop, VirtualLoop):
        loop.release()


@contextmanager
def held() -> Iterator[None]:
    """Keep a virtual clock from moving while a thread does what is waited for inside."""
    loop = current()
    if loop is None:
        yield
    else:
        with loop.held():
            yield


@contextmanager
def crossing() -> Iterator[None]:
    """Make a request inside, for which a virtual clock waits a moment."""
    loop = current()
    if loop is None:
        yield
    else:
        with loop.crossing():
            yield


async def pause(seconds: float) -> None:
    """Wait for real seconds, in virtual time too: for what people look at, and what changes with files."""
    loop = current()
    if loop is None:
        await asyncio.sleep(seconds)
    else:
        await loop.pause(seconds)


def run(work: Callable[[], Awaitable[T]]) -> T:
    """Do work in an event loop in virtual time, to its end. Raises what it raises."""

    async def whole() -> T:
        return await work()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(whole())
