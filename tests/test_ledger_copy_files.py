"""`bulk.ledger.copies`: what a copy is made of, when another is worth making, and what is restored of it."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from ledgers import begin
from test_ledger_older import old

from bulk.errors import LedgerError
from bulk.ledger import Ledger, schema
from bulk.ledger.copies import Copier, CopyFacts, clear, restore
from bulk.ledger.database import FILE

TABLES = {
    "copied": "CREATE TABLE copied (version TEXT NOT NULL, at REAL NOT NULL, ended INTEGER NOT NULL) STRICT",
    "kept_file": "CREATE TABLE kept_file (name TEXT PRIMARY KEY, content BLOB NOT NULL) STRICT",
}


def ask(path: Path, query: str, *values: Any) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(query, values).fetchall()


@pytest.fixture
def copier(ledger: Ledger) -> Iterator[Copier]:
    begin(ledger)
    copier = Copier(ledger._path.parent)
    yield copier
    copier.close()


@pytest.fixture
def there(tmp_path: Path) -> Path:
    (tmp_path / "there").mkdir()
    return tmp_path / "there"


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(FILE)
    }


def test_a_copy_is_one_file_which_says_what_it_is(copier: Copier, there: Path) -> None:
    before = time.time()
    facts = copier.copy(there / FILE, "v1", ended=True)
    assert facts == CopyFacts("v1", facts.at, ended=True)
    assert before <= facts.at <= time.time()
    assert [(path.name, path.stat().st_mode & 0o777) for path in there.iterdir()] == [(FILE, 0o600)]
    assert (there / FILE).read_bytes()[18:20] == b"\x01\x01"  # "Database File Format": it needs no log to be read
    assert ask(there / FILE, "SELECT * FROM copied") == [("v1", facts.at, 1)]
    assert (
        dict(ask(there / FILE, "SELECT name, sql FROM sqlite_schema WHERE name IN ('copied', 'kept_file')")) == TABLES
    )
    assert ask(there / FILE, "SELECT campaign FROM run") == [("welcome",)]


def test_a_copy_takes_the_place_of_an_earlier_one(copier: Copier, there: Path) -> None:
    (there / FILE).write_bytes(b"half of one, whose disk was full" * 200)
    for version in ("v1", "v2"):
        facts = copier.copy(there / FILE, version, ended=False)
        assert ask(there / FILE, "SELECT * FROM copied") == [(version, facts.at, 0)]


def test_another_is_worth_making_once_somebody_wrote(copier: Copier, ledger: Ledger, there: Path) -> None:
    told = [copier.changed]
    for _ in range(2):
        copier.copy(there / FILE, "v", ended=False)
        told.append(copier.changed)
        begin(ledger)
        told.append(copier.changed)
    assert told == [True, False, True, False, True]


def test_who_copies_changes_nothing_and_lets_go(copier: Copier) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        copier._reader.execute("UPDATE run SET campaign = 'x'")
    copier.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        assert copier.changed


def test_there_is_nothing_to_copy_where_there_is_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"ledger\.db: it cannot be written"):
        Copier(tmp_path / "nothing")


def test_small_files_beside_it_travel_along_and_folders_do_not(copier: Copier, tmp_path: Path, there: Path) -> None:
    for name in ("b", "a", "folder/c"):
        (tmp_path / "pace" / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / "pace" / name).write_bytes(name.encode())
    copier.copy(there / FILE, "v", ended=False)
    assert ask(there / FILE, "SELECT name, content FROM kept_file") == [("a", b"a"), ("b", b"b")]
    restore(there)
    assert files(there) == {"pace/a": b"a", "pace/b": b"b"}


def test_a_kept_file_leaves_its_folder_by_no_name(copier: Copier, there: Path) -> None:
    copier.copy(there / FILE, "v", ended=False)
    ask(there / FILE, "INSERT INTO kept_file VALUES ('../../out', x'01')")
    restore(there)
    assert files(there.parent) == {"there/pace/out": b"\x01"}


@pytest.mark.parametrize("ended", [True, False])
def test_what_is_restored_is_a_ledger_whose_runs_rest_where_they_had_ended(
    copier: Copier, there: Path, *, ended: bool
) -> None:
    facts = copier.copy(there / FILE, "v", ended=ended)
    assert restore(there) == facts
    assert ask(there / FILE, "SELECT name FROM sqlite_schema WHERE name IN ('copied', 'kept_file')") == []
    assert ask(there / FILE, "SELECT under_way FROM run") == [(None if ended else "",)]


@pytest.mark.parametrize(
    "change",
    ["DROP TABLE copied", "DROP TABLE kept_file", "DELETE FROM copied", "INSERT INTO copied VALUES ('', 0, 0)"],
)
def test_what_is_no_copy_of_this_program_is_said_to_be_none_and_left(copier: Copier, there: Path, change: str) -> None:
    copier.copy(there / FILE, "v", ended=False)
    ask(there / FILE, change)
    before = ask(there / FILE, "SELECT sql FROM sqlite_schema")
    with pytest.raises(LedgerError) as raised:
        restore(there)
    assert str(raised.value) == f"{there / FILE}: no copy of a ledger that this program made"
    assert ask(there / FILE, "SELECT sql FROM sqlite_schema") == before


def test_a_copy_of_an_older_version_is_brought_up_to_date(tmp_path: Path, there: Path) -> None:
    copier = Copier(old(tmp_path / "old", 1))
    copier.copy(there / FILE, "v", ended=True)
    copier.close()
    restore(there)
    done = {name for (name,) in ask(there / FILE, "SELECT name FROM migration")}
    assert done == {migration.__name__ for migration in schema.MIGRATIONS}


def test_what_was_restored_can_be_cleared(copier: Copier, tmp_path: Path, there: Path) -> None:
    (tmp_path / "pace").mkdir()
    (tmp_path / "pace" / "a").touch()
    copier.copy(there / FILE, "v", ended=False)
    restore(there)
    (there / f"{FILE}-wal").touch()
    (there / "other").touch()
    clear(there)
    assert sorted(path.name for path in there.rglob("*")) == ["other", "pace"]
