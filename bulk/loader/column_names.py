"""Gives every column a unique name."""

from collections import Counter
from collections.abc import Sequence

from bulk.errors import ListError

MOST = 16_384  # columns: as many as a spreadsheet has
_SHOWN = 3  # columns that are named one by one


def named(header: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return a name for every column, and words for a person about those that were made up. Raise `ListError`."""
    if len(header) > MOST:
        remedy = "is each row on a line of its own?"
        raise ListError(f"the list has {len(header):,} columns, and may have {MOST:,}: {remedy}")
    written, tried = set(header), Counter[str]()
    names: list[str] = []
    taken: set[str] = set()
    notes: list[str] = []
    for place, name in enumerate(header, start=1):
        stem = name if name.strip() else f"column_{place}"
        new = stem
        while new in taken or (new != name and new in written):
            tried[stem] += 1
            new = f"{stem}_{tried[stem] + 1}"
        if new != name:
            trouble = f"is a second {name!r}" if name in taken else "has no name"
            notes.append(f"column {place} {trouble}: read as {new!r}")
        names.append(new)
        taken.add(new)
    return names, notes if len(notes) <= _SHOWN else [*notes[:_SHOWN], _rest(len(notes) - _SHOWN)]


def _rest(count: int) -> str:
    return f"{count:,} more columns have no name, or that of another column, and were given one"
