"""Which row of the ledger a row of the list is: by its key, never by its place.

Place is only the quick way. A list that has not changed since it was last read is found with one range query per
batch; rows that moved, and new ones, are looked up by key. Keys are known by their keyed hash, so the ledger holds no
personal data.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from bulk.model import Recipient

Known = tuple[Any, ...]
"""One row of the ledger: id, key, place in the list, state, and the columns that were asked for."""

ID, KEY, PLACE, STATE = range(4)

_AT_ONCE = 500  # keys looked up by one statement


class Hasher:
    """Hashes under the ledger's own salt: 16 bytes each, and different for a key and for a person."""

    def __init__(self, salt: bytes) -> None:
        self._keyed = _hasher(salt, b"key")
        self._placed = _hasher(salt, b"place")
        self.person = _hasher(salt, b"person")
        """Names a destination, over all runs: phone numbers in E.164, addresses as the loader brings them to form."""

    def keys(self, recipients: Sequence[Recipient]) -> list[bytes]:
        """Name each row by its key. A row without one (it is refused) is named by its place."""
        keyed = self._keyed
        return [keyed(name) if (name := r.identity or r.key) else self._placed(str(r.row)) for r in recipients]


def _hasher(salt: bytes, person: bytes) -> Callable[[str], bytes]:
    start = hashlib.blake2b(digest_size=16, key=salt, person=person)

    def name(text: str) -> bytes:
        fresh = start.copy()
        fresh.update(text.encode("utf-8", "surrogatepass"))
        return fresh.digest()

    return name


class Seen:
    """Which deliveries one reading of the list has met: one byte for each, however long their keys."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._marks = bytearray()

    def first_time(self, delivery: int) -> bool:
        place = delivery - self._first
        marks = self._marks
        if place >= len(marks):
            marks.extend(bytes(place + 65536 - len(marks)))
        if marks[place]:
            return False
        marks[place] = 1
        return True


class Lookup:
    """Finds the rows of a run in the ledger, with `columns` after the first four."""

    def __init__(self, columns: str) -> None:
        select = f"SELECT id, key, row, state{columns} FROM delivery WHERE run = ?"  # noqa: S608 - columns are our own text
        self._by_place = f"{select} AND row BETWEEN ? AND ?"
        self._by_key = f"{select} AND key IN ({', '.join('?' * _AT_ONCE)})"

    def __call__(
        self, connection: sqlite3.Connection, run: int, places: tuple[int, int], wanted: Iterable[tuple[int, bytes]]
    ) -> tuple[list[Known | None], list[Known]]:
        """Find each wanted (place, key); and give the rows that the ledger believes in `places`, and are not there."""
        there = {known[PLACE]: known for known in connection.execute(self._by_place, (run, *places))}
        found: list[Known | None] = []
        strangers: list[tuple[int, bytes]] = []
        for place, key in wanted:
            known = there.pop(place, None)
            if known is not None and known[KEY] != key:
                there[place] = known
                known = None
            if known is None:
                strangers.append((len(found), key))
            found.append(known)
        by_key = self._look_up(connection, run, [key for _, key in strangers])
        for index, key in strangers:
            found[index] = by_key.get(key)
        return found, list(there.values())

    def _look_up(self, connection: sqlite3.Connection, run: int, keys: list[bytes]) -> dict[bytes, Known]:
        found: dict[bytes, Known] = {}
        for start in range(0, len(keys), _AT_ONCE):
            some: list[bytes | None] = [*keys[start : start + _AT_ONCE]]
            some += [None] * (_AT_ONCE - len(some))  # one statement for every length: NULL equals nothing
            found.update((known[KEY], known) for known in connection.execute(self._by_key, (run, *some)))
        return found
