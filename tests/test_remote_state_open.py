"""`bulk.run.remote_state` at its beginning: what is there is restored, doubted where its sender died, and copied."""

import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ledgers import begin
from memory_objects import MemoryObjects, Store, in_memory
from remote_states import CLAIM, LASTS, LEDGER, Said, copy_of, opened
from virtual import in_virtual_time

from bulk.errors import LedgerError
from bulk.ledger import Ledger
from bulk.ledger.copies import Copier
from bulk.ledger.database import FILE
from bulk.model import Recipient
from bulk.run.lease import NAME, Lease, claim_of
from bulk.run.remote_state import LOT, ROW, RemoteState
from bulk.stop import Stop

pytestmark = in_virtual_time


@pytest.fixture
def store() -> Iterator[Store]:
    with in_memory("bulk.run.remote_state") as store:
        yield store


async def test_where_nothing_is_a_ledger_is_made_copied_and_said_to_be_there(store: Store, tmp_path: Path) -> None:
    state = await opened(store, tmp_path)
    state._copier.close()
    assert {url: version.holder for url, (_, version) in store.kept.items()} == dict.fromkeys(
        (CLAIM, LEDGER), state.lease.holder
    )
    assert claim_of(*store.kept[CLAIM]).copied
    assert [(act, name) for _, act, name in store.asked] == [
        *(("read", NAME), ("write", NAME), ("fetch", FILE), ("write", FILE), ("write", NAME))
    ]
    assert copy_of(store, "SELECT ended, (SELECT count(*) FROM run) FROM copied", tmp_path) == [(0, 0)]
    assert store.kept[LEDGER][0] == (tmp_path / "copy" / FILE).read_bytes()


async def test_a_ledger_that_is_gone_is_missed(store: Store, tmp_path: Path) -> None:
    (await opened(store, tmp_path))._copier.close()
    del store.kept[LEDGER]
    store.grow_old(CLAIM, 100.0)
    with pytest.raises(LedgerError) as raised:
        await opened(store, tmp_path / "next")
    assert str(raised.value) == (
        f"{LEDGER} is gone, and was there: restore it (where the bucket keeps versions, S3 has it), or name another "
        "place with --state-dir: a new ledger does not know what was sent"
    )


async def dead(store: Store, folder: Path, rows: int, *, age: float, ended: bool = False) -> float:
    """Leave what a sender left who died so long ago; return when its copy was made."""
    with Ledger.open(folder) as ledger:
        begin(ledger).claim([Recipient(row, f"k{row}", None, {}) for row in range(rows)])
        copier = Copier(folder)
        at = copier.copy(folder / "copy" / FILE, "v", ended=ended).at
        copier.close()
    store.put(LEDGER, (folder / "copy" / FILE).read_bytes(), age=age)
    return at


@pytest.mark.parametrize("age", [0.0, 3600.0])
async def test_what_a_dead_sender_may_have_tried_is_in_doubt_since_its_copy_or_longer(
    store: Store, tmp_path: Path, said: Said, age: float
) -> None:
    at = await dead(store, tmp_path / "dead", 2, age=age)
    (tmp_path / "next").mkdir()
    before = time.time()
    (await opened(store, tmp_path / "next"))._copier.close()
    ((state, doubted),) = set(copy_of(store, "SELECT state, doubted_at FROM delivery", tmp_path))
    since = at if not age else pytest.approx(before - age, abs=30.0)
    assert (state, doubted) == ("intended", since)
    when = time.strftime("%H:%M:%S", time.gmtime(doubted))
    told = (
        f"the last sender died after its copy of {when} UTC: 2 rows may have been tried since, and are settled "
        "under their tokens, or `unknown` where that is too long ago"
    )
    assert said() == [(logging.WARNING, told)]


@pytest.mark.parametrize("rows, ended", [(2, True), (0, False)])
async def test_where_nothing_may_have_been_tried_nothing_is_said(
    store: Store, tmp_path: Path, said: Said, rows: int, *, ended: bool
) -> None:
    await dead(store, tmp_path / "dead", rows, age=0.0, ended=ended)
    (tmp_path / "next").mkdir()
    (await opened(store, tmp_path / "next"))._copier.close()
    assert copy_of(store, "SELECT state FROM delivery", tmp_path) == [("pending",)] * rows
    assert said() == []


async def test_what_a_last_holder_still_writes_is_fetched_anew(store: Store, tmp_path: Path) -> None:
    await dead(store, tmp_path / "dead", 1, age=0.0)
    newer = iter([2, 3])

    async def still_there(act: str, name: str) -> None:
        if (act, name) == ("write", FILE) and (rows := next(newer, 0)):
            await dead(store, tmp_path / f"dead {rows}", rows, age=0.0)

    store.trouble = still_there
    (tmp_path / "next").mkdir()
    (await opened(store, tmp_path / "next"))._copier.close()
    assert copy_of(store, "SELECT count(*) FROM delivery", tmp_path) == [(3,)]
    assert len(store.times("fetch", FILE)) == 3


async def test_where_others_write_again_and_again_nobody_opens_it(store: Store, tmp_path: Path) -> None:
    await dead(store, tmp_path / "dead", 1, age=0.0)

    async def still_there(act: str, name: str) -> None:
        if (act, name) == ("write", FILE):
            store.put(LEDGER, store.kept[LEDGER][0])

    store.trouble = still_there
    (tmp_path / "next").mkdir()
    with pytest.raises(LedgerError) as raised:
        await opened(store, tmp_path / "next")
    assert str(raised.value) == f"{LEDGER} is being written by others: try again"
    assert len(store.times("fetch", FILE)) == 5
    assert sorted(path.name for path in (tmp_path / "next").glob("ledger*")) == []


@pytest.mark.parametrize("size, rows", [(ROW - 1, 0), (7 * ROW, 7), (ROW * 10**9, LOT)])
async def test_of_a_large_ledger_more_rows_are_claimed_together(
    store: Store, tmp_path: Path, size: int, rows: int
) -> None:
    objects = MemoryObjects(store)
    state = RemoteState(objects, Lease(objects, LASTS), tmp_path, Stop())
    assert state.lot() == 0
    state._size = size
    assert (state.lot(), ROW, LOT) == (rows, 4096, 20_000)
