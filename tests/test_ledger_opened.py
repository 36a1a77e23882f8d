"""`bulk.ledger.ledger`: a ledger opened, shared, read, copied and closed, and what is done with it."""

import asyncio
import os
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from ledgers import IDENTITY, begin, intent

from bulk.errors import LedgerError
from bulk.ledger import Ledger, schema
from bulk.ledger.database import FILE
from bulk.ledger.writer import AT_ONCE, GATHER
from bulk.model import Recipient
from bulk.pacing import virtual_time

AT = 1.8e9


def people(count: int) -> list[Recipient]:
    return [Recipient(row, f"k{row}", f"{row}@example.com", {}) for row in range(count)]


def held(path: Path) -> list[str]:
    """Return what this process has open under a path."""
    links = [str(link.resolve()) for link in Path("/proc/self/fd").iterdir()]
    return [link for link in links if link.startswith(str(path))]


def read(folder: Path) -> Ledger:
    ledger = Ledger.read(folder)
    assert ledger is not None
    return ledger


@pytest.mark.parametrize("how", ["opened", "shared", "read"])
def test_what_reads_cannot_write(ledger: Ledger, tmp_path: Path, how: str) -> None:
    one = ledger if how == "opened" else ledger.share() if how == "shared" else read(tmp_path)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        one._source.reader.execute("DELETE FROM run")
    if one is not ledger:
        one.close()


def test_it_is_whole_in_one_file_before_anybody_can_see_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[list[str], int]] = []

    def look(path: Path, target: Path) -> None:
        with closing(sqlite3.connect(target)) as connection:
            (migrations,) = connection.execute("SELECT count(*) FROM migration").fetchone()
        seen.append(([one.name for one in target.parent.iterdir()], migrations))
        os.link(target, path)

    monkeypatch.setattr(Path, "hardlink_to", look)
    Ledger.open(tmp_path).close()
    assert seen == [([FILE], len(schema.MIGRATIONS))]


def test_a_power_cut_takes_nothing_but_a_rehearsal_in_virtual_time(tmp_path: Path) -> None:
    def durability() -> int:
        with Ledger.open(tmp_path) as ledger:
            (found,) = ledger._writing().run(lambda writing: writing.execute("PRAGMA synchronous").fetchone())
            return int(found)

    async def rehearsed() -> int:
        return durability()

    assert (durability(), virtual_time.run(rehearsed)) == (2, 0)


@pytest.mark.parametrize("how", [Ledger.open, Ledger.read])
def test_what_cannot_be_opened_is_let_go_of(tmp_path: Path, how: object) -> None:
    Ledger.open(tmp_path).close()
    with sqlite3.connect(tmp_path / FILE) as newer:
        newer.execute("INSERT INTO migration VALUES ('holograms', 0)")
    newer.close()
    with pytest.raises(LedgerError, match="holograms") as raised:
        how(tmp_path)  # type: ignore[operator]  # both take a folder
    assert held(tmp_path) == []
    assert raised.value.__traceback__ is not None  # which would keep it open


def test_an_intent_waits_for_others_as_long_as_was_said_and_no_longer_than_others_can_come(tmp_path: Path) -> None:
    async def waited(folder: str, *, at_once: int, gather: float, shared: int = 0, rows: int = 1) -> float:
        with Ledger.open(tmp_path / folder, at_once=at_once, gather=gather) as ledger:
            other = ledger.share(at_once=shared) if shared else None
            run = begin(ledger)
            claims = run.claim(people(rows))
            await asyncio.gather(*[run.intend(intent(claim.id, 0, f"t{claim.id}")) for claim in claims])
            if other is not None:
                other.close()
        return asyncio.get_running_loop().time()

    assert virtual_time.run(lambda: waited("a", at_once=2, gather=7.0)) == 7.0
    assert virtual_time.run(lambda: waited("b", at_once=1, gather=7.0)) == 0.0
    assert virtual_time.run(lambda: waited("c", at_once=1, gather=7.0, shared=1)) == 7.0
    assert virtual_time.run(lambda: waited("d", at_once=1, gather=7.0, shared=1, rows=2)) == 0.0


def test_who_says_nothing_waits_a_fortieth_of_a_second(tmp_path: Path) -> None:
    async def waited() -> float:
        with Ledger.open(tmp_path) as ledger:
            run = begin(ledger)
            (claim,) = run.claim(people(1))
            await run.intend(intent(claim.id, 0, "token"))
        return asyncio.get_running_loop().time()

    assert virtual_time.run(waited) == pytest.approx(0.025)
    assert (GATHER, AT_ONCE) == (0.025, 256)


def test_each_user_has_a_clock_and_an_end_of_its_own(tmp_path: Path) -> None:
    with Ledger.open(tmp_path, now=lambda: AT) as ledger:
        shared = ledger.share(now=lambda: AT + 5)
        assert begin(shared).facts.started_at.timestamp() == AT + 5
        shared.close()
        with pytest.raises(LedgerError, match=r"ledger\.db: Cannot operate on a closed database"):
            shared.runs()
        other = replace(IDENTITY, run="other")
        assert ledger.begin(other, {}).facts.started_at.timestamp() == AT
    assert held(tmp_path) == []
    before = time.time()
    with Ledger.open(tmp_path) as ledger, ledger.share() as shared:
        for one, name in ((ledger, "third"), (shared, "fourth")):
            assert before <= one.begin(replace(IDENTITY, run=name), {}).facts.started_at.timestamp() <= time.time()


def test_what_is_only_read_is_not_written(tmp_path: Path, ledger: Ledger) -> None:
    begin(ledger)
    with read(tmp_path) as reader:
        record = reader.find(IDENTITY.campaign, IDENTITY.run)
        assert record is not None
        assert [facts.identity for facts in reader.runs()] == [IDENTITY]
        write = partial(reader.write, record, lambda *_: None)
        for act in (reader.index_people, reader.index_open, reader.share, write, partial(begin, reader)):
            with pytest.raises(LedgerError) as raised:
                act()
            assert str(raised.value) == f"{tmp_path / FILE}: opened only to be read"


def test_something_is_written_beside_a_run_by_its_number(ledger: Ledger) -> None:
    begin(ledger)
    ledger.begin(replace(IDENTITY, run="other"), {})
    found = ledger.find(IDENTITY.campaign, "other")
    assert found is not None
    assert ledger.write(found, lambda writing, run: (writing.execute("SELECT name FROM run").fetchall(), run)) == (
        [("default",), ("other",)],
        2,
    )


async def test_who_was_written_to_is_counted_over_all_runs_as_a_transaction_sees_it(ledger: Ledger) -> None:
    run = begin(ledger)
    claims = run.claim(people(2))
    for claim in claims:
        await run.intend(intent(claim.id, 0, "token", at=AT))
    with pytest.raises(LedgerError, match="no such index"):
        ledger.written_to("0@example.com", "email", since=AT)
    ledger.index_people()
    count = partial(ledger.written_to, "0@example.com", "email", since=AT)
    assert [count(), count(but=1), count(but=2)] == [1, 0, 1]
    record = ledger.find(IDENTITY.campaign, IDENTITY.run)
    assert record is not None

    def inside(writing: sqlite3.Connection, _: int) -> int:
        writing.execute("UPDATE dispatch SET last_at = 0")
        return count(inside=writing)

    assert ledger.write(record, inside) == 0


async def test_open_contacts_are_told_of_the_last_that_opened(ledger: Ledger) -> None:
    run = begin(ledger)
    for claim in run.claim(people(4)):
        await run.intend(intent(claim.id, 0, "token", at=AT + claim.id))
    with pytest.raises(LedgerError, match="no such index"):
        ledger.still_open(IDENTITY, since=AT, limit=2)
    ledger.index_open()
    assert ledger.still_open(IDENTITY, since=AT + 1, limit=9) == [AT + 2, AT + 3, AT + 4]
    assert ledger.still_open(IDENTITY, since=AT, limit=2) == [AT + 3, AT + 4]


def test_a_copy_is_its_owners_alone(ledger: Ledger, tmp_path: Path) -> None:
    begin(ledger)
    ledger.copy(tmp_path / "copy")
    path = tmp_path / "copy" / FILE
    assert ([one.name for one in path.parent.iterdir()], path.stat().st_mode & 0o777) == ([FILE], 0o600)
    with read(tmp_path / "copy") as copy:
        assert copy.runs() == ledger.runs()


async def test_a_trouble_at_the_end_is_raised_unless_another_is_on_its_way(tmp_path: Path) -> None:
    async def spoil(ledger: Ledger, error: type[Exception] | None = None) -> None:
        await ledger._writing().soon(("INSERT INTO setting VALUES {rows}", ("salt", b"twice")))
        if error is not None:
            raise error

    with pytest.raises(LedgerError, match="a write that its rules forbid"), Ledger.open(tmp_path) as ledger:
        await spoil(ledger)
    with pytest.raises(KeyError), Ledger.open(tmp_path) as ledger:
        await spoil(ledger, KeyError)
    with Ledger.open(tmp_path) as ledger:
        assert ledger.runs() == []
