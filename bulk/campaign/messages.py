"""The errors that pydantic finds, in words for the author of the campaign."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, get_args

import pydantic

from bulk.campaign.types import Table, brief
from bulk.text.plain import nearest as most_alike

_FORMS = {
    "^[a-z0-9-]+$": "takes small letters a-z, digits and - only",
    r"^arn:aws[a-z-]*:iam::\d{12}:role/\S+$": "is the ARN of a role, such as arn:aws:iam::123456789012:role/sender",
}
"""What a text must look like, in words, by the pattern that the schema has."""

_KINDS = {
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
}
"""What a value should be, in words, by what pydantic calls the trouble."""


def messages_of(error: pydantic.ValidationError, model: type[Table]) -> list[str]:
    """Return each violation as `[table] key: what is wrong`, once for each key."""
    found: dict[str, str] = {}
    for trouble in error.errors(include_url=False):
        *tables, key = _path(trouble, model) or [""]
        where = f"[{'.'.join(tables)}] {key}" if tables else key
        said = _said(trouble, _keys(model, tables))
        found[where] = f"{found[where]}; or {said}" if where in found and said not in found[where] else said
    return [f"{where}: {said}" if where else said for where, said in found.items()]


def nearest(name: str, known: Iterable[str]) -> str:
    """Suggest the known name that is nearest, as an end of a sentence; empty where none is near."""
    near = most_alike(name, known)
    return f". Did you mean {near!r}?" if near else ""


def _said(trouble: Any, keys: Iterable[str]) -> str:
    match trouble["type"]:
        case "missing" | "string_too_short" as lack:
            return "is missing" if lack == "missing" else "is empty"
        case "extra_forbidden":
            return "no such key" + (nearest(str(trouble["loc"][-1]), keys) or f"; there are {', '.join(keys)}")
        case "string_pattern_mismatch":
            words = _FORMS.get(trouble["ctx"]["pattern"], "is not of the right form")
            return f"{words}, not {brief(trouble['input'])}"
        case kind if kind in _KINDS:
            return f"should be {_KINDS[kind]}, not {brief(trouble['input'])}"
        case "value_error":
            return str(trouble["ctx"]["error"])
        case _:
            return f"{_lowered(trouble['msg'])}, not {brief(trouble['input'])}"


def _lowered(message: str) -> str:
    plain = re.sub(r"valid dictionary( or instance of \w+)?", "table", message.removeprefix("Input ").strip())
    return plain.replace("a valid string", "text").replace("String", "text")


def _path(trouble: Any, model: type[Table]) -> list[str]:
    """Return the keys of a place, without the names of the types that pydantic tried there."""
    *_, last = trouble["loc"] or [""]
    path: list[str] = []
    for part in map(str, trouble["loc"]):
        table = _table_at(model, path)
        if (table and (part in _keys_of(table) or table.gathers(part))) or (
            part == str(last) and trouble["type"] == "extra_forbidden"
        ):
            path.append(part)
    return path


def _keys(model: type[Table], path: Sequence[str]) -> list[str]:
    """Return the keys that the table at a path takes."""
    table = _table_at(model, path)
    return _keys_of(table) if table else []


def _keys_of(table: type[Table]) -> list[str]:
    names = {known: field for known, field in table.model_fields.items() if not field.exclude}
    own = [field.alias or known for known, field in names.items() if known != table.GATHERED]
    return [*own, *table.gathered()]


def _table_at(model: type[Table], path: Sequence[str]) -> type[Table] | None:
    table: type[Table] | None = model
    for name in path:
        if table is None:
            return None
        fields = {field.alias or known: field.annotation for known, field in table.model_fields.items()}
        inner = fields.get(name) or (fields.get(table.GATHERED) if table.GATHERED else None)
        table = next(_tables_in(inner), None)
    return table


def _tables_in(annotation: Any) -> Iterator[type[Table]]:
    """Yield the tables that an annotation names, however deep."""
    if isinstance(annotation, type) and issubclass(annotation, Table):
        yield annotation
    for inner in get_args(annotation):
        yield from _tables_in(inner)
