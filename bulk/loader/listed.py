"""The destinations alone, of a file that says whom not to write to: any kind of list, or plain lines.

Every column that holds destinations counts, every destination in a cell, and every way to read a number: whom such a
file may mean is not written to.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from bulk.errors import ListError
from bulk.identity import visible
from bulk.loader import addresses, phones
from bulk.loader.countries import alpha_2
from bulk.loader.destinations import candidates
from bulk.loader.exports import Kind, export_of
from bulk.loader.roles import spoken
from bulk.loader.rows import texts
from bulk.loader.sources import table
from bulk.loader.tables import Table
from bulk.loader.verdicts import is_nothing
from bulk.model import Refusal

_HARMLESS = {"short_number"}  # never written to in any case


@dataclass(slots=True)
class Listed:
    """Destinations in form, as they are read from `columns` (none where they have no names).

    So far, `entries` counts the cells that are filled in, `others` those with a destination of the other kind, `unread`
    those that could not be brought to form; `example` is the first of these, masked.
    """

    kind: Kind
    country: str | None = None
    columns: tuple[str, ...] = ()
    rows: Iterator[tuple[str, str | None]] = field(default_factory=lambda: iter(()))
    entries: int = 0
    others: int = 0
    unread: int = 0
    example: str = ""

    def __iter__(self) -> Iterator[str]:
        for cell, country in self.rows:
            if is_nothing(spoken(visible(cell))):
                continue
            self.entries += 1
            found = self._readings(cell, country)
            yield from found
            if not found:
                self._note(cell)

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


def listed(path: Path, kind: Kind, country: str | None = None) -> Listed:
    """Read the destinations of one kind in a file. Every row counts, whatever else it says; there may be none.

    The columns are told by their names and cells; a list of one column needs no name, nor does one whose first line has
    a destination already. `country` (ISO 3166-1 alpha-2) is where numbers without + belong. Raise `ListError`: missing,
    not a list, or no such column; while it is read, damaged.
    """
    if path.is_file() and path.stat().st_size < 8 and not path.read_bytes().strip():
        return Listed(kind, country)
    rows = table(path, path.name, "auto")
    head = next((chunk.frame for chunk in rows.chunks()), pl.DataFrame(schema=rows.columns)).head(1000)
    columns, first = _columns(rows, head, path.name, kind, country)
    where = export_of(rows.columns).country if kind == "phone" and not first else None
    return Listed(kind, country, () if first else columns, _cells(rows, columns, where, first))


def _cells(rows: Table, columns: tuple[str, ...], where: str | None, first: bool) -> Iterator[tuple[str, str | None]]:  # noqa: FBT001 - private
    """Yield the cells, each with its country where a column names it."""
    yield from ((column, None) for column in columns if first)
    for chunk in rows.chunks([*dict.fromkeys([*columns, *([where] if where else [])])]):
        countries = [alpha_2(cell) for cell in texts(chunk.frame, where)] if where else [None] * chunk.frame.height
        for column in columns:
            yield from zip(texts(chunk.frame, column), countries, strict=True)


def _columns(
    rows: Table, head: pl.DataFrame, name: str, kind: Kind, country: str | None
) -> tuple[tuple[str, ...], bool]:
    """Find the columns, and whether the header is a row itself."""
    read = addresses.readings if kind == "email" else lambda text: phones.readings(text, country)
    meaning = export_of(rows.columns)
    found = [one.column for one in candidates(head, meaning, kind, country)]
    if any(map(read, rows.columns)):
        first = [column for column in rows.columns if read(column)]
        return tuple(column for column in rows.columns if column in {*first, *found}), True
    known = meaning.destination(kind)
    columns = tuple(column for column in rows.columns if column in {*found, known})
    if columns or len(rows.columns) == 1:
        return columns or (rows.columns[0],), False
    what = "addresses" if kind == "email" else "numbers"
    raise ListError(f"{name} has no column of {kind} {what} that can be told by its name: name it {kind!r}")
