"""Finds the row of the ledger for a row of the list: by its key, never by its place.

Place is only the quick way. A list that has not changed since it was last read is found with one range query per
batch; rows that moved, and new ones, are looked up by key. Keys are known by their keyed hash, so the ledger holds no
personal data.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Generic

from bulk.ledger.rows import KEY, PLACE, R
from bulk.model import Recipient, Status
from bulk.text.identity import identity

MAY_HAVE_REACHED = frozenset({"sent", "unknown", "intended", "pending"})
"""States of a row that may have reached somebody; a pending one only where answers are recorded."""

HALF = 8  # bytes of a content: the first name the destination's spelling, the others the cells

_AT_ONCE = 500  # keys looked up by one statement


class Hasher:
    """Hashes under the ledger's own salt: 16 bytes each, and different for a key, a person, a content."""

    def __init__(self, salt: bytes) -> None:
        self._keyed = _hasher(salt, b"key")
        self._placed = _hasher(salt, b"place")
        self._person = _hasher(salt, b"person")
        self._content = _hasher(salt, b"content")
        self._spelling = _hasher(salt, b"spelling")

    def person(self, destination: str) -> bytes:
        """Return what names the person behind a destination, over all runs."""
        return self._person(identity(destination))

    def people(self, destination: str) -> tuple[bytes, bytes]:
        """Return the same, and the name that ledgers of the first version gave: by the address as it was spelled."""
        return self._person(identity(destination)), self._person(destination)

    def content(self, spelling: str, cells: str) -> bytes:
        """Return what names a row's content: half of it its destination as it is spelled, half what else it needs."""
        return self._spelling(spelling)[:HALF] + self._content(cells)[:HALF]

    def repeat(self, key: bytes, occurrence: int) -> bytes:
        """Return the key of a further row of the same name, where such rows are no duplicates."""
        return self._keyed(f"{key.hex()} {occurrence}")

    def is_another(self, state: str, person: bytes | None, replies: str | None, destination: str | None) -> bool:
        """Whether what the ledger has of a name may have reached a person who is not the one at this destination."""
        if state not in MAY_HAVE_REACHED or person is None or destination is None:
            return False
        if state == "pending" and replies is None:
            return False
        return person != self.person(destination) and person != self._person(destination)

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


class Naming:
    """The keys of the rows of one reading of the list.

    `counted`: rows of one name are no duplicates (`dedupe = "none"`); the second is told from the first by its number
    among them, so that a list may lose rows, gain some, or change its order, and each name is sent as often as it
    stands there. That keeps a count for each name, in memory.
    """

    def __init__(self, hasher: Hasher, *, counted: bool = False) -> None:
        self._hasher = hasher
        self._met: dict[bytes, int] | None = {} if counted else None

    def keys(self, names: Iterable[str], first: int) -> tuple[list[bytes], Sequence[int]]:
        """Return the keys of the next rows, of which the first is `first`, and their numbers among rows of one name."""
        keys = self._hasher.keys(names, first)
        if self._met is None:
            return keys, bytes(len(keys))
        numbers = [self._number(key, self._met) for key in keys]
        numbered = zip(keys, numbers, strict=True)
        return [self._hasher.repeat(key, number) if number else key for key, number in numbered], numbers

    def _number(self, key: bytes, met: dict[bytes, int]) -> int:
        number = met.get(key, 0)
        met[key] = number + 1
        return number


def names_of(recipients: Iterable[Recipient]) -> list[str]:
    """Return what must not be sent twice: each row's identity, else its key."""
    return [recipient.identity or recipient.key for recipient in recipients]


class SeenRows:
    """Which deliveries one reading of the list has met: one byte for each, however long their keys."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._marks = bytearray()

    def __contains__(self, delivery: int) -> bool:
        place = delivery - self._first
        return place < len(self._marks) and bool(self._marks[place])

    def mark(self, delivery: int) -> None:
        """Take note that a delivery was met."""
        place = delivery - self._first
        if place >= len(self._marks):
            self._marks.extend(bytes(place + 65536 - len(self._marks)))
        self._marks[place] = 1


@dataclass(slots=True)
class Reading:
    """One reading of the list, from its start: which run, what it has met, and the row that comes next.

    Of the rows that ended as `only` says, it has those sent again that it meets, but for the `resent` ones, which
    ended in this pass already. `fixed`: rows are named by their place, so that one that moved would be another row.
    `sent_before` counts the rows that earlier passes sent, `differs` those of them that would get something else now.
    """

    run: int
    hasher: Hasher
    seen: SeenRows
    naming: Naming
    only: AbstractSet[Status]
    resent: set[int]
    fixed: bool
    next: int = 0
    sent_before: int = 0
    differs: int = 0


class Lookup(Generic[R]):
    """Finds the rows of a run in the ledger, with `columns` after the first four."""

    def __init__(self, columns: str = "") -> None:
        select = f"SELECT id, key, row, state{columns} FROM delivery WHERE run = ?"  # noqa: S608 - columns are our own text
        self._by_place = f"{select} AND row BETWEEN ? AND ? ORDER BY row"
        self._by_key = f"{select} AND key IN ({', '.join('?' * _AT_ONCE)})"

    def __call__(
        self, connection: sqlite3.Connection, run: int, first: int, keys: list[bytes]
    ) -> tuple[Sequence[R | None], list[R]]:
        """Return the rows with these keys, and those that the ledger believes in their places, wrongly."""
        there: list[R] = connection.execute(self._by_place, (run, first, first + len(keys) - 1)).fetchall()
        if [known[KEY] for known in there] == keys:  # all stand as they stood
            return there, []
        return self._match(connection, run, first, keys, {known[PLACE]: known for known in there})

    def _match(
        self, connection: sqlite3.Connection, run: int, first: int, keys: list[bytes], there: dict[int | None, R]
    ) -> tuple[Sequence[R | None], list[R]]:
        """Take those that stand in their places, and look up the others by key."""
        found: list[R | None] = []
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

    def _look_up(self, connection: sqlite3.Connection, run: int, keys: list[bytes]) -> dict[bytes, R]:
        found: dict[bytes, R] = {}
        for values in _values(run, keys):
            found.update((known[KEY], known) for known in connection.execute(self._by_key, values))
        return found


def _values(run: int, keys: Sequence[bytes]) -> Iterator[list[object]]:
    """Yield a statement's values for as many keys as it takes, filled up with NULL, which equals nothing."""
    for start in range(0, len(keys), _AT_ONCE):
        some = keys[start : start + _AT_ONCE]
        yield [run, *some, *[None] * (_AT_ONCE - len(some))]
