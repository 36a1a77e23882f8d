"""The one thread that writes: which writes share a commit, when it comes, and what a failure leaves. It …"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from bulk.errors import LedgerError
from bulk.ledger.writer import AT_ONCE, BACKLOG, GATHER, LINGER, Writer

INSERT = "INSERT INTO fact VALUES {rows}"
UPDATE = "UPDATE fact SET what = column1 FROM (VALUES {rows}) WHERE id = column2"


class Disk:
    """A database with one table, of which every commit is noted."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.connection.execute("CREATE TABLE fact (what TEXT NOT NULL, id INTEGER PRIMARY KEY) STRICT")
        self.commits: list[int] = []
        self._written = 0
        self.connection.set_trace_callback(self._note)

    def _note(self, statement: str) -> None:
        self._written += statement.startswith(("INSERT", "UPDATE"))
        if statement == "COMMIT":
            self.commits.append(self._written)
            self._written = 0

    @property
    def facts(self) -> dict[int, str]:
        with closing(sqlite3.connect(self.path)) as reader:
            return {number: what for what, number in reader.execute("SELECT what, id FROM fact")}

    def writer(self, *, at_once: int = AT_ONCE, gather: float = GATHER, linger: float = LINGER) -> Writer:
        return Writer(self.connection, self.path, at_once=at_once, gather=gather, linger=linger)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    one = Disk(tmp_path / "facts.db")
    yield one
    one.connection.close()


@asynccontextmanager
async def open_writer(disk: Disk, **more: float) -> AsyncIterator[Writer]:
    writer = disk.writer(**more)  # type: ignore[arg-type]  # at_once is a whole number
    try:
        async with asyncio.timeout(5):
            yield writer
    finally:
        writer.close()


async def test_writes_that_come_together_share_a_commit(disk: Disk) -> None:
    async with open_writer(disk, gather=0.2) as writer:
        await asyncio.gather(*[writer.durable((INSERT, ("a", number))) for number in range(5)])
        assert disk.facts == dict.fromkeys(range(5), "a")
        assert len(disk.commits) == 1


async def test_they_do_not_wait_for_others_once_no_more_can_come(disk: Disk) -> None:
    async with open_writer(disk, gather=3600.0, at_once=3) as writer:
        await asyncio.gather(*[writer.durable((INSERT, ("a", number))) for number in range(6)])
        assert len(disk.commits) == 2
        writer.share(1)
        await asyncio.gather(*[writer.durable((INSERT, ("b", number))) for number in range(10, 14)])
        assert len(disk.commits) == 3
        writer.close()


async def test_what_can_wait_rides_along_with_what_cannot(disk: Disk) -> None:
    async with open_writer(disk, gather=0.01, linger=3600.0) as writer:
        await writer.soon((INSERT, ("a", 1)))
        assert not writer.idle
        await asyncio.sleep(0.05)
        assert disk.facts == {}
        await writer.durable((INSERT, ("a", 2)))
        assert (disk.facts, len(disk.commits), writer.idle) == ({1: "a", 2: "a"}, 1, True)


async def test_what_can_wait_does_not_wait_longer_than_its_time(disk: Disk) -> None:
    async with open_writer(disk, gather=3600.0, linger=0.05) as writer:
        await writer.soon((INSERT, ("a", 1)))
        await writer.soon((INSERT, ("a", 2)))
        await asyncio.sleep(0.5)
        assert (disk.facts, len(disk.commits), writer.idle) == ({1: "a", 2: "a"}, 1, True)


async def test_a_flush_waits_for_nothing_but_the_disk(disk: Disk) -> None:
    async with open_writer(disk, gather=3600.0, linger=3600.0) as writer:
        await writer.soon((INSERT, ("a", 1)))
        await writer.flush()
        assert (disk.facts, writer.idle) == ({1: "a"}, True)


async def test_what_is_left_is_written_at_the_end(disk: Disk) -> None:
    async with open_writer(disk, linger=3600.0) as writer:
        await writer.soon((INSERT, ("a", 1)))
    assert disk.facts == {1: "a"}
    writer.close()  # closed again, it changes nothing
    assert disk.facts == {1: "a"}


async def test_one_more_user_keeps_it_open_until_he_has_closed_it_too(disk: Disk) -> None:
    async with open_writer(disk, linger=3600.0) as writer:
        writer.share(1)
        await writer.soon((INSERT, ("a", 1)))
        writer.close()
        assert disk.facts == {1: "a"}
        await writer.durable((INSERT, ("a", 2)))
    assert disk.facts == {1: "a", 2: "a"}


async def test_a_guard_is_asked_in_the_transaction_of_its_writes(disk: Disk) -> None:
    asked: list[int] = []

    def guard(connection: sqlite3.Connection) -> Exception | None:
        (count,) = connection.execute("SELECT count(*) FROM fact").fetchone()
        asked.append(count)
        return ValueError("full") if count >= 2 else None

    async with open_writer(disk, gather=0.05) as writer:
        said = await asyncio.gather(*[writer.guarded(guard, (INSERT, ("a", number))) for number in range(4)])
        assert [str(one) if one else None for one in said] == [None, None, "full", "full"]
        assert (asked, len(disk.commits), sorted(disk.facts)) == ([0, 1, 2, 2], 1, [0, 1])


async def test_what_is_asked_beside_a_group_is_written_with_it(disk: Disk) -> None:
    notes = [(INSERT, ("note", 8)), None, (INSERT, ("note", 9))]
    async with open_writer(disk, gather=0.0) as writer:
        writer.beside.append(lambda: notes.pop(0) if notes else None)
        await writer.flush()  # of an empty group nothing is asked
        for number in range(3):
            await writer.durable((INSERT, ("a", number)))
        assert (sorted(disk.facts), writer.idle) == ([0, 1, 2, 8, 9], True)


async def test_work_of_its_own_is_done_at_once_and_undone_where_it_fails(disk: Disk) -> None:
    def fails(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO fact VALUES ('b', 2)")
        raise KeyError("no")

    async with open_writer(disk) as writer:
        assert writer.run(lambda connection: connection.execute("INSERT INTO fact VALUES ('a', 1)").rowcount) == 1
        with pytest.raises(KeyError):
            writer.run(fails)
        assert disk.facts == {1: "a"}
        await writer.durable((INSERT, ("c", 3)))  # that failure was the caller's own


async def test_after_a_commit_that_failed_nothing_more_is_written(disk: Disk) -> None:
    writer = disk.writer(gather=0.0, linger=3600.0)
    await writer.durable((INSERT, ("a", 1)))
    with pytest.raises(LedgerError, match=r"facts\.db"):
        await asyncio.gather(writer.durable((INSERT, ("b", 2))), writer.durable((INSERT, ("again", 1))))
    for act in (writer.durable, writer.soon):
        with pytest.raises(LedgerError):
            await act((INSERT, ("c", 3)))
    with pytest.raises(LedgerError):
        await writer.flush()
    with pytest.raises(LedgerError):
        writer.run(lambda _: None)
    with pytest.raises(LedgerError):
        writer.close()
    assert "c" not in disk.facts.values()


async def test_a_write_that_meets_nothing_is_an_error_of_its_group(disk: Disk) -> None:
    writer = disk.writer(gather=0.0)
    with pytest.raises(LedgerError, match="1 of 1 writes met no delivery"):
        await writer.durable((INSERT, ("a", 1)), (UPDATE, ("b", 1)), (UPDATE, ("b", 7)))
    with pytest.raises(LedgerError):
        writer.close()
    assert disk.facts == {}


async def test_where_the_disk_falls_behind_what_can_wait_waits_too(disk: Disk) -> None:
    assert BACKLOG == 4096
    async with open_writer(disk, gather=0.0, linger=3600.0) as writer:
        for number in range(BACKLOG):
            await writer.soon((INSERT, ("a", number)))
        assert disk.facts == {}
        await writer.soon((INSERT, ("a", BACKLOG)))
        assert len(disk.facts) == BACKLOG + 1


async def test_who_stops_waiting_takes_nothing_from_the_others(disk: Disk) -> None:
    async with open_writer(disk, gather=0.1) as writer:
        one, other = (asyncio.create_task(writer.durable((INSERT, ("a", number)))) for number in (1, 2))
        await asyncio.sleep(0)
        one.cancel()
        await other
        assert disk.facts == {1: "a", 2: "a"}
