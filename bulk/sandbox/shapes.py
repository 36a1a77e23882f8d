"""The shapes of the API's model, compiled once into closures that check a value.

AWS's shapes carry types, required members, lengths, ranges, patterns and enumerations; botocore's own
validator checks only the types, the required members and the minimums, so an unfit request reaches the
service. This is the service. A number's `min` and `max` bound its value, everybody else's their length.
"""

import re
import sys
import unicodedata
from collections.abc import Callable
from typing import Any

from botocore.model import Shape

Check = Callable[[Any], None]

_NO_CONTROL = r"^\P{C}*$"  # file names: no character of Unicode's category C; Python's `re` has no \P
_LENIENT = "*"  # in place of a shape's name: the check of members that no shape has
_RANGES = {"integer": (-(2**31), 2**31 - 1), "long": (-(2**63), 2**63 - 1)}


class Misfit(Exception):
    """A value that does not fit: the path of the member, from the outside in, and what is wrong with it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = ""

    def under(self, step: str) -> "Misfit":
        """Put one more step before the path."""
        self.path = f"{step}.{self.path}" if self.path and not self.path.startswith("[") else step + self.path
        return self

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason


def compile_check(shape: Shape, *, lenient: bool = False) -> Check:
    """Return a function that raises `Misfit` for a JSON value that does not fit `shape`.

    A `lenient` one takes members that the shape does not know.
    """
    return _compile(shape, {_LENIENT: _takes} if lenient else {})


def _takes(_: Any) -> None:
    """Take anything."""


def _compile(shape: Shape, known: dict[str, Check]) -> Check:
    if shape.name in known:
        return known[shape.name]
    built: list[Check] = []
    known[shape.name] = lambda value: built[0](value)  # noqa: PLW0108 - a shape may hold itself, so it is built later
    built.append(_KINDS[shape.type_name](shape, known))
    known[shape.name] = built[0]
    return built[0]


def _structure(shape: Shape, known: dict[str, Check]) -> Check:
    members = {name: _compile(member, known) for name, member in shape.members.items()}
    required, unknown = tuple(shape.required_members), known.get(_LENIENT)

    def check(value: Any) -> None:
        if type(value) is not dict:
            raise Misfit("must be a structure (a JSON object)")
        for name in required:
            if value.get(name) is None:
                raise Misfit("is required and missing").under(name)
        for name, item in value.items():
            fits = members.get(name, unknown)
            if fits is None:
                raise Misfit(f"is not a member; there are {', '.join(members)}").under(name)
            if item is not None:
                try:  # as `_inside` does: here without one more call, for nearly all values are members
                    fits(item)
                except Misfit as misfit:
                    raise misfit.under(name) from None

    return check


def _map(shape: Shape, known: dict[str, Check]) -> Check:
    key, item, length = _compile(shape.key, known), _compile(shape.value, known), _bounds(shape, "entries")

    def check(value: Any) -> None:
        if type(value) is not dict:
            raise Misfit("must be a map (a JSON object)")
        length(len(value))
        for name, cell in value.items():
            _inside(key, name, f"key {name[:40]!r}")
            _inside(item, cell, name)

    return check


def _list(shape: Shape, known: dict[str, Check]) -> Check:
    item, length = _compile(shape.member, known), _bounds(shape, "items")

    def check(value: Any) -> None:
        if type(value) is not list:
            raise Misfit("must be a list (a JSON array)")
        length(len(value))
        for index, cell in enumerate(value):
            _inside(item, cell, f"[{index}]")

    return check


def _inside(check: Check, value: Any, step: str) -> None:
    try:
        check(value)
    except Misfit as misfit:
        raise misfit.under(step) from None


def _string(shape: Shape, _: dict[str, Check]) -> Check:
    length, choices = _bounds(shape, "characters"), frozenset(shape.metadata.get("enum", ()))
    pattern = shape.metadata.get("pattern")
    matches = _matcher(pattern)
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max", sys.maxsize)

    def check(value: Any) -> None:
        if type(value) is not str:
            raise Misfit("must be a string")
        if not low <= len(value) <= high:
            length(len(value))
        if choices and value not in choices:
            raise Misfit(f"must be one of {', '.join(sorted(choices))}")
        if matches is not None and not matches(value):
            raise Misfit(f"must match the pattern {pattern}")

    return check


def _matcher(pattern: str | None) -> Callable[[str], object] | None:
    if pattern is None:
        return None
    if pattern == _NO_CONTROL:
        return lambda text: all(unicodedata.category(character)[0] != "C" for character in text)
    return re.compile(pattern, re.ASCII).fullmatch  # the service's digits and letters are ASCII's


def _whole(shape: Shape, _: dict[str, Check]) -> Check:
    low, high = _RANGES[shape.type_name]
    low, high = shape.metadata.get("min", low), shape.metadata.get("max", high)

    def check(value: Any) -> None:
        if type(value) is not int:
            raise Misfit("must be a whole number")
        if not low <= value <= high:
            raise Misfit(f"must be between {low:,} and {high:,}")

    return check


def _plain(*types: type) -> Callable[[Shape, dict[str, Check]], Check]:
    def compile_plain(shape: Shape, _: dict[str, Check]) -> Check:
        def check(value: Any) -> None:
            if type(value) not in types:
                raise Misfit(f"must be a {shape.type_name}")

        return check

    return compile_plain


def _bounds(shape: Shape, unit: str) -> Callable[[int], None]:
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max")

    def check(length: int) -> None:
        if length < low:
            raise Misfit(f"must have at least {low:,} {unit}, has {length:,}")
        if high is not None and length > high:
            raise Misfit(f"must have at most {high:,} {unit}, has {length:,}")

    return check


_KINDS: dict[str, Callable[[Shape, dict[str, Check]], Check]] = {
    "structure": _structure,
    "map": _map,
    "list": _list,
    "string": _string,
    "integer": _whole,
    "long": _whole,
    "boolean": _plain(bool),
    "double": _plain(int, float),
    "float": _plain(int, float),
    "timestamp": _plain(int, float, str),
    "blob": _plain(str),
}
