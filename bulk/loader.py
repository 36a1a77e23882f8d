"""The way from a contact list to recipients: `ContactList.open(…).batches(…)`.

A list is a CSV, Parquet or NDJSON file or a polars frame. A row that cannot be sent to is a recipient with a
refusal; a list that cannot be read is a `ListError`. Cells keep what the list says: those of delimited files
are text as written (an empty cell is ""), the others Python values (a missing one is None).
"""

import difflib
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import repeat
from pathlib import Path
from typing import Any, Literal, Self

import polars as pl

from bulk.countries import alpha_2
from bulk.destination import email, phone, shown
from bulk.errors import ListError
from bulk.model import Cells, Recipient, Refusal
from bulk.sources import table
from bulk.tables import Table

_Reader = Callable[[str, str], str | Refusal]
"""Brings a destination, with the cell of its country column, to form."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What is wanted of a list. Columns may be spelled as `ContactList.resolve` takes them.

    `destination` is a column, or what renders the destination from a row's `columns`. `key` is the column
    that names a row, None for the destination. `country` is where phone numbers without + belong, unless the
    row's `country_column` says so. `allow_countries` are the countries that may be written to, None for all.
    Countries are ISO 3166-1 alpha-2, alpha-3 or names.
    """

    kind: Literal["phone", "email"]
    destination: str | Callable[[Cells], Any]
    columns: frozenset[str] = frozenset()
    key: str | None = None
    country: str | None = None
    country_column: str | None = None
    allow_countries: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Some recipients in the list's order; with `frames`, also their rows with all of the list's columns."""

    recipients: list[Recipient]
    frame: pl.DataFrame | None = None


class ContactList:
    """A contact list, to be read in batches, any number of times. At no time is much of it in memory."""

    def __init__(self, table: Table, name: str) -> None:
        self._table = table
        self.name = name
        self.columns = table.columns
        self.notes = table.notes
        self._folded: dict[str, list[str]] = {}
        for column in table.columns:
            self._folded.setdefault(_fold(column), []).append(column)

    @classmethod
    def open(cls, source: Path | str | pl.DataFrame | pl.LazyFrame, *, format: str = "auto") -> Self:  # noqa: A002 - the key's name in [list]
        """Open a list and look at its head. Raises `ListError`: no such file, not a list, no rows."""
        name = "frame" if isinstance(source, pl.DataFrame | pl.LazyFrame) else Path(source).name
        rows = table(source, name, format)
        if rows.is_empty():
            raise ListError(f"{name} has no rows: below the header there is nothing to send to")
        return cls(rows, name)

    def count(self) -> int:
        """Count the rows."""
        return self._table.count()

    def resolve(self, name: str) -> str:
        """Find a column, whatever its case, spaces and separators. Raises `ListError` with the nearest."""
        if name in self.columns:
            return name
        found = self._folded.get(_fold(name), []) if _fold(name) else []
        if len(found) == 1:
            return found[0]
        if found:
            raise ListError(f"{self.name}: {name!r} may be any of {found}: spell it as the list does")
        near = difflib.get_close_matches(_fold(name), self._folded, n=1)
        remedy = f"did you mean {self._folded[near[0]][0]!r}?" if near else f"it has {', '.join(self.columns[:20])}"
        raise ListError(f"{self.name} has no column {name!r}: {remedy}")

    def batches(self, wanted: Wanted, size: int = 256, *, frames: bool = False) -> Iterator[Batch]:
        """Read the list in batches of at most `size` rows. Raises `ListError`: missing columns, at once."""
        return self._read(self._resolved(wanted), size, frames=frames)

    def _read(self, wanted: Wanted, size: int, *, frames: bool) -> Iterator[Batch]:
        needed = None if frames else _columns(wanted, self.columns)
        first = 0
        for chunk in self._table.chunks(needed):
            for start in range(0, chunk.frame.height, size):
                part = chunk.frame.slice(start, size)
                refused = {place - start: refusal for place, refusal in chunk.refused.items()}
                yield Batch(_recipients(part, wanted, first + start, refused), part if frames else None)
            first += chunk.frame.height

    def _resolved(self, wanted: Wanted) -> Wanted:
        """Spell columns as the list does and countries as ISO 3166-1 does."""
        destination, allowed = wanted.destination, wanted.allow_countries
        return replace(
            wanted,
            destination=self.resolve(destination) if isinstance(destination, str) else destination,
            columns=frozenset(map(self.resolve, wanted.columns)),
            key=wanted.key and self.resolve(wanted.key),
            country=wanted.country and _country(wanted.country, "country"),
            country_column=wanted.country_column and self.resolve(wanted.country_column),
            allow_countries=allowed and frozenset(_country(name, "allow_countries") for name in allowed),
        )


def _country(name: str, member: str) -> str:
    code = alpha_2(name)
    if code is None:
        raise ListError(f"[list] {member}: {name!r} is no country: write its ISO 3166-1 code, such as 'US' or 'GBR'")
    return code


def _columns(wanted: Wanted, columns: Sequence[str]) -> list[str]:
    """Name the columns to be read, in the list's order. A row needs one at least, to be counted."""
    needed = {*wanted.columns, wanted.destination, wanted.key, wanted.country_column}
    return [column for column in columns if column in needed] or list(columns[:1])


def _recipients(part: pl.DataFrame, wanted: Wanted, first: int, refused: Mapping[int, Refusal]) -> list[Recipient]:
    """Make the recipients of some rows; `first` is the row of the first of them."""
    names = sorted(wanted.columns)
    rows = part.select(names).rows() if names else [()] * part.height
    cells = [dict(zip(names, row, strict=True)) for row in rows]
    render = wanted.destination
    raw = _texts(part, render) if isinstance(render, str) else [text_of(render(row)) for row in cells]
    keys = raw if wanted.key is None else _texts(part, wanted.key)
    countries = repeat("") if wanted.country_column is None else _texts(part, wanted.country_column)
    read = _reader(wanted)
    found = [read(text, country) for text, country in zip(raw, countries, strict=False)]
    if refused:
        found = [refused.get(place, destination) for place, destination in enumerate(found)]
    keyed = wanted.key is not None
    made = zip(range(first, first + part.height), keys, found, cells, strict=True)
    return [_recipient(*facts, keyed=keyed) for facts in made]


def _recipient(row: int, key: str, found: str | Refusal, cells: Cells, *, keyed: bool) -> Recipient:
    if isinstance(found, Refusal):
        return Recipient(row, key, None, cells, found)
    if not keyed:
        return Recipient(row, found, found, cells)
    return Recipient(row, key, found, cells, None if key else _MISSING_KEY)


_MISSING_KEY = Refusal("missing_key", "the key is empty: fill in the key column, or choose another `key` under [list]")


def _reader(wanted: Wanted) -> _Reader:
    """Choose what brings a destination to form, given the cell of its country column."""
    if wanted.kind == "email":
        return lambda text, _: email(text)
    home, allowed = wanted.country, wanted.allow_countries

    def read(text: str, country: str) -> str | Refusal:
        code = alpha_2(country) if country else home
        if country and code is None:
            message = f"{shown(country)} is no country: write its ISO 3166-1 code, such as US or GBR"
            return Refusal("invalid_country", message)
        return phone(text, code, allowed)

    return read


def _texts(part: pl.DataFrame, column: str) -> list[str]:
    return [text_of(value) for value in part[column].to_list()]


def text_of(value: Any) -> str:
    """Write a cell as a key or a destination: whole numbers in digits alone, nothing as ""."""
    if isinstance(value, str):
        return value.strip()
    if value is None or value != value:  # noqa: PLR0124 - not a number
        return ""
    if isinstance(value, float | Decimal) and value == value // 1:
        return str(int(value))
    return str(value).strip()


def _fold(name: str) -> str:
    """Leave out what does not tell headers apart: case, spaces, separators other than the dots of a path."""
    parts = unicodedata.normalize("NFKC", name).casefold().split(".")
    return ".".join(filter(None, ("".join(filter(str.isalnum, part)) for part in parts)))
