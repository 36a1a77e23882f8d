"""Tables from the caller: polars, and everything that exports Arrow columns (pandas, pyarrow)."""

from typing import Protocol, runtime_checkable

import polars as pl

from bulk.errors import ListError


@runtime_checkable
class ArrowTable(Protocol):
    """A table of another library ("Arrow PyCapsule Interface")."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return the columns as a stream."""


HeldTable = pl.DataFrame | pl.LazyFrame | ArrowTable
"""A table that a caller may hold."""


def frame_of(source: HeldTable, name: str) -> pl.DataFrame | pl.LazyFrame:
    """Return a table as a frame of polars. Raise `ListError` where that cannot be."""
    if isinstance(source, pl.DataFrame | pl.LazyFrame):
        return source
    kind = f"{type(source).__module__.partition('.')[0]}.{type(source).__name__}"
    if not isinstance(source, ArrowTable):
        remedy = "give a path, or a table of polars, pandas or pyarrow"
        raise ListError(f"{name}: a {kind} is no list: {remedy}")
    try:
        return pl.DataFrame(source)
    except Exception as error:  # other libraries raise what they like
        trouble = str(error).partition("\n")[0]
        remedy = "give each column one type, such as text with .astype(str)"
        raise ListError(f"{name}: the {kind} cannot be read ({trouble}): {remedy}") from error
