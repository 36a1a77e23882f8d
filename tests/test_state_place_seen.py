"""`bulk.run.state_place`: a state directory in S3 as it is seen by who only looks at it."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cli_runs import campaign
from memory_objects import PLACE, Store
from state_places import OPTIONS, SANDBOX, copy_in, given, held_by_another, places_in_memory, states
from virtual import in_virtual_time

from bulk.ledger.database import FILE
from bulk.loader.own_list import NAME as LIST
from bulk.run.lease import NAME as CLAIM
from bulk.run.state_place import looked_at

pytestmark = in_virtual_time


@pytest.fixture
def store() -> Iterator[Store]:
    with places_in_memory() as store:
        yield store


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return campaign(tmp_path / "campaign")


async def test_where_nothing_is_nobody_sends(store: Store, source: Path) -> None:
    assert store.kept == {}
    async with looked_at(source, OPTIONS) as place:
        folder = given(place)
        assert sorted(path.name for path in folder.iterdir()) == ["sandbox"]
        assert (place.sender, (folder / "sandbox").stat().st_mode & 0o777) == (None, 0o700)
    assert folder.is_dir()
    del place
    assert not folder.exists()


async def test_what_is_being_sent_is_seen_as_its_last_copy_has_it(
    store: Store, source: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bulk")
    copy_in(store, tmp_path / "there", age=7.0)
    name = await held_by_another(store)
    store.put(f"{PLACE}/{LIST}", b"list")
    async with looked_at(source, OPTIONS) as place:
        assert (place.sender, states(given(place))) == (name, [("pending",)])
        assert (given(place) / LIST).read_bytes() == b"list"
    told = "being sent at this moment; this is how it stood 7 s ago"
    assert [text for logger, _, text in caplog.record_tuples if logger == "bulk"] == [told]


@pytest.mark.parametrize("was_ended", [True, False])
async def test_where_a_sender_died_what_it_may_have_tried_is_seen_as_that(
    store: Store, source: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, *, was_ended: bool
) -> None:
    caplog.set_level(logging.INFO, "bulk")
    copy_in(store, tmp_path / "there", ended=was_ended, age=500.0)
    await held_by_another(store)
    store.grow_old(f"{PLACE}/{CLAIM}", 500.0)
    async with looked_at(source, OPTIONS) as place:
        assert (place.sender, states(given(place))) == (None, [("pending",) if was_ended else ("intended",)])
        with closing(sqlite3.connect(given(place) / FILE)) as connection:
            ((doubted,),) = connection.execute("SELECT doubted_at FROM delivery").fetchall()
    made = (tmp_path / "there" / "copy").stat().st_mtime
    assert doubted is None if was_ended else made - 600 < doubted < made - 400
    assert not [text for logger, _, text in caplog.record_tuples if logger == "bulk"]


async def test_a_rehearsal_is_seen_beside_what_was_sent(store: Store, source: Path, tmp_path: Path) -> None:
    copy_in(store, tmp_path / "sent", ended=True)
    copy_in(store, tmp_path / "rehearsed", ended=True, url=f"{PLACE}/sandbox")
    async with looked_at(source, OPTIONS) as place:
        assert states(given(place)) == states(given(place) / "sandbox") == [("pending",)]
        assert place.sender is None
    sends = await held_by_another(store)
    async with looked_at(source, OPTIONS) as place:
        assert place.sender == sends
    store.asked.clear()
    async with looked_at(source, SANDBOX) as place:
        assert (place.sender, (given(place) / FILE).exists()) == (None, False)
        assert states(given(place) / "sandbox") == [("pending",)]
    assert [(act, name) for _, act, name in store.asked] == [("read", CLAIM), ("fetch", FILE), ("fetch", LIST)]
    del store.kept[f"{PLACE}/{CLAIM}"]
    rehearses = await held_by_another(store, f"{PLACE}/sandbox")
    async with looked_at(source, OPTIONS) as place:
        assert place.sender == rehearses
