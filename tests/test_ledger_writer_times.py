"""`bulk.ledger.writer` by a clock that jumps: when each group goes to the disk; and who is told of what failed."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from test_ledger_writer import INSERT, UPDATE, Disk

from bulk.errors import LedgerError
from bulk.ledger.writer import BACKLOG, LINGER, Writer
from bulk.pacing import virtual_time

Scenario = Callable[[Writer], Awaitable[None]]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    one = Disk(tmp_path / "facts.db")
    yield one
    one.connection.close()


def one(number: int) -> tuple[str, tuple[str, int]]:
    return INSERT, ("a", number)


def commits(disk: Disk, scenario: Scenario, *, at_once: int = 99, gather: float = 1.0, linger: float = 5.0) -> object:
    """Return when each commit began, from 0 s on, and what was written by then."""
    begun: list[float] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        disk.connection.set_trace_callback(lambda said: begun.append(loop.time()) if said == "COMMIT" else None)
        writer = disk.writer(at_once=at_once, gather=gather, linger=linger)
        await scenario(writer)
        await asyncio.sleep(100.0)  # whatever still has a timer
        disk.connection.set_trace_callback(None)
        writer.close()

    virtual_time.run(run)
    return begun, sorted(disk.facts)


def test_the_first_who_waits_opens_the_time_in_which_others_join(disk: Disk) -> None:
    async def scenario(writer: Writer) -> None:
        async def later(number: int) -> None:
            await asyncio.sleep(number / 4)
            await writer.durable(one(number))
            assert asyncio.get_running_loop().time() == (1.0 if number < 4 else 2.5)

        await asyncio.gather(*[later(number) for number in (0, 1, 2, 3, 6)])

    assert commits(disk, scenario) == ([1.0, 2.5], [0, 1, 2, 3, 6])


def test_what_can_wait_goes_after_its_time_and_does_not_begin_it_anew(disk: Disk) -> None:
    async def scenario(writer: Writer) -> None:
        for number in range(3):
            await writer.soon(one(number))
            await asyncio.sleep(2.0)

    assert commits(disk, scenario) == ([5.0], [0, 1, 2])
    assert LINGER == 0.25


def test_what_rode_along_leaves_no_timer_behind_that_would_take_the_next_group_early(disk: Disk) -> None:
    async def scenario(writer: Writer) -> None:
        await writer.soon(one(0))
        await asyncio.sleep(2.0)
        await writer.durable(one(1))  # at 3 s, and the first timer would be due at 5 s
        await asyncio.sleep(1.0)
        await writer.soon(one(2))

    assert commits(disk, scenario) == ([3.0, 9.0], [0, 1, 2])


def test_a_full_group_leaves_no_timer_behind_either(disk: Disk) -> None:
    async def scenario(writer: Writer) -> None:
        await asyncio.gather(*[writer.durable(one(number)) for number in range(2)])  # at once, not at 10 s
        await asyncio.sleep(8.0)
        await writer.soon(one(2))

    assert commits(disk, scenario, at_once=2, gather=10.0) == ([0.0, 13.0], [0, 1, 2])


def test_a_flush_takes_no_time_also_of_nothing(disk: Disk) -> None:
    async def scenario(writer: Writer) -> None:
        await writer.soon(one(0))
        await asyncio.sleep(0.5)
        await writer.flush()
        await writer.flush()
        assert asyncio.get_running_loop().time() == 0.5

    assert commits(disk, scenario) == ([0.5, 0.5], [0])


def test_beyond_the_backlog_what_can_wait_is_waited_for(disk: Disk) -> None:
    async def scenario(writer: Writer) -> None:
        for number in range(BACKLOG + 1):
            await writer.soon(one(number))
        assert (asyncio.get_running_loop().time(), writer.idle) == (1.0, True)

    assert commits(disk, scenario) == ([1.0], list(range(BACKLOG + 1)))


def test_the_clock_stands_while_the_thread_writes(disk: Disk) -> None:
    def slow(_: sqlite3.Connection) -> None:
        time.sleep(0.05)

    async def scenario(writer: Writer) -> None:
        await writer.guarded(slow, one(0))
        assert asyncio.get_running_loop().time() == 1.0

    assert commits(disk, scenario) == ([1.0], [0])


def test_what_is_asked_beside_goes_along_with_guarded_writes_alone(disk: Disk) -> None:
    async def scenario(writer: Writer) -> None:
        notes = [one(7)]
        writer.beside += [lambda: None, lambda: notes.pop() if notes else None]
        await writer.flush()
        assert await writer.guarded(lambda _: None, one(0)) is None
        assert writer.idle

    assert commits(disk, scenario) == ([0.0, 1.0], [0, 7])


# Ends


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "ledger"]


def test_the_last_user_ends_the_thread_and_closes_the_file(disk: Disk) -> None:
    before = threads()
    writer = disk.writer()
    writer.share(1)
    writer.share(1)
    for _ in range(2):
        writer.close()
        assert threads() == [*before, "ledger"]
        assert writer.run(lambda connection: connection.total_changes) == 0
    writer.close()
    assert threads() == before
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        disk.connection.execute("SELECT 1")
    writer.close()


async def test_a_user_who_goes_first_is_told_of_what_failed(disk: Disk) -> None:
    writer = disk.writer(linger=3600.0)
    writer.share(1)
    await writer.soon(one(1), one(1))
    for _ in range(2):
        with pytest.raises(LedgerError, match="a write that its rules forbid"):
            writer.close()
    assert disk.facts == {}


async def test_whoever_waits_for_a_group_is_told_why_it_failed(disk: Disk) -> None:
    writer = disk.writer(gather=0.05)

    def broken(_: sqlite3.Connection) -> None:
        raise ValueError("no guard")

    waits = writer.durable(one(1)), writer.guarded(broken, one(2)), writer.guarded(lambda _: None, one(3))
    ends = await asyncio.gather(*waits, return_exceptions=True)
    assert [(type(end), str(end)) for end in ends] == [(LedgerError, f"{disk.path}: ValueError('no guard')")] * 3
    assert len(set(map(id, ends))) == 3  # else a traceback grows with each who raises it
    for act in (writer.durable, writer.soon):
        with pytest.raises(LedgerError, match="no guard"):
            await act(one(4))
    with pytest.raises(LedgerError, match="no guard"):
        writer.close()
    async with asyncio.timeout(5):
        with pytest.raises(LedgerError, match="no guard"):
            await writer.flush()  # when there is no thread any more that would answer
    assert disk.facts == {}


async def test_how_many_writes_met_nothing_is_said_with_their_statement(disk: Disk) -> None:
    writer = disk.writer(gather=0.0)
    with pytest.raises(LedgerError) as raised:
        await writer.durable(one(1), *((UPDATE, ("b", number)) for number in (1, 7, 8)))
    assert str(raised.value) == f"{disk.path}: 2 of 2 writes met no delivery: {UPDATE}"
    with pytest.raises(LedgerError):
        writer.close()
