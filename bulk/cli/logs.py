"""Logging to stderr, of the program and of every library: text, or one JSON object on each line.

Libraries log through the same handler, from warnings on; with `--log-level debug` also what they say as information,
but never what they say for debugging: the SDK's prints bodies, signatures and answers. Their words are cut short, on
one line, and without what reads like a destination. Tracebacks are for debugging alone, and then without their last
line, which may quote anything.
"""

import json
import logging
import re
import time
import traceback
from collections.abc import Callable
from typing import Any

from bulk.run.label import label
from bulk.text.plain import one_line, plain

OURS = "bulk"
LONGEST = 500  # characters of a message that is not ours

_DESTINATION = re.compile(r"\+?\d[\d ().-]{7,}\d|[^\s@<>\"']{1,64}@[^\s@<>\"']+")


def set_up(tell: Callable[[str], None], form: str = "text") -> None:
    """Log to `tell` from now on, whoever logs; `form` is `text` or `json`."""
    handler = Handler(tell)
    handler.setFormatter(_Json() if form == "json" else _Text())
    root = logging.getLogger()
    root.handlers = [handler]
    ours = logging.getLogger(OURS)
    ours.handlers, ours.propagate = [], True
    logging.captureWarnings(capture=True)


def set_level(name: str) -> None:
    """Log from this level on; libraries from warnings on, or, where all is wanted, from information on."""
    level = logging.getLevelNamesMapping()[name.upper()]
    logging.getLogger(OURS).setLevel(level)
    logging.getLogger().setLevel(logging.INFO if level <= logging.DEBUG else max(level, logging.WARNING))


def is_json() -> bool:
    """Whether all that is said on stderr is JSON, line by line."""
    return any(isinstance(handler.formatter, _Json) for handler in logging.getLogger().handlers)


class Handler(logging.Handler):
    """Writes to what stderr is at the moment: a live bar takes its place for a while."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__()
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        self._tell(self.format(record))


def as_json(data: Any) -> str:
    """Return JSON in which whatever could steer a terminal is spelled out, C1 and the marks of direction included."""
    text = json.dumps(data, ensure_ascii=False, default=str)
    return text if text.isprintable() else "".join(s if s.isprintable() else json.dumps(s)[1:-1] for s in text)


def _message(record: logging.LogRecord) -> str:
    """Return what a record says: ours as it is, that of a library made safe."""
    try:
        said = record.getMessage()
    except (TypeError, ValueError):  # a library's own mistake
        said = str(record.msg)
    if record.name == OURS:
        return one_line(said)
    first = said[:LONGEST].strip().partition("\n")[0]
    kind = f" ({record.exc_info[0].__name__})" if record.exc_info and record.exc_info[0] else ""
    return f"{record.name}: {_DESTINATION.sub('…', plain(first))}{kind}"


def _trace(record: logging.LogRecord) -> list[str]:
    """Return the places of a traceback, where all is wanted."""
    if not record.exc_info or logging.getLogger(OURS).level > logging.DEBUG:
        return []
    return [f"{place.filename}:{place.lineno} {place.name}" for place in traceback.extract_tb(record.exc_info[2])]


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%H:%M:%S", time.localtime(record.created))
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        named = f"{plain(name)}: " if (name := label.get()) else ""
        return "\n".join([f"{at} {level}{named}{_message(record)}", *(f"  {place}" for place in _trace(record))])


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))
        facts = getattr(record, "facts", {})
        named = {"campaign": name} if (name := label.get()) else {}
        said = {"at": at, "level": record.levelname.lower(), **named, "message": _message(record), **facts}
        if trace := _trace(record):
            said["trace"] = trace
        return as_json(said)
