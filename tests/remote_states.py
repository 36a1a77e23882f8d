"""A state directory in S3 that a test opens and works on: objects are in memory, the ledger and its copies are real."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import anyio
from memory_objects import PLACE, MemoryObjects, Store

from bulk.aws.objects import Unreachable
from bulk.ledger.database import FILE
from bulk.run.lease import NAME, Lease
from bulk.run.remote_state import RemoteState
from bulk.stop import Stop

LASTS = 40.0  # a claim: 4 s before its end its holder stops
LEDGER, CLAIM = f"{PLACE}/{FILE}", f"{PLACE}/{NAME}"
WRITE, RENEW = f"write {FILE}", f"write {NAME}"

Said = Callable[[], list[tuple[int, str]]]


async def opened(store: Store, folder: Path) -> RemoteState:
    """Claim the state directory in S3, and open it."""
    objects = MemoryObjects(store)
    state = RemoteState(objects, Lease(objects, LASTS), folder, Stop())
    await state.lease.take()
    await state.open()
    return state


@asynccontextmanager
async def working(state: RemoteState) -> AsyncIterator[None]:
    """Have the claim renewed and copies made, and end neither as a sender does."""
    async with anyio.create_task_group() as beside:
        beside.start_soon(state.renewing)
        beside.start_soon(state.copying)
        try:
            yield
        finally:
            beside.cancel_scope.cancel()
            state._copier.close()


def copy_of(store: Store, query: str, folder: Path) -> list[Any]:
    """Return what the copy in S3 answers."""
    (folder / "looked at").write_bytes(store.kept[LEDGER][0])
    with closing(sqlite3.connect(folder / "looked at")) as connection:
        return connection.execute(query).fetchall()


def changed(folder: Path, campaign: str = "another") -> None:
    """Change the ledger as a sender does."""
    with closing(sqlite3.connect(folder / FILE)) as connection, connection:
        connection.execute(
            "INSERT INTO run (campaign, name, channel, endpoint, region, instance, digests, passes, first_delivery, "
            "started_at) VALUES (?, 'r', 'sms', '', 'r', 'i', '{}', 1, 1, 0)",
            (campaign,),
        )


def silent(*acts: str, since: float = 0.0, until: float = 1e9, hangs: float = 0.0) -> Callable[..., Any]:
    """Have these requests fail within a time, after so many seconds."""

    async def trouble(act: str, name: str) -> None:
        if f"{act} {name}" in acts and since <= anyio.current_time() < until:
            await anyio.sleep(hangs)
            raise Unreachable("s3: no answer")

    return trouble
