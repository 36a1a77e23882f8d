"""Flattens nested tables: structs become dotted columns, lists their first element."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import cast

import polars as pl

from bulk.loader.column_names import named
from bulk.loader.tables import Chunk, Table


class Flat:
    """Another table, made flat. Its chunks all have the types of the first."""

    def __init__(self, table: Table) -> None:
        self.table = table
        schema = next(iter(table.chunks())).frame.schema
        leaves = [leaf for name, kind in schema.items() for leaf in _leaves(name, name, kind, pl.col(name))]
        self.columns, notes = named([path for _, path, _ in leaves])
        self._leaves = dict(zip(self.columns, leaves, strict=True))
        self._notes = notes

    @property
    def notes(self) -> list[str]:
        """Words for a person about how the list was read, as far as it was."""
        return [*self.table.notes, *self._notes]

    def chunks(self, columns: Sequence[str] | None = None) -> Iterator[Chunk]:
        wanted = self.columns if columns is None else columns
        needed = list(dict.fromkeys(self._leaves[column][0] for column in wanted))
        values = [self._leaves[column][2].alias(column) for column in wanted]
        for chunk in self.table.chunks(needed):
            yield replace(chunk, frame=chunk.frame.select(values))

    def is_empty(self) -> bool:
        return self.table.is_empty()

    def count(self) -> int:
        return self.table.count()


def _leaves(top: str, path: str, kind: pl.DataType, value: pl.Expr) -> Iterator[tuple[str, str, pl.Expr]]:
    """Yield what a column consists of: the column it is in, its path, and its value."""
    match kind:  # polars types what is inside more widely than it is
        case pl.Struct():
            for member in kind.fields:
                inner = value.struct.field(member.name)
                yield from _leaves(top, f"{path}.{member.name}", cast("pl.DataType", member.dtype), inner)
        case pl.List():
            yield from _leaves(top, path, cast("pl.DataType", kind.inner), value.list.first())
        case pl.Array():
            yield from _leaves(top, path, cast("pl.DataType", kind.inner), value.arr.first())
        case _:
            yield top, path, value
