"""A contact list of known kind as a table: chunks of rows in order, as polars frames.

Reading again starts from the beginning, and no more than a chunk is in memory at a time. Parquet is read in slices:
each costs what its rows cost, nothing is held open between them, and the size of the file's row groups does not matter.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, TypeVar

import polars as pl

from bulk.errors import ListError
from bulk.loader.scratch import Scratch
from bulk.model import Refusal

SLICE = 50_000  # rows
SLICE_BYTES = 1 << 23  # of the file, compressed: wide rows come in smaller slices

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of a table, and why some of them (counted from the chunk's first) are no rows.

    `lines` are where they stand as a person counts, from 1: lines of a file, rows of a sheet; None where there are
    none. `file` is which of several files they are in.
    """

    frame: pl.DataFrame
    refused: Mapping[int, Refusal] = field(default_factory=dict)
    lines: Sequence[int] | None = None
    file: str = ""

    def slice(self, start: int, size: int) -> "Chunk":
        """Return some of the rows."""
        refused = {place - start: why for place, why in self.refused.items() if start <= place < start + size}
        lines = None if self.lines is None else self.lines[start : start + size]
        return Chunk(self.frame.slice(start, size), refused, lines, self.file)

    def select(self, columns: Sequence[str] | None) -> "Chunk":
        """Return the same rows with these columns; None for all."""
        return self if columns is None else replace(self, frame=self.frame.select(columns))


class Table(Protocol):
    """A list's rows."""

    columns: list[str]

    @property
    def notes(self) -> list[str]:
        """Words for a person about how the list was read, as far as it was."""

    def chunks(self, columns: Sequence[str] | None = None) -> Iterator[Chunk]:
        """Return all rows in order, with these columns at least. Raises `ListError`."""

    def is_empty(self) -> bool:
        """Return whether there are no rows, at once. Raises `ListError`."""

    def count(self) -> int:
        """Count the rows, at less cost than reading them. Raises `ListError`."""


class Frame:
    """A frame that the caller holds."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame
        self.columns = frame.columns
        self.notes: list[str] = []

    def chunks(self, columns: Sequence[str] | None = None) -> Iterator[Chunk]:
        frame = self._frame if columns is None else self._frame.select(columns)
        return map(Chunk, frame.iter_slices(SLICE))

    def is_empty(self) -> bool:
        return self._frame.is_empty()

    def count(self) -> int:
        return self._frame.height


class Parquet:
    """A Parquet file."""

    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name
        self._scan = pl.scan_parquet(path, glob=False)
        self.columns = self._read(lambda: self._scan.collect_schema().names())
        self.notes: list[str] = []

    def chunks(self, columns: Sequence[str] | None = None) -> Iterator[Chunk]:
        height = self.count()
        step = min(SLICE, max(256, SLICE_BYTES * height // max(1, self._path.stat().st_size)))
        scan = self._scan if columns is None else self._scan.select(columns)
        for start in range(0, height, step):
            part = scan.slice(start, step)
            yield Chunk(self._read(part.collect, f", rows {start} to {start + step - 1}"))

    def is_empty(self) -> bool:
        return self.count() == 0

    def count(self) -> int:
        return int(self._read(self._scan.select(pl.len()).collect).item())

    def _read(self, action: Callable[[], _T], where: str = "") -> _T:
        try:
            return action()
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            trouble = str(error).partition("\n")[0]
            raise ListError(
                f"{self._name}{where}: the Parquet file is cut short or damaged ({trouble}): fetch it again"
            ) from error


class Query(Parquet):
    """A lazy frame, run once into a private file: its rows then stay as they were, in this order."""

    def __init__(self, query: pl.LazyFrame, name: str) -> None:
        self._scratch = Scratch()
        path = self._scratch.path / "list.parquet"
        try:
            query.sink_parquet(path, row_group_size=SLICE)
        except pl.exceptions.PolarsError as error:
            raise ListError(f"{name}: the lazy frame cannot be run: {error}") from error
        super().__init__(path, name)


class InMemory:
    """Another table, and what has to be there as long as it is read."""

    def __init__(self, table: Table, holds: object) -> None:
        self.table, self._holds = table, holds
        self.columns = table.columns

    @property
    def notes(self) -> list[str]:
        """Words for a person about how the list was read."""
        return self.table.notes

    def chunks(self, columns: Sequence[str] | None = None) -> Iterator[Chunk]:
        yield from self.table.chunks(columns)

    def is_empty(self) -> bool:
        return self.table.is_empty()

    def count(self) -> int:
        return self.table.count()
