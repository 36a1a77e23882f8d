"""Delimited text: CSV with any separator. Every cell is text as written.

Two readers share the work. Blocks without quotes or blank lines, in which every row has as many cells as the
header, go through polars. Everything else is judged by the `csv` module, which tells where each row ends and
what is wrong with it. From the first quote on it reads alone, since only a reader that has seen every quote
knows where a row ends.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import polars as pl

from bulk.errors import ListError
from bulk.loader.dialect import LONGEST, lines, separator
from bulk.loader.headers import named
from bulk.loader.tables import Chunk
from bulk.loader.unpacking import Broken
from bulk.model import Refusal

csv.field_size_limit(LONGEST)  # the module's own limit is below the length of a mail; this one finds unclosed quotes

_BATCH = 4096  # rows that the csv module collects for a chunk

_Row = list[str] | str
"""The cells of a row, or why it has none."""


class Delimited:
    """A delimited text file."""

    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name
        try:
            head = next(lines(path), "")
        except Broken as error:
            raise ListError(f"{name}, header: {error}") from error
        self._separator = separator(head)
        header = self._header(io.StringIO(head, newline=""))
        self.columns, self.notes = named(header)

    def chunks(self, columns: Sequence[str] | None = None) -> Iterator[Chunk]:
        for piece in self._pieces():
            chunk = self._quick(piece) if isinstance(piece, str) else self._judged(piece)
            yield chunk if columns is None else Chunk(chunk.frame.select(columns), chunk.refused)

    def is_empty(self) -> bool:
        return next(self._pieces(), None) is None

    def count(self) -> int:
        return sum(map(_height, self._pieces()))

    def _pieces(self) -> Iterator[str | list[_Row]]:
        """Give the rows below the header: regular text as it is, and else what the csv module read."""
        row = 0
        try:
            for piece in self._split():
                yield piece
                row += _height(piece)
        except Broken as error:
            raise ListError(f"{self._name}, row {row}: {error}") from error

    def _split(self) -> Iterator[str | list[_Row]]:
        blocks = lines(self._path)
        first = io.StringIO(next(blocks), newline="")
        self._header(first)
        body = chain([first.read()], blocks)
        for block in body:
            if '"' in block:
                yield from self._records(chain([block], body))
            elif piece := block if _is_regular(block) else [*self._rows([block])]:
                yield piece

    def _header(self, file: io.StringIO) -> list[str]:
        rows = csv.reader(file, delimiter=self._separator)
        try:
            return next((row for row in rows if row), [])
        except csv.Error as error:
            raise ListError(f"{self._name}, header: {error}") from error

    def _records(self, blocks: Iterable[str]) -> Iterator[list[_Row]]:
        """Read to the end of the file by the csv module, collecting rows: neither many nor long ones."""
        rows: list[_Row] = []
        size = 0
        try:
            for row in self._rows(blocks):
                rows.append(row)
                size += sum(map(len, row))
                if len(rows) == _BATCH or size > LONGEST // 4:
                    yield rows
                    rows, size = [], 0
        except Broken:
            if rows:
                yield rows
            raise
        if rows:
            yield rows

    def _rows(self, blocks: Iterable[str]) -> Iterator[_Row]:
        text = chain.from_iterable(io.StringIO(block, newline="") for block in blocks)
        reader = csv.reader(text, delimiter=self._separator, strict=True)
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                if "expected after" not in str(error):
                    raise Broken("a quote is opened here and never closed: close it, or double it") from error
                yield "a quote inside a quoted cell must be doubled"
            else:
                if row:
                    yield row

    def _quick(self, text: str) -> Chunk:
        data = text.encode()
        widths = pl.read_lines(data)["line"].str.count_matches(self._separator, literal=True) + 1
        if (widths != len(self.columns)).any():
            return self._judged([*self._rows([text])])
        schema = dict.fromkeys(self.columns, pl.String)
        frame = pl.read_csv(
            data,
            has_header=False,
            separator=self._separator,
            quote_char=None,
            schema=schema,
            empty_string_is_null=False,
        )
        return Chunk(frame)

    def _judged(self, rows: list[_Row]) -> Chunk:
        width = len(self.columns)
        refused = {}
        cells = []
        for place, row in enumerate(rows):
            trouble = row if isinstance(row, str) else _ragged(row, width)
            if trouble:
                refused[place] = Refusal("ragged_row", trouble)
            given = [] if isinstance(row, str) else row
            cells.append(given if len(given) == width else [*given, *[""] * width][:width])
        columns = zip(*cells, strict=True) if cells else [()] * width
        data = {name: pl.Series(column, dtype=pl.String) for name, column in zip(self.columns, columns, strict=True)}
        return Chunk(pl.DataFrame(data), refused)


def _ragged(row: list[str], width: int) -> str | None:
    """Say what is wrong with a row of another width. Separators at its end alone do no harm."""
    if len(row) == width or (len(row) > width and not any(row[width:])):
        return None
    remedy = "quote the cells that hold a separator or a line break"
    return f"the row does not fit the header ({len(row)} cells, not {width}): {remedy}"


def _is_regular(text: str) -> bool:
    """Tell whether every line is a row, whoever reads it."""
    blank = text[:1] in "\r\n\ufeff" or "\n\n" in text or "\n\r\n" in text
    return not blank and text.count("\r") == text.count("\r\n")


def _height(piece: str | list[_Row]) -> int:
    if isinstance(piece, str):
        return piece.count("\n") + (not piece.endswith("\n"))
    return len(piece)
