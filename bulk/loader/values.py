"""The cells of a frame as Python values that look as a person would write them."""

import re
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, cast

import polars as pl

from bulk.loader.results import nested as nested_value
from bulk.text.cells import shortest, value_of

_AS_TEXT = re.compile(r'\s*="((?:[^"]|"")*)"\s*')  # how a spreadsheet is made to keep a text that looks like a number
_Reader = Callable[[Any], Any]


def rows_of(
    frame: pl.DataFrame, columns: Sequence[str], nested: AbstractSet[str] = frozenset()
) -> Sequence[tuple[Any, ...]]:
    """Return the cells of some columns, row by row. Those of `nested` are text that stands for maps and lists."""
    readers = {name: read for name in columns if (read := _reader(frame.schema[name])) is not None}
    readers |= dict.fromkeys(nested & {*columns}, nested_value)
    if not readers:
        return frame.select(columns).rows()
    return list(zip(*(_cells(frame[name], readers.get(name)) for name in columns), strict=True))


def unquoted(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame in which `="00123"` is what it stands for: 00123."""
    texts = [column for column in frame.iter_columns() if column.dtype == pl.String]
    quoted = [column for column in texts if column.str.contains('="', literal=True).any()]
    return frame.with_columns(_unquoted(column) for column in quoted) if quoted else frame


def _unquoted(column: pl.Series) -> pl.Series:
    found = (text and _AS_TEXT.fullmatch(text) for text in column)
    plain = [one[1].replace('""', '"') if one else text for one, text in zip(found, column, strict=True)]
    return pl.Series(column.name, plain, dtype=pl.String)


def _cells(column: pl.Series, read: _Reader | None) -> list[Any]:
    return column.to_list() if read is None else [None if cell is None else read(cell) for cell in column.to_list()]


def _reader(kind: pl.DataType) -> _Reader | None:
    """Return what makes a value of a cell of this type, None where it is one already."""
    match kind:  # polars types what is inside more widely than it is
        case pl.Float32():
            return lambda cell: value_of(shortest(cell))
        case pl.Float64() | pl.Binary() | pl.Object():
            return value_of
        case pl.List() | pl.Array():
            inner = _reader(cast("pl.DataType", kind.inner))
            return inner and (lambda cells: [None if cell is None else inner(cell) for cell in cells])
        case pl.Struct():
            readers = {member.name: _reader(cast("pl.DataType", member.dtype)) for member in kind.fields}
            return _struct(readers) if any(readers.values()) else None
    return None


def _struct(readers: dict[str, _Reader | None]) -> _Reader:
    def read(cell: dict[str, Any]) -> dict[str, Any]:
        return {
            name: value if value is None or (reader := readers[name]) is None else reader(value)
            for name, value in cell.items()
        }

    return read
