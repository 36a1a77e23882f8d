"""Where in a TOML file a key stands: the parser does not say, and an error has to."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

_PLACE = re.compile(r"(?:\[(?P<table>[^\]]+)\] ?)?(?P<key>(?:[^\s:]|:(?=\S))*):? ")


def placed(message: str, path: Path, text: str) -> str:
    """Put file and line before each line of a message that begins with `[table] key:` or `key:`."""
    return "\n".join(_placed(line, path, text) for line in message.splitlines())


def line_of(text: str, names: Sequence[str]) -> int | None:
    """Give the line, from 1, of the key of that dotted path, else of the longest part of it that the file spells."""
    found: dict[tuple[str, ...], int] = {}
    for number, path in _keys(text):
        for length in range(1, len(path) + 1):
            found.setdefault(path[:length], number)
    lengths = range(len(names), 0, -1)
    return next((found[tuple(names[:length])] for length in lengths if tuple(names[:length]) in found), None)


def _placed(line: str, path: Path, text: str) -> str:
    found = _PLACE.match(line)
    names = [*(found["table"] or "").split("."), *re.split(r"\.|\[\d+\]", found["key"])] if found else []
    number = line_of(text, [name for name in names if name])
    return f"{path}:{number}: {line}" if number else f"{path}: {line}"


def _keys(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Give each line that spells a key or opens a table, with the dotted path of that."""
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
