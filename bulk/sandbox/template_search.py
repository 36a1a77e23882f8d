"""SearchMessageTemplates: its page in the agent assist API Reference. All queries and filters must be met (a guess)."""

import base64
from collections.abc import Mapping
from typing import Any

from bulk.sandbox.errors import ServiceError

_PAGE = 10


def search(templates: list[dict[str, Any]], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the page of summaries that an expression asks for."""
    asked = parameters["searchExpression"]
    found = [
        one
        for one in templates
        if all(_queried(one, query) for query in asked.get("queries") or ())
        and all(_filtered(one, wanted) for wanted in asked.get("filters") or ())
    ]
    order = asked.get("orderOnField") or {"name": "name"}
    found.sort(key=lambda one: _text(one, order["name"]), reverse=order.get("order") == "DESC")
    start, size = _start(parameters.get("nextToken")), parameters.get("maxResults") or _PAGE
    answer: dict[str, Any] = {"results": found[start : start + size]}
    if start + size < len(found):
        answer["nextToken"] = base64.b64encode(b"%d" % (start + size)).decode()
    return answer


def _start(token: str | None) -> int:
    try:
        return 0 if token is None else int(base64.b64decode(token, validate=True))
    except ValueError:
        raise ServiceError("ValidationException", "nextToken: is none that an answer gave.") from None


def _queried(template: Mapping[str, Any], query: Mapping[str, Any]) -> bool:
    text = _text(template, query["name"])
    found = any(value.casefold() in text for value in query["values"])
    return found if query["operator"] == "CONTAINS" else any(text.startswith(one.casefold()) for one in query["values"])


def _filtered(template: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    if template.get(wanted["name"]) is None:
        return bool(wanted.get("includeNoExistence"))
    text, values = _text(template, wanted["name"]), [one.casefold() for one in wanted.get("values") or ()]
    return text in values if wanted["operator"] == "EQUALS" else text.startswith(tuple(values))


def _text(template: Mapping[str, Any], name: str) -> str:
    return str(template.get(name, "")).casefold()
