"""Contacts, requests, and tokens on disk, in SQLite, so that memory stays constant.

A sandbox that keeps nothing has SQLite's private file, which is gone when the sandbox is. One with a folder keeps
`sandbox.sqlite3` there, and commits calls before they are answered: a process that is killed loses nothing that it
said it took ("Write-Ahead Logging", sqlite.org). Others may read that file meanwhile.

| Table | Has |
|---|---|
| `contacts` | a row for each contact, with the bodies of its requests as they came |
| `found`, `indexed` | what SearchContacts looks up; see `search_index` |
| `tokens` | which contact a `ClientToken` stands for, by a digest of operation, instance and token |
"""

import fcntl
import os
import sqlite3
import weakref
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from bulk.sandbox.contact import COLUMNS, Contact, row_of
from bulk.sandbox.letter_case import holds, writable
from bulk.sandbox.search_index import SearchIndex
from bulk.sandbox.seen_tokens import SeenTokens

NAME = "sandbox.sqlite3"
_PAGE = 500  # contacts that are read at once where all of them are wanted
_LAYOUT = 1  # of the tables; a file of another layout is not opened
_CACHE_KIB = 48 * 1024

_TABLES = """
CREATE TABLE IF NOT EXISTS contacts (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, operation TEXT NOT NULL, channel TEXT NOT NULL,
    method TEXT NOT NULL, instance TEXT NOT NULL, started_at REAL NOT NULL, ends_at REAL NOT NULL, token TEXT,
    destination TEXT, mailed INTEGER NOT NULL, open INTEGER NOT NULL, reason TEXT NOT NULL,
    account TEXT NOT NULL, region TEXT NOT NULL, attributes TEXT, tags TEXT, body BLOB, mail BLOB
);
CREATE TABLE IF NOT EXISTS tokens (name BLOB PRIMARY KEY, seq INTEGER NOT NULL, at REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ends ON contacts (ends_at) WHERE open;
"""
_SELECT = f"SELECT {', '.join(COLUMNS)} FROM contacts"  # noqa: S608 - our names
_PLACE = "account || '/' || region || '/' || instance"  # as `Contact.place`
_COUNT_OPEN = f"SELECT channel, {_PLACE}, count(*) FROM contacts WHERE open GROUP BY 1, 2"  # noqa: S608 - our names
_INSERT = f"INSERT INTO contacts ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608 - our names
_UPDATE = f"UPDATE contacts SET {', '.join(f'{name} = ?' for name in COLUMNS[1:])} WHERE seq = ?"  # noqa: S608 - our names


class Storage:
    """The contacts of one sandbox; in `folder` where there is one. Raises `OSError` where that cannot be written."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._lock: int | None = None
        self.lasting = folder is not None
        self._database = _open(None if folder is None else folder / NAME)
        weakref.finalize(self, self._database.close)
        self._run = self._database.execute
        self._database.create_function("holds", 2, holds, deterministic=True)
        self.index = SearchIndex(self._database)
        self._seen = SeenTokens(name for (name,) in self._run("SELECT name FROM tokens"))
        self.last = int(self._one("SELECT coalesce(max(seq), 0) FROM contacts"))

    def hold(self) -> None:
        """Be the only sandbox of the folder. Raises `OSError` where another one is."""
        if self._folder is not None:
            self._lock = _lock(self._folder / "sandbox.lock")

    def release(self) -> None:
        """Let another sandbox have the folder."""
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)

    def begin(self) -> None:
        """Begin what is to be done whole or not at all."""
        if self.lasting:
            if not self._database.in_transaction:
                self._run("BEGIN IMMEDIATE")
            self._run("SAVEPOINT whole")

    def end(self) -> None:
        """End it."""
        if self.lasting:
            self._run("RELEASE whole")

    def roll_back(self) -> None:
        """Undo what was done since `begin`."""
        if self.lasting and self._database.in_transaction:
            self._run("ROLLBACK TO whole")
            self._run("RELEASE whole")

    def commit(self) -> None:
        """Keep all that was done: from here on it outlives the process."""
        if self.lasting and self._database.in_transaction:
            self._run("COMMIT")

    def add(self, contact: Contact) -> None:
        """Take in a new contact, and number it."""
        self.last += 1
        contact.seq = self.last
        try:
            self._run(_INSERT, row_of(contact))
        except UnicodeEncodeError:
            self._run(_INSERT, tuple(writable(value) for value in row_of(contact)))

    def save(self, contact: Contact) -> None:
        """Write what has changed of a contact."""
        row = row_of(contact)
        self._run(_UPDATE, (*row[1:], row[0]))

    def find(self, contact_id: str) -> Contact | None:
        """Return the contact of an id."""
        row = self._run(f"{_SELECT} WHERE id = ?", (contact_id,)).fetchone()
        return None if row is None else Contact(*row)

    def bind(self, token: bytes, contact: Contact, at: float) -> None:
        """Let a token stand for a contact."""
        self._run("INSERT OR REPLACE INTO tokens VALUES (?, ?, ?)", (token, contact.seq, at))
        self._seen.add(token)

    def find_by_token(self, token: bytes, since: float) -> Contact | None:
        """Return the contact that a token stands for, unless it was bound before `since`."""
        if not self._seen.may_have(token):
            return None
        found = self._run("SELECT seq FROM tokens WHERE name = ? AND at >= ?", (token, since)).fetchone()
        return None if found is None else Contact(*self._run(f"{_SELECT} WHERE seq = ?", found).fetchone())

    def __len__(self) -> int:
        return self.last

    def __iter__(self) -> Iterator[Contact]:
        """Yield the contacts, oldest first; none that came meanwhile is missed."""
        seq, query = 0, f"{_SELECT} WHERE seq > ? ORDER BY seq LIMIT {_PAGE}"
        while rows := self._run(query, (seq,)).fetchall():
            yield from (Contact(*row) for row in rows)
            seq = rows[-1][0]

    def at(self, seq: int) -> Contact | None:
        """Return the contact of a number."""
        row = self._run(f"{_SELECT} WHERE seq = ?", (seq,)).fetchone()
        return None if row is None else Contact(*row)

    def newest(self, condition: str, values: Mapping[str, Any], *, low: int, before: int, limit: int) -> list[Contact]:
        """Return the newest contacts between two numbers, without these, that meet a condition in SQL."""
        query = f"{_SELECT} WHERE seq > :low AND seq < :before AND {condition} ORDER BY seq DESC LIMIT :limit"
        return [Contact(*row) for row in self._run(query, {**values, "low": low, "before": before, "limit": limit})]

    def count_open(self) -> Iterator[tuple[str, str, int]]:
        """Yield channel, place and how many contacts are marked as open."""
        yield from self._run(_COUNT_OPEN)

    def next_end(self) -> float:
        """Return when the next open contact ends."""
        return float(self._one("SELECT coalesce(min(ends_at), 9e999) FROM contacts WHERE open"))

    def close_until(self, now: float) -> Iterator[tuple[str, str, int]]:
        """Mark the contacts that have ended, and yield channel, place and how many of them."""
        ended = "FROM contacts WHERE open AND ends_at <= ?"
        counts = self._run(f"SELECT channel, {_PLACE}, count(*) {ended} GROUP BY 1, 2", (now,)).fetchall()
        self._run("UPDATE contacts SET open = 0 WHERE open AND ends_at <= ?", (now,))
        yield from counts

    def clear(self) -> None:
        """Forget everything."""
        for table in ("contacts", "tokens"):
            self._run(f"DELETE FROM {table}")  # noqa: S608 - our names
        self.index.clear()
        self.last, self._seen = 0, SeenTokens()

    def _one(self, query: str) -> Any:
        return self._run(query).fetchone()[0]


def _lock(path: Path) -> int:
    """Lock a file until it is closed, and return it. It stays: see `flock(2)` on files that are removed."""
    file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as trouble:
        os.close(file)
        if isinstance(trouble, BlockingIOError):
            raise OSError(trouble.errno, "another sandbox runs there; name another folder", str(path.parent)) from None
        raise
    return file


def _open(path: Path | None) -> sqlite3.Connection:
    """Open the file, private to its owner, or a nameless one where there is no path."""
    if path is not None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    database = sqlite3.connect(path or "", isolation_level=None, check_same_thread=False)
    try:
        _prepare(database, lasting=path is not None)
    except sqlite3.Error as trouble:
        database.close()
        raise OSError(0, f"{trouble}; name another folder", str(path)) from None
    return database


def _prepare(database: sqlite3.Connection, *, lasting: bool) -> None:
    lasting_mode = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 10000"
    fleeting = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE"
    # What is given over is overwritten by default with some builds; nothing here is deleted but all of it at once.
    database.executescript(f"{lasting_mode if lasting else fleeting}; PRAGMA secure_delete = OFF")
    database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    with closing(database.execute("PRAGMA user_version")) as version:
        (layout,) = version.fetchone()
    if layout not in {0, _LAYOUT}:
        raise sqlite3.DatabaseError("the file is of another version of the sandbox")
    database.executescript(f"{_TABLES} PRAGMA user_version = {_LAYOUT}")
    if not lasting:
        database.execute("BEGIN")  # and never ended: nothing is to outlive the process
