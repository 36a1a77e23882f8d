"""The index of SearchContacts: attributes, segment attributes, and names, in tables of the storage.

Most sandboxes are never searched, and none of them pays for it: the tables are made by the first search, and each
search takes in the contacts that came since the one before. Names are kept as they are compared, without their case.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bulk.sandbox.contact import COLUMNS, Contact
from bulk.sandbox.letter_case import folded, writable

ATTRIBUTE, SEGMENT, NAME = "attribute", "segment", "name"

_FOUND = """
CREATE TABLE IF NOT EXISTS found (
    kind TEXT, name TEXT, value TEXT, seq INTEGER, PRIMARY KEY (kind, name, value, seq)
) WITHOUT ROWID
"""
_INDEXED = "CREATE TABLE IF NOT EXISTS indexed (seq INTEGER)"
_BEGUN = "CREATE INDEX IF NOT EXISTS begun ON contacts (instance, region, account, started_at)"
_ATTRIBUTES = """
INSERT OR IGNORE INTO found SELECT 'attribute', one.key, one.value, contacts.seq FROM contacts,
json_each(coalesce(attributes, json_extract(CAST(body AS TEXT), '$.Attributes'), '{}')) AS one WHERE seq > ?
"""
_SEGMENTS = """
INSERT OR IGNORE INTO found SELECT 'segment', one.key, json_extract(one.value, '$.ValueString'), contacts.seq
FROM contacts, json_each(coalesce(json_extract(CAST(body AS TEXT), '$.SegmentAttributes'), '{}')) AS one
WHERE seq > ? AND json_extract(one.value, '$.ValueString') IS NOT NULL
"""
_NAMES = """
INSERT OR IGNORE INTO found SELECT 'name', '', name_of(body), seq FROM contacts
WHERE seq > ? AND instr(body, CAST('"Name"' AS BLOB))
"""


def _name_of(body: bytes) -> str | None:
    name = json.loads(body).get("Name")
    return None if name is None else str(writable(folded(name)))


class SearchIndex:
    """The contacts of a storage by what they are searched for."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._run = database.execute
        database.create_function("name_of", 1, _name_of, deterministic=True)

    def change(self, seq: int, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        """Take in that the attributes of a contact have changed."""
        if self._is_there():
            gone, new = before.items() - after.items(), after.items() - before.items()
            which = "kind = ? AND name = ? AND value = ? AND seq = ?"
            self._each(f"DELETE FROM found WHERE {which}", seq, gone)  # noqa: S608 - ours
            self._each("INSERT OR IGNORE INTO found VALUES (?, ?, ?, ?)", seq, new)

    def _each(self, statement: str, seq: int, pairs: Iterable[tuple[str, str]]) -> None:
        for name, value in pairs:
            self._run(statement, (ATTRIBUTE, writable(name), writable(value), seq))

    def search(
        self, condition: str, values: Sequence[Any], *, order: str, start: int, size: int
    ) -> tuple[list[Contact], int]:
        """Return a page of the contacts that meet a condition in SQL, and how many there are."""
        self._take_in()
        (total,) = self._run(f"SELECT count(*) FROM contacts WHERE {condition}", values).fetchone()  # noqa: S608 - ours
        which = f"SELECT seq FROM contacts WHERE {condition} ORDER BY {order} LIMIT ? OFFSET ?"  # noqa: S608 - ours
        query = f"SELECT {', '.join(COLUMNS)} FROM contacts WHERE seq IN ({which}) ORDER BY {order}"  # noqa: S608 - ours
        return [Contact(*row) for row in self._run(query, (*values, size, start))], int(total)

    def clear(self) -> None:
        """Forget everything."""
        for table in ("found", "indexed"):
            self._run(f"DROP TABLE IF EXISTS {table}")

    def _is_there(self) -> bool:
        return self._run("SELECT 1 FROM sqlite_master WHERE name = 'found'").fetchone() is not None

    def _take_in(self) -> None:
        for table in (_FOUND, _INDEXED, _BEGUN):
            self._run(table)
        (last,) = self._run("SELECT coalesce(max(seq), 0) FROM contacts").fetchone()
        (known,) = self._run("SELECT coalesce(max(seq), 0) FROM indexed").fetchone()
        if known < last:
            for statement in (_ATTRIBUTES, _SEGMENTS, _NAMES):
                self._run(statement, (known,))
            self._run("DELETE FROM indexed")
            self._run("INSERT INTO indexed VALUES (?)", (last,))
