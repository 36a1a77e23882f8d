"""Rows of a list that repeat an earlier one, found with twelve bytes of memory per row and none of its text.

Names are known by their hash (64 bits: in a list of ten million, two that differ are taken for one once in 300,000
lists). What was met is kept in sorted runs, as log-structured stores do: a batch is looked up in each by binary search.
Runs are merged as long as what a merge needs for a moment is little beside the whole, so there are few of them however
long the list is.
"""

from collections.abc import Sequence

import polars as pl

_HASH, _ROW, _FIRST = "hash", "row", "first"
_LONGEST = 100_000  # rows of a run that is not merged any more
_PART = 12  # of all rows, where that is more


class Repeats:
    """The names that one reading of a list has met."""

    def __init__(self) -> None:
        self._runs: list[pl.DataFrame] = []
        self._rows = 0

    def of(self, names: Sequence[str], first: int) -> dict[int, int]:
        """Return which rows of the next batch, from the row `first` on, repeat one further up, and which.

        A row without a name repeats none.
        """
        named = pl.Series(names, dtype=pl.String)
        rows = pl.int_range(first, first + len(named), dtype=pl.UInt32, eager=True)
        batch = pl.DataFrame({_HASH: named.hash(), _ROW: rows}).filter(named != "").sort(_HASH, maintain_order=True)
        new, repeated = _split(batch, batch[_HASH].is_first_distinct(), _first_alike(batch))
        for run in self._runs:
            if new.height:
                at = run[_HASH].search_sorted(new[_HASH]).clip(0, run.height - 1)
                new, earlier = _split(new, run[_HASH].gather(at) != new[_HASH], run[_ROW].gather(at))
                repeated |= earlier
        if new.height:
            self._keep(new)
        return _traced(repeated)

    def _keep(self, run: pl.DataFrame) -> None:
        self._rows += run.height
        longest = max(_LONGEST, self._rows // _PART)
        while self._runs and self._runs[-1].height + run.height <= longest:
            run = pl.concat([self._runs.pop(), run]).sort(_HASH)
        self._runs.append(run)


def _split(rows: pl.DataFrame, new: pl.Series, first: pl.Series) -> tuple[pl.DataFrame, dict[int, int]]:
    """Return the rows that are new, and of the others which row each of them repeats."""
    if new.all():
        return rows, {}
    repeated = rows.with_columns(first.alias(_FIRST)).filter(~new)
    return rows.filter(new), dict(zip(repeated[_ROW].to_list(), repeated[_FIRST].to_list(), strict=True))


def _first_alike(batch: pl.DataFrame) -> pl.Series:
    """Return the first row of each name of a batch that is sorted by it."""
    first = pl.when(pl.col(_HASH).is_first_distinct()).then(pl.col(_ROW)).forward_fill()
    return batch.select(first).to_series()


def _traced(repeated: dict[int, int]) -> dict[int, int]:
    """Follow a row that repeats one of its own batch to the one further up that this one repeats."""
    return {row: repeated.get(first, first) for row, first in repeated.items()}
