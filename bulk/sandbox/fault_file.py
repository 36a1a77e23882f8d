"""Reads a file of faults, TOML or JSON. Errors name the line."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_PLACE = re.compile(r"(?:faults\.)?(?:rules\[(?P<rule>\d+)\])?\.?(?P<key>[^:\[\s]*)(?:\[\d+\])?:")
_HEADER = re.compile(r"^[ \t]*\[\[?[ \t]*([\w.\"']+)[ \t]*\]\]?", re.MULTILINE)
_RULES = re.compile(r"[\"']?rules[\"']?\s*[:=]\s*\[")


def read_file(path: Path) -> dict[str, Any]:
    """Read a faults file, `.json` or TOML; raises `ValueError` with the file's name where it is neither."""
    is_json = path.suffix == ".json"
    try:
        text = path.read_text(encoding="utf-8-sig")
        data = json.loads(text) if is_json else tomllib.loads(text)
    except (ValueError, RecursionError) as trouble:
        raise ValueError(f"{path}: is not {'JSON' if is_json else 'TOML'}: {trouble}") from None
    if not isinstance(data, dict):
        raise ValueError(f"{path}: must be an object with seed, throttle_code, rules, is {data!r}")  # noqa: TRY004 - a file
    return data


def located(path: Path, message: str) -> str:
    """Put file and line before a message that begins with the place of what is wrong."""
    found = _PLACE.match(message)
    line = None if found is None else find_line(path.read_text(encoding="utf-8-sig"), found["rule"], found["key"])
    return f"{path}: {message}" if line is None else f"{path}: line {line}: {message}"


def find_line(text: str, rule: str | None, key: str) -> int | None:
    """Return the line of a key: of the rule with this index, from 0, or at the top; None where it is not found."""
    start, end = 0, len(text)
    if rule is not None:
        spans = list(_rules(text))
        if int(rule) >= len(spans):
            return None
        start, end = spans[int(rule)]
    found = re.compile(rf"""(?:^|[{{,]|\n)\s*["']?{re.escape(key)}["']?\s*[:=]""").search(text, start, end)
    if key and found is not None:
        start = found.end() - 1
    elif rule is None:
        return None
    return text.count("\n", 0, start) + 1


def _rules(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each rule begins and ends: in an array of tables, or in a list."""
    headers = [
        (one.start() + len(one[0]) - len(one[0].lstrip()), one[1].strip("\"'")) for one in _HEADER.finditer(text)
    ]
    if any(name == "rules" for _, name in headers) and (found := _RULES.search(text)) is None:
        ends = [start for start, _ in headers[1:]] + [len(text)]
        yield from ((start, end) for (start, name), end in zip(headers, ends, strict=True) if name == "rules")
    elif (found := _RULES.search(text)) is not None:
        yield from _objects(text, found.end())


def _objects(text: str, at: int) -> Iterator[tuple[int, int]]:
    """Yield the outermost `{…}` from a place on; braces in texts are passed over."""
    depth, start = 0, at
    for mark in re.compile(r"""\"(?:\\.|[^"\\])*\"|'[^']*'|#[^\n]*|[{}\]]""").finditer(text, at):
        if mark[0] == "{":
            start = mark.start() if depth == 0 else start
            depth += 1
        elif mark[0] == "}":
            depth -= 1
            if depth == 0:
                yield start, mark.end()
        elif mark[0] == "]" and depth == 0:
            return
