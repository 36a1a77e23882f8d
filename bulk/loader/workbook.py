"""Workbooks (.xlsx, .xls, .xlsb, .ods): one sheet, as text.

A whole number is written in digits alone, a day as YYYY-MM-DD, a moment as YYYY-MM-DD HH:MM:SS; other formats of a
sheet (currencies, shares) are not followed. A sheet is read as a whole (a workbook cannot be read otherwise, and has at
most 1,048,576 rows), once, into a private file.
"""

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from bulk.errors import ListError
from bulk.loader.book import Book, Grid
from bulk.loader.column_names import named
from bulk.loader.footer import TAIL, below
from bulk.loader.layout import EVERY_ROW, Layout
from bulk.loader.preamble import head_of, looks_like_a_destination, preamble
from bulk.loader.sheet_choice import chosen
from bulk.loader.sheets import SheetExtent
from bulk.loader.tables import Chunk, Query

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # .xls, and .xlsx under a password


def is_workbook(path: Path) -> bool:
    """Whether a file is a workbook, and no other zip archive."""
    with path.open("rb") as file:
        magic = file.read(8)
    if magic == _OLE:
        return True
    try:
        names = zipfile.ZipFile(path).namelist() if magic[:4] == b"PK\x03\x04" else []
    except zipfile.BadZipFile:
        return path.suffix.lower() in {".xlsx", ".xlsb", ".xlsm", ".ods"}
    return "[Content_Types].xml" in names or "content.xml" in names


def workbook(path: Path, name: str, layout: Layout) -> "Sheet":
    """Read a sheet of a workbook. Raise `ListError`: damaged, under a password, too large, or without a header."""
    book = Book(path, name)
    sheet, grid, notes = chosen(book, layout)
    if not grid.lines:
        raise ListError(f"{name} is empty: the sheet {sheet!r} needs a header and rows")
    return _table(sheet, grid, name, layout, notes)


def every_sheet(path: Path, name: str) -> tuple[list[tuple[str, "Sheet"]], list[str]]:
    """Return every sheet that is shown and not empty, each with its name, and words for a person about the others.

    All rows of them are read. One without a clear header is passed over where it cannot name anybody. Raise `ListError`
    as `workbook` does.
    """
    book, found, notes = Book(path, name), list[tuple[str, Sheet]](), list[str]()
    for sheet in book.sheets:
        if not book.is_shown(sheet):
            notes.append(f"the sheet {sheet!r} is hidden, and not read: unhide it if it names people too")
        elif (grid := book.grid(sheet)).lines:
            try:
                found.append((sheet, _table(sheet, grid, f"{name}, {sheet!r}", EVERY_ROW, [])))
            except ListError:
                if any(looks_like_a_destination(cell) for cells in grid.frame.iter_rows() for cell in cells):
                    raise
                notes.append(f"the sheet {sheet!r} holds no list, and is not read")
    if not found:
        raise ListError(f"{name} is empty: a sheet that is shown needs a header and rows")
    return found, notes


def _table(sheet: str, grid: Grid, name: str, layout: Layout, notes: Sequence[str]) -> "Sheet":
    """Return the table of a sheet. Raise `ListError` where it has no clear header, or hides something unasked."""
    found = preamble(grid.rows(0, head_of(layout.header_row)), name, layout.header_row, "row")
    columns, names_notes = named(found.names)
    start = found.place + 1
    count, footer = below(grid.rows(max(start, len(grid.lines) - TAIL)), len(columns), "row")
    frame = grid.frame.slice(start, len(grid.lines) - start - count)
    frame = frame.rename(dict(zip(frame.columns, columns, strict=True)))
    frame = frame.with_columns(pl.Series(_line_in(columns), grid.lines[start : start + frame.height], dtype=pl.Int64))
    frame, hidden_notes = _shown(frame, grid.seen, layout, f"{name}, {sheet!r}")
    said = [*notes, *found.notes, *names_notes, *hidden_notes, *filter(None, [footer])]
    return Sheet(frame, name, said, _uncalculated(columns, grid.seen), counted=grid.seen is not None)


class Sheet(Query):
    """A sheet: columns of text, and as the last one the rows' numbers.

    `uncalculated` says of columns what is wrong with them: whoever asks for one gets a `ListError`. `counted` is
    whether the numbers are those that a person sees.
    """

    def __init__(
        self, frame: pl.DataFrame, name: str, notes: list[str], uncalculated: Mapping[str, str], *, counted: bool
    ) -> None:
        super().__init__(frame.lazy(), name)
        *self.columns, self._line = frame.columns
        self._uncalculated, self._counted = uncalculated, counted
        self.notes = [*notes, *uncalculated.values()]

    def chunks(self, columns: Sequence[str] | None = None) -> Iterator[Chunk]:
        for column in columns or ():
            if column in self._uncalculated:
                raise ListError(f"{self._name}: {self._uncalculated[column]}")
        wanted = self.columns if columns is None else [*columns]
        for chunk in super().chunks([*wanted, self._line]):
            yield Chunk(chunk.frame.select(wanted), lines=chunk.frame[self._line].to_list() if self._counted else None)


def _line_in(columns: Sequence[str]) -> str:
    """Name the column of the rows' numbers."""
    name = "row of the sheet"
    while name in columns:
        name += "_"
    return name


def _shown(frame: pl.DataFrame, seen: SheetExtent | None, layout: Layout, name: str) -> tuple[pl.DataFrame, list[str]]:
    """Deal with what is hidden as the layout says, and return words for a person. Raise `ListError` where it does not.

    `frame` has the rows' numbers as its last column.
    """
    if seen is None:
        trouble = "rows that are hidden cannot be told from others in this kind of workbook"
        if layout.hidden_rows == "skip":
            raise ListError(f"{name}: {trouble}: save it as .xlsx")
        return frame, [] if layout.hidden_rows else [f"{trouble}: save it as .xlsx if there are any"]
    *columns, line = frame.columns
    hidden = frame[line].is_in([*seen.hidden_rows])
    out = [column for place, column in enumerate(columns, seen.first_column) if place in seen.hidden_columns]
    said = _said(frame.filter(hidden)[line].to_list(), out)
    if hidden.any() and layout.hidden_rows is None:
        remedy = 'set `hidden_rows` under [list] to "skip" to leave them out, or to "read" to use them as the others'
        raise ListError(f"{name}: {_are(*said)} hidden: {remedy}")
    if layout.hidden_rows == "skip":
        return frame.filter(~hidden).drop(out), [f"{_are(what)} hidden, and left out" for what in said]
    return frame, [f"{_are(what)} hidden, and read like the others" for what in said]


def _said(rows: Sequence[int], columns: Sequence[str]) -> list[str]:
    said = []
    if rows:
        said.append(f"row {rows[0]}" if len(rows) == 1 else f"{len(rows):,} rows (such as row {rows[0]})")
    if columns:
        names = ", ".join(map(repr, columns[:5])) + (", …" if len(columns) > 5 else "")
        said.append(f"the column {names}" if len(columns) == 1 else f"the columns {names}")
    return said


def _are(*what: str) -> str:
    is_one = len(what) == 1 and what[0].startswith(("row ", "the column "))
    return f"{' and '.join(what)} {'is' if is_one else 'are'}"


def _uncalculated(columns: Sequence[str], seen: SheetExtent | None) -> dict[str, str]:
    """Return the sentence about columns that hold formulas without a value."""
    if seen is None:
        return {}
    remedy = "open the workbook in a spreadsheet program, save it, and try again"
    found = {place - seen.first_column: told for place, told in seen.uncalculated.items()}
    said = {}
    for place, (cell, count) in found.items():
        if 0 <= place < len(columns):
            one = f"a formula that was never calculated ({cell})"
            what = one if count == 1 else f"{count:,} formulas that were never calculated, such as {cell}"
            said[columns[place]] = f"{columns[place]!r} holds {what}: {remedy}"
    return said
