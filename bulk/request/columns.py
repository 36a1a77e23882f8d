"""The columns of a list, by the names that a template gives them."""

import difflib
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache


class Ambiguous(Exception):
    """A name fits several columns alike; the text says how to write the one that is meant."""


@lru_cache(4096)
def fold(name: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", name).casefold() if c.isalnum())


def _path(name: str) -> tuple[str, ...]:
    return tuple(folded for part in name.split(".") if (folded := fold(part)))


class Columns:
    """The columns of a list, found by name without regard to case, surrounding space or separators."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        self._paths: dict[tuple[str, ...], list[str]] = {}
        for name in self.names:
            self._paths.setdefault(_path(name), []).append(name)

    def find(self, name: str) -> str | None:
        """Give the column of that name, None where there is none; Ambiguous where several are alike."""
        if name in self.names:
            return name
        alike = self._paths.get(_path(name), []) if _path(name) else []
        if len(alike) > 1:
            choice = " or ".join(f'row["{column}"]' for column in alike)
            raise Ambiguous(f"{name!r} could be any of {len(alike)} columns: write {choice}.")
        return alike[0] if alike else None

    def below(self, name: str) -> Mapping[str, str]:
        """Give the columns whose dotted names go on after `name`: the rest of each name, to the column."""
        path = _path(name)
        return {
            ".".join(column.split(".")[len(path) :]): column
            for found, columns in self._paths.items()
            for column in columns
            if path and len(found) > len(path) and found[: len(path)] == path
        }

    def missing(self, name: str) -> str:
        """Say that the list has no such column, and which one comes nearest."""
        folded = {".".join(path): columns[0] for path, columns in self._paths.items()}
        near = difflib.get_close_matches(".".join(_path(name)), folded, n=1)
        listed = f"{', '.join(self.names[:20])}{', …' if len(self.names) > 20 else ''}"
        hint = f"Did you mean {folded[near[0]]!r}?" if near else f"It has: {listed}."
        return f"the list has no column {name!r}. {hint}"
