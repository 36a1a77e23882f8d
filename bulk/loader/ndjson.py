"""NDJSON: one JSON object on each line.

The file is read once to know all its columns, since a line has the members it needs and later ones may have more.
Types are settled by the lines that come first.
"""

import json
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import polars as pl

from bulk.errors import ListError
from bulk.loader.dialect import lines
from bulk.loader.tables import Chunk
from bulk.loader.unpacking import Broken

_Schema = dict[str, pl.DataType]


class Ndjson:
    """A file of newline-delimited JSON."""

    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name
        schema: _Schema = {}
        for row, block in self._blocks():
            found = self._frame(row, block, schema=None).schema
            for column, kind in found.items():
                schema[column] = _joined(schema[column], kind) if column in schema else kind
        self._schema = {column: _settled(kind) for column, kind in schema.items()}
        self.columns = list(self._schema)
        self.notes: list[str] = []

    def chunks(self, columns: Sequence[str] | None = None) -> Iterator[Chunk]:
        for row, block in self._blocks():
            frame = self._frame(row, block, schema=self._schema)
            yield Chunk(frame if columns is None else frame.select(columns))

    def is_empty(self) -> bool:
        return not any(block.strip() for _, block in self._blocks())

    def count(self) -> int:
        return sum(_height(block) for _, block in self._blocks())

    def _blocks(self) -> Iterator[tuple[int, str]]:
        """Give the lines in blocks, each with the row it begins with."""
        row = 0
        try:
            for block in lines(self._path):
                yield row, block
                row += _height(block)
        except Broken as error:
            raise ListError(f"{self._name}, row {row}: {error}") from error

    def _frame(self, row: int, block: str, *, schema: _Schema | None) -> pl.DataFrame:
        if not block.strip():
            return pl.DataFrame(schema=schema)
        try:
            return pl.read_ndjson(block.encode(), schema=schema, infer_schema_length=None)
        except pl.exceptions.PolarsError as error:
            place, trouble = _trouble(block, schema)
            raise ListError(f"{self._name}, row {row + place}: {trouble}") from error


def _height(block: str) -> int:
    return sum(1 for line in block.split("\n") if line and not line.isspace())


def _trouble(block: str, schema: _Schema | None) -> tuple[int, str]:
    """Find the first line that is no JSON object, or has another type than the lines before."""
    given = [line for line in block.split("\n") if line and not line.isspace()]
    for place, line in enumerate(given):
        try:
            if not isinstance(json.loads(line), dict):
                return place, "the line is no JSON object: write one object on each line"
        except ValueError as error:
            return place, f"the line is no JSON ({error}): write one object on each line"
    place = bisect_left(range(len(given) - 1), 1, key=lambda end: int(not _fits("\n".join(given[: end + 1]), schema)))
    row = json.loads(given[place])
    for member, kind in (schema or {}).items():
        if member in row and not _fits(json.dumps({member: row[member]}), {member: kind}):
            return place, f"{member!r} is not {kind}, as in the first rows: write it with one type"
    return place, "a member has another type here than before, as a list and a number: write it with one type"


def _fits(lines: str, schema: _Schema | None) -> bool:
    try:
        pl.read_ndjson(lines.encode(), schema=schema, infer_schema_length=None)
    except pl.exceptions.PolarsError:
        return False
    return True


def _joined(first: pl.DataType, second: pl.DataType) -> pl.DataType:
    """Give the type that holds what both hold; the first where there is none."""
    if first == second or isinstance(second, pl.Null):
        return first
    if isinstance(first, pl.Null) or (first == pl.Int64 and second == pl.Float64):
        return second
    if isinstance(first, pl.List) and isinstance(second, pl.List):
        return pl.List(_joined(cast("pl.DataType", first.inner), cast("pl.DataType", second.inner)))
    if isinstance(first, pl.Struct) and isinstance(second, pl.Struct):
        members = {member.name: cast("pl.DataType", member.dtype) for member in first.fields}
        for member in second.fields:
            kind = cast("pl.DataType", member.dtype)
            members[member.name] = _joined(members[member.name], kind) if member.name in members else kind
        return pl.Struct(members)
    return first


def _settled(kind: pl.DataType) -> pl.DataType:
    """Take for text what has been null so far."""
    match kind:  # polars types what is inside more widely than it is
        case pl.Null():
            return pl.String()
        case pl.List():
            return pl.List(_settled(cast("pl.DataType", kind.inner)))
        case pl.Struct():
            return pl.Struct({member.name: _settled(cast("pl.DataType", member.dtype)) for member in kind.fields})
    return kind
