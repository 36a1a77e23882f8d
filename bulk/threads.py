"""Work in a thread: always waited for, or done one item ahead.

polars and SQLite let go of Python's lock while they read and write, so a second thread costs next to nothing, and the
event loop does not wait for a disk. What a thread uses must not be closed under its hands: SQLite would take the whole
process down with it. anyio's shield holds off the cancelling of its own scopes, but not that of asyncio (Ctrl-C under
`asyncio.run`, `asyncio.timeout` around a call from a notebook), and the thread would be left alone with what its caller
closes on its way out ("AnyIO documentation", Working with threads; Cancellation). So the waiting is done by a task of
its own, which nothing but a scope can cancel.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar, TypeVarTuple

import anyio
from anyio import NoEventLoopError, from_thread, to_thread

from bulk.pacing import virtual_time

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


async def in_thread(work: Callable[[*Ts], T], *args: *Ts) -> T:
    """Do work in a thread, and give what it gives. Raises what it raises; cancelled or not, the work has ended then.

    Long work asks `go_on` between two pieces, and so ends early where nobody waits for it any more.
    """
    given: list[T] = []
    raised: list[Exception] = []

    async def wait() -> None:
        try:
            given.append(await to_thread.run_sync(work, *args))
        except Exception as error:  # noqa: BLE001 - a task group would wrap it; it is raised below
            raised.append(error)

    with virtual_time.held():
        async with anyio.create_task_group() as group:
            group.start_soon(wait)
    for error in raised:
        raise error
    return given[0]


def ahead(items: Iterable[T]) -> Generator[T, None, None]:
    """Yield the items, made one ahead in a thread of their own. What making one raises is raised here."""
    coming = iter(items)
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as beside:
        making = beside.submit(_next, coming)
        while item := making.result():
            go_on()
            making = beside.submit(_next, coming)
            yield item[0]


def go_on() -> None:
    """Raise where the caller is in a thread whose work nobody waits for any more: between two pieces of long work."""
    with suppress(NoEventLoopError):  # in another thread: a notebook's own, one of `ahead`
        from_thread.check_cancelled()


def _next(items: Iterator[T]) -> tuple[T] | None:
    """Return the next item, None after the last."""
    for item in items:
        return (item,)
    return None
