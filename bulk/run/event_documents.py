"""Reads events from files, objects in S3, and messages of a queue, and removes the envelopes around them.

An envelope is what Amazon SNS ("Message") or Amazon EventBridge ("detail") puts around an event.
"""

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, cast

_DECODER = json.JSONDecoder()
_WHOLE = 64 << 20  # bytes of a file that is read whole, where an object takes several lines
_DEEPEST = 4  # envelopes around an event

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Malformed:
    """Something that is no event: where it stands, and why it is none."""

    place: str
    why: str

    def __str__(self) -> str:
        return f"{self.place}: {self.why}"


NO_JSON = "no JSON; events are one JSON object a line (NDJSON)"
NO_OBJECT = "no JSON object; events are one JSON object a line (NDJSON)"


def files_in(path: Path) -> list[Path]:
    """Return a file, or the files of a folder in the order of their names."""
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def events_in(file: Path, name: str) -> Iterator[Event | Malformed]:
    """Yield the events of a file, `.gz` too, and what in it is none; `name` is what it is called."""
    try:
        with _opened(file) as lines:
            for number, line in enumerate(lines, 1):
                found = list(events_of(line, f"{name}, line {number}"))
                if number == 1 and any(isinstance(one, Malformed) for one in found) and (one := _whole(file)):
                    yield unwrapped(one)
                    return
                yield from found
    except (OSError, EOFError) as error:
        yield Malformed(name, f"the events cannot be read: {getattr(error, 'strerror', None) or error}")
    except UnicodeDecodeError:
        yield Malformed(name, "the events are no text in UTF-8")


def _opened(file: Path) -> TextIO:
    if file.suffix == ".gz":
        return cast("TextIO", gzip.open(file, "rt", encoding="utf-8-sig"))
    return file.open(encoding="utf-8-sig")


def _whole(file: Path) -> Event | None:
    """Return the one object that a file is, over several lines, such as a transcript; None where it is none."""
    if file.stat().st_size > _WHOLE:
        return None
    with _opened(file) as text:
        try:
            found = json.loads(text.read(_WHOLE))
        except (ValueError, RecursionError):
            return None
    return found if isinstance(found, Mapping) else None


def events_of(text: str, place: str) -> Iterator[Event | Malformed]:
    """Yield the events of a text, one object after the other; nothing is read behind what is none."""
    text, at = text.strip(), 0
    while at < len(text):
        try:
            told, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            yield Malformed(place, NO_JSON)
            return
        while at < len(text) and text[at] in " \t\r\n,":
            at += 1
        if not isinstance(told, Mapping):
            yield Malformed(place, NO_OBJECT)
            return
        yield unwrapped(told)


def unwrapped(told: Event) -> Event:
    """Return the event in its envelopes; one that is none of ours stays as it is."""
    for _ in range(_DEEPEST):
        inner: Any = told.get("detail")
        if told.get("Type") == "Notification" and isinstance(told.get("Message"), str):
            try:
                inner = json.loads(told["Message"])
            except (ValueError, RecursionError):
                return told
        if not isinstance(inner, Mapping):
            return told
        told = inner
    return told
