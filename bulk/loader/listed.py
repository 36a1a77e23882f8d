"""The destinations alone, of a file that says whom not to write to: any kind of list, or plain lines."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bulk.errors import ListError
from bulk.loader.addresses import email
from bulk.loader.exports import Kind, export_of
from bulk.loader.headers import Headers
from bulk.loader.phones import phone
from bulk.loader.rows import texts
from bulk.loader.sources import table
from bulk.loader.tables import Table


@dataclass(slots=True)
class Listed:
    """Destinations in form, as they are read; `unread` counts the cells so far that could not be brought to form."""

    _cells: Iterator[str]
    _kind: Kind
    _country: str | None
    unread: int = 0

    def __iter__(self) -> Iterator[str]:
        for cell in self._cells:
            found = email(cell) if self._kind == "email" else phone(cell, self._country)
            if isinstance(found, str):
                yield found
            elif found.code not in _HARMLESS:
                self.unread += 1


_HARMLESS = {"missing_destination", "fixed_line", "premium_rate", "short_number"}  # never written to in any case


def listed(path: Path, kind: Kind, country: str | None = None) -> Listed:
    """Read the destinations of one kind in a file. Every row counts, whatever else it says; there may be none.

    The column is told by its name; a list of one column needs no name, nor does one whose first line is a destination
    already. `country` (ISO 3166-1 alpha-2) is where numbers without + belong. Raises `ListError`: missing, not a list,
    or no such column; while it is read, damaged.
    """
    if path.is_file() and path.stat().st_size < 8 and not path.read_bytes().strip():
        return Listed(iter(()), kind, country)
    rows = table(path, path.name, "auto")
    column, head = _column(rows, path.name, kind, country)
    return Listed(_cells(rows, column, head), kind, country)


def _cells(rows: Table, column: str, head: list[str]) -> Iterator[str]:
    yield from head
    for chunk in rows.chunks([column]):
        yield from texts(chunk.frame, column)


def _column(rows: Table, name: str, kind: Kind, country: str | None) -> tuple[str, list[str]]:
    """Find the column, and what of its header is a destination itself."""
    for column in rows.columns:
        found = email(column) if kind == "email" else phone(column, country)
        if isinstance(found, str):
            return column, [column]
    known = export_of(rows.columns).destination(kind)
    if known is not None:
        return Headers(rows.columns, name).resolve(known), []
    if len(rows.columns) == 1:
        return rows.columns[0], []
    what = "addresses" if kind == "email" else "numbers"
    raise ListError(f"{name} has no column of {kind} {what} that can be told by its name: name it {kind!r}")
