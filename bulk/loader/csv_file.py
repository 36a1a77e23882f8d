"""Delimited text: CSV with any separator. Every cell stays text.

Two readers share the work. Blocks without quotes or blank lines, in which every row has as many cells as the
header, go through polars. Everything else is judged by the `csv` module, which tells where each row ends and
what is wrong with it. From the first quote on it reads alone, since only a reader that has seen every quote
knows where a row ends.

The last rows are held back until the end is known, since some of them may be none (`footer`).
"""

import csv
import io
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple

import polars as pl

from bulk.errors import ListError
from bulk.loader.column_names import named
from bulk.loader.dialect import said_separator, separator
from bulk.loader.footer import TAIL, below
from bulk.loader.preamble import Row, head_of, preamble
from bulk.loader.row_lengths import RowLengths
from bulk.loader.tables import Chunk
from bulk.loader.text_error import LONGEST, TextError
from bulk.loader.text_file import TextFile, lines_in

csv.field_size_limit(LONGEST)  # the module's own limit is below the length of a mail; this one finds unclosed quotes

_BATCH = 4096  # rows that the csv module collects for a chunk

_Block = tuple[int, str]
"""Some text, and the number of its first line."""


class _Regular(NamedTuple):
    """Rows that whoever reads them reads alike, one on each line."""

    line: int
    text: str


_Piece = _Regular | list[Row]


class Delimited:
    """A delimited text file. `header_row` is the line that names its columns, None where that is to be found."""

    def __init__(self, file: TextFile, header_row: int | None = None) -> None:
        self._file = file
        try:
            head = next(file.blocks(), (1, ""))
            said = said_separator(head[1])
            self._separator, self._skipped = said or (separator(head[1]), "")
            first = islice(
                (row for row in self._read([self._begun(head)], strict=False) if row.filled), head_of(header_row)
            )
            found = preamble([*first] or [Row(1, [])], file.name, header_row)
            self.columns, notes = named(found.names)
        except (TextError, csv.Error) as error:
            raise ListError(f"{file.name}, header: {error}") from error
        self._header = found.place
        self._row_lengths = RowLengths(found.names, self._separator)
        self._notes = [*file.notes, *found.notes, *notes]
        self._below = ""

    @property
    def notes(self) -> list[str]:
        """Words for a person about how the list was read, as far as it was."""
        return [*self._notes, *filter(None, [self._row_lengths.note, self._below])]

    def chunks(self, columns: Sequence[str] | None = None) -> Iterator[Chunk]:
        self._row_lengths.begin()
        for piece in self._pieces():
            chunk = self._quick(piece) if isinstance(piece, _Regular) else self._judged(piece)
            yield chunk.select(columns)

    def is_empty(self) -> bool:
        return next(self._pieces(), None) is None

    def count(self) -> int:
        return sum(map(_height, self._pieces()))

    def _pieces(self) -> Iterator[_Piece]:
        """Yield the rows of the table: regular text as it is, and else what the csv module read."""
        held: deque[_Piece] = deque()
        try:
            for piece in self._split():
                held.append(piece)
                while sum(map(_height, islice(held, 1, None))) >= TAIL:
                    yield held.popleft()
        except TextError as error:
            yield from held
            raise ListError(f"{self._file.name}, line {error.line}: {error}") from error
        yield from self._without_footer(held)

    def _split(self) -> Iterator[_Piece]:
        blocks = self._file.blocks()
        body = chain(self._below_header(next(blocks)), blocks)
        for line, block in body:
            if '"' in block:
                yield from _batches(self._read(chain([(line, block)], body)))
            elif _is_regular(block):
                yield _Regular(line, block)
            elif rows := [*self._read([(line, block)])]:
                yield rows

    def _begun(self, head: _Block) -> _Block:
        """Return the beginning without the line that names the separator, where there is one."""
        return head[0] + lines_in(self._skipped), head[1][len(self._skipped) :]

    def _below_header(self, head: _Block) -> Iterator[_Block]:
        line, text = self._begun(head)
        source = io.StringIO(text, newline="")
        reader = csv.reader(source, delimiter=self._separator)
        filled = (True for cells in reader if any(map(str.strip, cells)))
        next(islice(filled, self._header, None), None)
        if rest := source.read():
            yield line + reader.line_num, rest

    def _without_footer(self, held: Iterable[_Piece]) -> Iterator[_Piece]:
        pieces = list(held)
        rows = [row for piece in pieces for row in (self._read([piece]) if isinstance(piece, _Regular) else piece)]
        count, self._below = below(rows, len(self.columns), "line")
        yield from _batches(rows[: len(rows) - count]) if count else pieces

    def _read(self, blocks: Iterable[_Block], *, strict: bool = True) -> Iterator[Row]:
        """Read rows by the csv module, leaving out blank lines. Raise `TextError` at a quote that is never closed."""
        first, blocks = _peeked(blocks)
        text = chain.from_iterable(io.StringIO(block, newline="") for _, block in blocks)
        reader = csv.reader(text, delimiter=self._separator, strict=strict)
        line, apart = first, False
        while True:
            try:
                for cells in reader:
                    if cells:
                        yield Row(line, cells, apart)
                    apart, line = not cells, first + reader.line_num
            except csv.Error as error:
                if "expected after" not in str(error):
                    raise _unclosed(line) from error
            else:
                return
            yield Row(line, [], apart, "a quote inside a quoted cell must be doubled")
            apart, line = False, first + reader.line_num

    def _quick(self, piece: _Regular) -> Chunk:
        data = piece.text.encode()
        widths = pl.read_lines(data)["line"].str.count_matches(self._separator, literal=True) + 1
        if (widths != len(self.columns)).any():
            return self._judged([*self._read([piece])])
        schema = dict.fromkeys(self.columns, pl.String)
        frame = pl.read_csv(
            data,
            has_header=False,
            separator=self._separator,
            quote_char=None,
            schema=schema,
            empty_string_is_null=False,
        )
        return Chunk(frame, lines=range(piece.line, piece.line + frame.height))

    def _judged(self, rows: list[Row]) -> Chunk:
        cells, refused = self._row_lengths.fitted(rows)
        columns = zip(*cells, strict=True) if cells else [()] * len(self.columns)
        data = {name: pl.Series(column, dtype=pl.String) for name, column in zip(self.columns, columns, strict=True)}
        return Chunk(pl.DataFrame(data), refused, [row.line for row in rows])


def _peeked(blocks: Iterable[_Block]) -> tuple[int, Iterator[_Block]]:
    """Return the number of the first line of some blocks, and the blocks."""
    coming = iter(blocks)
    first = next(coming)
    return first[0], chain([first], coming)


def _unclosed(line: int) -> TextError:
    error = TextError("a quote is opened here and never closed: close it, or double it")
    error.line = line
    return error


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Collect rows: neither many nor long ones. What was read before the text breaks off is given."""
    batch: list[Row] = []
    size = 0
    try:
        for row in rows:
            batch.append(row)
            size += sum(map(len, row.cells))
            if len(batch) == _BATCH or size > LONGEST // 4:
                yield batch
                batch, size = [], 0
    except TextError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _is_regular(text: str) -> bool:
    """Whether every line is a row, whoever reads it."""
    blank = text[:1] in "\r\n\ufeff" or "\n\n" in text or "\n\r\n" in text
    return not blank and text.count("\r") == text.count("\r\n")


def _height(piece: _Piece) -> int:
    if isinstance(piece, list):
        return len(piece)
    return piece.text.count("\n") + (not piece.text.endswith("\n"))
