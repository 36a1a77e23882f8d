"""`bulk.run.remote_state` at its end: the last copy, the claim given back, and what is said where neither works."""

import logging
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from memory_objects import PLACE, Store, in_memory
from remote_states import CLAIM, RENEW, WRITE, Said, changed, copy_of, opened, silent
from virtual import in_virtual_time

from bulk.ledger.database import FILE
from bulk.run.lease import NAME, claim_of
from bulk.run.remote_state import RemoteState

pytestmark = in_virtual_time


@pytest.fixture
def store() -> Iterator[Store]:
    with in_memory("bulk.run.remote_state") as store:
        yield store


async def ended(state: RemoteState) -> float:
    """Return when the end was done, which was asked for at 1 s."""
    async with anyio.create_task_group() as beside:
        beside.start_soon(state.renewing)
        beside.start_soon(state.copying)
        await anyio.sleep(1.0)
        await state.end()
        at = anyio.current_time()
        await anyio.sleep(50.0)  # in which nothing may follow
        beside.cancel_scope.cancel()
    return at


async def test_the_end_is_copied_and_the_claim_given_back(store: Store, tmp_path: Path, said: Said) -> None:
    state = await opened(store, tmp_path)
    changed(tmp_path)
    assert await ended(state) == 1.0
    assert store.times("write", NAME) == [0.0, 0.0, 1.0]
    assert copy_of(store, "SELECT ended, campaign FROM copied, run", tmp_path) == [(1, "another")]
    assert not claim_of(*store.kept[CLAIM]).is_held
    assert (state.lost, said()) == (None, [])
    with pytest.raises(sqlite3.ProgrammingError):
        assert state._copier.changed


async def test_an_end_that_fails_is_tried_each_second(store: Store, tmp_path: Path, said: Said) -> None:
    state = await opened(store, tmp_path)
    store.trouble = silent(WRITE, until=3.5)
    state._asked.set()
    state._waiting.append(anyio.Event())  # who asked for a copy before
    assert await ended(state) == 4.0
    assert store.times("write", FILE) == [0.0, 0.0, 1.0, 2.0, 3.0, 4.0]
    assert (state.lost, claim_of(*store.kept[CLAIM]).is_held) == (None, False)
    assert [text for _, text in said()] == [
        f"{PLACE}: s3: no answer. The run goes on for up to 36 s without it",
        f"{PLACE} is reached again",
    ]


async def test_an_end_that_finds_nobody_until_the_claim_ends_is_said_to_be_lost(
    store: Store, tmp_path: Path, said: Said
) -> None:
    state = await opened(store, tmp_path)
    state._copied_at = 1_790_000_000.0
    store.trouble = silent(WRITE, RENEW)
    assert await ended(state) == 36.0
    when = time.strftime("%H:%M:%S", time.gmtime(1_790_000_000))
    assert state.lost == f"{PLACE} cannot be reached; its copy is that of {when} UTC"
    assert said()[-1] == (
        logging.ERROR,
        f"{state.lost}. What no copy has is taken for tried, and the next `bulk send` settles it",
    )


async def test_an_end_after_that_of_the_claim_is_tried_once(store: Store, tmp_path: Path, said: Said) -> None:
    state = await opened(store, tmp_path)
    await anyio.sleep(50.0)
    store.trouble = silent(WRITE)
    await state.end()
    assert anyio.current_time() == 50.0
    first, last = said()
    assert first == (logging.WARNING, f"{PLACE}: s3: no answer. The run goes on for up to 0 s without it")
    assert last[0] == logging.ERROR


async def test_what_was_lost_is_neither_copied_nor_given_back_at_the_end(
    store: Store, tmp_path: Path, said: Said
) -> None:
    state = await opened(store, tmp_path)
    state.lost = "lost"
    before = dict(store.kept)
    assert await ended(state) == 1.0
    assert (store.kept, len(said())) == (before, 1)
