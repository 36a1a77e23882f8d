"""Recognises exports of other products by their headers. The data is in `exports.toml`."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import polars as pl

from bulk.loader.headers import Headers
from bulk.loader.verdicts import Asks, objection
from bulk.model import Refusal, Status

Kind = Literal["phone", "email"]

_DATA = Path(__file__).with_name("exports.toml")
_KINDS: tuple[Kind, ...] = ("phone", "email")


@dataclass(frozen=True, slots=True)
class LeaveOut:
    """Rows to be left out, by the cells of a column, or of a member of its structs (`place`: its name, then theirs).

    `values` are words that the rule itself knows. `kinds` are the destinations it is about, empty for all. What a rule
    that is not `said` asks for was not seen among the first rows.
    """

    place: tuple[str, ...]
    asks: Asks = "opt_out"
    values: tuple[str, ...] = ()
    kinds: frozenset[str] = frozenset()
    code: str = "opted_out"
    said: bool = True

    @property
    def column(self) -> str:
        """The column that is read."""
        return self.place[0]

    @property
    def name(self) -> str:
        """What a person calls it."""
        return ".".join(self.place)

    @property
    def telling(self) -> str:
        """What its cells say of the rows that are left out."""
        match self.asks:
            case "opt_out":
                return "is neither empty nor a clear no"
            case "consent":
                return "is not a clear yes"
            case "status":
                return "is an opt-out, such as 'unsubscribed'"
            case "filled":
                return "is filled in"
        return f"is {' or '.join(map(repr, self.values))}"

    def __str__(self) -> str:
        return f"{self.name!r} {self.telling}"

    def refusals(self, frame: pl.DataFrame, kind: Kind) -> Iterator[tuple[int, Refusal]]:
        """Yield such rows of a frame, and why they are left out."""
        known: dict[str, Refusal | None] = {}  # most rows say what others do
        for row, cell in enumerate(cells(frame, self.place)):
            if isinstance(cell, str) and cell in known:
                why = known[cell]
            else:
                why = self._refusal(cell, kind)
                if isinstance(cell, str):
                    known[cell] = why
            if why is not None:
                yield row, why

    def _refusal(self, cell: Any, kind: Kind) -> Refusal | None:
        found = objection(cell, self.asks, kind=kind, values=self.values)
        if found is None:
            return None
        lacks = self.asks == "consent" and found in {"is empty", "is not a clear yes"}
        why = f"{'the list has no consent' if lacks else 'the list says so'}: {self.name} {found}"
        return Refusal(self.code, why, Status.SKIPPED)


def cells(frame: pl.DataFrame, place: Sequence[str]) -> list[Any]:
    """Return the cells of a column, or of a member of its structs."""
    found = frame[place[0]]
    for member in place[1:]:
        found = found.struct.field(member)
    return found.to_list()


@dataclass(frozen=True, slots=True)
class ByChannel:
    """The column that says of a row what its destination is, and its values by kind of destination."""

    column: str
    values: Mapping[str, tuple[str, ...]]

    def others(self, frame: pl.DataFrame, kind: Kind) -> dict[int, Refusal]:
        """Return the rows whose destination is of another kind."""
        said = f"the list says so: {self.column} is not {' or '.join(self.values[kind])}"
        why = Refusal("other_channel", said, Status.SKIPPED)
        found = (
            objection(cell, "values", kind=kind, values=self.values[kind]) for cell in frame[self.column].to_list()
        )
        return {row: why for row, ours in enumerate(found) if ours is None}


@dataclass(frozen=True, slots=True)
class Export:
    """What the columns of a list mean, spelled as the list does; None where it has no such column.

    `name` says whose export it is, and is empty for a list of any other origin. `silent` are columns that tell nothing
    of consent, whatever their names.
    """

    name: str
    phone: str | None = None
    email: str | None = None
    key: str | None = None
    country: str | None = None
    time_zone: str | None = None
    first_name: str | None = None
    channel: ByChannel | None = None
    flat: bool = False
    leave_out: tuple[LeaveOut, ...] = ()
    silent: frozenset[str] = frozenset()

    def destination(self, kind: Kind) -> str | None:
        """Return the column of the destinations."""
        return self.phone if kind == "phone" else self.email

    def __str__(self) -> str:
        channel = f", rows of other channels by {self.channel.column} left out" if self.channel else ""
        return f"{self.name or 'a list'}{channel}"


def export_of(columns: Sequence[str]) -> Export:
    """Return whose export has these columns, and what they mean."""
    headers = Headers(columns, "")
    return next(_fitted(entry, headers) for entry in _entries() if _fits(entry, headers))


@cache
def _entries() -> tuple[dict[str, Any], ...]:
    return tuple(tomllib.loads(_DATA.read_text("utf-8"))["export"])


def _fits(entry: Mapping[str, Any], headers: Headers) -> bool:
    every = all(headers.first([name]) for name in entry.get("headers", ()))
    return every and ("any" not in entry or headers.first(entry["any"]) is not None)


def _fitted(entry: Mapping[str, Any], headers: Headers) -> Export:
    meanings = ("phone", "email", "key", "country", "time_zone", "first_name")
    by_channel = entry.get("channel")
    return Export(
        entry["name"],
        **{meaning: headers.first(entry.get(meaning, ())) for meaning in meanings},
        channel=by_channel
        and ByChannel(str(headers.first([by_channel["column"]])), {kind: tuple(by_channel[kind]) for kind in _KINDS}),
        flat=entry.get("flat", False),
        leave_out=tuple(_rules(entry.get("leave_out", ()), headers)),
        silent=frozenset(column for name in entry.get("silent", ()) if (column := headers.first([name])) is not None),
    )


def _rules(entries: Sequence[Mapping[str, Any]], headers: Headers) -> Iterator[LeaveOut]:
    for rule in entries:
        column = headers.first([rule["column"]])
        if column is not None:
            values = tuple(rule.get("values", ()))
            asks = rule.get("asks", "values" if values else "opt_out")
            yield LeaveOut((column,), asks, values, frozenset(rule.get("kinds", ())), rule.get("code", "opted_out"))
