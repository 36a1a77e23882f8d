"""NDJSON: one JSON object on each line.

The file is read once to know all its columns, since a line has the members it needs and later ones may have more.
Types are settled by the lines that come first.
"""

import json
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, cast

import polars as pl

from bulk.errors import ListError
from bulk.loader.column_names import MOST
from bulk.loader.tables import Chunk
from bulk.loader.text_error import TextError
from bulk.loader.text_file import TextFile

DEEPEST = 100  # arrays and objects within each other
_EXACT = 1 << 53  # up to here, fractions have all whole numbers
_MARKS = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]')
_LONG_NUMBER = re.compile(r"[:\[,]\s*-?[1-9]\d{15,}\s*[,}\]]")

_Schema = dict[str, pl.DataType]


class _Block(NamedTuple):
    """Some lines that hold something: each with its number, and all of them as text."""

    lines: Sequence[int]
    text: str


class Ndjson:
    """A file of newline-delimited JSON."""

    def __init__(self, file: TextFile) -> None:
        self._file, self._name = file, file.name
        schema: _Schema = {}
        long_numbers = False
        for block in self._blocks():
            _check_depth(block, self._name)
            for column, kind in self._frame(block, schema=None).schema.items():
                schema[column] = _joined(schema[column], kind) if column in schema else kind
            if len(schema) > MOST:
                trouble = f"by line {block.lines[-1]:,} there are {len(schema):,} members, and there may be {MOST:,}"
                raise ListError(f"{self._name}: {trouble}: give one object with the same members on each line")
            long_numbers = long_numbers or _LONG_NUMBER.search(block.text) is not None
        self._schema = {column: _settled(kind) for column, kind in schema.items()}
        self.columns = list(self._schema)
        self.notes = [*file.notes]
        if long_numbers and any(map(_is_fraction, self._schema.values())):
            self._check_long_numbers()

    def chunks(self, columns: Sequence[str] | None = None) -> Iterator[Chunk]:
        for block in self._blocks():
            frame = self._frame(block, schema=self._schema)
            yield Chunk(frame if columns is None else frame.select(columns), lines=block.lines)

    def is_empty(self) -> bool:
        return next(self._blocks(), None) is None

    def count(self) -> int:
        return sum(len(block.lines) for block in self._blocks())

    def _blocks(self) -> Iterator[_Block]:
        """Yield the lines that hold something, in blocks."""
        try:
            for first, text in self._file.blocks():
                lines = text.split("\n")
                held = [first + place for place, line in enumerate(lines) if line and not line.isspace()]
                if held:
                    yield _Block(held, text)
        except TextError as error:
            raise ListError(f"{self._name}, line {error.line}: {error}") from error

    def _frame(self, block: _Block, *, schema: _Schema | None) -> pl.DataFrame:
        try:
            return pl.read_ndjson(block.text.encode(), schema=schema, infer_schema_length=None)
        except pl.exceptions.PolarsError as error:
            place, trouble = _trouble(block.text, schema)
            raise ListError(f"{self._name}, line {block.lines[place]}: {trouble}") from error

    def _check_long_numbers(self) -> None:
        """Raise `ListError` where a whole number would lose digits, since other rows have fractions in its place."""
        for block in self._blocks():
            if _LONG_NUMBER.search(block.text):
                for line, text in zip(block.lines, filter(str.strip, block.text.split("\n")), strict=True):
                    for column, value in json.loads(text).items():
                        if _is_inexact(value, self._schema[column]):
                            trouble = f"{column!r} is a whole number too long to stand beside fractions"
                            raise ListError(f"{self._name}, line {line}: {trouble}: write it in quotes")


def _check_depth(block: _Block, name: str) -> None:
    """Raise `ListError` where arrays and objects are nested too deep: what reads them takes room for each level."""
    lines = pl.Series(block.text.split("\n"), dtype=pl.String)
    for place in (lines.str.count_matches(r"[\[{]") > DEEPEST).arg_true():
        depth = 0
        for mark in _MARKS.finditer(lines[place]):
            depth += 1 if mark[0] in "[{" else -1 if mark[0] in "]}" else 0
            if depth > DEEPEST:
                trouble = f"arrays and objects are nested more than {DEEPEST} deep"
                line = block.lines[0] + place - _first_held(lines)
                raise ListError(f"{name}, line {line}: {trouble}: write the values that are needed as members")


def _first_held(lines: pl.Series) -> int:
    return next(place for place, line in enumerate(lines) if line and not line.isspace())


def _is_fraction(kind: pl.DataType) -> bool:
    """Whether a type has fractions somewhere in it."""
    match kind:  # polars types what is inside more widely than it is
        case pl.List():
            return _is_fraction(cast("pl.DataType", kind.inner))
        case pl.Struct():
            return any(_is_fraction(cast("pl.DataType", member.dtype)) for member in kind.fields)
    return kind.is_float()


def _is_inexact(value: Any, kind: pl.DataType) -> bool:
    """Whether a value holds a whole number that its type has not."""
    match kind:
        case pl.List():
            return any(_is_inexact(item, cast("pl.DataType", kind.inner)) for item in value or ())
        case pl.Struct():
            kinds = {member.name: cast("pl.DataType", member.dtype) for member in kind.fields}
            return any(_is_inexact(item, kinds[name]) for name, item in (value or {}).items())
    return kind.is_float() and type(value) is int and abs(value) > _EXACT and int(float(value)) != value


def _trouble(block: str, schema: _Schema | None) -> tuple[int, str]:
    """Find the first line that is no JSON object, or has another type than the lines before."""
    given = [line for line in block.split("\n") if line and not line.isspace()]
    for place, line in enumerate(given):
        try:
            if not isinstance(json.loads(line), dict):
                return place, "the line is no JSON object: write one object on each line"
        except json.JSONDecodeError as error:
            trouble = f"the line is no JSON ({error.msg} at character {error.colno:,})"
            return place, f"{trouble}: write one object on each line"
        except ValueError as error:  # a whole number that is longer than Python reads
            return place, f"the line cannot be read ({error}): write one object on each line"
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
    """Return the type that holds what both hold; the first where there is none."""
    if first == second or isinstance(second, pl.Null):
        return first
    if isinstance(first, pl.Null) or (first.is_integer() and second.is_float()):
        return second
    if first.is_integer() and second.is_integer():
        return pl.Int128()  # as one of them is
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
