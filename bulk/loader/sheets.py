"""Facts about a sheet besides its cells: hidden parts, where they begin and end, uncalculated formulas."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field

from bulk.errors import ListError

MOST_BYTES = 1 << 30  # of a workbook's parts, unpacked
MOST_CELLS = 20_000_000  # of the rectangle from the first cell that is filled in to the last
MOST_COLUMNS = 16_384

BLOCK = 1 << 20


@dataclass(slots=True)
class SheetExtent:
    """What is seen of a sheet. Rows count from 1, columns from 0; without a cell that is filled in, all are 0.

    `uncalculated` has, for columns with formulas that have no value, one of them and how many there are.
    """

    first_row: int = 0
    last_row: int = 0
    first_column: int = 0
    last_column: int = 0
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    uncalculated: dict[int, tuple[str, int]] = field(default_factory=dict)

    @property
    def height(self) -> int:
        """How many rows there are from the first to the last."""
        return self.last_row - self.first_row + 1 if self.last_row else 0

    @property
    def width(self) -> int:
        """How many columns there are from the first to the last."""
        return self.last_column - self.first_column + 1 if self.last_row else 0

    def fill(self, row: int, first: int, last: int) -> None:
        """Note cells that are filled in. Raise `ListError` where the sheet becomes too large."""
        if not self.last_row:
            self.first_row, self.first_column, self.last_column = row, first, last
        self.last_row = max(self.last_row, row)
        self.first_column, self.last_column = min(self.first_column, first), max(self.last_column, last)
        if self.height * self.width > MOST_CELLS:
            extent = f"its cells reach from {letters_of(self.first_column)}{self.first_row} to"
            raise ListError(
                f"{extent} {letters_of(self.last_column)}{self.last_row}, and a sheet may have {MOST_CELLS:,} cells: "
                "delete what stands far out, or save the sheet as 'CSV UTF-8'"
            )

    def hide_columns(self, first: int, stop: int) -> None:
        """Note hidden columns."""
        self.hidden_columns.update(range(first, min(stop, MOST_COLUMNS)))


def check_size(archive: zipfile.ZipFile) -> None:
    """Raise `ListError` where the parts of a workbook are longer than they may be, whatever the archive says."""
    parts = [part for part in archive.infolist() if part.filename.endswith((".xml", ".bin", ".rels"))]
    size = sum(part.file_size for part in parts)
    if size > MOST_BYTES:
        trouble = f"unpacked, it has {size:,} bytes, and a workbook may have {MOST_BYTES:,}"
        raise ListError(f"{trouble}: save the sheet as 'CSV UTF-8'")
    for part in parts:
        if "sharedStrings" in part.filename or part.filename.endswith(".bin"):
            for _ in blocks(archive, part.filename):
                """Its true length is checked as it is read; that of the others, where they are."""


def blocks(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """Yield a part of an archive in blocks."""
    with archive.open(part) as file:
        while block := file.read(BLOCK):
            yield block


def place_of(letters: bytes) -> int:
    """Return a column's number: A is 0."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def letters_of(place: int) -> str:
    """Return a column's letters: 0 is A."""
    letters, place = "", place + 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
