"""Where a suppression list of one's own is kept: in the state directory, or beside its ledger in S3.

In S3 it is one object, and each change says which version it takes the place of: of two at the same time the second
finds that it was overtaken, and is made again on what stands there then. So no addition is lost, and no claim of the
state directory is needed. What runs here read is a copy in their working folder, which follows the object.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import anyio

from bulk.aws.objects import Objects, Replaced, Unreachable
from bulk.errors import LedgerError
from bulk.loader.own_list import NAME, OwnList
from bulk.threads import in_thread

log = logging.getLogger("bulk")

T = TypeVar("T")

TRIES = 50  # of a change that others overtake
PAUSE = 0.05  # seconds before it is made again, and more each time
FOLLOWED = 2.0  # seconds between two looks at the object
WRITER = "suppress"  # whom the object's metadata name
_NONE = ""  # stands for the ETag where there is no object


@dataclass(slots=True)
class OwnListPlace:
    """The list of a state directory: `own` is where it is read; with `objects` that is a copy of what is in S3."""

    own: OwnList
    objects: Objects | None = None
    _etag: str | None = None
    _turn: anyio.Lock = field(default_factory=anyio.Lock)

    @property
    def name(self) -> Path | str:
        """Where it is kept, for people."""
        return self.own.path if self.objects is None else f"{self.objects.url}/{NAME}"

    async def change(self, work: Callable[[OwnList], T]) -> T:
        """Change the list, or only read it, and return what the work returns. It is durable then, where it is kept.

        Raises what the work does, and `LedgerError` where S3 cannot be reached or lets nobody write.
        """
        objects = self.objects
        if objects is None:
            return await in_thread(work, self.own)
        async with self._turn:
            for tries in range(TRIES):
                await self._fetch(objects)
                before = await in_thread(self._bytes)
                done = await in_thread(work, self.own)
                after = await in_thread(self._bytes)
                if after == before or await self._written(objects, after):
                    return done
                await anyio.sleep(PAUSE * (tries + 1))
        raise LedgerError(f"{objects.url}/{NAME} is being changed by others: try again")

    async def follow(self) -> None:
        """Keep the copy like the object, until it is cancelled. What was read before holds where it cannot be."""
        objects, troubled = self.objects, False
        while objects is not None:
            await anyio.sleep(FOLLOWED)
            try:
                seen = await objects.look(NAME)
                if (_NONE if seen is None else seen.etag) != self._etag:
                    async with self._turn:
                        await self._fetch(objects)
                troubled = False
            except (Unreachable, LedgerError) as error:
                if not troubled:
                    log.warning("%s/%s: %s. What was read of it before holds", objects.url, NAME, error)
                troubled = True

    async def fetch(self) -> None:
        """Bring the copy here; nothing where the list is in a folder. Raises `LedgerError`."""
        if self.objects is not None:
            async with self._turn:
                await self._fetch(self.objects)

    async def _fetch(self, objects: Objects) -> None:
        try:
            found = await objects.fetch(NAME, self._new)
        except Unreachable as error:
            raise LedgerError(f"{objects.url}/{NAME}: {error}; try again when S3 can be reached") from error
        self._etag = _NONE if found is None else found.etag
        await in_thread(self._take if found is not None else self._forget)

    def _take(self) -> None:
        self._new.replace(self.own.path)

    def _forget(self) -> None:
        self.own.path.unlink(missing_ok=True)

    @property
    def _new(self) -> Path:
        return self.own.folder / f"{NAME}.new"

    async def _written(self, objects: Objects, content: bytes) -> bool:
        try:
            self._etag = await objects.write(NAME, content, over=self._etag or None, holder=WRITER)
        except Replaced:
            return False
        except Unreachable as error:
            raise LedgerError(f"{objects.url}/{NAME}: {error}; whether it was changed is not known: list it") from error
        return True

    def _bytes(self) -> bytes:
        return self.own.path.read_bytes() if self.own.path.exists() else b""
