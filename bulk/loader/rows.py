"""Makes recipients of the rows of a frame."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, partial
from typing import Any, Literal, overload

import polars as pl

from bulk.loader.addresses import email
from bulk.loader.ambiguity import PLUS
from bulk.loader.cell_text import cleaned
from bulk.loader.countries import alpha_2, trouble
from bulk.loader.exports import Kind
from bulk.loader.phones import phone, shown
from bulk.loader.tables import Chunk
from bulk.loader.values import rows_of
from bulk.model import Cells, Recipient, Refusal
from bulk.text.cells import text_of
from bulk.text.identity import identity, key_of, visible

_Reader = Callable[[str, str], str | Refusal]
"""Brings a destination, with the cell of its country column, to form."""

_MISSING_KEY = Refusal("missing_key", "the key is empty: fill in the key column, or choose another `key` under [list]")
_SPACES = "".join(filter(str.isspace, map(chr, range(0x3001))))  # the ideographic space is the last of them
_UNREAD = {"ragged_row", "other_channel"}  # refusals of rows whose destination is none, or none of ours


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadSpec:
    """What is wanted of a list. Columns may be spelled as `ContactList.resolve` takes them.

    `destination` is a column, or what renders the destination from a row's `columns`; `noted` are columns that are read
    besides, and make no difference to what a row gets. `key` is the column
    that names a row, None for the destination. `country` is where phone numbers without + belong, unless the
    row's `country_column` says so. `allow_countries` are the countries that may be written to, None for all.
    Countries are ISO 3166-1 alpha-2, alpha-3 or names. `leave_out` leaves out the rows that the list itself says are
    not to be written to, such as those of an export that are opted out: by `opt_out_columns` and `consent_columns`, or
    where these are None by those that are found; and those without a clear yes in `required_consent`. `channel` is of
    this kind, where a column may name it. `landlines`: they may be written to as well. `dedupe` says what must not be
    sent twice.
    `naming` is 1 for runs that began when keys and destinations were compared as the list spells them.
    """

    kind: Kind
    destination: str | Callable[[Cells], Any]
    columns: frozenset[str] = frozenset()
    noted: frozenset[str] = frozenset()
    key: str | None = None
    country: str | None = None
    country_column: str | None = None
    allow_countries: frozenset[str] | None = None
    leave_out: bool = True
    opt_out_columns: tuple[str, ...] | None = None
    consent_columns: tuple[str, ...] | None = None
    required_consent: str | None = None
    channel: str = ""
    landlines: bool = False
    dedupe: Literal["key", "destination", "none"] = "key"
    naming: int = 2


class Rows(Sequence[Recipient]):
    """The recipients of some rows: each made when it is asked for, as far as it is asked about.

    A run that goes on mostly meets rows that are done. They are known by their names, and nothing else of them is read.
    `first` is the row of the first. `chunk` holds the rows, and says which of them are none, or left out.
    """

    def __init__(self, chunk: Chunk, wanted: ReadSpec, first: int, nested: frozenset[str] = frozenset()) -> None:
        self._part, self._wanted, self._refused = chunk.frame, wanted, chunk.refused
        self.lines, self.file, self._nested = chunk.lines, chunk.file, nested
        self._columns = sorted(wanted.columns | wanted.noted)
        self.first = first

    def __len__(self) -> int:
        return self._part.height

    def __iter__(self) -> Iterator[Recipient]:
        """Yield every recipient: what `_recipient` makes of each place, at less cost."""
        columns, keyed = self._columns, self._wanted.dedupe == "key"
        rows = zip(self.keys, self.destinations, self._found, self._cells, strict=True)
        for place, (key, to, found, cells) in enumerate(rows):
            said = self._refused.get(place)
            if said is None and (not key or type(found) is Refusal):
                said = self._refusal(place, key)
            identity = "" if keyed else self._identity(place)
            line = None if self.lines is None else self.lines[place]
            row = dict(zip(columns, cells, strict=True))
            yield Recipient(self.first + place, key, to, row, said, identity, line, self.file)

    @overload
    def __getitem__(self, place: int) -> Recipient: ...
    @overload
    def __getitem__(self, place: slice) -> list[Recipient]: ...
    def __getitem__(self, place: int | slice) -> Recipient | list[Recipient]:
        places = range(len(self))[place]
        return self._recipient(places) if isinstance(places, int) else [self._recipient(one) for one in places]

    @cached_property
    def keys(self) -> list[str]:
        """What the rows are called: the cells of the key column, else the people they go to as `identity` spells them.

        A key column that holds the destinations names people too. Where one is unreadable, its cell is the key.
        """
        if self._wanted.naming < 2:
            return self._plain_keys
        if self._wanted.key not in {None, self._wanted.destination}:
            return list(map(key_of, self._plain_keys))
        found = zip(self._texts, self.destinations, strict=True)
        return [key_of(text) if to is None else identity(to) for text, to in found]

    @cached_property
    def _plain_keys(self) -> list[str]:
        if self._wanted.key is not None:
            return texts(self._part, self._wanted.key)
        return [text if to is None else to for text, to in zip(self._texts, self.destinations, strict=True)]

    @cached_property
    def destinations(self) -> list[str | None]:
        """Where they are written to, None where that cannot be read."""
        found = [None if isinstance(one, Refusal) else one for one in self._found]
        for place, refusal in self._refused.items():
            if refusal.code in _UNREAD:
                found[place] = None
        return found

    @cached_property
    def names(self) -> list[str]:
        """What must not be sent twice: each row's identity, else its key."""
        if self._wanted.dedupe == "key":
            return self.keys
        return [self._identity(place) or key for place, key in enumerate(self.keys)]

    def contents(self, wording: str = "") -> list[tuple[str, str]]:
        """Return how each row's destination is spelled, and a text of what else its message is made of.

        That is the cells that templates and rules read, and `wording`, which stands for the templates themselves.
        """
        columns = [name for name in sorted(self._wanted.columns) if name != self._wanted.destination]
        part = self._part.select(columns)
        if not columns:
            return [(spelling, wording) for spelling in self._texts]
        if all(dtype == pl.String for dtype in part.dtypes):  # the usual case, without a step per row
            cells = [pl.lit(wording), pl.all().fill_null("\0")]
            joined = part.select(pl.concat_str(cells, separator="\x1f")).to_series().to_list()
        else:
            joined = ["\x1f".join(map(str, (wording, *row))) for row in part.iter_rows()]
        return list(zip(self._texts, joined, strict=True))

    @cached_property
    def _cells(self) -> Sequence[tuple[Any, ...]]:
        return rows_of(self._part, self._columns, self._nested) if self._columns else [()] * len(self)

    @cached_property
    def _texts(self) -> list[str]:
        column = self._wanted.destination
        if isinstance(column, str):
            return texts(self._part, column)
        return [_name_of(column(dict(zip(self._columns, row, strict=True)))) for row in self._cells]

    @cached_property
    def _found(self) -> list[str | Refusal]:
        wanted = self._wanted
        if wanted.kind == "email":
            return list(map(email, self._texts))
        if wanted.country_column is None:
            read = partial(phone, country=wanted.country, allowed=wanted.allow_countries, landlines=wanted.landlines)
            return list(map(read, self._texts))
        return list(map(_reader(wanted), self._texts, texts(self._part, wanted.country_column)))

    def _recipient(self, place: int) -> Recipient:
        key, to = self.keys[place], self.destinations[place]
        cells = dict(zip(self._columns, self._cells[place], strict=True))
        refusal, identity = self._refusal(place, key), self._identity(place)
        line = None if self.lines is None else self.lines[place]
        return Recipient(self.first + place, key, to, cells, refusal, identity, line, self.file)

    def _refusal(self, place: int, key: str) -> Refusal | None:
        """Return why a row is not tried: first what is said of the row, then what is wrong with its destination."""
        said, found = self._refused.get(place), self._found[place]
        if said is not None:
            return said
        return found if isinstance(found, Refusal) else None if key else _MISSING_KEY

    def _identity(self, place: int) -> str:
        """Name what must not be sent twice, where it is not the key: the destination, or just this row."""
        wanted = self._wanted
        if wanted.dedupe == "none":
            return f"{self.keys[place]} in row {self.first + place}" if wanted.naming < 2 else ""
        if wanted.dedupe == "destination":
            to = self.destinations[place] or ""
            return to if wanted.naming < 2 else identity(to)
        return ""


def _reader(wanted: ReadSpec) -> _Reader:
    """Return what brings a phone number to form, given the cell of its country column.

    A number with a + names its country itself, whatever stands beside it.
    """
    home, allowed = wanted.country, wanted.allow_countries

    def read(text: str, country: str) -> str | Refusal:
        country = visible(country).strip()
        code = alpha_2(country) if country else home
        if country and code is None and text and cleaned(text)[:1] not in PLUS:
            return Refusal("invalid_country", trouble(country, shown=shown(country)))
        return phone(text, code, allowed, landlines=wanted.landlines)

    return read


def texts(part: pl.DataFrame, column: str) -> list[str]:
    """Return the cells of a column as keys or destinations."""
    cells = part[column]
    if cells.dtype == pl.String:  # the usual case, without a step per row
        return cells.str.strip_chars(_SPACES).fill_null("").to_list()
    return [_name_of(value) for (value,) in rows_of(part, [column])]


def _name_of(value: Any) -> str:
    """Return a cell as a key or a destination: as in a text, but whole decimals too in digits alone."""
    if isinstance(value, Decimal) and value.is_finite() and value == value // 1:
        return str(int(value))
    return text_of(value).strip()
