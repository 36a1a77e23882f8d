"""A workbook: its sheets, which of them are visible, and the cells of each with their rows."""

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import fastexcel
import polars as pl

from bulk.errors import ListError
from bulk.loader.opendocument import seen_in_ods
from bulk.loader.preamble import Row
from bulk.loader.sheet_cells import text_cells
from bulk.loader.sheets import SheetExtent, check_size
from bulk.loader.spreadsheetml import document_of, parts_of, seen_in_xlsx
from bulk.loader.xlsb import Damaged, binary_parts_of, seen_in_xlsb

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # .xls, and .xlsx under a password
_BAD_ARCHIVE = zipfile.BadZipFile, zlib.error, KeyError, EOFError, OSError, RuntimeError, NotImplementedError, *Damaged
_REMEDY = "take its password away, save it again as .xlsx, or save the sheet as 'CSV UTF-8'"


@dataclass(frozen=True, slots=True)
class Grid:
    """The rows of a sheet that are not empty: their cells as text, and where they stand, from 1.

    `seen` is None where the workbook does not let that be seen; rows are then counted from the first that is filled in.
    """

    frame: pl.DataFrame
    lines: list[int]
    seen: SheetExtent | None

    def rows(self, start: int, stop: int | None = None) -> list[Row]:
        """Return some of the rows."""
        stop = self.frame.height if stop is None else min(stop, self.frame.height)
        part = self.frame.slice(start, stop - start).rows()
        above = [self.lines[place - 1] if place else 0 for place in range(start, stop)]
        places = zip(self.lines[start:stop], above, part, strict=True)
        return [Row(line, cells, line > before + 1) for line, before, cells in places]


class Book:
    """A workbook. Raise `ListError` where it is damaged, under a password, or too large."""

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        self._parts: dict[str, tuple[str, bool]] = {}
        self._seen: list[SheetExtent] | None = None
        self._path = path
        try:
            self._look_inside()
            self._reader = fastexcel.read_excel(path)
        except (fastexcel.FastExcelError, *_BAD_ARCHIVE) as error:
            raise self._damaged(error) from error
        except ListError as error:
            raise ListError(f"{name}: {error}") from None
        self.sheets = self._reader.sheet_names

    def is_shown(self, sheet: str) -> bool:
        """Whether a sheet is shown to who opens the workbook."""
        if sheet in self._parts:
            return self._parts[sheet][1]
        try:
            return self._reader.load_sheet(sheet, header_row=None, n_rows=0, dtypes="string").visible == "visible"
        except fastexcel.FastExcelError as error:
            raise self._damaged(error) from error

    def grid(self, sheet: str) -> Grid:
        """Return the cells of a sheet. Raise `ListError`."""
        try:
            seen = self._look_at(sheet)
            frame = text_cells(self._reader, sheet)
        except (fastexcel.FastExcelError, pl.exceptions.PolarsError, *_BAD_ARCHIVE) as error:
            raise self._damaged(error) from error
        except ListError as error:
            raise ListError(f"{self.name}, {sheet!r}: {error}") from None
        if seen is not None and (seen.height, seen.width) != (frame.height, frame.width):
            if seen.hidden_rows or seen.hidden_columns:
                trouble = "something is hidden in it, and it cannot be told what"
                raise ListError(f"{self.name}, {sheet!r}: {trouble}: save the sheet as 'CSV UTF-8'")
            seen = None
        filled = [*frame.select(pl.any_horizontal(pl.all().str.strip_chars() != "")).to_series()] if frame.width else []
        first = seen.first_row if seen else 1
        lines = [first + place for place, is_filled in enumerate(filled) if is_filled]
        return Grid(frame.filter(pl.Series(filled, dtype=pl.Boolean)) if filled else frame, lines, seen)

    def _look_inside(self) -> None:
        with self._path.open("rb") as file:
            if file.read(8) == _OLE:
                return
        with zipfile.ZipFile(self._path) as archive:
            check_size(archive)
            document = document_of(archive)
            if document:
                self._parts = (binary_parts_of if document.endswith(".bin") else parts_of)(archive, document)
            elif "content.xml" in archive.NameToInfo:
                self._seen = seen_in_ods(archive)

    def _look_at(self, sheet: str) -> SheetExtent | None:
        if self._seen is not None:
            return self._seen[self.sheets.index(sheet)]
        if sheet not in self._parts:
            return None
        part = self._parts[sheet][0]
        with zipfile.ZipFile(self._path) as archive:
            return seen_in_xlsb(archive, part) if part.endswith(".bin") else seen_in_xlsx(archive, part)

    def _damaged(self, error: Exception) -> ListError:
        trouble = str(error).partition("\n")[0]
        return ListError(f"{self.name} cannot be read as a workbook ({trouble}): {_REMEDY}")
