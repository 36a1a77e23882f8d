"""The sandboxes of a rehearsal: their addresses are printed, and they can stay open after it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from bulk.cli import screen

if TYPE_CHECKING:
    from bulk.run.rehearsal import Sandboxes
    from bulk.stop import Stop


@asynccontextmanager
async def sandboxes(*, keep_open: bool) -> AsyncIterator["Sandboxes"]:
    """Yield the sandboxes of a sending; with `keep_open` they end with the block, else with their runs."""
    from bulk.run.rehearsal import Sandboxes

    async with AsyncExitStack() as stack:
        yield Sandboxes(_tell if keep_open else _tell_for_now, stack if keep_open else None)


async def stay(stop: "Stop") -> None:
    """Wait for the signal that ends the program."""
    from bulk.pacing import virtual_time

    if (loop := virtual_time.current()) is not None:
        loop.go_real()
    if not stop.asked:
        screen.say("The sandbox stays open; interrupt to end it.")
    await stop.wait()


def _tell(page: str) -> None:
    screen.say(f"What each person would receive: {page}")


def _tell_for_now(page: str) -> None:
    screen.say(f"What each person would receive, until it ends (--keep-open: longer): {page}")
