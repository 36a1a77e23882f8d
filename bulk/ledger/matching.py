"""Which row of the ledger a row of the list is: by its key, never by its place.

Place is only the quick way. A list that has not changed since it was last read is found with one range query per
batch; rows that moved, and new ones, are looked up by key. Keys are known by their keyed hash, so the ledger holds no
personal data.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from bulk.model import Recipient, Status

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

    def keys(self, names: Iterable[str], first: int) -> list[bytes]:
        """Hash what each row is named by, from the row `first` on. One without a name (it is refused) has its place."""
        keyed = self._keyed
        return [keyed(name) if name else self._placed(str(row)) for row, name in enumerate(names, first)]


def _hasher(salt: bytes, person: bytes) -> Callable[[str], bytes]:
    start = hashlib.blake2b(digest_size=16, key=salt, person=person)

    def name(text: str) -> bytes:
        fresh = start.copy()
        fresh.update(text.encode("utf-8", "surrogatepass"))
        return fresh.digest()

    return name


def names_of(recipients: Iterable[Recipient]) -> list[str]:
    """Give what must not be sent twice: each row's identity, else its key."""
    return [recipient.identity or recipient.key for recipient in recipients]


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


@dataclass(slots=True)
class Reading:
    """One reading of the list, from its start: which run, what it has met, and the row that comes next.

    `reopens`: of the rows that ended as `only` says, this reading has those sent again that it meets. `fixed`: rows are
    named by their place, so that one that moved would be another row.
    """

    run: int
    hasher: Hasher
    seen: Seen
    only: AbstractSet[Status] = frozenset()
    reopens: bool = True
    fixed: bool = False
    next: int = 0


class Lookup:
    """Finds the rows of a run in the ledger, with `columns` after the first four."""

    def __init__(self, columns: str = "") -> None:
        select = f"SELECT id, key, row, state{columns} FROM delivery WHERE run = ?"  # noqa: S608 - columns are our own text
        self._by_place = f"{select} AND row BETWEEN ? AND ? ORDER BY row"
        self._by_key = f"{select} AND key IN ({', '.join('?' * _AT_ONCE)})"

    def __call__(
        self, connection: sqlite3.Connection, run: int, first: int, keys: list[bytes]
    ) -> tuple[list[Known | None], list[Known]]:
        """Find the rows with these keys; and give those that the ledger believes in their places, and are not there."""
        there = connection.execute(self._by_place, (run, first, first + len(keys) - 1)).fetchall()
        if [known[KEY] for known in there] == keys:  # all stand as they stood
            return there, []
        return self._match(connection, run, first, keys, {known[PLACE]: known for known in there})

    def _match(
        self, connection: sqlite3.Connection, run: int, first: int, keys: list[bytes], there: dict[int, Known]
    ) -> tuple[list[Known | None], list[Known]]:
        """Take those that stand in their places, and look up the others by key."""
        found: list[Known | None] = []
        strangers: list[tuple[int, bytes]] = []
        for place, key in enumerate(keys, first):
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
