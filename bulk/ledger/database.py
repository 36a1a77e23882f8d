"""The ledger's file: opened, kept private, with its errors translated."""

import os
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from bulk.errors import LedgerError
from bulk.files import check_state, open_private, private_folder, scratch

FILE = "ledger.db"

Values = Sequence[Any]

_BUSY_SECONDS = 60.0
_CHEAP_TO_CHECK = 4_000_000  # bytes; a whole check of a file this size takes some 30 ms
_OLDEST_SQLITE = (3, 37)  # strict tables

_TOGETHER = 64  # rows that one step of a statement writes

_TROUBLES = {
    sqlite3.SQLITE_FULL: "the disk is full. Nothing is sent that cannot be recorded; make room and send again: "
    "the run goes on where it stopped",
    sqlite3.SQLITE_NOTADB: "this is no ledger, or a damaged one. It is left as it is; restore it from a backup, "
    "or name another folder with --state-dir (a new ledger does not know what was sent)",
    sqlite3.SQLITE_READONLY: "it cannot be written. Make the file and its folder writable, or name another folder "
    "with --state-dir",
    sqlite3.SQLITE_BUSY: f"another process has kept it locked for {_BUSY_SECONDS:.0f} s. "
    "Send again when that has ended",
    sqlite3.SQLITE_IOERR: "the disk cannot be read or written. Nothing is sent that cannot be recorded; "
    "once the disk is fixed, send again: the run goes on where it stopped",
    sqlite3.SQLITE_CONSTRAINT: "a write that its rules forbid; the run stops here, and can be sent again",
}
_SAME_TROUBLE = {
    sqlite3.SQLITE_CORRUPT: sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_CANTOPEN: sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PERM: sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_LOCKED: sqlite3.SQLITE_BUSY,
}


@contextmanager
def ledger_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite or the file system complains of into a `LedgerError` with the remedy."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        words = _TROUBLES.get(_SAME_TROUBLE.get(code, code))
        raise LedgerError(f"{path}: {words} ({error})" if words else f"{path}: {error}") from error
    except OSError as error:
        raise LedgerError(
            f"{path}: {error.strerror}. Make its folder writable, or name another with --state-dir"
        ) from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit what the block writes, durably and all together; or nothing of it where it raises."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has rolled back already
            connection.execute("ROLLBACK")
        raise


def write(connection: sqlite3.Connection, statement: str, rows: Sequence[Sequence[Any]]) -> int:
    """Run a statement for many rows, which stand in it as `VALUES {rows}`; tell how many rows it wrote.

    At each step SQLite lets go of Python's lock, and then waits until a busy event loop lets go of it again. So many
    rows share a step: as many at a time as the next smaller power of two, so that there are few texts to prepare.
    """
    written = done = 0
    while left := len(rows) - done:
        count = min(_TOGETHER, 1 << left.bit_length() - 1)
        values = tuple(chain.from_iterable(rows[done : done + count]))
        written += connection.execute(_spelled(statement, count, len(values) // count), values).rowcount
        done += count
    return written


def together(writes: Sequence[tuple[str, Values]]) -> Iterator[tuple[str, list[Values]]]:
    """Bring writes of a kind together, so that each delivery (the last of the values) still has its own in order."""
    rounds: defaultdict[tuple[int, str], list[Values]] = defaultdict(list)
    earlier: Counter[int] = Counter()
    for statement, values in writes:
        delivery = values[-1]
        rounds[earlier[delivery], statement].append(values)
        earlier[delivery] += 1
    for (_, statement), rows in sorted(rounds.items(), key=lambda item: item[0][0]):
        yield statement, rows


@cache
def _spelled(statement: str, count: int, width: int) -> str:
    row = f"({', '.join('?' * width)})"
    return statement.replace("{rows}", ", ".join([row] * count))


def empty(path: Path) -> None:
    """Make the folder and an empty file that only their owner can read; leave what is there."""
    private_folder(path.parent)
    os.close(open_private(path))  # SQLite gives -wal and -shm the mode of the file


def create(path: Path, prepare: Callable[[Path], None]) -> None:
    """Make the ledger where there is none: prepared elsewhere first, so that it is never seen half made."""
    private_folder(path.parent)
    check_state(path.parent)
    if not missing(path):
        os.close(open_private(path, linked=True))
        return
    folder, remove = scratch(path.parent)
    try:
        new = folder / path.name
        empty(new)
        prepare(new)
        try:
            path.hardlink_to(new)
        except OSError:  # another process was first, or the file system knows no links
            if not path.exists():
                new.replace(path)
    finally:
        remove()
    _to_disk(path.parent)


def missing(path: Path) -> bool:
    """Return whether there is no ledger. `LedgerError` where there was one: an empty file is one cut short."""
    log = path.with_name(f"{path.name}-wal").exists()  # looked for first: it is never there before the ledger
    if path.exists():
        if path.stat().st_size:
            return False
        what = "it is empty"
    elif log:
        what = "it is gone, and its -wal is there"
    else:
        return True
    raise LedgerError(f"{path}: {_TROUBLES[sqlite3.SQLITE_NOTADB]} ({what})")


def _to_disk(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def connect(path: Path, *, writing: bool) -> sqlite3.Connection:
    """Open the file. Writes are durable when their commit returns, power loss included (`synchronous=FULL`)."""
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise LedgerError(f"SQLite {sqlite3.sqlite_version} is too old for the ledger; 3.37 is the oldest that will do")
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        _set_up(connection, path, writing=writing)
    except BaseException:
        connection.close()
        raise
    return connection


def _set_up(connection: sqlite3.Connection, path: Path, *, writing: bool) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    if not writing:
        connection.execute("PRAGMA cache_size = -2000")  # KiB: what is read comes in the order it was written
        connection.execute("PRAGMA query_only = ON")
        return
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA cache_size = -8000")
    connection.execute("PRAGMA wal_autocheckpoint = 4000")  # pages: a list of a million rows is claimed in 16 MB steps
    connection.execute("PRAGMA journal_size_limit = 67108864")
    if path.stat().st_size <= _CHEAP_TO_CHECK:
        _check(connection, path)


def _check(connection: sqlite3.Connection, path: Path) -> None:
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise LedgerError(f"{path}: {_TROUBLES[sqlite3.SQLITE_NOTADB]} ({verdict})")
