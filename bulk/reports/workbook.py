"""Results as an Excel workbook: one sheet, written row by row, so that memory does not grow with the list.

A text is written as a text, whatever it begins with: a spreadsheet neither computes it nor makes a link of it. Times
are in UTC, because a cell of a workbook has no zone.
"""

import math
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final

import polars as pl
import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from bulk.errors import CampaignError

# "Excel specifications and limits" (Microsoft Support): rows, columns, characters of a cell.
ROWS: Final = 1_048_576
COLUMNS: Final = 16_384
CHARACTERS: Final = 32_767
EXACT: Final = 2**53  # a cell holds a number as a double: a larger whole one would be rounded, and is a text instead
FORMATS: Final = {datetime: "yyyy-mm-dd hh:mm:ss", date: "yyyy-mm-dd", time: "hh:mm:ss"}

_OPTIONS = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
_REMEDY = "write them as .csv or .parquet, or fewer of them with --only"


def write_workbook(tables: Iterator[pl.DataFrame], path: Path) -> None:
    """Write tables of the same columns, one below the other. Raise `CampaignError` where a sheet cannot hold them."""
    book = xlsxwriter.Workbook(str(path), _OPTIONS)
    try:
        _fill(book, tables)
    finally:
        try:
            book.close()
        except FileCreateError as error:
            cause = error.args[0] if error.args and isinstance(error.args[0], OSError) else OSError(str(error))
            raise cause from None


def _fill(book: Any, tables: Iterator[pl.DataFrame]) -> None:
    sheet, last = book.add_worksheet("results"), 0
    formats = {kind: book.add_format({"num_format": form}) for kind, form in FORMATS.items()}
    for table in tables:
        if not last:
            _write_header(book, sheet, table.columns)
            last = 1
        if last + table.height > ROWS:
            raise CampaignError(f"a sheet of .xlsx has {ROWS:,} rows at most, and there are more results: {_REMEDY}")
        for number, cells in enumerate(table.iter_rows(), last):
            for column, cell in enumerate(cells):
                _write(sheet, (number, column), cell, formats)
        last += table.height


def _write_header(book: Any, sheet: Any, names: list[str]) -> None:
    if len(names) > COLUMNS:
        raise CampaignError(
            f"a sheet of .xlsx has {COLUMNS:,} columns at most, and these are {len(names):,}: {_REMEDY}"
        )
    bold = book.add_format({"bold": True})
    for column, name in enumerate(names):
        sheet.write_string(0, column, name[:CHARACTERS], bold)
    sheet.freeze_panes(1, 0)


def _write(sheet: Any, place: tuple[int, int], cell: Any, formats: dict[type, Any]) -> None:
    if cell is None:
        return
    if isinstance(cell, bool):
        sheet.write_boolean(*place, cell)
    elif isinstance(cell, datetime | date | time):
        _write_time(sheet, place, cell, formats)
    elif isinstance(cell, int | float) and math.isfinite(cell) and abs(cell) <= EXACT:
        sheet.write_number(*place, cell)
    else:
        text = str(cell)
        sheet.write_string(*place, text if len(text) <= CHARACTERS else f"{text[: CHARACTERS - 1]}…")


def _write_time(sheet: Any, place: tuple[int, int], cell: date | time, formats: dict[type, Any]) -> None:
    """Write a time as one, where a workbook has it: its calendar begins in 1900."""
    if isinstance(cell, date) and cell.year < 1901:
        sheet.write_string(*place, cell.isoformat())
        return
    naive = cell.replace(tzinfo=None) if isinstance(cell, datetime | time) else cell
    sheet.write_datetime(*place, naive, formats[type(cell)])
