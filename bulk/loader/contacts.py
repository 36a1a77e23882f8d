"""A contact list, and what the caller wants from it."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import polars as pl

from bulk.errors import ListError
from bulk.loader.cell_text import several
from bulk.loader.consent import Consent, consent_of
from bulk.loader.countries import alpha_2, trouble
from bulk.loader.destinations import Candidate, candidates
from bulk.loader.exports import Export, Kind, export_of
from bulk.loader.frames import HeldTable
from bulk.loader.headers import Headers
from bulk.loader.layout import Layout
from bulk.loader.lines import Lines, rows_at
from bulk.loader.phones import zeros_eaten
from bulk.loader.results import nested_columns
from bulk.loader.rows import ReadSpec, Rows, texts
from bulk.loader.sources import files_of, table, unused
from bulk.loader.structs import Flat
from bulk.loader.tables import Table
from bulk.loader.values import unquoted
from bulk.model import place_of
from bulk.text.plain import counted
from bulk.threads import ahead

_KEEP_ZEROS = "(to keep the 0, format the column as text)"


@dataclass(frozen=True, slots=True)
class Batch:
    """Some recipients in the list's order; with `frames`, also their rows with all of the list's columns."""

    recipients: Rows
    frame: pl.DataFrame | None = None


class ContactList:
    """A contact list, to be read in batches, any number of times. At no time is much of it in memory.

    `meaning` says what its columns mean, as far as their names tell; `recognised` is the same where they are those of a
    program's export, else None. `holds` keeps alive what has to be there as long as the list is read, such as the
    folder that it was fetched into.
    """

    def __init__(self, table: Table, name: str, meaning: Export) -> None:
        self._table = table
        self._headers = Headers(table.columns, name)
        self.name = name
        self.columns = table.columns
        self.meaning = meaning
        self._consents: dict[ReadSpec, Consent] = {}
        self._lines = Lines()  # of the rows that the latest reading has met
        self._several = 0  # rows with more than one destination, as far as the list was read
        self.holds: list[object] = []
        self._nested = nested_columns(table)
        self._unused: list[str] = []
        self.recognised = meaning if meaning.name else None

    @property
    def notes(self) -> list[str]:
        """Words for a person about how the list was read, as far as it was: some things show at its end only."""
        return [*([f"read as {self.meaning}"] if self.recognised else []), *self._table.notes, *self._unused]

    @classmethod
    def open(
        cls,
        source: Path | str | HeldTable,
        *,
        format: str = "auto",  # noqa: A002 - the key's name in [list]
        layout: Layout = Layout(),  # noqa: B008 - it is frozen
    ) -> Self:
        """Open a list and look at its head. Raise `ListError`: no such file, not a list, no rows.

        A path may be a file, a folder, or a pattern such as `lists/*.csv`; a table is one of polars, pandas, pyarrow or
        what else passes its columns on as they do. The format says how the file is read; whose export it is, and whom
        that leaves out, its headers say.
        """
        name = Path(source).name if isinstance(source, Path | str) else "frame"
        rows = table(source, name, format, layout)
        ignored = unused(rows, layout)
        if rows.is_empty():
            raise ListError(f"{name} has no rows: below the header there is nothing to send to")
        if not rows.columns:
            raise ListError(f"{name} has no columns: a list has a header and rows")
        meaning = export_of(rows.columns)
        if meaning.flat:
            rows = Flat(rows)
            meaning = export_of(rows.columns)
        contacts = cls(rows, name, meaning)
        contacts._unused = ignored
        return contacts

    def count(self) -> int:
        """Count the rows."""
        return self._table.count()

    def resolve(self, name: str) -> str:
        """Find a column, whatever its case, spaces and separators. Raises `ListError` with the nearest."""
        return self._headers.resolve(name)

    def file_of(self, row: int) -> str:
        """Return in which of several files a row is that the latest reading has met; empty where there is one."""
        return self._lines.of(row)[1]

    def place(self, row: int) -> str | None:
        """Return where a row stands, in words; None where the latest reading has not met it yet."""
        return place_of(row, *self._lines.of(row)) if row < self._lines.rows else None

    def rows_at(self, lines: Collection[int]) -> dict[int, int]:
        """Return which rows begin in some lines. Raise `ListError` with the nearest line where none does."""
        return rows_at(self._table, lines, files_of(self._table))

    def remarks(self, wanted: ReadSpec) -> list[str]:
        """Return words for a person about the rows, as far as they were read: what looks like damage, what was chosen.

        Before the list is read, they are about its first rows. Raise `ListError` where columns are missing.
        """
        wanted = self._resolved(wanted)
        column = wanted.destination
        said = self.consent(wanted).notes if wanted.leave_out else []
        head = self._head
        if not isinstance(column, str):
            return said
        return [*said, *self._eaten(head, column, wanted), *self._chosen(head, column, wanted)]

    def consent(self, wanted: ReadSpec) -> Consent:
        """Return which columns say who is not to be written to. Raise `ListError` where one is missing."""
        if wanted not in self._consents:
            self._consents[wanted] = consent_of(self.meaning, self._head, self._resolved(wanted))
        return self._consents[wanted]

    def candidates(self, kind: Kind, country: str | None = None) -> list[Candidate]:
        """Return the columns that may hold destinations of a kind, the best first, judged by the first rows."""
        return candidates(self._head, self.meaning, kind, country)

    def first(self, column: str) -> list[str]:
        """Return the first cells of a column, as texts."""
        return texts(self._head, column)

    @cached_property
    def _head(self) -> pl.DataFrame:
        """The first rows, with all columns."""
        return next(iter(self._table.chunks())).frame.head(1000)

    def _eaten(self, head: pl.DataFrame, column: str, wanted: ReadSpec) -> Iterator[str]:
        country = wanted.country
        if wanted.kind == "phone" and country is not None and zeros_eaten(texts(head, column), country):
            trouble = f"numbers in {column!r} lack the 0 that those of {country} begin with"
            yield f"{trouble}, as after a spreadsheet took them for amounts: read as numbers of {country} {_KEEP_ZEROS}"

    def _chosen(self, head: pl.DataFrame, column: str, wanted: ReadSpec) -> Iterator[str]:
        rows = max(self._several, several(head[column], addresses=wanted.kind == "email"))
        if rows:
            what = "address" if wanted.kind == "email" else "number"
            where = counted(rows, "row")
            yield f"{column!r} holds more than one {what} in {where}: the first that can be written to is taken"

    def batches(self, wanted: ReadSpec, size: int = 256, *, frames: bool = False) -> Iterator[Batch]:
        """Read the list in batches of at most `size` rows. Raises `ListError`: missing columns, at once."""
        return self._read(self._resolved(wanted), size, frames=frames)

    def _read(self, wanted: ReadSpec, size: int, *, frames: bool) -> Iterator[Batch]:
        consent = self.consent(wanted) if wanted.leave_out else None
        needed = None if frames else self._needed(wanted, consent)
        first = held = 0
        self._lines = lines = Lines()
        for chunk in ahead(self._table.chunks(needed)):
            lines.note(chunk)
            plain = replace(chunk, frame=unquoted(chunk.frame))
            for start in range(0, plain.frame.height, size):
                part = plain.slice(start, size)
                left_out = consent.refusals(part.frame) if consent else {}
                rows = Rows(replace(part, refused={**left_out, **part.refused}), wanted, first + start, self._nested)
                yield Batch(rows, part.frame if frames else None)
            if isinstance(wanted.destination, str):
                held += several(plain.frame[wanted.destination], addresses=wanted.kind == "email")
                self._several = max(self._several, held)
            first += plain.frame.height

    def _needed(self, wanted: ReadSpec, consent: Consent | None) -> list[str]:
        """Return the columns to be read, in the list's order. A row needs one at least, to be counted."""
        needed = {*wanted.columns, *wanted.noted, wanted.destination, wanted.key, wanted.country_column}
        needed |= consent.columns if consent else set()
        return [column for column in self.columns if column in needed] or list(self.columns[:1])

    def _resolved(self, wanted: ReadSpec) -> ReadSpec:
        """Spell columns as the list does and countries as ISO 3166-1 does."""
        destination, allowed = wanted.destination, wanted.allow_countries
        return replace(
            wanted,
            destination=self.resolve(destination) if isinstance(destination, str) else destination,
            columns=frozenset(map(self.resolve, wanted.columns)),
            noted=frozenset(map(self.resolve, wanted.noted)),
            key=wanted.key and self.resolve(wanted.key),
            opt_out_columns=self._spelled(wanted.opt_out_columns),
            consent_columns=self._spelled(wanted.consent_columns),
            required_consent=wanted.required_consent and self.resolve(wanted.required_consent),
            country=wanted.country and _country(wanted.country, "country"),
            country_column=wanted.country_column and self.resolve(wanted.country_column),
            allow_countries=allowed and frozenset(_country(name, "allow_countries") for name in allowed),
        )

    def _spelled(self, names: Sequence[str] | None) -> tuple[str, ...] | None:
        return None if names is None else tuple(map(self.resolve, names))


def _country(name: str, member: str) -> str:
    code = alpha_2(name)
    if code is None:
        raise ListError(f"[list] {member}: {trouble(name, shown=repr(name))}")
    return code
