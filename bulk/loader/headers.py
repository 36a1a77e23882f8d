"""The columns of a list, by the names that people give them."""

import difflib
import unicodedata
from collections.abc import Iterable, Sequence

from bulk.errors import ListError


class Headers:
    """The columns of the list `name`, found whatever their case, spaces and separators."""

    def __init__(self, columns: Sequence[str], name: str) -> None:
        self._columns, self._name = columns, name
        self._folded: dict[str, list[str]] = {}
        for column in columns:
            self._folded.setdefault(fold(column), []).append(column)

    def resolve(self, name: str) -> str:
        """Find a column. Raises `ListError` with the nearest."""
        if name in self._columns:
            return name
        found = self._folded.get(fold(name), []) if fold(name) else []
        if len(found) == 1:
            return found[0]
        if found:
            raise ListError(f"{self._name}: {name!r} may be any of {found}: spell it as the list does")
        near = difflib.get_close_matches(fold(name), self._folded, n=1)
        remedy = f"did you mean {self._folded[near[0]][0]!r}?" if near else f"it has {', '.join(self._columns[:20])}"
        raise ListError(f"{self._name} has no column {name!r}: {remedy}")

    def first(self, names: Iterable[str]) -> str | None:
        """Give the first of these columns that the list has; of doubled ones, the one to the left."""
        found = (self._folded.get(fold(name)) for name in names)
        return next((columns[0] for columns in found if columns), None)


def fold(name: str) -> str:
    """Leave out what does not tell headers apart: case, spaces, separators other than the dots of a path."""
    parts = unicodedata.normalize("NFKC", name).casefold().split(".")
    return ".".join(filter(None, ("".join(filter(str.isalnum, part)) for part in parts)))
