"""The one thread that writes: many writes share a commit, and the event loop never waits for the disk.

A durable commit costs some 150 µs of CPU and a few milliseconds of disk, whether it holds one write or a thousand. So
writes are gathered, in the event loop, into a group: it is handed to the thread a moment (`gather`) after its first
urgent write, or when so many are awaited (`at_once`) that no more can come. An urgent write is one that somebody
awaits: a call must not go out before its intent is durable. Outcomes can wait a little longer (`linger`) and nearly
always ride along with the next intent; a crash that loses one leaves its row *intended*, and the next run settles it
under the same token.

A guarded write asks first, in the same transaction, whether it may be made. SQLite lets one process write at a time, so
what a guard counts cannot change before its own write is on the disk, whoever else sends from this state directory.

Nothing polls: the thread sleeps until it is given a group, and answers for a whole group at once. It is fail-stop:
after a commit that failed nothing more is written, and whoever announces a call is told so before making it.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from bulk.errors import LedgerError
from bulk.ledger.database import Values, ledger_errors, together, transaction, write
from bulk.ledger.dispatches import Guard
from bulk.pacing import virtual_time

T = TypeVar("T")

GATHER = 0.025  # seconds; a quarter of a usual call's time
LINGER = 0.25  # seconds
AT_ONCE = 256  # urgent writes that make a group worth its commit, where nobody says how many can come
BACKLOG = 4096  # writes nobody awaits; beyond these, outcomes are awaited too, and sending slows with the disk


@dataclass(slots=True)
class _Guarded:
    """Writes that are made only where their guard has nothing against them."""

    guard: Guard
    writes: Sequence[tuple[str, Values]]
    objection: Exception | None = None


@dataclass(slots=True)
class _Group:
    """Writes that will share one commit."""

    writes: list[tuple[str, Values]] = field(default_factory=list)
    guarded: list[_Guarded] = field(default_factory=list)
    waiters: list[asyncio.Future[None]] = field(default_factory=list)
    loop: asyncio.AbstractEventLoop | None = None
    timer: asyncio.TimerHandle | None = None


@dataclass(slots=True)
class _Work:
    """Something else to be done with the connection, in a transaction of its own."""

    act: Callable[[sqlite3.Connection], Any]
    result: Future[Any] = field(default_factory=Future)


class Writer:
    """Owns the writing connection. `durable`, `soon` and `flush` belong to one event loop; `run` to any thread."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        path: Path,
        *,
        at_once: int,
        gather: float = GATHER,
        linger: float = LINGER,
    ) -> None:
        self._connection = connection
        self._path = path
        self._at_once = at_once
        self._users = 1
        self._gather = gather
        self._linger = linger
        self._open = _Group()
        self._backlog = 0
        self.beside: list[Callable[[], tuple[str, Values] | None]] = []
        """Asked, in the event loop, each for one more write of each group."""
        self._queue: SimpleQueue[_Group | _Work | None] = SimpleQueue()
        self._failure: LedgerError | None = None
        self._thread = Thread(target=self._serve, name="ledger", daemon=True)
        self._thread.start()

    @property
    def idle(self) -> bool:
        """Whether everything written so far is on the disk."""
        return not self._backlog

    async def durable(self, *writes: tuple[str, Values]) -> None:
        """Write, and return when it is on the disk. Raises `LedgerError` where it is not."""
        await self._wait(self._join(writes), self._gather)

    async def guarded(self, guard: Guard, *writes: tuple[str, Values]) -> Exception | None:
        """Write where the guard has no objection; return that, or None when the writes are on the disk.

        Raises `LedgerError` where they are not.
        """
        group, asked = self._join(), _Guarded(guard, writes)
        group.guarded.append(asked)
        await self._wait(group, self._gather)
        return asked.objection

    async def soon(self, *writes: tuple[str, Values]) -> None:
        """Write before long; return at once, unless the disk has fallen behind."""
        group = self._join(writes)
        if self._backlog > BACKLOG:
            await self._wait(group, self._gather)
        elif group.timer is None:
            self._release_in(group, self._linger)

    async def flush(self) -> None:
        """Wait until everything written so far is on the disk."""
        self._raise_failure()
        group = self._open
        group.loop = asyncio.get_running_loop()
        await self._wait(group, 0.0)

    def run(self, act: Callable[[sqlite3.Connection], T]) -> T:
        """Do something in a transaction of its own, and wait for it. What it raises is raised here, and undoes it."""
        self._raise_failure()
        self._queue.put(work := _Work(act))
        result: T = work.result.result()
        return result

    def share(self, at_once: int) -> None:
        """Serve one more user, who has so many writes under way at most and closes it as well."""
        self._users += 1
        self._at_once += at_once

    def close(self) -> None:
        """Write what is left; the last user ends the thread. Raises `LedgerError` where a write failed."""
        self._users -= 1
        if self._users > 0:
            self._release()
            self.run(lambda _: None)
            return
        if self._thread.is_alive():
            self._release()
            self._queue.put(None)
            self._thread.join()
            self._connection.close()
        self._raise_failure()

    def _join(self, writes: Sequence[tuple[str, Values]] = ()) -> _Group:
        self._raise_failure()
        group = self._open
        group.loop = asyncio.get_running_loop()
        group.writes += writes
        self._backlog += len(writes)
        return group

    async def _wait(self, group: _Group, within: float) -> None:
        done = asyncio.get_running_loop().create_future()
        group.waiters.append(done)
        if not within or len(group.waiters) >= self._at_once:
            self._release()
        elif len(group.waiters) == 1:
            self._release_in(group, within)
        await done

    def _release_in(self, group: _Group, seconds: float) -> None:
        if group.timer is not None:
            group.timer.cancel()
        group.timer = asyncio.get_running_loop().call_later(seconds, self._release)

    def _release(self) -> None:
        """Hand the open group to the thread, and open the next."""
        group, self._open = self._open, _Group()
        if group.timer is not None:
            group.timer.cancel()
        if group.writes or group.guarded:
            more = [write for beside in self.beside if (write := beside())]
            group.writes += more
            self._backlog += len(more)
        virtual_time.hold(group.loop)
        self._queue.put(group)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise LedgerError(str(self._failure))

    # What follows runs in the thread, except `_settle`.

    def _serve(self) -> None:
        while (item := self._queue.get()) is not None:
            if isinstance(item, _Work):
                self._perform(item)
            else:
                self._commit(item)

    def _perform(self, work: _Work) -> None:
        try:
            self._raise_failure()
            with ledger_errors(self._path), transaction(self._connection):
                result = work.act(self._connection)
        except BaseException as error:  # noqa: BLE001 - it is raised again where the work was asked for
            work.result.set_exception(error)
        else:
            work.result.set_result(result)

    def _commit(self, group: _Group) -> None:
        if self._failure is None:
            try:
                with ledger_errors(self._path), transaction(self._connection):
                    self._write(group)
            except LedgerError as error:
                self._failure = error
            except Exception as error:  # noqa: BLE001 - else the thread would end, and who waits would wait for ever
                self._failure = LedgerError(f"{self._path}: {error!r}")
        if group.loop is not None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits
                group.loop.call_soon_threadsafe(self._settle, group, self._failure)

    def _write(self, group: _Group) -> None:
        for statement, rows in together(group.writes):
            self._write_rows(statement, rows)
        for asked in group.guarded:
            asked.objection = asked.guard(self._connection)
            if asked.objection is None:
                for statement, values in asked.writes:
                    self._write_rows(statement, [values])

    def _write_rows(self, statement: str, rows: Sequence[Values]) -> None:
        written = write(self._connection, statement, rows)
        if written != len(rows):
            raise LedgerError(f"{self._path}: {len(rows) - written} of {len(rows)} writes met no delivery: {statement}")

    def _settle(self, group: _Group, failure: LedgerError | None) -> None:
        self._backlog -= len(group.writes)
        virtual_time.release(group.loop)
        for waiter in group.waiters:
            if waiter.done():
                continue  # cancelled while it waited
            if failure is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(LedgerError(str(failure)))
