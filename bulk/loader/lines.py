"""The line of each row as a person counts it, and the row of a line.

Rows mostly follow each other line by line, so what is kept of a reading is where one does not: eight bytes for each of
these places, and nothing for the others.
"""

from array import array
from bisect import bisect_right
from collections.abc import Collection, Sequence

import polars as pl

from bulk.errors import ListError
from bulk.loader.tables import Chunk, Table

_NONE = 0  # instead of a line, where there is none


class Lines:
    """The lines of the rows that one reading of a list has met."""

    def __init__(self) -> None:
        self.rows = 0
        self._starts, self._lines = array("I"), array("I")
        self._parts: list[tuple[int, str]] = []

    def note(self, chunk: Chunk) -> None:
        """Note the next rows."""
        if not chunk.frame.height:
            return
        if not self._parts or self._parts[-1][1] != chunk.file:
            self._parts.append((self.rows, chunk.file))
        for place in _breaks(chunk.lines):
            self._starts.append(self.rows + place)
            self._lines.append(chunk.lines[place] if chunk.lines else _NONE)
        self.rows += chunk.frame.height

    def of(self, row: int) -> tuple[int | None, str]:
        """Return the line of a row, None where there is none, and its file where there are several."""
        if not 0 <= row < self.rows:
            return None, ""
        at = bisect_right(self._starts, row) - 1
        line = self._lines[at]
        _, file = self._parts[bisect_right(self._parts, row, key=lambda part: part[0]) - 1]
        return (line + row - self._starts[at] if line else None), file

    def row_of(self, line: int) -> int | None:
        """Return the row that begins in a line of the only file, None where none does."""
        at = bisect_right(self._lines, line) - 1
        if at < 0:
            return None
        row = self._starts[at] + line - self._lines[at]
        end = self._starts[at + 1] if at + 1 < len(self._starts) else self.rows
        return row if row < end else None

    def around(self, line: int) -> tuple[int | None, int | None]:
        """Return the nearest lines above and below a line in which a row begins."""
        at = bisect_right(self._lines, line) - 1
        after = self._lines[at + 1] if at + 1 < len(self._lines) else None
        if at < 0:
            return None, after
        end = self._starts[at + 1] if at + 1 < len(self._starts) else self.rows
        return self._lines[at] + end - self._starts[at] - 1, after

    @property
    def are_known(self) -> bool:
        """Whether the rows stand in lines."""
        return bool(self._lines) and self._lines[0] != _NONE


def _breaks(lines: Sequence[int] | None) -> list[int]:
    """Return the places of lines that do not follow the one before."""
    if lines is None or isinstance(lines, range):
        return [0]
    return [0, *(pl.Series(lines, dtype=pl.Int64).diff() != 1).arg_true().to_list()]


def rows_at(table: Table, lines: Collection[int], files: Sequence[str]) -> dict[int, int]:
    """Return which rows of a list begin in some lines; `files` names its files where there are several.

    Raise `ListError` where a line holds no row, with the nearest that does, and where lines do not tell.
    """
    if len(files) > 1:
        several = f"{', '.join(files[:5])}{', …' if len(files) > 5 else ''}"
        trouble = f"the list is in {len(files):,} files ({several}), so a line alone does not say which"
        raise ListError(f"{trouble}: give --row N, which counts from 0 over all of them, as `row` in the results does")
    met = Lines()
    for chunk in table.chunks(table.columns[:1]):
        met.note(chunk)
        if not met.are_known:
            raise ListError("the rows of this list stand in no lines: give --row N, which counts from 0")
        if met.around(max(lines))[1] is not None:
            break
    found = {line: met.row_of(line) for line in lines}
    for line in sorted(line for line, row in found.items() if row is None):
        raise ListError(f"line {line} holds no row of the list: {_nearest(*met.around(line))}")
    return {line: row for line, row in found.items() if row is not None}


def _nearest(above: int | None, below: int | None) -> str:
    if above is None:
        return f"the first is in line {below}"
    return f"the last is in line {above}" if below is None else f"the nearest are in lines {above} and {below}"
