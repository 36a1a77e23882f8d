"""Which columns of a list hold destinations, found by their names and their cells."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from bulk.loader.addresses import email
from bulk.loader.exports import Export, Kind
from bulk.loader.phones import phone
from bulk.loader.roles import folded, role_of, spoken, words
from bulk.loader.rows import texts
from bulk.loader.verdicts import is_nothing
from bulk.model import Refusal
from bulk.text.identity import visible

_LEAST = 4  # letters of a word that is known within a longer one
_MOST = 0.5  # of the cells, how many must be destinations where the name says nothing
_SELDOM = 10  # a column of which fewer than one cell in so many is a destination is another one's
_NUMBER = re.compile(r"\+?[\d\s()/.-]{7,24}")
_FIXED = {"fixed_line", "premium_rate", "short_number"}  # numbers too, though none that is written to


@dataclass(frozen=True, slots=True)
class Candidate:
    """A column that may hold destinations.

    `rank` is how well its name fits, 0 best; None where it says nothing. Of its first `filled` cells `alike` have the
    form of such destinations, and `usable` can be written to as they are.
    """

    column: str
    rank: int | None
    filled: int
    usable: int
    alike: int

    @property
    def holds(self) -> bool:
        """Whether its cells bear out its name, or are destinations whatever it is called."""
        return self.alike > 0 if self.rank is not None else self.alike > _MOST * self.filled

    def __str__(self) -> str:
        return f"{self.column!r} ({f'{self.alike:,} of {self.filled:,} cells' if self.filled else 'empty'})"


def candidates(head: pl.DataFrame, meaning: Export, kind: Kind, country: str | None = None) -> list[Candidate]:
    """Return the columns that may hold destinations of a kind, the best first, judged by the first rows of a list.

    `country` (ISO 3166-1 alpha-2) is where numbers without + belong.
    """
    known = meaning.destination(kind) if meaning.name else None
    found = [found for column in head.columns if (found := _candidate(head, column, kind, country, known == column))]
    return sorted(found, key=lambda one: (not _usual(one, head.height), 9 if one.rank is None else one.rank))


def _usual(one: Candidate, rows: int) -> bool:
    """Whether enough rows have a destination there that it may be the one that is meant."""
    return one.alike > 0 and one.alike * _SELDOM >= min(one.filled, rows)


def _candidate(head: pl.DataFrame, column: str, kind: Kind, country: str | None, known: bool) -> Candidate | None:  # noqa: FBT001 - private
    rank = -1 if known else rank_of(column, kind)
    if head[column].dtype.is_nested() or (rank is None and (role_of(column) is not None or is_other(column))):
        return None
    filled = [text for text in texts(head, column) if not is_nothing(spoken(visible(text)))]
    read = [email(text) if kind == "email" else phone(text, country) for text in filled]
    if rank is None and kind == "phone":  # amounts and ids are like national numbers, but have no +
        read = [one if text.lstrip("'")[:1] == "+" else Refusal("", "") for text, one in zip(filled, read, strict=True)]
    usable = sum(isinstance(one, str) for one in read)
    alike = sum(map(_alike, filled, read)) if kind == "phone" else usable
    found = Candidate(column, rank, len(filled), usable, alike)
    return found if rank is not None or found.holds else None


def _alike(text: str, read: str | Refusal) -> bool:
    """Whether a cell is a number in form, be it that it lacks its country or cannot be texted."""
    if isinstance(read, str) or read.code in _FIXED:
        return True
    return bool(read.code) and 7 <= sum(map(str.isdigit, text)) <= 15 and _NUMBER.fullmatch(text) is not None


@lru_cache(4096)
def rank_of(name: str, kind: Kind) -> int | None:
    """Return how well a name fits a column of destinations, 0 best, None where it does not."""
    known, parts = words("destination"), set(_parts(name))
    if role_of(name) is not None or parts & known["not"] or is_other(name):
        return None
    text = folded(name)
    if kind == "email":
        return _lesser(parts) if _named(parts, text, known["email"]) else None
    if _named(parts, text, known["mobile"]):
        return _lesser(parts)
    return 2 + _lesser(parts) if _named(parts, text, known["phone"]) else None


def is_other(name: str) -> bool:
    """Whether a name is that of numbers by which nobody is written to."""
    return bool(set(_parts(name)) & words("destination")["never"])


def _named(parts: set[str], text: str, known: frozenset[str]) -> bool:
    within = any(len(word) >= _LEAST and word.replace(" ", "") in text for word in known)
    return bool(parts & known) or within


def _lesser(parts: set[str]) -> int:
    return 1 if parts & words("destination")["second"] else 0


def _parts(name: str) -> Iterator[str]:
    """Yield the words of a name, at its separators, capitals and digits."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=\d)(?=\D)|(?<=\D)(?=\d)", " ", name)
    yield from re.findall(r"\w+", spoken(apart))
