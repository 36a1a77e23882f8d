"""Limits for the size, the nesting, and the numbers of a campaign. A value beyond them is a mistake.

A parser that is given too much ends in an error of its own (its stack, its memory), or never: so a file is bounded
before it is parsed, and what it holds before it is walked.
"""

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from bulk.errors import CampaignError

LARGEST = 8 * 2**20  # bytes of a campaign, or of its request: an email has at most 5 MB
DEEPEST = 50  # tables in tables; the API's own shapes have at most a dozen
MOST = 100_000  # values, with what YAML's aliases stand for written out
HIGHEST = 1_000_000  # of rates, bursts and counts
LOWEST = 1e-6  # of rates: one call in eleven days
LONGEST = 120 * 366 * 86400.0  # seconds of a duration: a life

_KINDS = {stat.S_IFDIR: "Is a directory", stat.S_IFIFO: "it is a pipe"}
_DOTTED = re.compile(r"(?<![\w-])(?:[\w-]++\s*+\.\s*+)++")


def text_of(path: Path) -> str:
    """Read a file of the campaign. Raises `CampaignError`: no file, not UTF-8, or larger than `LARGEST`."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe that nobody writes to would block for ever
        mode = os.fstat(handle).st_mode
        if not stat.S_ISREG(mode):
            os.close(handle)
            kind = _KINDS.get(stat.S_IFMT(mode), "it is a device")
            raise CampaignError(f"{path}: cannot be read: {kind} and no file; name the file itself")
        with os.fdopen(handle, "rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise CampaignError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:  # a name with a zero byte
        raise CampaignError(f"{str(path)!r}: cannot be read: {error}") from None
    if len(content) > LARGEST:
        raise CampaignError(f"{path}: larger than {LARGEST // 2**20} MB, and no campaign; name the campaign's file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CampaignError(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def check_keys(text: str) -> None:
    """Raise `ValueError` for a dotted key so long that its parser would never come to an end."""
    for found in _DOTTED.finditer(text):
        if found[0].count(".") > DEEPEST:
            line = text.count("\n", 0, found.start()) + 1
            raise ValueError(f"nested more than {DEEPEST} deep (at line {line})")


def check_values(data: Any) -> None:
    """Raise `ValueError` for what is nested too deeply, or holds too much."""
    left, waiting = MOST, [(data, 1)]
    while waiting:
        value, depth = waiting.pop()
        inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
        left -= 1 + len(inner)
        if depth > DEEPEST and inner:
            raise ValueError(f"nested more than {DEEPEST} deep")
        if left < 0:
            raise ValueError(f"more than {MOST:,} values")
        waiting += [(one, depth + 1) for one in inner]


def check_aliases(node: yaml.Node) -> None:
    """Raise `ValueError` where what YAML's aliases stand for, written out, would be too much: before it is."""
    sizes: dict[int, int] = {}
    waiting = [node]
    while waiting:
        one = waiting[-1]
        inner = [part for part in _parts(one) if id(part) not in sizes]
        if id(one) not in sizes and inner and sizes.setdefault(-id(one), 0) == 0:
            sizes[-id(one)] = 1  # entered: met again while within, it holds itself
            if any(sizes.get(-id(part)) == 1 for part in inner):
                raise ValueError("an alias that holds itself")
            waiting += inner
            continue
        waiting.pop()
        sizes[-id(one)] = 2
        sizes[id(one)] = 1 + sum(sizes[id(part)] for part in _parts(one))
        if sizes[id(one)] > MOST:
            raise ValueError(f"more than {MOST:,} values")


def _parts(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []
