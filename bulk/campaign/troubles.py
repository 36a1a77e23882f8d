"""What pydantic finds wrong, in words for the person who wrote the campaign."""

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, get_args

import pydantic

from bulk.campaign.forms import brief

_LONGEST = 100  # characters of a name that are compared: what is compared takes their square of time
_AN_OPERATION = re.compile(r"[A-Z][A-Za-z]+\Z")


def troubles_of(error: pydantic.ValidationError, model: type[pydantic.BaseModel]) -> list[str]:
    """Say each trouble as `[table] key: what is wrong`, once for each key."""
    found: dict[str, str] = {}
    for trouble in error.errors(include_url=False):
        *tables, key = _path(trouble, model) or [""]
        where = f"[{'.'.join(tables)}] {key}" if tables else key
        said = _said(trouble, _keys(model, tables))
        found[where] = f"{found[where]}; or {said}" if where in found and said not in found[where] else said
    return [f"{where}: {said}" if where else said for where, said in found.items()]


def nearest(name: str, known: Iterable[str]) -> str:
    """Suggest the known name that is nearest, as an end of a sentence; empty where none is near."""
    close = difflib.get_close_matches(name.lower()[:_LONGEST], [*known], n=1, cutoff=0.6)
    return f". Did you mean {close[0]!r}?" if close else ""


def _said(trouble: Any, keys: Iterable[str]) -> str:
    match trouble["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return "no such key" + (nearest(str(trouble["loc"][-1]), keys) or f"; there are {', '.join(keys)}")
        case "value_error":
            return str(trouble["ctx"]["error"])
        case _:
            return f"{_lowered(trouble['msg'])}, not {brief(trouble['input'])}"


def _lowered(message: str) -> str:
    plain = re.sub(r"valid dictionary( or instance of \w+)?", "table", message.removeprefix("Input ").strip())
    return plain.replace("a valid string", "text").replace("String", "text")


def _path(trouble: Any, model: type[pydantic.BaseModel]) -> list[str]:
    """Give the keys of a place, without the names of the types that pydantic tried there."""
    *_, last = trouble["loc"] or [""]
    path: list[str] = []
    for part in trouble["loc"]:
        unknown = part is last and trouble["type"] == "extra_forbidden"
        if part in _keys(model, path) or _AN_OPERATION.match(str(part)) or unknown:
            path.append(str(part))
    return path


def _keys(model: Any, path: Sequence[str]) -> list[str]:
    """Give the keys that the table at a path takes."""
    for name in path:
        fields = (
            {field.alias or known: field.annotation for known, field in model.model_fields.items()} if model else {}
        )
        inner = fields.get(name) or (*get_args(fields.get("operations")), None)[-2]
        model = next(_tables_in(inner), None)
    names = {known: field for known, field in model.model_fields.items() if not field.exclude} if model else {}
    return [field.alias or known for known, field in names.items() if known != "operations"]


def _tables_in(annotation: Any) -> Iterator[type[pydantic.BaseModel]]:
    """Give the tables that an annotation names, however deep."""
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _tables_in(inner)
