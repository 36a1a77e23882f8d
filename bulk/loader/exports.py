"""Whose export a list is, told by its headers, and which of its rows are to be left out. The data: `exports.toml`."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import polars as pl

from bulk.loader.headers import Headers
from bulk.model import Refusal, Status

Kind = Literal["phone", "email"]

_DATA = Path(__file__).with_name("exports.toml")
_KINDS: tuple[Kind, ...] = ("phone", "email")


@dataclass(frozen=True, slots=True)
class LeaveOut:
    """Rows to be left out: where `column` holds one of `values`, in any case (none: where it is filled in)."""

    column: str
    values: tuple[str, ...]
    kinds: tuple[str, ...]
    code: str

    def __str__(self) -> str:
        return f"{self.column} is {' or '.join(self.values) if self.values else 'filled in'}"

    def refusal(self) -> Refusal:
        """Say why such a row is left out."""
        return Refusal(self.code, f"the list says so: {self}", Status.SKIPPED)

    def places(self, frame: pl.DataFrame) -> list[int]:
        """Find such rows of a frame."""
        return _places(frame[self.column], self.values)


@dataclass(frozen=True, slots=True)
class ByChannel:
    """The column that says of a row what its destination is, and its values by kind of destination."""

    column: str
    values: Mapping[str, tuple[str, ...]]

    def others(self, frame: pl.DataFrame, kind: Kind) -> list[int]:
        """Find the rows whose destination is of another kind."""
        ours = set(_places(frame[self.column], self.values[kind]))
        return [place for place in range(frame.height) if place not in ours]


@dataclass(frozen=True, slots=True)
class Export:
    """What the columns of a list mean, spelled as the list does; None where it has no such column.

    `name` says whose export it is, and is empty for a list of any other origin.
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

    def destination(self, kind: Kind) -> str | None:
        """Name the column of the destinations."""
        return self.phone if kind == "phone" else self.email

    def rules(self, kind: Kind) -> list[LeaveOut]:
        """Give the rules for destinations of a kind."""
        return [rule for rule in self.leave_out if kind in rule.kinds]

    def columns(self, kind: Kind) -> set[str]:
        """Name the columns that tell which rows are left out."""
        return {rule.column for rule in self.rules(kind)} | ({self.channel.column} if self.channel else set())

    def left_out(self, frame: pl.DataFrame, kind: Kind) -> dict[int, Refusal]:
        """Say which rows of a frame are left out, and why: those of other channels before all."""
        found: dict[int, Refusal] = {}
        if self.channel is not None:
            said = f"the list says so: {self.channel.column} is not {' or '.join(self.channel.values[kind])}"
            found = dict.fromkeys(self.channel.others(frame, kind), Refusal("other_channel", said, Status.SKIPPED))
        for rule in self.rules(kind):
            for place in rule.places(frame):
                found.setdefault(place, rule.refusal())
        return found

    def __str__(self) -> str:
        rules = "; ".join(str(rule) for rule in self.leave_out)
        channel = f", rows of other channels by {self.channel.column} left out" if self.channel else ""
        return f"{self.name or 'a list'}{channel}" + (f", rows left out where {rules}" if rules else "")


def export_of(columns: Sequence[str]) -> Export:
    """Tell whose export has these columns, and what they mean."""
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
    )


def _rules(entries: Sequence[Mapping[str, Any]], headers: Headers) -> Iterator[LeaveOut]:
    for rule in entries:
        column = headers.first([rule["column"]])
        if column is not None:
            kinds = tuple(rule.get("kinds", _KINDS))
            yield LeaveOut(column, tuple(rule.get("values", ())), kinds, rule["code"])


def _places(cells: pl.Series, values: Sequence[str]) -> list[int]:
    """Find the cells that hold one of the values, in any case, or without values those that are filled in.

    What cannot be text, such as a struct, counts as filled in.
    """
    text = cells.is_not_null().cast(pl.String) if cells.dtype.is_nested() else cells.cast(pl.String)
    words = text.str.strip_chars().str.to_lowercase()
    found = words.is_in([value.lower() for value in values]) if values else words != ""
    return found.fill_null(value=False).arg_true().to_list()
