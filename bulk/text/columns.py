"""The columns of a list by their names, matched in one way wherever a name is read.

Names are matched without regard to case, surrounding space, width, and separators other than the dots of a path. The
name as the list spells it comes before all that are merely alike.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache

from bulk.text.plain import nearest


class Ambiguous(Exception):
    """A name fits several columns alike. `choices` are the columns, as the list spells them."""

    def __init__(self, name: str, choices: Iterable[str]) -> None:
        self.name, self.choices = name, tuple(choices)
        super().__init__(f"{name!r} could be any of {len(self.choices)} columns: {', '.join(map(repr, self.choices))}")


@lru_cache(4096)
def fold(name: str) -> str:
    """Return what tells a name apart from others: its letters and digits, in lower case."""
    return "".join(c for c in unicodedata.normalize("NFKC", name).casefold() if c.isalnum())


@lru_cache(4096)
def path(name: str) -> tuple[str, ...]:
    """Return the folded parts of a dotted name. A dot of another width or script (`．`) is a dot."""
    parts = unicodedata.normalize("NFKC", name).casefold().split(".")
    return tuple(filter(None, ("".join(filter(str.isalnum, part)) for part in parts)))


def _parts(name: str) -> list[str]:
    """Return the same parts as the name spells them."""
    return [part for part in unicodedata.normalize("NFKC", name).split(".") if fold(part)]


class Columns:
    """The columns of a list."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        self._exact = frozenset(self.names)
        self._paths: dict[tuple[str, ...], list[str]] = {}
        for name in self.names:
            self._paths.setdefault(path(name), []).append(name)

    def alike(self, name: str) -> list[str]:
        """Return the columns that a name fits, as the list spells and orders them."""
        folded = path(name)
        return [*self._paths.get(folded, ())] if folded else []

    def find(self, name: str) -> str | None:
        """Return the column of that name, None where there is none. Raise `Ambiguous` where several are alike."""
        if name in self._exact:
            return name
        alike = self.alike(name)
        if len(alike) > 1:
            raise Ambiguous(name, alike)
        return alike[0] if alike else None

    def below(self, name: str) -> Mapping[str, str]:
        """Return the columns whose dotted names go on after `name`: the rest of each name, to the column."""
        outer = path(name)
        return {
            ".".join(_parts(column)[len(outer) :]): column
            for found, columns in self._paths.items()
            for column in columns
            if outer and len(found) > len(outer) and found[: len(outer)] == outer
        }

    def nearest(self, name: str) -> str | None:
        """Return the column whose name is most like `name`, None where none is."""
        folded = {".".join(found): columns[0] for found, columns in self._paths.items()}
        near = nearest(".".join(path(name)), folded)
        return folded[near] if near else None
