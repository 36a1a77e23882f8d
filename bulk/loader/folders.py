"""Lists in several files: a folder, with or without partitions, or a pattern such as `lists/*.parquet`.

The files come in the order of their paths, and have the same columns. `country=US` in a path (Hive's way to say what
all rows of a folder have in common) is a column of text.
"""

import glob
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

import polars as pl

from bulk.errors import ListError
from bulk.loader.junk import is_junk
from bulk.loader.tables import Chunk, Table

_NOTHING = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a list, and what its path says of all its rows."""

    name: str
    table: Table
    said: Mapping[str, str]


class Parts:
    """A list in several files."""

    def __init__(self, parts: Sequence[Part]) -> None:
        first = parts[0]
        self._parts = parts
        self.columns = _columns(first)
        for part in parts:
            _check(part, first)

    @property
    def tables(self) -> list[Table]:
        """The tables of the files."""
        return [part.table for part in self._parts]

    @property
    def names(self) -> list[str]:
        """The names of the files."""
        return [part.name for part in self._parts]

    @property
    def notes(self) -> list[str]:
        """Words for a person about how the files were read, as far as they were."""
        return [f"{part.name}: {note}" for part in self._parts for note in part.table.notes]

    def chunks(self, columns: Sequence[str] | None = None) -> Iterator[Chunk]:
        wanted = self.columns if columns is None else columns
        schema: pl.Schema | None = None
        for part in self._parts:
            own = [column for column in wanted if column in part.table.columns]
            for chunk in part.table.chunks(own or part.table.columns[:1]):
                constants = [pl.lit(part.said[column]).alias(column) for column in wanted if column not in own]
                frame = chunk.frame.with_columns(constants).select(wanted)
                schema = schema or frame.schema
                yield replace(chunk, frame=_typed(frame, schema, part.name), file=part.name)

    def is_empty(self) -> bool:
        return all(part.table.is_empty() for part in self._parts)

    def count(self) -> int:
        return sum(part.table.count() for part in self._parts)


def files(source: Path) -> tuple[Path, list[Path]]:
    """Return the folder where the files of a folder or of a pattern begin, and the files in order. May be none.

    Files and folders whose names begin with . or _ are left out, as whoever writes such folders means them to be, and
    so is what systems and programs leave in them.
    """
    if source.is_dir():
        root, found = source, sorted(path for path in source.rglob("*") if path.is_file())
    else:
        place = _magic(source)
        root = Path(*source.parts[:place])
        found = sorted(path for path in root.glob(str(Path(*source.parts[place:]))) if path.is_file())
    named = ((path, path.relative_to(root)) for path in found)
    return root, [path for path, name in named if not is_junk(name) and not any(part[0] == "_" for part in name.parts)]


def is_pattern(source: Path) -> bool:
    """Return a pattern from the name of a file."""
    return glob.has_magic(str(source)) and not source.exists()


def said(path: Path, root: Path) -> dict[str, str]:
    """Read what a path says of all rows: `year=2026/country=US/part.parquet`."""
    pairs = (folder.split("=", 1) for folder in path.relative_to(root).parts[:-1] if "=" in folder)
    return {unquote(name): "" if value == _NOTHING else unquote(value) for name, value in pairs}


def _magic(source: Path) -> int:
    return next(place for place, part in enumerate(source.parts) if glob.has_magic(part))


def _columns(part: Part) -> list[str]:
    return [*part.table.columns, *(column for column in part.said if column not in part.table.columns)]


def _check(part: Part, first: Part) -> None:
    for one, other in ((first, part), (part, first)):
        lacking = [column for column in _columns(one) if column not in _columns(other)]
        if lacking:
            trouble = f"lacks the column {lacking[0]!r} that {one.name} has"
            raise ListError(f"{other.name} {trouble}: give files with the same columns, or one of them")


def _typed(frame: pl.DataFrame, schema: pl.Schema, name: str) -> pl.DataFrame:
    if frame.schema == schema:
        return frame
    try:
        return frame.cast(schema)
    except pl.exceptions.PolarsError as error:
        other = next(column for column in schema if frame.schema[column] != schema[column])
        trouble = f"{other!r} is {frame.schema[other]} there, and {schema[other]} in the files before"
        raise ListError(f"{name}: {trouble}: write it with one type") from error
