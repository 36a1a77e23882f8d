"""`bulk.run.state_place`: a state directory claimed to send from it, in a folder or in S3. Time is virtual."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import anyio
import pytest
from cli_runs import campaign
from memory_objects import PLACE, Store
from state_places import OPTIONS, SANDBOX, copy_in, given, held_by_another, places_in_memory, states
from virtual import in_virtual_time

from bulk.aws.objects import Unreachable
from bulk.errors import BulkError, Halted, LedgerError, RunBusy
from bulk.ledger.database import FILE
from bulk.loader.own_list import NAME as LIST
from bulk.run.context import choose
from bulk.run.lease import NAME as CLAIM
from bulk.run.lease import claim_of
from bulk.run.options import Options
from bulk.run.state_place import claimed, looked_at
from bulk.stop import Stop

pytestmark = in_virtual_time


@pytest.fixture
def store() -> Iterator[Store]:
    with places_in_memory() as store:
        yield store


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return campaign(tmp_path / "campaign")


def ended(store: Store, folder: Path, url: str = PLACE) -> tuple[int, bool]:
    """Return whether a place has the copy of an end, and is claimed."""
    (folder / "looked at").write_bytes(store.kept[f"{url}/{FILE}"][0])
    with closing(sqlite3.connect(folder / "looked at")) as connection:
        ((told,),) = connection.execute("SELECT ended FROM copied").fetchall()
    return told, claim_of(*store.kept[f"{url}/{CLAIM}"]).is_held


async def test_a_folder_is_worked_on_where_it_is(store: Store, source: Path, tmp_path: Path) -> None:
    options = Options(state_dir=tmp_path / "state")
    for opened in (claimed(source, options, Stop()), looked_at(source, options)):
        async with opened as place:
            assert (place.options, place.sender, place.holds, place.pool.lot()) == (options, None, [], 0)
            assert place.own_list(choose(source, options)).name == tmp_path / "state" / LIST
        place.check()
    assert store.asked == []


@pytest.mark.parametrize("options, url", [(OPTIONS, PLACE), (SANDBOX, f"{PLACE}/sandbox")])
async def test_a_place_in_s3_is_claimed_worked_on_in_a_private_folder_and_given_back(
    store: Store, source: Path, tmp_path: Path, options: Options, url: str
) -> None:
    copy_in(store, tmp_path / "last", ended=True, url=url)
    store.put(f"{PLACE}/{LIST}", b"destination,added_at,reason\r\n")
    async with claimed(source, options, Stop()) as place:
        folder = given(place)
        home = folder / "sandbox" if options.sandbox else folder
        assert (home.stat().st_mode & 0o777, states(home)) == (0o700, [("pending",)])
        assert (folder / LIST).read_bytes() == b"destination,added_at,reason\r\n"
        own = place.own_list(choose(source, options))
        assert (own.name, own is place.own) == (f"{PLACE}/{LIST}", True)
        assert ended(store, tmp_path, url) == (0, True)
        assert place.pool.lot() == (home / "copy" / FILE).stat().st_size // 4096
        await anyio.sleep(1.0)
        await place.pool.keep()
        store.put(f"{PLACE}/{LIST}", b"changed")
        await anyio.sleep(20.0)
        assert (folder / LIST).read_bytes() == b"changed"
    assert [at for at, act, name in store.asked if (act, name) == ("write", FILE)] == [0.0, 1.0, 21.0]
    assert [at for at, act, name in store.asked if (act, name) == ("write", CLAIM)] == [0.0, 0.0, 10.0, 20.0, 21.0]
    assert ended(store, tmp_path, url) == (1, False)
    assert {name.rpartition("/")[0] for name in store.kept} == {PLACE, url}
    assert folder.is_dir()  # as long as the place is there
    place.check()
    del place, own
    assert not folder.exists()


async def test_who_is_cancelled_still_ends_what_was_claimed(store: Store, source: Path, tmp_path: Path) -> None:
    with anyio.move_on_after(3.0):
        async with claimed(source, OPTIONS, Stop()):
            await anyio.sleep(99.0)
    assert (anyio.current_time(), ended(store, tmp_path)) == (3.0, (1, False))


async def test_what_could_not_be_kept_halts(store: Store, source: Path) -> None:
    stop = Stop()
    async with claimed(source, OPTIONS, stop) as place:
        store.put(f"{PLACE}/{FILE}", b"another's")
        with anyio.move_on_after(3.0):
            await place.pool.keep()
    told = f"{PLACE}/{FILE} was written by another sender: nothing more is sent from here"
    assert (place.lost, stop.reason) == (told, told)
    with pytest.raises(Halted) as raised:
        place.check()
    assert str(raised.value) == told


async def test_a_place_that_another_holds_is_left_alone(store: Store, source: Path) -> None:
    name = await held_by_another(store)
    with pytest.raises(RunBusy, match="is in use by") as raised:
        async with claimed(source, OPTIONS, Stop()):
            pass
    assert name in str(raised.value)
    assert list(store.kept) == [f"{PLACE}/{CLAIM}"]


def fails(store: Store, what: str, *, hangs: float = 0.0) -> None:
    async def trouble(act: str, name: str) -> None:
        if f"{act} {name}" == what:
            await anyio.sleep(hangs)
            raise Unreachable("s3: no answer")

    store.trouble = trouble


@pytest.mark.parametrize("what", [f"read {CLAIM}", f"fetch {FILE}"])
async def test_where_s3_cannot_be_reached_nothing_begins(store: Store, source: Path, what: str) -> None:
    fails(store, what)
    with pytest.raises(LedgerError) as raised:
        async with claimed(source, OPTIONS, Stop()):
            pass
    assert str(raised.value) == f"{PLACE}: s3: no answer. Nothing was sent; try again when S3 can be reached"
    assert not any(claim_of(*found).is_held for found in store.kept.values())  # what was claimed was given back
    with pytest.raises(LedgerError) as raised:
        async with looked_at(source, OPTIONS):
            pass
    assert str(raised.value) == f"{PLACE}: s3: no answer. Nothing was sent; try again when S3 can be reached"


async def test_a_claim_is_given_back_also_where_its_beginning_is_cancelled(store: Store, source: Path) -> None:
    fails(store, f"fetch {FILE}", hangs=99.0)
    with anyio.move_on_after(3.0):
        async with claimed(source, OPTIONS, Stop()):
            pass
    assert (anyio.current_time(), claim_of(*store.kept[f"{PLACE}/{CLAIM}"]).is_held) == (3.0, False)


@pytest.mark.parametrize("options, url", [(OPTIONS, PLACE), (SANDBOX, f"{PLACE}/sandbox")])
async def test_what_is_raised_names_the_place_and_not_the_private_folder(
    store: Store, source: Path, options: Options, url: str
) -> None:
    store.put(f"{url}/{FILE}", b"no copy at all")
    with pytest.raises(LedgerError, match=rf"^{url}/ledger\.db: this is no ledger, or a damaged one"):
        async with claimed(source, options, Stop()):
            pass
    assert not claim_of(*store.kept[f"{url}/{CLAIM}"]).is_held
    with pytest.raises(LedgerError, match=rf"^{url}/ledger\.db: this is no ledger, or a damaged one"):
        async with looked_at(source, options):
            pass
    del store.kept[f"{url}/{FILE}"], store.kept[f"{url}/{CLAIM}"]
    with pytest.raises(BulkError, match=rf"^{PLACE}/x$"):
        async with looked_at(source, options) as place:
            raise BulkError(f"{place.options.state_dir}/x")
