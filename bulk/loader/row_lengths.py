"""Rows with more or fewer cells than the header."""

from collections.abc import Sequence

from bulk.loader.dialect import NAMES
from bulk.loader.preamble import Row, looks_like_a_destination
from bulk.model import Refusal


class RowLengths:
    """Brings the rows of a list to the width of its header, and counts those that lack their last cells.

    What is longer is refused, unless it is longer by empty cells. What is shorter lacks its last cells, as programs
    leave them out that are empty; unless it and the next look like the two halves of a row that was broken in two.
    """

    def __init__(self, header: Sequence[str], separator: str) -> None:
        self._width = len(header)
        self._named = max((place for place, name in enumerate(header, start=1) if name.strip()), default=0)
        self._separator = NAMES.get(separator, repr(separator))
        self._short, self._most, self._line = 0, 0, 0

    @property
    def note(self) -> str:
        """What is to be said of the rows that were read."""
        if not self._most:
            return ""
        rows = "1 row lacks its" if self._most == 1 else f"{self._most:,} rows lack their"
        return f"{rows} last cells (line {self._line}{', for one' if self._most > 1 else ''}): read as empty"

    def begin(self) -> None:
        """Start counting again: the list is read again."""
        self._short = 0

    def fitted(self, rows: Sequence[Row]) -> tuple[list[Sequence[str]], dict[int, Refusal]]:
        """Return the cells of some rows, and which of them are refused and why."""
        if all(len(row.cells) == self._width for row in rows):
            return [row.cells for row in rows], {}
        refused = {}
        torn = self._torn(rows)
        for place, row in enumerate(rows):
            trouble = row.trouble or self._trouble(row, torn=place in torn)
            if trouble:
                refused[place] = Refusal("ragged_row", trouble)
            elif len(row.cells) < self._named:
                self._count(row.line)
        return [self._padded(row.cells) for row in rows], refused

    def _padded(self, cells: Sequence[str]) -> Sequence[str]:
        lacking = self._width - len(cells)
        return [*cells, *[""] * lacking] if lacking > 0 else cells[: self._width]

    def _count(self, line: int) -> None:
        self._short += 1
        if self._short > self._most:
            self._most, self._line = self._short, self._line or line

    def _trouble(self, row: Row, *, torn: bool) -> str:
        if torn:
            return "the row seems to be broken in two by a line break inside a cell: put quotes around that cell"
        if len(row.cells) <= self._width or not any(row.cells[self._width :]):
            return ""
        remedy = f"put quotes around a cell that holds {self._separator} or a line break"
        return f"the row has {len(row.cells):,} cells where the header has {self._width:,}: {remedy}"

    def _torn(self, rows: Sequence[Row]) -> set[int]:
        """Return the halves of rows that a line break inside a cell broke in two: one of them holds the destination."""
        torn: set[int] = set()
        short = [place for place, row in enumerate(rows) if not row.trouble and len(row.cells) < self._named]
        for one in short:
            two = one + 1
            if two < len(rows) and one not in torn and rows[two].line == rows[one].line + 1 and not rows[two].trouble:
                whole = len(rows[one].cells) + len(rows[two].cells) - 1 == self._width
                if whole and _has_destination(rows[one]) != _has_destination(rows[two]):
                    torn |= {one, two}
        return torn


def _has_destination(row: Row) -> bool:
    return any(map(looks_like_a_destination, row.cells))
