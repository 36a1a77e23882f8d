"""From the rows of a frame to recipients."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import repeat
from typing import Any, Literal

import polars as pl

from bulk.loader.addresses import email
from bulk.loader.countries import alpha_2
from bulk.loader.exports import Kind
from bulk.loader.phones import phone, shown
from bulk.model import Cells, Recipient, Refusal

_Reader = Callable[[str, str], str | Refusal]
"""Brings a destination, with the cell of its country column, to form."""

_MISSING_KEY = Refusal("missing_key", "the key is empty: fill in the key column, or choose another `key` under [list]")
_UNREAD = {"ragged_row", "other_channel"}  # refusals of rows whose destination is none, or none of ours


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What is wanted of a list. Columns may be spelled as `ContactList.resolve` takes them.

    `destination` is a column, or what renders the destination from a row's `columns`. `key` is the column
    that names a row, None for the destination. `country` is where phone numbers without + belong, unless the
    row's `country_column` says so. `allow_countries` are the countries that may be written to, None for all.
    Countries are ISO 3166-1 alpha-2, alpha-3 or names. `leave_out` leaves out the rows that the list itself says are
    not to be written to, such as those of an export that are opted out. `dedupe` says what must not be sent twice.
    """

    kind: Kind
    destination: str | Callable[[Cells], Any]
    columns: frozenset[str] = frozenset()
    key: str | None = None
    country: str | None = None
    country_column: str | None = None
    allow_countries: frozenset[str] | None = None
    leave_out: bool = True
    dedupe: Literal["key", "destination", "none"] = "key"


def recipients(part: pl.DataFrame, wanted: Wanted, first: int, refused: Mapping[int, Refusal]) -> list[Recipient]:
    """Make the recipients of some rows; `first` is the row of the first of them, `refused` counts from it."""
    names = sorted(wanted.columns)
    rows = part.select(names).rows() if names else [()] * part.height
    cells = [dict(zip(names, row, strict=True)) for row in rows]
    render = wanted.destination
    raw = texts(part, render) if isinstance(render, str) else [text_of(render(row)) for row in cells]
    keys = raw if wanted.key is None else texts(part, wanted.key)
    countries = repeat("") if wanted.country_column is None else texts(part, wanted.country_column)
    read = _reader(wanted)
    found = [read(text, country) for text, country in zip(raw, countries, strict=False)]
    keyed = wanted.key is not None
    made = list(map(_recipient, range(first, first + part.height), keys, found, cells, repeat(keyed)))
    for place, refusal in refused.items():
        made[place] = _refused(made[place], keys[place], refusal)
    return made if wanted.dedupe == "key" else [_identified(recipient, wanted.dedupe) for recipient in made]


def _identified(recipient: Recipient, dedupe: str) -> Recipient:
    """Name what must not be sent twice: the destination, or, where nothing repeats, the row itself."""
    if dedupe == "none":
        return replace(recipient, identity=f"{recipient.key} in row {recipient.row}")
    return replace(recipient, identity=recipient.destination or "")


def _recipient(row: int, key: str, found: str | Refusal, cells: Cells, keyed: bool) -> Recipient:  # noqa: FBT001 - mapped
    if isinstance(found, Refusal):
        return Recipient(row, key, None, cells, found)
    if not keyed:
        return Recipient(row, found, found, cells)
    return Recipient(row, key, found, cells, None if key else _MISSING_KEY)


def _refused(recipient: Recipient, key: str, refusal: Refusal) -> Recipient:
    """Put a refusal of the row before what its destination may be refused for."""
    if refusal.code in _UNREAD:
        return Recipient(recipient.row, key, None, recipient.cells, refusal)
    return replace(recipient, refusal=refusal)


def _reader(wanted: Wanted) -> _Reader:
    """Choose what brings a destination to form, given the cell of its country column."""
    if wanted.kind == "email":
        return lambda text, _: email(text)
    home, allowed = wanted.country, wanted.allow_countries

    def read(text: str, country: str) -> str | Refusal:
        code = alpha_2(country) if country else home
        if country and code is None:
            message = f"{shown(country)} is no country: write its ISO 3166-1 code, such as US or GBR"
            return Refusal("invalid_country", message)
        return phone(text, code, allowed)

    return read


def texts(part: pl.DataFrame, column: str) -> list[str]:
    """Write the cells of a column as keys or destinations."""
    return [text_of(value) for value in part[column].to_list()]


def text_of(value: Any) -> str:
    """Write a cell as a key or a destination: whole numbers in digits alone, nothing as ""."""
    if isinstance(value, str):
        return value.strip()
    if value is None or value != value:  # noqa: PLR0124 - not a number
        return ""
    if isinstance(value, float | Decimal) and value == value // 1:
        return str(int(value))
    return str(value).strip()
