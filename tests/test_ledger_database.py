"""`bulk.ledger.database`: what is said where the file fails, and how transactions and rows are written to it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from ledgers import DAMAGED

from bulk.errors import LedgerError
from bulk.ledger.database import FILE, connect, ledger_errors, together, transaction, write

CANNOT_WRITE = "it cannot be written. Make the file and its folder writable, or name another folder with --state-dir"
LOCKED = "another process has kept it locked for 60 s. Send again when that has ended"
FULL = (
    "the disk is full. Nothing is sent that cannot be recorded; make room and send again: the run goes on where it "
    "stopped"
)
BROKEN = (
    "the disk cannot be read or written. Nothing is sent that cannot be recorded; once the disk is fixed, send again: "
    "the run goes on where it stopped"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.execute("CREATE TABLE fact (id INTEGER PRIMARY KEY, what BLOB)")
        connection.execute("CREATE TABLE other (id INTEGER PRIMARY KEY REFERENCES fact)")
    return tmp_path / FILE


# What is said


@pytest.mark.parametrize(
    "code, words",
    [
        (sqlite3.SQLITE_FULL, FULL),
        (sqlite3.SQLITE_NOTADB, DAMAGED),
        (sqlite3.SQLITE_CORRUPT, DAMAGED),
        (sqlite3.SQLITE_CORRUPT_INDEX, DAMAGED),
        (sqlite3.SQLITE_READONLY, CANNOT_WRITE),
        (sqlite3.SQLITE_CANTOPEN, CANNOT_WRITE),
        (sqlite3.SQLITE_PERM, CANNOT_WRITE),
        (sqlite3.SQLITE_BUSY, LOCKED),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, LOCKED),
        (sqlite3.SQLITE_LOCKED, LOCKED),
        (sqlite3.SQLITE_IOERR_WRITE, BROKEN),
        (
            sqlite3.SQLITE_CONSTRAINT_CHECK,
            "a write that its rules forbid; the run stops here, and can be sent again",
        ),
    ],
)
def test_what_sqlite_complains_of_is_said_with_the_remedy(code: int, words: str) -> None:
    error = sqlite3.OperationalError("SQLite's words")
    error.sqlite_errorcode = code
    with pytest.raises(LedgerError) as raised, ledger_errors(Path("a/ledger.db")):
        raise error
    assert (str(raised.value), raised.value.__cause__) == (f"a/ledger.db: {words} (SQLite's words)", error)


def test_what_has_no_remedy_is_said_as_it_is() -> None:
    with pytest.raises(LedgerError) as raised, ledger_errors(Path("a/ledger.db")):
        raise sqlite3.ProgrammingError("closed")
    assert str(raised.value) == "a/ledger.db: closed"
    with pytest.raises(LedgerError) as raised, ledger_errors(Path("a/ledger.db")):
        raise PermissionError(13, "Permission denied")
    assert str(raised.value) == (
        "a/ledger.db: Permission denied. Make its folder writable, or name another with --state-dir"
    )
    with pytest.raises(KeyError), ledger_errors(Path("a/ledger.db")):
        raise KeyError("no trouble of the ledger")


# Transactions and writes


def facts(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as reader:
        return [number for (number,) in reader.execute("SELECT id FROM fact ORDER BY id")]


def fails(connection: sqlite3.Connection, last: str) -> None:
    with transaction(connection):
        connection.execute(last)
        raise KeyError(last)


def test_a_transaction_is_written_as_a_whole_or_not_at_all(path: Path) -> None:
    with closing(connect(path, writing=True)) as connection:
        with transaction(connection):
            connection.execute("INSERT INTO fact (id) VALUES (1)")
            connection.execute("INSERT INTO fact (id) VALUES (2)")
            assert facts(path) == []
        assert facts(path) == [1, 2]
        for last in ("INSERT INTO fact (id) VALUES (3)", "ROLLBACK"):  # SQLite rolls back itself where the disk is full
            with pytest.raises(KeyError, match=last[:6]):
                fails(connection, last)
            assert (connection.in_transaction, facts(path)) == (False, [1, 2])


def test_nobody_else_writes_between_the_beginning_of_a_transaction_and_its_first_write(path: Path) -> None:
    with closing(connect(path, writing=True)) as one, closing(sqlite3.connect(path, timeout=0)) as other:
        with transaction(one), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("INSERT INTO fact (id) VALUES (1)")
        other.execute("INSERT INTO fact (id) VALUES (1)")


@pytest.mark.parametrize("count, sizes", [(0, []), (1, [1]), (7, [4, 2, 1]), (64, [64]), (203, [64, 64, 64, 8, 2, 1])])
def test_rows_are_written_by_statements_of_64_rows_and_smaller_powers_of_two(
    path: Path, count: int, sizes: list[int]
) -> None:
    statements: list[str] = []
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.set_trace_callback(statements.append)
        assert write(connection, "INSERT INTO fact VALUES {rows}", [(number, None) for number in range(count)]) == count
    assert [statement.count("NULL") for statement in statements] == sizes


def test_kinds_of_writes_keep_the_order_in_which_they_came_first() -> None:
    writes = [("b", (1, 7)), ("c", (2, 8)), ("a", (3, 9)), ("b", (4, 8)), ("a", (0, 7)), ("b", (6, 9)), ("c", (5, 9))]
    assert list(together(writes)) == [
        ("b", [(1, 7)]),
        ("c", [(2, 8)]),
        ("a", [(3, 9)]),
        ("b", [(4, 8), (6, 9)]),
        ("a", [(0, 7)]),
        ("c", [(5, 9)]),
    ]
