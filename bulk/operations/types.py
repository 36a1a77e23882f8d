"""The types of this package: a compiled shape, and a problem with a value.

A shape is two functions. `coerce` never refuses: it drops what is empty (None stands for "nothing there"),
and leaves as it is what it cannot bring to form. `check` never changes: it returns a value's troubles, each
with its path. Both are closures made once; paths are put together on the way out, so that a value without
trouble costs none. What a row decides goes another way first: see `makers`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

from bulk.text.plain import nearest as most_alike

Traits = Mapping[str, Any]
"""What a service's model says of one shape: `type`, `min`, `max`, `pattern`, `enum`, `required`, …"""


class _Unknown:
    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final[Any] = _Unknown()
"""Stands for a value that only a row, or a later call, will tell: it passes every check."""


@dataclass(frozen=True, slots=True)
class Violation:
    """What is wrong with the value at a dotted member path, and the remedy.

    `message` goes on after the path, and shows no more of a sensitive value than its length. `code` is
    `invalid_parameter`, `missing_parameter` or `unknown_parameter`.
    """

    path: str
    message: str
    code: str = "invalid_parameter"

    def under(self, name: str) -> "Violation":
        """Return the same trouble as the container sees it that holds the value as `name`."""
        inner = self.path if not self.path or self.path.startswith("[") else f".{self.path}"
        return replace(self, path=f"{name}{inner}")

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


Violations = Sequence[Violation]
CLEAN: Final[Violations] = ()

DOUBT: Final[Any] = _Unknown()
"""Stands for a value that may be wrong: `check` says whether, and why."""

Coerce = Callable[[Any], Any]
Check = Callable[[Any], Violations]
Make = Callable[[Any], Any]
"""Makes a sound value of a row; None where it is empty, DOUBT where it may be wrong."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the parameters, as a campaign writes it.

    `draft` is its value, UNKNOWN where a row decides, and `render` how a row does; `read` is the same of the row's
    cells alone, where those decide, and may raise anything. `inner` are the parts that it consists of, where it does.
    """

    draft: Any
    render: Callable[[Any], Any]
    constant: bool = False
    inner: "Mapping[str, Part] | Sequence[Part] | None" = None
    read: Callable[[Mapping[str, Any]], Any] | None = None


@dataclass(slots=True)
class Shape:
    """A compiled shape. A recursive one holds itself, so its functions are filled in after it is made.

    `take` is `coerce` and `check` in one step: the value brought to form, or DOUBT. `assemble` does so part by part;
    it is None where that is not possible. `inside` has the shape of each member, whatever its name where that is
    free; then `takes_maps`.
    """

    coerce: Coerce = field(default=lambda value: value)
    check: Check = field(default=lambda _: CLEAN)
    take: Make | None = None
    assemble: "Callable[[Mapping[str, Part] | Sequence[Part]], Make | None] | None" = None
    inside: "Callable[[str], Shape | None]" = field(default=lambda _: None)
    required: frozenset[str] = frozenset()
    takes_maps: bool = False
    is_text: bool = False


# Nested values


def leaves(value: Any) -> Iterator[Any]:
    """Yield the scalars of a nested value."""
    if isinstance(value, (Mapping, list, tuple)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from leaves(item)
    else:
        yield value


def certain(value: Any) -> bool:
    """Whether a value is there in every row: one of its scalars is known already."""
    return any(leaf is not UNKNOWN and leaf is not None for leaf in leaves(value))


def is_hollow(value: Any) -> bool:
    """Whether a value holds nothing but empty text and what is hollow itself."""
    return value == "" or (type(value) is dict and all(map(is_hollow, value.values())))


def size_of(entries: Mapping[str, Any]) -> int:
    """Count the UTF-8 bytes of a map's keys and of all text that it holds."""
    texts = [text for text in (*entries, *leaves(entries)) if isinstance(text, str)]
    return len("".join(texts).encode("utf-8", "surrogatepass"))


# Wording


def count(number: int, noun: str) -> str:
    """Write a number with its noun: `1,024 characters`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def excerpt(value: Any, traits: Traits) -> str:
    """Return the beginning of a value for a message, or only how long it is where it is sensitive."""
    if isinstance(value, int) and value.bit_length() > 128:  # Python itself refuses to write out the longest ones
        return "a number of enormous size"
    text = value if isinstance(value, str) else str(value)
    if traits.get("sensitive"):
        return f"text of {count(len(text), 'character')}" if isinstance(value, str) else "a number"
    return repr(text if len(text) <= 40 else f"{text[:39]}…")


def label(name: Any, traits: Traits) -> str:
    """Return the name of a member for a message; what the row itself made up is left out where that is confidential."""
    known = traits.get("names")
    return str(name) if known is None or name in known else "…"


def misfit(value: Any, wanted: str) -> Violations:
    """Return the trouble of a value of the wrong kind; none where it is UNKNOWN."""
    return CLEAN if value is UNKNOWN else (Violation("", f"is {_kind(value)} where {wanted} is wanted."),)


def _kind(value: Any) -> str:
    names = {str: "text", bool: "true or false", int: "a number", float: "a number", Decimal: "a number"}
    if value is None:
        return "null"
    if isinstance(value, Mapping):
        return "a map"
    return "a list" if isinstance(value, (list, tuple)) else names.get(type(value), type(value).__name__)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ` Did you mean 'x'?` with the known name that is most like `name`, or nothing."""
    near = most_alike(name, known)
    return f" Did you mean {near!r}?" if near else ""
