"""A fault is one small change of one file, and the text after it."""

import ast
import hashlib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Fault:
    """One change: `start` and `end` are offsets in the file's bytes, `text` is what stands there instead.

    `place` is the function, the constant or the table that it lies in, and `kind` is what is done. `was` and `now` are
    the changed lines before and after, without their indentation. `turn` counts faults that are alike in all of these.
    """

    path: str
    place: str
    line: int
    kind: str
    was: str
    now: str
    start: int
    end: int
    text: bytes
    turn: int = 1

    @property
    def key(self) -> str:
        """Return what names this fault whatever else changes in its file: no line number is part of it."""
        again = f" #{self.turn}" if self.turn > 1 else ""
        return f"{self.path} {self.place}: {self.was} -> {self.now or '(removed)'}{again}"

    def applied(self, source: bytes) -> bytes:
        """Return the file with this fault in it."""
        return source[: self.start] + self.text + source[self.end :]


@dataclass(frozen=True, slots=True)
class Change:
    """A change as it is found, before its lines are known."""

    place: str
    kind: str
    start: int
    end: int
    text: str


def faults(path: str, source: bytes, changes: Iterator[Change]) -> Iterator[Fault]:
    """Yield a fault for each change after which the file can still be read and means something else."""
    before = _meaning(path, source)
    seen: dict[str, int] = {}
    for change in changes:
        text = change.text.encode()
        after = source[: change.start] + text + source[change.end :]
        if _meaning(path, after) in (None, before):
            continue
        first = source.rfind(b"\n", 0, change.start) + 1
        ends = change.end - source.endswith(b"\n", 0, change.end)  # a whole line is taken with its end
        last = source.find(b"\n", max(ends, change.start)) % (len(source) + 1)  # -1, where there is none, is the end
        was = _flat(source[first:last])
        now = _flat(source[first : change.start] + text + source[change.end : max(last, change.end)])
        line = source.count(b"\n", 0, change.start) + 1
        alike = f"{change.place}: {was} -> {now}"
        seen[alike] = seen.get(alike, 0) + 1
        yield Fault(path, change.place, line, change.kind, was, now, change.start, change.end, text, seen[alike])


def digest(path: Path) -> str:
    """Return a name for what a file holds."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _meaning(path: str, source: bytes) -> object:
    """Return what a file says whatever its layout; None where it cannot be read."""
    try:
        return tomllib.loads(source.decode()) if path.endswith(".toml") else ast.dump(ast.parse(source))
    except (SyntaxError, ValueError):
        return None


def _flat(lines: bytes) -> str:
    return " ".join(lines.decode().split())
