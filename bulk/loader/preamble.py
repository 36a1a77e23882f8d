"""Lines above a table, and which row holds the names of the columns.

Programs and people put titles, dates and empty rows above a table, and sometimes a row of groups above the row of
names. A table has full rows, and its data can be told from words: addresses, numbers, dates. So the header is the
first row that is at least half as full as the fullest, and holds words alone, before the first such row that holds
data. Where several rows fit, the one that has a name known for destinations is the header; where none has, nobody
guesses.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bulk.errors import ListError
from bulk.loader.exports import export_of
from bulk.model import mask

HEAD = 60  # rows that are looked at
_DATE = re.compile(r"\d{1,4}([./-])\d{1,2}\1\d{1,4}(?!\d|\1)")
_WIDEST = 1000  # columns of a header that is looked up
_LONGEST = 320  # characters of an address (RFC 5321, 4.5.3.1)
_SHOWN = 5  # lines that an error shows
_ADDRESS = re.compile(r"\S+@\S+")
_NUMBER = re.compile(r"[+(]?\d[\d\s().,/:-]*")


class Row(NamedTuple):
    """A row as a person counts rows: its line (of a sheet: its row), and its cells.

    `apart` is whether an empty line stands directly above it, `trouble` why it has no cells that could be read.
    """

    line: int
    cells: Sequence[str]
    apart: bool = False
    trouble: str = ""

    @property
    def filled(self) -> list[str]:
        """The cells that hold something."""
        return [cell for cell in self.cells if cell and not cell.isspace()]


@dataclass(frozen=True, slots=True)
class Preamble:
    """The names of the columns, which of the rows has them, and words for a person about what stands above it."""

    names: list[str]
    place: int
    notes: list[str]


def head_of(header_row: int | None) -> int:
    """Return how many of the first rows are looked at."""
    return HEAD if header_row is None else max(HEAD, header_row)


def preamble(rows: Sequence[Row], name: str, header_row: int | None, unit: str = "line") -> Preamble:
    """Find the header among the first rows of a list that are not empty. Raise `ListError` where that is not clear.

    `header_row` is its line, where a person says so; `unit` is what they call it.
    """
    if not any(row.filled for row in rows):
        raise ListError(f"{name} is empty: a list has a header and rows")
    if header_row is not None:
        place = next((place for place, row in enumerate(rows) if row.line == header_row), None)
        if place is None:
            raise ListError(f"{name}: [list] header_row is {header_row}, and no row begins there. {_shown(rows, unit)}")
    else:
        place = _place(rows)
        if place is None:
            remedy = f"delete what stands above that {unit}, or, of a contact list, set `header_row` under [list] to it"
            raise ListError(f"{name}: it is not clear which {unit} names the columns: {remedy}. {_shown(rows, unit)}")
    row, above = rows[place], rows[:place]
    names = _merged(above[-1], row) if above else list(row.cells)
    notes = []
    if above and header_row is None:
        titles = " / ".join(_excerpt(one) for one in above[:3])
        notes.append(f"the columns are named in {unit} {row.line}; what stands above is not read: {titles}")
    return Preamble(names, place, notes)


def looks_like_a_destination(cell: str) -> bool:
    """Whether a cell holds an address, or a number as long as that of a phone, and nothing else."""
    text = cell.strip()
    if len(text) > _LONGEST:
        return False
    if _ADDRESS.fullmatch(text):
        return True
    return bool(_NUMBER.fullmatch(text)) and sum(map(str.isdigit, text)) >= 7 and not _DATE.match(text)


def _place(rows: Sequence[Row]) -> int | None:
    """Return which row is the header, None where that is not clear."""
    filled = [len(row.filled) for row in rows]
    widest = sorted(filled, reverse=True)[(len(filled) - 1) // 4]  # as a quarter of the rows are, not as one is
    full = [place for place, count in enumerate(filled) if 2 * count > widest]
    if 0 in full and (_has_data(rows[0]) or _is_known(rows, 0)):
        return 0
    people = next(
        (place for place, row in enumerate(rows) if any(map(looks_like_a_destination, row.filled))), len(rows)
    )
    known = [place for place in full if place < people and _is_known(rows, place)]
    if known or _is_known(rows, 0):
        return known[0] if known else 0
    data = next((place for place in full if _has_data(rows[place])), len(rows))
    candidates = [place for place in full if place < data]
    if candidates[:1] == [0]:
        return None if _is_of_groups(rows, candidates) else 0
    return candidates[0] if len(candidates) == 1 else None


def _is_of_groups(rows: Sequence[Row], candidates: Sequence[int]) -> bool:
    """Whether the first row may name groups of columns, of which the second has the names."""
    return len(candidates) > 1 and len(rows[candidates[1]].filled) > len(rows[0].filled)


def _is_known(rows: Sequence[Row], place: int) -> bool:
    """Whether a row has a name by which columns of destinations go, which no row below has in the same column."""
    cells = rows[place].cells
    if len(cells) > _WIDEST or _has_data(rows[place]):
        return False
    meaning = export_of(rows[place].filled)
    columns = [column for column, cell in enumerate(cells) if cell and cell in {meaning.phone, meaning.email}]
    below = rows[place + 1 :]
    return any(all(row.cells[column : column + 1] != [cells[column]] for row in below) for column in columns)


def _has_data(row: Row) -> bool:
    return any(map(_is_data, row.filled))


def _is_data(cell: str) -> bool:
    """Whether a cell is no name of a column: an address, a number, a date."""
    text = cell.strip()[:_LONGEST]
    return bool(_ADDRESS.fullmatch(text)) or (bool(_NUMBER.fullmatch(text)) and sum(map(str.isdigit, text)) >= 2)


def _merged(above: Row, row: Row) -> list[str]:
    """Name columns that have no name in the header as the row above does, where that is one of names too."""
    names = list(row.cells)
    pairs = list(zip(above.cells, names, strict=False))
    both = len(above.filled) > 1 and any(one.strip() and other.strip() for one, other in pairs)
    if both and not _has_data(above):
        names[: len(pairs)] = [other if other.strip() else one for one, other in pairs]
    return names


def _shown(rows: Sequence[Row], unit: str) -> str:
    lines = "".join(f"\n  {unit} {row.line}: {_excerpt(row)}" for row in rows[:_SHOWN])
    return f"The first {unit}s are:{lines}"


def _excerpt(row: Row) -> str:
    cells = [mask(cell.strip()) if looks_like_a_destination(cell) else cell.strip() for cell in row.filled[:6]]
    return ", ".join(" ".join(cell.split())[:40] for cell in cells) + (", …" if len(row.filled) > 6 else "")
