"""Where words go: data to stdout, words for people to stderr, as text or as JSON."""

import json
import logging
import os
import sys
import time
from pathlib import Path
from typing import IO, Any

import click

from bulk.wording import one_line, plain_lines

log = logging.getLogger("bulk")


def set_json(ctx: click.Context, _param: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's callback
    ctx.find_root().meta["bulk.json"] = value


def set_quiet(ctx: click.Context, _param: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's callback
    ctx.find_root().meta["bulk.quiet"] = value
    if value:
        log.addFilter(lambda record: record.levelno >= logging.WARNING)


def set_level(_ctx: click.Context, _param: click.Parameter, value: str) -> None:
    log.setLevel(value.upper())


def set_format(_ctx: click.Context, _param: click.Parameter, value: str) -> None:
    stderr = _Stderr()
    stderr.setFormatter(_Json() if value == "json" else _Text())
    log.handlers, log.propagate = [stderr], False


def is_json() -> bool:
    """Whether the outcome goes to stdout as one JSON object."""
    return _said("bulk.json")


def is_quiet() -> bool:
    """Whether only complaints are wanted."""
    return _said("bulk.quiet")


def is_logged() -> bool:
    """Whether all that is said on stderr is JSON, line by line."""
    return any(isinstance(handler.formatter, _Json) for handler in log.handlers)


def is_terminal() -> bool:
    """Whether a person is there to look and to answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def is_looked_at() -> bool:
    """Whether a person reads stderr as it is written, and not a log."""
    return sys.stderr.isatty() and not is_logged()


def _said(name: str) -> bool:
    return bool(click.get_current_context().find_root().meta.get(name))


def show(data: Any, text: str) -> None:
    """Give the outcome of a command on stdout: `data` as one JSON object where that is wanted, else the text.

    Ends the program with 1 where that cannot be written.
    """
    try:
        click.echo(_as_json(data) if is_json() else plain_lines(text))
    except BrokenPipeError:  # nobody reads on, which is no trouble: click ends the program
        raise
    except OSError as error:
        _mute(sys.stdout)
        complain(f"stdout cannot be written: {error.strerror}")
        sys.exit(1)


def say(text: str) -> None:
    """Say something to people."""
    if is_quiet() or not text:
        return
    if is_logged():
        log.info(text)
    else:
        _tell(text)


def complain(text: str, *, lines: bool = False) -> None:
    """Say what is wrong, in one line unless there are several things."""
    text = text if lines else one_line(text)
    if is_logged():
        log.error(text)
    else:
        _tell(f"bulk: {text}")


def _tell(text: str) -> None:
    """Write to stderr. Where that cannot be (a full disk, a pipe that nobody reads), the work goes on in silence."""
    try:
        click.echo(plain_lines(text), err=True)
    except OSError:
        _mute(sys.stderr)


def _mute(stream: IO[str]) -> None:
    """Let nothing more come of a stream that cannot be written, not even at the end of the program."""
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


class _Stderr(logging.Handler):
    """Writes to what stderr is at the moment: a live bar takes its place for a while."""

    def emit(self, record: logging.LogRecord) -> None:
        _tell(self.format(record))


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%H:%M:%S", time.localtime(record.created))
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        return f"{at} {level}{one_line(record.getMessage())}"


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))
        facts = getattr(record, "facts", {})
        said = {"at": at, "level": record.levelname.lower(), "message": record.getMessage(), **facts}
        return _as_json(said)


def _as_json(data: Any) -> str:
    """Write JSON in which whatever could steer a terminal is spelt out, C1 and the marks of direction included."""
    text = json.dumps(data, ensure_ascii=False, default=str)
    return text if text.isprintable() else "".join(s if s.isprintable() else json.dumps(s)[1:-1] for s in text)
