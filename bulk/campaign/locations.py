"""The line of each key in a TOML file: the parser does not report it, and error messages need it."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bulk.campaign.bounds import DEEPEST

_PLACE = re.compile(r"(?:\[(?P<table>[^\]]+)\] ?)?(?P<key>(?:[^\s:]|:(?=\S))*):? ")


def placed(message: str, path: Path, text: str) -> str:
    """Put file and line before each line of a message that begins with `[table] key:` or `key:`."""
    found = _places(text)
    return "\n".join(_placed(line, path, found) for line in message.splitlines())


def line_of(text: str, names: Sequence[str]) -> int | None:
    """Return the line, from 1, of the key of that dotted path, else of the longest part of it that the file spells."""
    return _line(_places(text), names)


def _places(text: str) -> Mapping[tuple[str, ...], int]:
    """Return the line of each key, and of each table on its way. Deeper than any campaign goes none is looked for."""
    found: dict[tuple[str, ...], int] = {}
    for number, path in _keys(text):
        for length in range(1, min(len(path), DEEPEST) + 1):
            found.setdefault(path[:length], number)
    return found


def _line(found: Mapping[tuple[str, ...], int], names: Sequence[str]) -> int | None:
    lengths = range(min(len(names), DEEPEST), 0, -1)
    return next((found[tuple(names[:length])] for length in lengths if tuple(names[:length]) in found), None)


def _placed(line: str, path: Path, found_at: Mapping[tuple[str, ...], int]) -> str:
    found = _PLACE.match(line)
    names = [*(found["table"] or "").split("."), *re.split(r"\.|\[\d+\]", found["key"])] if found else []
    number = _line(found_at, [name for name in names if name])
    return f"{path}:{number}: {line}" if number else f"{path}: {line}"


def _keys(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield each line that spells a key or opens a table, with the dotted path of that."""
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if header := re.match(r"\[\[?([^\[\]]+)\]", stripped):
            table = _path(header[1])
            yield number, table
        elif "=" in stripped and (path := _path(stripped.partition("=")[0])):
            yield number, (*table, *path)


def _path(key: str) -> tuple[str, ...]:
    """Read a dotted key as TOML does; empty where it is none."""
    try:
        value: object = tomllib.loads(f"{key} = 0")
    except tomllib.TOMLDecodeError:
        return ()
    path: list[str] = []
    while isinstance(value, dict) and len(value) == 1:
        ((name, value),) = value.items()
        path.append(name)
    return tuple(path)
