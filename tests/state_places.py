"""State directories in S3, in memory, with what others left there; the ledgers in them are real."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from ledgers import begin
from memory_objects import PLACE, MemoryObjects, Store, in_memory

from bulk.aws.connect import Endpoint
from bulk.ledger import Ledger
from bulk.ledger.copies import Copier
from bulk.ledger.database import FILE
from bulk.model import Recipient
from bulk.run.lease import NAME as CLAIM
from bulk.run.lease import Lease, claim_of
from bulk.run.options import Options
from bulk.run.state_place import StatePlace

OPTIONS = Options(state_dir=PLACE, region="us-west-2", lease=40.0)
SANDBOX = Options(state_dir=PLACE, region="us-west-2", lease=40.0, sandbox=True)


@contextmanager
def places_in_memory() -> Iterator[Store]:
    """Open state directories of a store, in virtual time."""

    @asynccontextmanager
    async def objects_of(url: str, endpoint: Endpoint) -> AsyncIterator[MemoryObjects]:
        assert endpoint.region == OPTIONS.region
        yield MemoryObjects(store, url)

    modules = ("state_place", "remote_state", "own_list_place")
    with in_memory(*(f"bulk.run.{module}" for module in modules)) as store, pytest.MonkeyPatch.context() as patch:
        patch.setattr("bulk.run.state_place.objects_of", objects_of)
        yield store


def given(place: StatePlace) -> Path:
    """Return the folder in which a place is worked on."""
    assert isinstance(place.options.state_dir, Path)
    return place.options.state_dir


def copy_in(store: Store, folder: Path, *, ended: bool = False, age: float = 0.0, url: str = PLACE) -> None:
    """Leave the copy of a ledger with one row that was not tried, of a run under way."""
    with Ledger.open(folder) as ledger:
        begin(ledger).claim([Recipient(0, "k", None, {})])
        copier = Copier(folder)
        copier.copy(folder / "copy", "v", ended=ended)
        copier.close()
    store.put(f"{url}/{FILE}", (folder / "copy").read_bytes(), age=age)


async def held_by_another(store: Store, url: str = PLACE) -> str:
    """Have another process claim a place; return how it is named."""
    await Lease(MemoryObjects(store, url), 40.0).take()
    return claim_of(*store.kept[f"{url}/{CLAIM}"]).name


def states(folder: Path) -> list[Any]:
    """Return the states of the rows of a ledger."""
    with closing(sqlite3.connect(folder / FILE)) as connection:
        return connection.execute("SELECT state FROM delivery").fetchall()
