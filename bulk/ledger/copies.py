"""Copies of a ledger in another place, and what a copy cannot know if it is older than its sender's death.

A copy is one file: the ledger as SQLite's backup makes it, the small files beside it (paces) in a table, and when it
was made. `docs/internals/ledger.md`, State elsewhere, has the theory.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bulk.errors import LedgerError
from bulk.files import write_new
from bulk.ledger import schema, statements
from bulk.ledger.database import FILE, connect, empty, ledger_errors, transaction

BESIDE = "pace"  # the folder of the small files

_ABOUT = "CREATE TABLE copied (version TEXT NOT NULL, at REAL NOT NULL, ended INTEGER NOT NULL) STRICT"
_KEPT = "CREATE TABLE kept_file (name TEXT PRIMARY KEY, content BLOB NOT NULL) STRICT"

# The rows of a run that are not at their end, and have no contact: nobody knows what was tried since the copy.
_OPEN = "run = :run AND (state = 'pending' OR state = 'intended') AND contact_id IS NULL"

# Reopens what the pass would have sent again: it may have been, by the decision that the pass was begun with.
_REOPEN = statements.REOPEN.replace(
    "FROM (VALUES {rows}) WHERE id = column1", "WHERE run = :run AND state = :state AND error_code IS NOT 'given_up'"
)

# Counts each of these rows for caps and open contacts, under no token.
_DISPATCH = f"""
INSERT INTO dispatch (delivery, token, person, opens, writes, last_at, announced)
SELECT id, '', person, state = 'pending' AND replies IS NULL, 1, :at, 1 FROM delivery
WHERE {_OPEN} AND person IS NOT NULL
ON CONFLICT (delivery, token) DO NOTHING
"""  # noqa: S608 - our own text

# Notes since when calls that nothing here answers may have been made: the earliest such time.
_DOUBT = f"UPDATE delivery SET doubted_at = min(ifnull(doubted_at, :at), :at) WHERE {_OPEN}"  # noqa: S608 - our own text

# Has a call stand as announced of which neither token nor digest is known.
_ANNOUNCE = f"""
UPDATE delivery SET state = 'intended', token = '', digest = x'', announced = 1, intended_at = doubted_at,
    step = json_array_length(ifnull(replies, '[]'))
WHERE {_OPEN} AND state = 'pending'
"""  # noqa: S608 - our own text

# Once the row's own dispatches say what may have reached its person, the one without a token goes.
_OWN_DISPATCH = """
CREATE TRIGGER IF NOT EXISTS dispatch_of_its_own AFTER INSERT ON dispatch WHEN NEW.token <> ''
BEGIN
    UPDATE dispatch SET opens = 0 WHERE delivery = NEW.delivery AND token = '' AND NEW.opens;
    DELETE FROM dispatch WHERE delivery = NEW.delivery AND token = '' AND NEW.writes;
END
"""
_NOT_ACCEPTED = """
CREATE TRIGGER IF NOT EXISTS delivery_not_accepted AFTER UPDATE OF state ON delivery
WHEN NEW.error_code IS NOT 'given_up' AND (NEW.state = 'rejected' OR NEW.state = 'refused' OR NEW.state = 'skipped')
BEGIN DELETE FROM dispatch WHERE delivery = NEW.id AND token = ''; END
"""

_UNDER_WAY = "SELECT id, under_way FROM run WHERE under_way IS NOT NULL"
_AT_REST = "UPDATE run SET under_way = NULL"


@dataclass(frozen=True, slots=True)
class CopyFacts:
    """What a copy says of itself: its name, when it was begun (Unix seconds), whether nothing was tried after it."""

    version: str
    at: float
    ended: bool


class Copier:
    """Makes copies of the ledger in a folder, also while it is written."""

    def __init__(self, folder: Path) -> None:
        """Open it. Raises `LedgerError`."""
        self._folder = folder
        self._path = folder / FILE
        with ledger_errors(self._path):
            self._reader = connect(self._path, writing=False)
        self._seen = -1

    def close(self) -> None:
        """Close it."""
        self._reader.close()

    @property
    def changed(self) -> bool:
        """Whether anybody wrote since the last copy."""
        return self._version() != self._seen

    def copy(self, path: Path, version: str, *, ended: bool) -> CopyFacts:
        """Copy the ledger as it stands, and what lies beside it, into a file. Raises `LedgerError`."""
        facts = CopyFacts(version, time.time(), ended)
        with ledger_errors(path):
            self._seen = self._version()
            path.unlink(missing_ok=True)
            empty(path)
            with closing(sqlite3.connect(path, isolation_level=None)) as copy:
                self._reader.backup(copy)
                copy.execute("PRAGMA journal_mode = OFF")
                copy.execute("PRAGMA synchronous = OFF")  # it is sent away, and a local crash needs it no more
                copy.execute("BEGIN")
                copy.execute(_ABOUT)
                copy.execute("INSERT INTO copied VALUES (?, ?, ?)", (facts.version, facts.at, facts.ended))
                copy.execute(_KEPT)
                copy.executemany("INSERT INTO kept_file VALUES (?, ?)", _beside(self._folder))
                copy.execute("COMMIT")
        return facts

    def _version(self) -> int:
        (version,) = self._reader.execute("PRAGMA data_version").fetchone()
        return int(version)


def _beside(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted((folder / BESIDE).glob("*")):
        if path.is_file():
            yield path.name, path.read_bytes()


def restore(folder: Path) -> CopyFacts:
    """Make a state directory of a copy that lies in a folder as its ledger; return what it said of itself.

    Raises `LedgerError` where it is no copy.
    """
    path = folder / FILE
    with _opened(path) as connection, transaction(connection):
        try:
            ((version, at, ended),) = connection.execute("SELECT version, at, ended FROM copied").fetchall()
            kept = connection.execute("SELECT name, content FROM kept_file").fetchall()
        except (sqlite3.OperationalError, ValueError) as error:
            raise LedgerError(f"{path}: no copy of a ledger that this program made") from error
        connection.execute("DROP TABLE copied")
        connection.execute("DROP TABLE kept_file")
        if ended:
            connection.execute(_AT_REST)
    for name, content in kept:
        write_new(folder / BESIDE / os.path.basename(name), content)  # noqa: PTH119 - no folder of a name is followed
    return CopyFacts(version, at, bool(ended))


def clear(folder: Path) -> None:
    """Remove what `restore` made."""
    for path in (*folder.glob(f"{FILE}*"), *(folder / BESIDE).glob("*")):
        path.unlink()


def doubt(folder: Path, since: float) -> int:
    """Mark what may have been tried since a copy (Unix seconds) whose sender died; return of how many rows.

    Of the runs that were being sent: every row that is not at its end, and those that the pass would have sent again.
    """
    with _opened(folder / FILE) as connection, transaction(connection):
        found = connection.execute(_UNDER_WAY).fetchall()
        marked = sum(_doubt_run(connection, run, under_way, since) for run, under_way in found)
        if marked:
            connection.execute(_OWN_DISPATCH)
            connection.execute(_NOT_ACCEPTED)
        connection.execute(_AT_REST)
    return marked


def _doubt_run(connection: sqlite3.Connection, run: int, under_way: str, since: float) -> int:
    for state in under_way.split():
        connection.execute(_REOPEN, {"run": run, "state": state})
    about = {"run": run, "at": since}
    connection.execute(_DISPATCH, about)
    marked = connection.execute(_DOUBT, about).rowcount
    connection.execute(_ANNOUNCE, about)
    return marked


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with ledger_errors(path), closing(connect(path, writing=True)) as connection:
        schema.prepare(connection, path)
        yield connection
