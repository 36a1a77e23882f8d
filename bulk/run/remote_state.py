"""A state directory in S3 while it is claimed: the claim is renewed, the ledger copied, and all given back.

`docs/internals/ledger.md`, State elsewhere, has the theory. `state_place` opens and closes it.
"""

import logging
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import anyio

from bulk.aws.objects import Objects, Replaced, Unreachable
from bulk.errors import BulkError, Halted, LedgerError
from bulk.ledger import Ledger
from bulk.ledger.copies import Copier, CopyFacts, clear, doubt, restore
from bulk.ledger.database import FILE
from bulk.run.lease import TRIES, Lease
from bulk.stop import Stop
from bulk.threads import in_thread

log = logging.getLogger("bulk")

EVERY = 5.0  # seconds between two copies, at least
RARELY = 600.0  # seconds at most
PER_SECOND = 200_000  # bytes a second that are copied: 2 % of what 50 calls a second cost
RENEWALS = 4  # in the time of a lease
AGAIN = 1.0  # seconds until a request that failed is made again
ROW = 1 << 12  # bytes of the ledger for each row that is claimed together: of a large one fewer copies are made
LOT = 20_000  # rows that are claimed together, at most


@dataclass(slots=True)
class RemoteState:
    """A state directory in S3, claimed by this process. `lost` is why what is here could not be kept there."""

    objects: Objects
    lease: Lease
    folder: Path
    stop: Stop
    lost: str | None = None
    _copier: Copier = field(init=False)
    _etag: str | None = None
    _size: int = 0
    _copied_at: float = 0.0
    _asked: anyio.Event = field(default_factory=anyio.Event)
    _waiting: list[anyio.Event] = field(default_factory=list)
    _troubles: set[str] = field(default_factory=set)
    _copies: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    _renewals: anyio.CancelScope = field(default_factory=anyio.CancelScope)

    async def open(self) -> None:
        """Restore what is there, mark what may have been tried since, and let nobody write over it any more."""
        for _ in range(TRIES):
            found = await self.objects.fetch(FILE, self.folder / FILE)
            if found is None and self.lease.copied:
                raise LedgerError(
                    f"{self.objects.url}/{FILE} is gone, and was there: restore it (where the bucket keeps versions, "
                    "S3 has it), or name another place with --state-dir: a new ledger does not know what was sent"
                )
            self._etag = None if found is None else found.etag
            await in_thread(_open, self.folder, None if found is None else found.age)
            self._copier = await in_thread(Copier, self.folder)
            try:
                await self._copy()
            except Replaced:  # its last holder was not quite dead: what it wrote is newer
                self._copier.close()
                await in_thread(clear, self.folder)
                continue
            self.lease.copied = True
            return await self.lease.renew()
        raise LedgerError(f"{self.objects.url}/{FILE} is being written by others: try again")

    async def keep(self) -> None:
        """Wait until a copy has all that is in the ledger now. Without one it waits until it is cancelled."""
        done = anyio.Event()
        self._waiting.append(done)
        self._asked.set()
        await done.wait()

    def lot(self) -> int:
        """Return how many rows are to be claimed together, at least."""
        return min(LOT, self._size // ROW)

    async def renewing(self) -> None:
        """Renew the claim until the end; stop the run where it cannot be renewed in time."""
        with self._renewals:
            while not self.lost and self.lease.left > 0:
                pause = AGAIN if "claim" in self._troubles else self.lease.lasts / RENEWALS
                await anyio.sleep(max(0.0, min(pause, self.lease.left)))
                async with self._outage("claim"):
                    with anyio.fail_after(max(0.1, min(self.lease.left, self.lease.lasts / 2))):
                        await self.lease.renew()
            why = f"{self.objects.url} could not be reached for so long that the claim of it ends"
            self.stop.ask(self.lost or why, Halted.exit_code)

    async def copying(self) -> None:
        """Copy what changed every few seconds, and at once what somebody waits for."""
        with self._copies:
            while not self.lost:
                with anyio.move_on_after(min(RARELY, max(EVERY, self._size / PER_SECOND))):
                    await self._asked.wait()
                self._asked = anyio.Event()
                waiting, self._waiting = self._waiting, []
                if not waiting and not self._copier.changed and "copy" not in self._troubles:
                    continue
                async with self._outage("copy"):
                    await self._copy()
                    while waiting:
                        waiting.pop().set()
                if waiting:
                    self._waiting += waiting
                    self._asked.set()
                    await anyio.sleep(AGAIN)

    async def end(self) -> None:
        """Mark what is there as ended, and give the claim back; say so where that fails."""
        self._copies.cancel()
        try:
            while not self.lost and not await self._ended():
                if self.lease.left <= 0:
                    self.lost = f"{self.objects.url} cannot be reached; its copy is that of {_said(self._copied_at)}"
                else:
                    await anyio.sleep(AGAIN)
        finally:
            self._copier.close()
        if self.lost:
            log.error("%s. What no copy has is taken for tried, and the next `bulk send` settles it", self.lost)

    async def _ended(self) -> bool:
        async with self._outage("copy"):
            await self._copy(ended=True)
            self._renewals.cancel()
            await self.lease.give_back()
            return True
        return False

    async def _copy(self, *, ended: bool = False) -> None:
        path = self.folder / "copy" / FILE
        facts = await in_thread(self._made, path, ended)
        with path.open("rb") as body:
            try:
                self._etag = await self.objects.write(FILE, body, over=self._etag, holder=self.lease.holder)
            except Replaced:
                there = await self.objects.look(FILE)
                if there is None or there.holder != self.lease.holder:
                    raise
                body.seek(0)  # what is there is ours: its answer was lost
                self._etag = await self.objects.write(FILE, body, over=there.etag, holder=self.lease.holder)
        self._size, self._copied_at = path.stat().st_size, facts.at

    def _made(self, path: Path, ended: bool) -> CopyFacts:  # noqa: FBT001 - `in_thread` passes no names
        return self._copier.copy(path, secrets.token_hex(16), ended=ended)

    @asynccontextmanager
    async def _outage(self, what: str) -> AsyncIterator[None]:
        """Log what fails, and that it works again, once each; stop the run where it does not pass."""
        try:
            yield
        except (Unreachable, TimeoutError) as error:
            if not self._troubles:
                told = "no answer in time" if isinstance(error, TimeoutError) else error
                left = max(0.0, self.lease.left)
                log.warning("%s: %s. The run goes on for up to %.0f s without it", self.objects.url, told, left)
            self._troubles.add(what)
        except Replaced:
            self._lose(f"{self.objects.url}/{FILE} was written by another sender: nothing more is sent from here")
        except BulkError as error:
            self._lose(str(error))
        else:
            if self._troubles == {what}:
                log.info("%s is reached again", self.objects.url)
            self._troubles.discard(what)

    def _lose(self, why: str) -> None:
        self.lost = self.lost or why
        self.stop.ask(why, Halted.exit_code)


def _open(folder: Path, age: float | None) -> None:
    """Make a state directory of the copy that was fetched (None: there is none), as its next sender."""
    if age is None:
        with Ledger.open(folder):
            return
    facts = restore(folder)
    if not facts.ended and (rows := doubt(folder, since := min(facts.at, time.time() - age))):
        log.warning(
            "the last sender died after its copy of %s: %d rows may have been tried since, and are settled under their "
            "tokens, or `unknown` where that is too long ago",
            *(_said(since), rows),
        )


def _said(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S} UTC"
