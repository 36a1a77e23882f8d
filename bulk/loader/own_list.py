"""A suppression list of one's own: a file in the state directory that all its campaigns use.

It is changed under a lock and written whole, so that whoever reads it sees all of a change or nothing of it. A person
has one entry, however the number or address was written.
"""

import csv
import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bulk.errors import LedgerError, ListError
from bulk.files import hold, open_private, state_folder
from bulk.files.replacement import taking_the_place_of
from bulk.loader import addresses, phones
from bulk.text.identity import identity

NAME = "suppressed.csv"
COLUMNS = "destination", "added_at", "reason"
_LOCK = "suppressed.lock"


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A destination that is never written to: since when (ISO 8601, UTC), and why as far as somebody said."""

    destination: str
    added_at: str
    reason: str = ""


Entries = dict[str, Suppressed]
"""Entries by the identity of their destination."""


@dataclass(frozen=True, slots=True)
class OwnList:
    """The list in a state directory."""

    folder: Path

    @property
    def path(self) -> Path:
        """Where it is kept."""
        return self.folder / NAME

    def entries(self) -> Entries:
        """Return what is in it; nothing where there is no list. Raises `ListError` where it cannot be read."""
        try:
            with self.path.open(encoding="utf-8", newline="") as file:
                return {identity(one.destination): one for one in _read(file, self.path)}
        except (FileNotFoundError, NotADirectoryError):  # what is wrong with the folder, the ledger says
            return {}
        except (OSError, UnicodeError, csv.Error) as error:
            trouble = getattr(error, "strerror", None) or error
            raise ListError(
                f"{self.path}: the suppression list cannot be read ({trouble}): fix or replace it"
            ) from error

    def add(self, found: Iterable[Suppressed]) -> int:
        """Add entries, and return how many are new. Who is in it stays as they are. Raises as `entries` does."""
        with self._changing() as entries:
            before = len(entries)
            for one in found:
                entries.setdefault(identity(one.destination), one)
            return len(entries) - before

    def remove(self, destinations: Iterable[str]) -> int:
        """Remove destinations in form, and return how many were in it. Raises as `entries` does."""
        with self._changing() as entries:
            return sum(entries.pop(name, None) is not None for name in set(map(identity, destinations)))

    @contextmanager
    def _changing(self) -> Iterator[Entries]:
        """Yield the entries while nobody else may change them, and write them where they were changed."""
        state_folder(self.folder)
        lock = self.folder / _LOCK
        try:
            file = open_private(lock)
        except OSError as error:
            raise LedgerError(f"{lock}: {error.strerror}; name another folder with --state-dir") from error
        try:
            hold(file, lock, fcntl.LOCK_EX)
            entries = self.entries()
            before = dict(entries)
            yield entries
            if entries != before:
                self._write(entries)
        finally:
            os.close(file)

    def _write(self, entries: Mapping[str, Suppressed]) -> None:
        with taking_the_place_of(self.path, failed="the suppression list cannot be written", remedy="Make room") as new:
            write(new, entries.values())


def write(path: Path, entries: Iterable[Suppressed]) -> None:
    """Write entries as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        table.writerows((one.destination, one.added_at, one.reason) for one in entries)


def readings(text: str, country: str | None) -> list[str]:
    """Return every number in E.164 and every address that a text may mean; numbers without + belong to a country."""
    return list(dict.fromkeys(addresses.readings(text) or phones.readings(text, country)))


def _read(lines: Iterable[str], path: Path) -> Iterator[Suppressed]:
    table = csv.reader(lines)
    if tuple(next(table, ())) != COLUMNS:
        raise ListError(
            f"{path}: this is no suppression list of this program: its first line is not {','.join(COLUMNS)}"
        )
    for cells in table:
        if len(cells) != len(COLUMNS) or not cells[0]:
            raise ListError(f"{path}, line {table.line_num}: no entry of a suppression list: fix or remove the line")
        yield Suppressed(*cells)
