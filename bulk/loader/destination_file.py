"""Reads only the destinations of a suppression file: any kind of list, or plain lines.

Every column that holds destinations counts, every destination in a cell, and every way to read a number: whom such a
file may mean is not written to.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from bulk.errors import ListError
from bulk.loader import addresses, phones
from bulk.loader.countries import alpha_2
from bulk.loader.destinations import candidates
from bulk.loader.every_table import every_table
from bulk.loader.exports import Kind, export_of
from bulk.loader.roles import spoken
from bulk.loader.rows import texts
from bulk.loader.tables import Table
from bulk.loader.verdicts import is_nothing
from bulk.model import Refusal
from bulk.text.identity import visible

_WHAT: dict[Kind, str] = {"phone": "phone numbers", "email": "email addresses"}
_DIGITS = 6  # and no letters: a number, however badly spelled
_HARMLESS = {"short_number"}  # never written to in any case


class NoColumnError(ListError):
    """A file has no column of destinations of this kind; it may have one of the other."""


@dataclass(slots=True)
class DestinationFile:
    """Destinations in form, as they are read from columns.

    `columns` says which, in words; it is empty where they have no names. So far, `entries` counts the cells that are
    filled in, `others` those with a destination of the other kind, `unread` those that could not be brought to form;
    `example` is the first of these, masked. `notes` are words for a person about how the file was read.
    """

    kind: Kind
    country: str | None = None
    columns: str = ""
    notes: list[str] = field(default_factory=list)
    entries: int = 0
    others: int = 0
    unread: int = 0
    example: str = ""
    _parts: list["_Part"] = field(default_factory=list)

    def __iter__(self) -> Iterator[str]:
        """Yield them, once."""
        while self._parts:
            part = self._parts[0]
            for cell, country in part.cells():
                if not is_nothing(spoken(visible(cell))):
                    self.entries += 1
                    found = self._readings(cell, country)
                    yield from found
                    if not found:
                        self._note(cell)
            self.notes += part.notes
            del self._parts[0]

    def _readings(self, cell: str, country: str | None) -> list[str]:
        if self.kind == "email":
            return addresses.readings(cell)
        found = phones.readings(cell, self.country)
        return found if country in {None, self.country} else [*found, *phones.readings(cell, country)]

    def _note(self, cell: str) -> None:
        """Count a cell that is no destination of this kind."""
        other = phones.readings(cell, self.country) if self.kind == "email" else addresses.readings(cell)
        refusal = phones.phone(cell, self.country) if self.kind == "phone" else None
        if other:
            self.others += 1
        elif not (isinstance(refusal, Refusal) and refusal.code in _HARMLESS):
            self.unread += 1
            self.example = self.example or phones.shown(cell)


@dataclass(frozen=True, slots=True)
class _Part:
    """A table of the file: what tells it from the others, and its columns of destinations.

    `where` is the column of their countries. `first`: the header is a row itself.
    """

    name: str
    table: Table
    columns: tuple[str, ...]
    where: str | None = None
    first: bool = False

    @property
    def notes(self) -> list[str]:
        return [f"{self.name}: {note}" if self.name else note for note in self.table.notes]

    @property
    def said(self) -> str:
        """The columns, in words."""
        names = "" if self.first else ", ".join(map(repr, self.columns))
        return f"{names} of {self.name}" if names and self.name else names or self.name

    def cells(self) -> Iterator[tuple[str, str | None]]:
        """Yield the cells, each with its country where a column names it."""
        yield from ((column, None) for column in self.columns if self.first)
        where = self.where
        for chunk in self.table.chunks([*dict.fromkeys([*self.columns, *([where] if where else [])])]):
            countries = [alpha_2(cell) for cell in texts(chunk.frame, where)] if where else [None] * chunk.frame.height
            for column in self.columns:
                yield from zip(texts(chunk.frame, column), countries, strict=True)


def read_destinations(path: Path, kind: Kind, country: str | None = None) -> DestinationFile:
    """Read the destinations of one kind in a file. Every row counts, whatever else it says; there may be none.

    So does every sheet of a workbook that is shown, and every file of an archive. The columns are told by their names
    and cells; a list of one column needs no name, nor does one whose first line has a destination already. `country`
    (ISO 3166-1 alpha-2) is where numbers without + belong. Raise `ListError`: missing, not a list, or no such column;
    while it is read, damaged.
    """
    if path.is_file() and path.stat().st_size < 8 and not path.read_bytes().strip():
        return DestinationFile(kind, country)
    tables, notes = every_table(path, path.name)
    parts = list[_Part]()
    for name, table in tables:
        part = _part(name, table, kind, country, alone=len(tables) == 1)
        if part is None:
            notes.append(f"{name} has no column of {_WHAT[kind]}, and is not read")
        else:
            parts.append(part)
    if not parts:
        raise NoColumnError(
            f"{path.name} has no column of {_WHAT[kind]} that can be told by its name: name it {kind!r}"
        )
    parts = [replace(parts[0], name="")] if len(tables) == 1 else parts
    return DestinationFile(kind, country, ", ".join(filter(None, (part.said for part in parts))), notes, _parts=parts)


def _is_entry(header: str, kind: Kind) -> bool:
    """Whether a column's name is a destination that was spelled badly: no column is called so."""
    if kind == "email":
        return "@" in header
    return sum(map(str.isdigit, header)) >= _DIGITS and not any(map(str.isalpha, header))


def _part(name: str, table: Table, kind: Kind, country: str | None, *, alone: bool) -> _Part | None:
    """Find the columns, and whether the header is a row itself; None where there are none.

    The one column of a table that is `alone` needs no name, whatever is in it, if anything is.
    """
    head = next((chunk.frame for chunk in table.chunks()), pl.DataFrame(schema=table.columns)).head(1000)
    read = addresses.readings if kind == "email" else lambda text: phones.readings(text, country)
    meaning = export_of(table.columns)
    found = [one.column for one in candidates(head, meaning, kind, country)]
    first = [column for column in table.columns if read(column) or _is_entry(column, kind)]
    if first:
        return _Part(name, table, tuple(column for column in table.columns if column in {*first, *found}), first=True)
    known = meaning.destination(kind)
    columns = tuple(column for column in table.columns if column in {*found, known})
    if not columns and not (alone and len(table.columns) == 1 and head.height):
        return None
    where = meaning.country if kind == "phone" else None
    return _Part(name, table, columns or (table.columns[0],), where)
