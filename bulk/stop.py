"""The stop of a run: requested once, seen everywhere. All waits are here, so no wait outlives the stop."""

import anyio


class Stopped(Exception):
    """No new call may start."""


class Stop:
    """The one place that says whether new calls may start."""

    def __init__(self) -> None:
        self._asked = anyio.Event()
        self.reason: str | None = None
        self.exit_code = 0

    def ask(self, reason: str, exit_code: int) -> None:
        """Stop new starts from now on. The first reason stands; the exit code says of what kind it is."""
        if self.reason is None:
            self.reason, self.exit_code = reason, exit_code
            self._asked.set()

    @property
    def asked(self) -> bool:
        """Whether the stop has been asked for."""
        return self.reason is not None

    def check(self) -> None:
        """Raise `Stopped` once the stop has been asked for."""
        if self.asked:
            raise Stopped

    async def sleep(self, seconds: float) -> None:
        """Wait, but not beyond the stop: raises `Stopped`."""
        self.check()
        if seconds <= 0:
            return
        with anyio.move_on_after(seconds):
            await self._asked.wait()
        self.check()

    async def sleep_or(self, wake: anyio.Event, seconds: float) -> None:
        """Wait, but not beyond the stop (raises `Stopped`), nor beyond another event."""
        async with anyio.create_task_group() as group:
            for event in (self._asked, wake):
                group.start_soon(_cancel_after, event, group.cancel_scope)
            await anyio.sleep(seconds)
            group.cancel_scope.cancel()
        self.check()

    async def wait(self) -> None:
        """Wait for the stop."""
        await self._asked.wait()


async def _cancel_after(event: anyio.Event, scope: anyio.CancelScope) -> None:
    await event.wait()
    scope.cancel()
