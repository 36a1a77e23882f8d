"""The cells of a sheet as text, each by itself: a date in one cell does not make others of its column dates."""

import re

import fastexcel
import polars as pl

_ESCAPED = r"_x[0-9A-Fa-f]{4}_"  # ISO/IEC 29500-1, 22.4.2.4 (bstr): characters that XML cannot hold
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d+)?")
_NO_DAY = "1899-12-31"  # what a time of day without a day begins with
_HOURS = re.compile(r"1900-01-(\d\d)")  # with a time of day: more than 24 hours, and no moment of that month


def text_cells(reader: fastexcel.ExcelReader, sheet: int | str) -> pl.DataFrame:
    """Return the cells of a sheet from the first that is filled in to the last, an empty one as an empty text."""
    frame = reader.load_sheet(sheet, header_row=None, dtypes="string").to_polars()
    like = [column.name for column in frame.iter_columns() if column.str.contains(rf"^{_MOMENT.pattern}$").any()]
    if like:
        moments = reader.load_sheet(sheet, header_row=None, use_columns=like, dtypes="datetime").to_polars()
        frame = frame.with_columns(_with_moments(frame[name], moments[name]) for name in like)
    return frame.with_columns(_unescaped(column) for column in frame.fill_null("").iter_columns())


def _with_moments(texts: pl.Series, moments: pl.Series) -> pl.Series:
    """Write days without a time of day, and times without a day, where the sheet has moments, and not text like one."""
    are = moments.is_not_null().to_list()
    plain = [text if text is None or not is_one else _moment(text) for text, is_one in zip(texts, are, strict=True)]
    return pl.Series(texts.name, plain, dtype=pl.String)


def _moment(text: str) -> str:
    found = _MOMENT.fullmatch(text)
    if found is None:
        return text
    day, time, fraction = found.groups()
    if day == _NO_DAY:
        return time
    if time == "00:00:00" and not fraction:
        return str(day)
    days = _HOURS.fullmatch(day)
    return f"{int(days[1]) * 24 + int(time[:2])}{time[2:]}" if days else text


def _unescaped(column: pl.Series) -> pl.Series:
    if not column.str.contains(_ESCAPED).any():
        return column
    plain = [re.sub(_ESCAPED, lambda found: chr(int(found[0][2:6], 16)), text) for text in column]
    return pl.Series(column.name, plain, dtype=pl.String)
