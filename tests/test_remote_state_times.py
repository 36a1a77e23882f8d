"""`bulk.run.remote_state` by a clock that jumps: when a copy is made and a claim renewed, and what silence does."""

import logging
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from memory_objects import PLACE, MemoryObjects, Store, in_memory
from remote_states import CLAIM, LASTS, LEDGER, RENEW, WRITE, Said, changed, copy_of, opened, silent, working
from virtual import in_virtual_time

from bulk.errors import Halted
from bulk.ledger.database import FILE
from bulk.run.lease import NAME, Lease
from bulk.run.remote_state import ROW

pytestmark = in_virtual_time


@pytest.fixture
def store() -> Iterator[Store]:
    with in_memory("bulk.run.remote_state") as store:
        yield store


async def test_a_copy_is_made_every_five_seconds_where_something_changed(store: Store, tmp_path: Path) -> None:
    state = await opened(store, tmp_path)
    async with working(state):
        await anyio.sleep(12.0)
        changed(tmp_path)
        await anyio.sleep(10.0)
    assert store.times("write", FILE) == [0.0, 15.0]
    assert copy_of(store, "SELECT campaign FROM run", tmp_path) == [("another",)]
    assert state.lot() == (tmp_path / "copy" / FILE).stat().st_size // ROW > 0


@pytest.mark.parametrize("size, pause", [(1_400_000, 7.0), (10**12, 600.0)])
async def test_a_large_ledger_is_copied_less_often(store: Store, tmp_path: Path, size: int, pause: float) -> None:
    state = await opened(store, tmp_path)
    state._size = size
    async with working(state):
        changed(tmp_path)
        await anyio.sleep(pause + 0.5)
    assert store.times("write", FILE) == [0.0, pause]


async def test_who_waits_for_a_copy_has_it_at_once_also_where_nothing_changed(store: Store, tmp_path: Path) -> None:
    state = await opened(store, tmp_path)
    waited = []
    async with working(state):
        await anyio.sleep(1.0)
        changed(tmp_path)
        for _ in range(2):
            await state.keep()
            waited.append(anyio.current_time())
            await anyio.sleep(1.5)
        await anyio.sleep(6.0)
    assert (waited, store.times("write", FILE)) == ([1.0, 2.5], [0.0, 1.0, 2.5])


async def test_a_copy_that_fails_is_made_again_each_second_until_it_is_there(
    store: Store, tmp_path: Path, said: Said
) -> None:
    state = await opened(store, tmp_path)
    store.trouble = silent(WRITE, until=4.5)
    async with working(state):
        await anyio.sleep(2.0)
        with anyio.fail_after(4.0):
            await state.keep()
        assert anyio.current_time() == 5.0
        assert store.times("write", FILE) == [0.0, 2.0, 3.0, 4.0, 5.0]
    assert said() == [
        (logging.WARNING, f"{PLACE}: s3: no answer. The run goes on for up to 34 s without it"),
        (logging.INFO, f"{PLACE} is reached again"),
    ]


async def test_a_copy_that_failed_is_made_again_though_nothing_changed_since(store: Store, tmp_path: Path) -> None:
    state = await opened(store, tmp_path)
    store.trouble = silent(WRITE, until=11.0)
    async with working(state):
        changed(tmp_path)
        await anyio.sleep(22.0)
    assert store.times("write", FILE) == [0.0, 5.0, 10.0, 15.0]
    assert copy_of(store, "SELECT campaign FROM run", tmp_path) == [("another",)]


async def test_an_answer_that_was_lost_is_known_for_our_own(store: Store, tmp_path: Path) -> None:
    state = await opened(store, tmp_path)
    changed(tmp_path)
    store.lost = 1
    async with working(state):
        await state.keep()
        assert copy_of(store, "SELECT campaign FROM run", tmp_path) == [("another",)]
        changed(tmp_path, "third")
        await state.keep()
    assert store.kept[LEDGER][1].holder == state.lease.holder
    assert copy_of(store, "SELECT campaign FROM run ORDER BY id", tmp_path) == [("another",), ("third",)]
    assert (len(store.times("write", FILE)), state.lost) == (4, None)


@pytest.mark.parametrize("how", ["another", "gone"])
async def test_a_copy_that_another_replaced_or_removed_stops_the_run(store: Store, tmp_path: Path, how: str) -> None:
    state = await opened(store, tmp_path)
    if how == "another":
        store.put(LEDGER, b"another's")
    else:
        del store.kept[LEDGER]
    changed(tmp_path)
    async with working(state):
        await state.stop.wait()
        assert anyio.current_time() == 5.0
    told = f"{LEDGER} was written by another sender: nothing more is sent from here"
    assert (state.lost, state.stop.reason, state.stop.exit_code) == (told, told, Halted.exit_code)


# Renewed


async def test_a_claim_is_renewed_four_times_in_its_time(store: Store, tmp_path: Path) -> None:
    state = await opened(store, tmp_path)
    async with working(state):
        await anyio.sleep(35.0)
    assert store.times("write", NAME) == [0.0, 0.0, 10.0, 20.0, 30.0]


async def test_a_renewal_that_fails_is_tried_each_second_until_the_claim_ends_and_the_run_with_it(
    store: Store, tmp_path: Path, said: Said
) -> None:
    state = await opened(store, tmp_path)
    store.trouble = silent(RENEW)
    async with working(state):
        await state.stop.wait()
        assert anyio.current_time() == 36.0
    assert store.times("write", NAME) == [0.0, 0.0, *(10.0 + seconds for seconds in range(27))]
    assert (state.stop.reason, state.stop.exit_code, state.lost) == (
        f"{PLACE} could not be reached for so long that the claim of it ends",
        Halted.exit_code,
        None,
    )
    assert said() == [(logging.WARNING, f"{PLACE}: s3: no answer. The run goes on for up to 26 s without it")]


async def test_a_renewal_without_an_answer_is_given_up_after_half_the_time_of_a_claim(
    store: Store, tmp_path: Path, said: Said
) -> None:
    state = await opened(store, tmp_path)
    store.trouble = silent(RENEW, hangs=1e6)
    async with working(state):
        await state.stop.wait()
        assert anyio.current_time() == 36.0
    assert store.times("write", NAME) == [0.0, 0.0, 10.0, 31.0]  # given up at 30 s, and where the claim ends
    assert said() == [(logging.WARNING, f"{PLACE}: no answer in time. The run goes on for up to 6 s without it")]


async def test_the_last_try_comes_as_the_claim_ends_and_has_a_tenth_of_a_second(store: Store, tmp_path: Path) -> None:
    state = await opened(store, tmp_path)
    await anyio.sleep(0.5)
    store.trouble = silent(RENEW, until=36.0)
    async with working(state):
        await anyio.sleep(35.2)
        store.trouble = silent(RENEW, hangs=1e6)
        await state.stop.wait()
        assert anyio.current_time() == pytest.approx(36.1)
    assert store.times("write", NAME)[-2:] == [35.5, 36.0]


async def test_a_claim_that_is_reached_again_goes_on(store: Store, tmp_path: Path, said: Said) -> None:
    state = await opened(store, tmp_path)
    store.trouble = silent(RENEW, WRITE, until=11.5)
    async with working(state):
        await anyio.sleep(4.0)
        changed(tmp_path)
        await anyio.sleep(30.0)
    assert store.times("write", NAME) == [0.0, 0.0, 10.0, 11.0, 12.0, 22.0, 32.0]
    assert store.times("write", FILE) == [0.0, 5.0, 10.0, 15.0]
    assert [text for _, text in said()] == [
        f"{PLACE}: s3: no answer. The run goes on for up to 31 s without it",
        f"{PLACE} is reached again",  # once claim and copy are
    ]


async def test_a_claim_that_another_has_taken_stops_the_run(store: Store, tmp_path: Path) -> None:
    state = await opened(store, tmp_path)
    store.grow_old(CLAIM, 100.0)
    await Lease(MemoryObjects(store), LASTS).take()
    async with working(state):
        await state.stop.wait()
        assert anyio.current_time() == 10.0
    assert state.lost == state.stop.reason
    assert str(state.lost).startswith(f"the claim of {PLACE} was lost to process ")
