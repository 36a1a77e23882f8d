"""Results that are read as a list again: values that CSV cannot express are JSON in them."""

import json
from collections.abc import Sequence
from typing import Any

import polars as pl

from bulk.loader.tables import Table

_OURS = {"row", "key", "destination", "status", "contact_id", "attempts", "error_code", "request_id", "finished_at"}
_WIDTH = 12  # columns among which ours are


def own_columns(columns: Sequence[str]) -> frozenset[str]:
    """Return which columns of a list are ours: where it is our results, with what a list says of nobody's consent."""
    parts = columns[:_WIDTH], columns[-_WIDTH:]  # joined to a list, ours stand at its end
    is_ours = any(set(part) >= _OURS for part in parts)
    return frozenset({*_OURS, "error_message", "line"}) if is_ours else frozenset()


def nested_columns(table: Table) -> frozenset[str]:
    """Return the columns of maps and lists, where a table of text has the columns of our results."""
    if not own_columns(table.columns):
        return frozenset()
    head = next(iter(table.chunks())).frame.head(1000)
    texts = (column for column in head.iter_columns() if column.dtype == pl.String and column.name not in _OURS)
    return frozenset(column.name for column in texts if _is_nested(column.to_list()))


def nested(cell: Any) -> Any:
    """Return the map or list that a cell holds, else the cell."""
    try:
        found = json.loads(cell) if cell and cell[0] in "{[" else None
    except (ValueError, RecursionError):
        return cell
    return cell if found is None else found


def _is_nested(cells: Sequence[str | None]) -> bool:
    held = [cell for cell in cells if cell]
    return bool(held) and not any(isinstance(nested(cell), str) for cell in held)
