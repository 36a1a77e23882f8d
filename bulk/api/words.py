"""The words of this package: a compiled shape, and the trouble with a value.

A shape is two functions. `coerce` never refuses: it drops what is empty (None stands for "nothing there"),
and leaves as it is what it cannot bring to form. `check` never changes: it gives a value's troubles, each
with its path. Both are closures made once, for they run for every row of a list; paths are put together on
the way out, so that a value without trouble costs none.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

Traits = Mapping[str, Any]
"""What a service's model says of one shape: `type`, `min`, `max`, `pattern`, `enum`, `required`, …"""


class _Unknown:
    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final[Any] = _Unknown()
"""Stands for a value that only a row, or a later call, will tell: it passes every check."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with the value at a dotted member path, and the remedy.

    `message` goes on after the path, and shows no more of a sensitive value than its length. `code` is
    `invalid_parameter`, `missing_parameter` or `unknown_parameter`.
    """

    path: str
    message: str
    code: str = "invalid_parameter"

    def under(self, name: str) -> "Trouble":
        """Give the same trouble as the container sees it that holds the value as `name`."""
        inner = self.path if not self.path or self.path.startswith("[") else f".{self.path}"
        return replace(self, path=f"{name}{inner}")

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


Troubles = Sequence[Trouble]
CLEAN: Final[Troubles] = ()

Coerce = Callable[[Any], Any]
Check = Callable[[Any], Troubles]


@dataclass(slots=True)
class Shape:
    """A compiled shape. A recursive one holds itself, so its two functions are filled in after it is made."""

    coerce: Coerce = field(default=lambda value: value)
    check: Check = field(default=lambda _: CLEAN)


# Nested values


def leaves(value: Any) -> Iterator[Any]:
    """Give the scalars of a nested value."""
    if isinstance(value, (Mapping, list, tuple)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from leaves(item)
    else:
        yield value


def certain(value: Any) -> bool:
    """Tell whether a value is there in every row: one of its scalars is known already."""
    return any(leaf is not UNKNOWN and leaf is not None for leaf in leaves(value))


# Wording


def count(number: int, noun: str) -> str:
    """Write a number with its noun: `1,024 characters`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def excerpt(value: Any, traits: Traits) -> str:
    """Show the beginning of a value, or only how long it is where it is sensitive."""
    if isinstance(value, int) and value.bit_length() > 128:  # Python itself refuses to write out the longest ones
        return "a number of enormous size"
    text = value if isinstance(value, str) else str(value)
    if traits.get("sensitive"):
        return f"text of {count(len(text), 'character')}"
    return repr(text if len(text) <= 40 else f"{text[:39]}…")


def misfit(value: Any, wanted: str) -> Troubles:
    """Give the trouble of a value of the wrong kind; none where it is UNKNOWN."""
    return CLEAN if value is UNKNOWN else (Trouble("", f"is {_kind(value)} where {wanted} is wanted."),)


def _kind(value: Any) -> str:
    names = {str: "text", bool: "true or false", int: "a number", float: "a number", Decimal: "a number"}
    if value is None:
        return "null"
    if isinstance(value, Mapping):
        return "a map"
    return "a list" if isinstance(value, (list, tuple)) else names.get(type(value), type(value).__name__)


def nearest(name: str, known: Iterable[str]) -> str:
    """Give ` Did you mean 'x'?` with the known name that is most like `name`, or nothing."""
    folded = {other.casefold(): other for other in known}
    found = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return f" Did you mean {folded[found[0]]!r}?" if found else ""
