"""Workbooks (.xlsx, .xls, .xlsb, .ods): the first sheet, as text.

A whole number is written in digits alone, a day as YYYY-MM-DD, a moment as YYYY-MM-DD HH:MM:SS; other formats of a
sheet (currencies, shares) are not followed. A sheet is read as a whole (a workbook cannot be read otherwise, and has at
most 1,048,576 rows), once, into a private file.
"""

import re
import zipfile
from pathlib import Path

import fastexcel
import polars as pl

from bulk.errors import ListError
from bulk.loader.column_names import named
from bulk.loader.tables import Query

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # .xls, and .xlsx under a password
_ESCAPED = r"_x[0-9A-Fa-f]{4}_"  # ISO/IEC 29500-1, 22.4.2.4 (bstr): characters that XML cannot hold
_MOMENT = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
_NO_DAY = "1899-12-31 "  # what a time of day without a day begins with


def is_workbook(path: Path) -> bool:
    """Tell a workbook from any other file, and from any other zip archive."""
    with path.open("rb") as file:
        magic = file.read(8)
    if magic == _OLE:
        return True
    try:
        names = zipfile.ZipFile(path).namelist() if magic[:4] == b"PK\x03\x04" else []
    except zipfile.BadZipFile:
        return path.suffix.lower() in {".xlsx", ".xlsb", ".xlsm", ".ods"}
    return "[Content_Types].xml" in names or "content.xml" in names


def workbook(path: Path, name: str) -> Query:
    """Read the first sheet of a workbook. Raises `ListError`: damaged, under a password, or without a header."""
    try:
        reader = fastexcel.read_excel(path)
        frame = reader.load_sheet(0, header_row=None, dtypes="string").to_polars()
        days = _days(reader, frame)
    except (fastexcel.FastExcelError, pl.exceptions.PolarsError) as error:
        remedy = "take its password away, save it anew as .xlsx, or save the sheet as 'CSV UTF-8'"
        raise ListError(
            f"{name} cannot be read as a workbook ({str(error).partition(chr(10))[0]}): {remedy}"
        ) from error
    table, notes = _listed(frame, days, name)
    query = Query(table.lazy(), name)
    query.notes = notes
    if len(reader.sheet_names) > 1:
        query.notes = [f"read {reader.sheet_names[0]!r}, the first of {len(reader.sheet_names)} sheets", *notes]
    return query


def _listed(frame: pl.DataFrame, days: list[str], name: str) -> tuple[pl.DataFrame, list[str]]:
    """Take the header from the first row that is not blank, and leave blank rows out."""
    rows = frame.filter(pl.any_horizontal(pl.all() != "")) if frame.width else frame
    if rows.is_empty():
        raise ListError(f"{name} is empty: the first sheet needs a header and rows")
    header = [cell or "" for cell in rows.row(0)]
    columns, notes = named(header)
    cells = rows.slice(1).with_columns(
        pl.col(day).str.replace(_NO_DAY, "", literal=True).str.replace(r" 00:00:00$", "") for day in days
    )
    cells = cells.select(_unescaped(column) for column in cells.fill_null(""))
    return cells.rename(dict(zip(cells.columns, columns, strict=True))), notes


def _days(reader: fastexcel.ExcelReader, frame: pl.DataFrame) -> list[str]:
    """Name the columns of moments: by their looks, and then, since text may look like one, by what the sheet says."""
    alike = [
        place
        for place, column in enumerate(frame.iter_columns())
        if column.drop_nulls().slice(1).str.contains(_MOMENT).all() and column.drop_nulls().len() > 1
    ]
    if not alike:
        return []
    typed = reader.load_sheet(0, header_row=0, use_columns=alike, schema_sample_rows=None).to_polars()
    kinds = zip(alike, typed.dtypes, strict=True)
    return [frame.columns[place] for place, kind in kinds if kind.is_temporal()]


def _unescaped(column: pl.Series) -> pl.Series:
    if not column.str.contains(_ESCAPED).any():
        return column
    plain = [re.sub(_ESCAPED, lambda found: chr(int(found[0][2:6], 16)), text) for text in column]
    return pl.Series(column.name, plain, dtype=pl.String)
