"""Reads the file of a message template. Errors name the file, and the line or key."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bulk.sandbox import handlebars
from bulk.sandbox.api import template_check
from bulk.sandbox.shapes import Misfit

SUBTYPES: Mapping[str, str] = {"EMAIL": "email", "SMS": "sms", "WHATSAPP": "whatsApp"}
"""The kinds of templates, and where in their content each has its own."""

_UUID = re.compile(r"[a-f0-9]{8}(-[a-f0-9]{4}){3}-[a-f0-9]{12}")
_IDS = ("messageTemplateId", "knowledgeBaseId")


def read(path: Path) -> tuple[dict[str, Any], dict[str, list[handlebars.Part]]]:
    """Return the template of a file, and each text of its content, parsed, by its place. Raise `ValueError`."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as trouble:
        raise ValueError(f"{path}: is not JSON: {trouble}") from None
    data = data.get("messageTemplate", data) if isinstance(data, dict) else data
    _check(path, data)
    parts: dict[str, list[handlebars.Part]] = {}

    def parse(text: str, place: str) -> str:
        try:
            parts[place] = handlebars.parse(text)
        except ValueError as trouble:
            raise ValueError(f"{path}: content{place}: {trouble}") from None
        return text

    mapped(data["content"], "", parse)
    return data, parts


def _check(path: Path, data: Any) -> None:
    _require(isinstance(data, dict), f"{path}", data, "an object with name, channelSubtype and content")
    subtype, content = data.get("channelSubtype"), data.get("content")
    known = isinstance(subtype, str) and subtype in SUBTYPES
    _require(known, f"{path}: channelSubtype", subtype, f"one of {', '.join(SUBTYPES)}")
    inside = content.get(SUBTYPES[subtype]) if isinstance(content, dict) else None
    _require(isinstance(inside, dict), f"{path}: content.{SUBTYPES[subtype]}", inside, f"an object, for {subtype}")
    try:
        template_check()(content)
    except Misfit as misfit:
        raise ValueError(f"{path}: content.{misfit}") from None
    for name in _IDS:
        given = data.get(name)
        fits = given is None or (isinstance(given, str) and _UUID.fullmatch(given) is not None)
        _require(fits, f"{path}: {name}", given, "a UUID in small letters")
    _require(isinstance(data.get("name", ""), str), f"{path}: name", data.get("name"), "a text")
    version = data.get("versionNumber", 1)
    _require(type(version) is int, f"{path}: versionNumber", version, "a whole number")
    defaults = data.get("defaultAttributes") or {}
    fits = isinstance(defaults, dict) and all(isinstance(one, dict) for one in defaults.values())
    _require(fits, f"{path}: defaultAttributes", defaults, "an object of objects, such as customAttributes")


def _require(fits: bool, place: str, value: Any, wanted: str) -> None:  # noqa: FBT001 - the finding itself
    if not fits:
        raise ValueError(f"{place}: must be {wanted}, is {value!r:.100}")


def mapped(value: Any, place: str, change: Callable[[str, str], str]) -> Any:
    """Return a value with each text in it changed by a function of the text and its place."""
    if isinstance(value, str):
        return change(value, place)
    if isinstance(value, dict):
        return {name: mapped(one, f"{place}.{name}", change) for name, one in value.items()}
    if isinstance(value, list):
        return [mapped(one, f"{place}[{index}]", change) for index, one in enumerate(value)]
    return value
