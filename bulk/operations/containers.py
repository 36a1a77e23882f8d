"""Shapes that hold others: lists, maps, and structures of named members."""

import json
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from bulk.operations.builder import sequence_parts, structure_parts, table_parts
from bulk.operations.types import (
    Check,
    Coerce,
    Shape,
    Traits,
    Violation,
    Violations,
    certain,
    count,
    is_hollow,
    label,
    misfit,
    nearest,
    size_of,
)


def _opened(value: Any) -> Any:
    """Return a plain dict or list of a map, a list, or their JSON; None where empty, others as they are."""
    if type(value) is dict:
        return value or None
    if isinstance(value, str):
        value = _json(value)
    if isinstance(value, Mapping):
        return dict(value) or None
    return list(value) or None if isinstance(value, (list, tuple)) else value


def _json(text: str) -> Any:
    """Read JSON, keeping 1.10 as it is written; None where empty, text that is no JSON as it is."""
    if not text.strip():
        return None
    try:
        return json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError):
        return text


# Lists


def sequence(shape: Shape, traits: Traits, member: Shape) -> None:
    """Fill a shape of lists."""
    low, high = traits.get("min", 0), traits.get("max", float("inf"))

    def coerce(value: Any) -> Any:
        items = _opened(value)
        if type(items) is not list:
            return items
        return [kept for item in items if (kept := member.coerce(item)) is not None] or None

    def check(value: Any) -> Violations:
        if not isinstance(value, (list, tuple)):
            return misfit(value, "a list (a list column, or JSON)")
        found = [trouble.under(f"[{at}]") for at, item in enumerate(value) for trouble in member.check(item)]
        if not low <= len(value) <= high:
            found.append(Violation("", f"is a list of {len(value)}; {low} to {high} are allowed."))
        return found

    shape.coerce, shape.check = coerce, check
    shape.assemble = sequence_parts(member, low, high)
    shape.inside = lambda _: member


# Maps


def table(shape: Shape, traits: Traits, key: Shape, member: Shape) -> None:
    """Fill a shape of maps. `bytes` bounds all its text together; `keep_empty` keeps empty entries."""
    blank = "" if traits.get("keep_empty") else None
    shape.coerce = _table_coerce(member, blank=blank)
    shape.check = _table_check(key, member, traits)
    shape.assemble = table_parts(key, member, blank=blank, budget=traits.get("bytes"))
    shape.inside = lambda _: member
    shape.takes_maps = True


def _table_coerce(member: Shape, *, blank: str | None) -> Coerce:
    def coerce(value: Any) -> Any:
        entries = _opened(value)
        if type(entries) is not dict:
            return entries
        kept = {}
        for name, item in entries.items():
            found = member.coerce(item)
            if found is None:
                found = blank
            if found is not None:
                kept[name if type(name) is str else str(name)] = found
        return kept or None

    return coerce


def _table_check(key: Shape, member: Shape, traits: Traits) -> Check:
    budget = traits.get("bytes")

    def check(value: Any) -> Violations:
        if type(value) is not dict and not isinstance(value, Mapping):
            return misfit(value, "a map (a struct column, or JSON)")
        found: list[Violation] = []
        for name, item in value.items():
            if troubles := key.check(name):
                found += [Violation(label(name, traits), f"as a key {trouble.message}") for trouble in troubles]
            if troubles := member.check(item):
                found += [trouble.under(label(name, traits)) for trouble in troubles]
        if budget and (size := size_of(value)) > budget:
            most = f"{budget:,} are allowed. Shorten its values."
            found.append(Violation("", f"takes {count(size, 'byte')} of UTF-8 in all; {most}"))
        return found

    return check


# Structures


def structure(shape: Shape, traits: Traits, members: Mapping[str, Shape], *, standing: Collection[str] = ()) -> None:
    """Fill a shape of named members. `union` allows one member only.

    `standing` names the containers that are required, and so stay when they are empty; a structure that would
    hold nothing but such is empty itself.
    """
    shape.required, union = frozenset(traits.get("required", ())), bool(traits.get("union"))
    shape.coerce = _structure_coerce(members, standing)
    shape.check = _structure_check(members, traits, shape.required, union=union)
    shape.assemble = structure_parts(members, standing, shape.required, union=union)
    shape.inside = members.get


def _structure_coerce(members: Mapping[str, Shape], standing: Collection[str]) -> Coerce:
    def coerce(value: Any) -> Any:
        given = _opened(value)
        if type(given) is not dict:
            return given
        kept = {}
        for name, item in given.items():
            member = members.get(name)
            found = item if member is None else member.coerce(item)
            if found is not None:
                kept[name] = found
            elif name in standing:
                kept[name] = {}
        return None if standing and is_hollow(kept) else kept or None

    return coerce


def _structure_check(members: Mapping[str, Shape], traits: Traits, required: frozenset[str], *, union: bool) -> Check:
    def check(value: Any) -> Violations:
        if type(value) is not dict and not isinstance(value, Mapping):
            return misfit(value, f"a map of {', '.join(members)}")
        found: list[Violation] = []
        for name, item in value.items():
            member = members.get(name)
            if member is None:
                found.append(_unknown(label(name, traits), members))
            elif troubles := member.check(item):
                found += [trouble.under(name) for trouble in troubles]
        if not required <= value.keys():
            found += [_missing(name) for name in members if name in required and name not in value]
        if union and len(value) != 1:
            found += _several({label(name, traits): item for name, item in value.items()}, members)
        return found

    return check


def _unknown(name: str, members: Mapping[str, Shape]) -> Violation:
    hint = nearest(name, members) or f" Known are: {', '.join(members)}."
    return Violation(name, f"is no parameter that is known here.{hint}", "unknown_parameter")


def _missing(name: str) -> Violation:
    return Violation(name, "is required, and missing or empty: give it a value.", "missing_parameter")


def _several(value: Mapping[str, Any], members: Mapping[str, Shape]) -> Violations:
    """Return what is wrong with a union; where rows decide, it may hold several members of which each row fills one."""
    given = [name for name, item in value.items() if certain(item)]
    if len(given) == 1 or (value and not given):
        return ()
    said = f"has {' and '.join(given)}" if given else "is empty"
    return (Violation("", f"{said}; it takes exactly one of: {', '.join(members)}."),)
