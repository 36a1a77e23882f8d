"""Shapes of one value: text, numbers, booleans, times.

Their constraints are Smithy's: a length counts characters, and a pattern binds the whole text unless it is
anchored at its start alone.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from bulk.operations.types import (
    CLEAN,
    DOUBT,
    UNKNOWN,
    Make,
    Shape,
    Traits,
    Violation,
    Violations,
    count,
    excerpt,
    leaves,
    misfit,
    nearest,
)
from bulk.text.cells import text_of

# Text


def as_text(value: Any) -> Any:
    """Return a scalar as text: ISO 8601 for times, `true` and `false`; None where empty, others as given."""
    if value is None or value == "":
        return None
    if isinstance(value, (bool, float, Decimal)) or (isinstance(value, datetime) and value.time() == time()):
        return text_of(value) or None
    if isinstance(value, (date, datetime, time)):
        return value.isoformat()
    if isinstance(value, int) and value.bit_length() > 4_096:  # Python itself refuses to write out the longest ones
        return value
    return str(value) if isinstance(value, (str, int, UUID)) else value


def text(shape: Shape, traits: Traits) -> None:
    """Fill a shape of text. `form` puts the pattern in words; `serialized` takes a map, as JSON."""
    low, high = traits.get("min", 0), traits.get("max", float("inf"))
    choice: Collection[str] | None = frozenset(traits["enum"]) if "enum" in traits else None
    matches = _pattern(traits.get("pattern"))

    def coerce(value: Any) -> Any:
        if type(value) is str:
            return value or None
        return as_text(value)

    def check(value: Any) -> Violations:
        if (
            type(value) is str
            and low <= len(value) <= high
            and (choice is None or value in choice)
            and (matches is None or matches(value))
        ):
            return CLEAN
        return _text_troubles(value, traits)

    shape.coerce, shape.check = coerce, check
    if traits.get("serialized"):
        shape.coerce, shape.takes_maps = _serialize, True
    else:
        shape.take, shape.is_text = _text_take(low, high, choice, matches), True


def _text_take(low: float, high: float, choice: Collection[str] | None, matches: Callable[[str], Any] | None) -> Make:
    if choice is None and matches is None:
        return _sized_take(low, high)

    def take(value: Any) -> Any:
        if type(value) is not str:
            value = as_text(value)
            if type(value) is not str:
                return value if value is None else DOUBT
        if not value:
            return None
        sound = low <= len(value) <= high and (choice is None or value in choice)
        return value if sound and (matches is None or matches(value)) else DOUBT

    return take


def _sized_take(low: float, high: float) -> Make:
    def take(value: Any) -> Any:
        if type(value) is str and 0 < len(value) <= high and low <= len(value):
            return value
        value = as_text(value)
        if value is None:
            return None
        return value if type(value) is str and low <= len(value) <= high else DOUBT

    return take


def _pattern(pattern: str | None) -> Callable[[str], Any] | None:
    if pattern is None:
        return None
    if pattern == r"^\P{C}*$":  # `re` has no categories; this one means "no control or unassigned character"
        return lambda text: not any(unicodedata.category(character)[0] == "C" for character in text)
    try:
        compiled = re.compile(pattern)
    except re.error:  # written for another engine: the service will judge
        return None
    return compiled.search if pattern.startswith("^") and not pattern.endswith("$") else compiled.fullmatch


def _text_troubles(value: Any, traits: Traits) -> Violations:
    if not isinstance(value, str):
        return misfit(value, "text")
    if not value and traits.get("min", 0):
        return (Violation("", "is empty: give it a value, or leave it out.", "missing_parameter"),)
    return (Violation("", _wrong_text(value, traits)),)


def _wrong_text(value: str, traits: Traits) -> str:
    low, high, size = traits.get("min", 0), traits.get("max", len(value)), count(len(value), "character")
    if "enum" in traits and value not in traits["enum"]:
        return f"is {excerpt(value, traits)}; {_choice(value, traits['enum'])}"
    if len(value) > high:
        return f"is {size} long; at most {high:,} are allowed. Shorten it."
    if len(value) < low:
        return f"is {size} long; at least {low:,} are needed."
    form = traits.get("form") or f"of the form {traits.get('pattern')}"
    return f"is {excerpt(value, traits)}, which is not {form}."


def _choice(value: str, known: Sequence[str]) -> str:
    if len(known) == 1:
        return f"it must be {known[0]}."
    return f"it must be one of: {', '.join(known)}.{nearest(value, known)}"


def _serialize(value: Any) -> Any:
    if not isinstance(value, (Mapping, list)):
        return as_text(value)
    found = list(leaves(value))
    if any(leaf is UNKNOWN for leaf in found):
        return UNKNOWN
    if all(leaf is None or leaf == "" for leaf in found):
        return None
    try:
        return json.dumps(value, ensure_ascii=False, default=as_text)
    except (TypeError, ValueError):  # holds what JSON cannot: `check` says so
        return value


# Whole numbers

_BITS = {"integer": 31, "long": 63}
_WHOLE = re.compile(r"\s*([+-]?[0-9]{1,19})(?:\.0+)?\s*")


def as_whole_number(value: Any) -> Any:
    """Read a whole number from an int, "60" or 60.0, but not from "60.5" or True; None where empty."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        found = _WHOLE.fullmatch(value)
        return int(found[1]) if found else value
    if isinstance(value, Decimal):
        return int(value) if value.is_finite() and value.adjusted() < 19 and value == int(value) else value
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**63 else value


def integer(shape: Shape, traits: Traits) -> None:
    """Fill a shape of whole numbers, 32 or 64 bits wide."""
    bound = 2 ** _BITS[traits["type"]]
    low, high = traits.get("min", -bound), traits.get("max", bound - 1)

    def check(value: Any) -> Violations:
        if type(value) is int:
            found = "is out of bounds" if traits.get("sensitive") else f"is {excerpt(value, traits)}"
            wrong = f"{found}; it must be {low:,} to {high:,}."
            return CLEAN if low <= value <= high else (Violation("", wrong),)
        if isinstance(value, (str, float, Decimal)):
            return (Violation("", f"is {excerpt(value, traits)}, which is not a whole number."),)
        return misfit(value, "a whole number")

    shape.coerce, shape.check = as_whole_number, check


# Others


def as_boolean(value: Any) -> Any:
    """Read "true" and "false", whatever their case; others as they are."""
    words = {"true": True, "false": False}
    return words.get(value.strip().lower(), value) if isinstance(value, str) else value


_KINDS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "boolean": ((bool,), "true or false"),
    "timestamp": ((datetime, str, int, float), "a time"),
    "float": ((int, float), "a number"),
    "double": ((int, float), "a number"),
    "blob": ((bytes, str), "bytes"),
}


def scalar(shape: Shape, traits: Traits) -> None:
    """Fill a shape of truth values, times, fractions or bytes: its kind alone is checked."""
    types, wanted = _KINDS[traits["type"]]
    convert = as_boolean if bool in types else None

    def coerce(value: Any) -> Any:
        if value is None or value == "":
            return None
        return convert(value) if convert else value

    def check(value: Any) -> Violations:
        fits = isinstance(value, types) and (bool in types or not isinstance(value, bool))
        return CLEAN if fits else misfit(value, wanted)

    shape.coerce, shape.check = coerce, check
