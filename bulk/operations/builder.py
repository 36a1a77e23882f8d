"""Builders: they make a parameter from a row, converted and checked in one step.

A campaign's table is a tree of parts of which a row decides few. It is compiled with the tree of shapes into one
function per member, which does for a row only what depends on the row: constants are made and checked once. A maker
puts no trouble into words. Whatever it is not sure of is DOUBT, and then `Operation.coerce` and `check` go over the
row, which know every trouble; so the two cannot disagree on what is sent.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from bulk.operations.types import DOUBT, Make, Part, Shape, is_hollow, size_of

Parts = Mapping[str, Part] | Sequence[Part]
Assemble = Callable[[Parts], Make | None]

Build = Callable[[Any], dict[str, Any] | None]
Condition = Callable[[Mapping[str, Any]], bool]


def maker(shape: Shape, part: Part) -> Make:
    """Compile a part for its shape."""
    if part.constant:
        return _constant(shape, part)
    made = shape.assemble(part.inner) if part.inner is not None and shape.assemble else None
    if made is not None:
        return made
    take, render, read = shape.take or _taking(shape), part.render, part.read
    return (lambda row: take(render(row))) if read is None else lambda row: take(read(row.cells))


def constant_of(shape: Shape, part: Part) -> Any:
    """Return the value of a part that no row changes, DOUBT where it is wrong or a row does."""
    if not part.constant:
        return DOUBT
    value = shape.coerce(part.draft)
    return DOUBT if value is not None and shape.check(value) else value


def _constant(shape: Shape, part: Part) -> Make:
    value = constant_of(shape, part)
    return lambda _: value


def _taking(shape: Shape) -> Make:
    coerce, check = shape.coerce, shape.check

    def take(value: Any) -> Any:
        made = coerce(value)
        return DOUBT if made is not None and check(made) else made

    return take


# Containers


def sequence_parts(member: Shape, low: float, high: float) -> Assemble:
    """Return what compiles the parts of a list."""

    def assemble(parts: Parts) -> Make | None:
        if isinstance(parts, Mapping):
            return None
        makers = [maker(member, part) for part in parts]

        def make(row: Any) -> Any:
            items = [item for make_one in makers if (item := make_one(row)) is not None]
            return (DOUBT if DOUBT in items or not low <= len(items) <= high else items) if items else None

        return make

    return assemble


def table_parts(key: Shape, member: Shape, *, blank: str | None, budget: int | None) -> Assemble:
    """Return what compiles the parts of a map; empty entries are `blank`, or left out where that is None."""

    def assemble(parts: Parts) -> Make | None:
        if not isinstance(parts, Mapping) or any(key.check(name) for name in parts):
            return None
        makers = [(name, maker(member, part)) for name, part in parts.items()]
        fits = _fitting(member, sum(map(len, parts)), budget)

        def make(row: Any) -> Any:
            kept = {}
            for name, make_one in makers:
                value = make_one(row)
                if value is None:
                    value = blank
                elif value is DOUBT:
                    return DOUBT
                if value is not None:
                    kept[name] = value
            if not kept:
                return None
            return kept if fits is None or fits(kept) else DOUBT

        return make

    return assemble


def _fitting(member: Shape, keys: int, budget: int | None) -> Condition | None:
    """Return whether a map's text keeps to its bytes, given the characters of its keys; None where it has no bound."""
    if budget is None:
        return None

    def fits(kept: Mapping[str, Any]) -> bool:
        if member.is_text and 4 * (keys + len("".join(kept.values()))) <= budget:
            return True  # no character takes more than four bytes
        return size_of(kept) <= budget

    return fits


def structure_parts(
    members: Mapping[str, Shape], standing: Collection[str], required: frozenset[str], *, union: bool
) -> Assemble:
    """Return what compiles the parts of a structure."""

    def assemble(parts: Parts) -> Make | None:
        if not isinstance(parts, Mapping) or parts.keys() - members.keys():
            return None
        constants = {name: constant_of(members[name], part) for name, part in parts.items()}
        given = {name: value for name, value in constants.items() if value is not None and value is not DOUBT}
        varying = [name for name, value in constants.items() if value is DOUBT]
        needed = required - given.keys()
        makers = [(name, maker(members[name], parts[name]), name in needed) for name in varying]
        lacking, special = not needed <= {*varying}, union or bool(standing)

        def make(row: Any) -> Any:
            kept, lacks = {**given}, lacking
            for name, make_one, is_needed in makers:
                value = make_one(row)
                if value is None:
                    lacks = lacks or is_needed
                elif value is DOUBT:
                    return DOUBT
                else:
                    kept[name] = value
            if not kept:
                return None
            if lacks or (special and (is_hollow(kept) or (union and len(kept) != 1))):
                return DOUBT
            return kept

        return make

    return assemble


# Parameters


def builder(
    shape: Shape,
    parts: Mapping[str, Part],
    fixed: Mapping[str, Any],
    *,
    later: frozenset[str],
    conditions: tuple[Condition, ...],
) -> Build:
    """Compile the members of a structure that rows decide; those that are `fixed` are sound already.

    What it returns builds the parameters of a row, or returns None where they may be wrong; it raises what a template
    does. Members that come `later`
    are not missing. `conditions` are those on several members that a row can break.
    """
    required = shape.required - fixed.keys() - later
    shapes = {name: shape.inside(name) for name in parts}
    makers = [(name, maker(inside, parts[name]), name in required) for name, inside in shapes.items() if inside]
    if required - shapes.keys() or len(makers) < len(parts):
        return lambda _: None

    def build(row: Any) -> dict[str, Any] | None:
        built = {**fixed}
        for name, make, needed in makers:
            value = make(row)
            if value is not None:
                if value is DOUBT:
                    return None
                built[name] = value
            elif needed:
                return None
        for holds in conditions:
            if not holds(built):
                return None
        return built

    return build
