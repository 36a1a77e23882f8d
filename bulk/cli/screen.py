"""Where output goes: data to stdout, messages for people to stderr, as text or as JSON."""

import logging
import os
import sys
import textwrap
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from bulk.cli import logs, process
from bulk.text.plain import one_line, plain_lines

if TYPE_CHECKING:
    from bulk.run.results import ResultsPreview

log = logging.getLogger("bulk")


NARROWEST, WIDEST = 40, 100  # columns that text is wrapped to
LOWEST = 24  # lines of a terminal


def set_json(ctx: click.Context, _param: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's callback
    ctx.find_root().meta["bulk.json"] = value


def set_quiet(ctx: click.Context, _param: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's callback
    ctx.find_root().meta["bulk.quiet"] = value
    if value:
        log.addFilter(lambda record: record.levelno >= logging.WARNING)


def set_level(_ctx: click.Context, _param: click.Parameter, value: str) -> None:
    logs.set_level(value)


def set_format(_ctx: click.Context, _param: click.Parameter, value: str) -> None:
    logs.set_up(_tell_line, value)


def set_progress(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    ctx.find_root().meta["bulk.progress"] = value


def progress() -> str | None:
    """Return how progress is to be shown: `plain`, `live` or `none`; None where nothing is said."""
    shown: str | None = click.get_current_context().find_root().meta.get("bulk.progress")
    return shown


def can_redraw() -> bool:
    """Whether stderr is a terminal that can move its cursor."""
    return sys.stderr.isatty() and os.environ.get("TERM", "").lower() not in {"dumb", "unknown"}


def begin() -> None:
    """Log as text until the options say otherwise."""
    logs.set_up(_tell_line)
    logs.set_level("info")


def is_json() -> bool:
    """Whether the outcome goes to stdout as one JSON object."""
    return _said("bulk.json")


def is_quiet() -> bool:
    """Whether only complaints are wanted."""
    return _said("bulk.quiet")


def is_logged() -> bool:
    """Whether all that is said on stderr is JSON, line by line."""
    return logs.is_json()


def size(stream: IO[str] | None = None) -> tuple[int, int]:
    """Return the columns and lines that text may take where a person reads a stream, stderr if none is given."""
    stream = stream or sys.stderr
    if not stream.isatty():
        return WIDEST, LOWEST
    try:
        columns, lines = os.get_terminal_size(stream.fileno())
    except OSError:
        return WIDEST, LOWEST
    columns, lines = _told("COLUMNS") or columns or WIDEST, _told("LINES") or lines
    return max(NARROWEST, min(columns, WIDEST)), max(LOWEST, lines)


def _told(variable: str) -> int:
    """Return a number of the environment, 0 where there is none."""
    said = os.environ.get(variable, "")
    return int(said) if said.isascii() and said.isdigit() else 0


def is_terminal() -> bool:
    """Whether a person is there to look and to answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def is_looked_at() -> bool:
    """Whether a person reads stderr as it is written, and not a log."""
    return sys.stderr.isatty() and not is_logged()


def _said(name: str) -> bool:
    return bool(click.get_current_context().find_root().meta.get(name))


def show(data: Any, text: str) -> None:
    """Print the outcome of a command on stdout: `data` as one JSON object where that is wanted, else the text.

    Ends the program with 1 where that cannot be written.
    """
    try:
        click.echo(logs.as_json(data) if is_json() else plain_lines(text))
    except BrokenPipeError:  # nobody reads on, which is no trouble: click ends the program
        raise
    except OSError as error:
        _mute(sys.stdout)
        complain(f"stdout cannot be written: {error.strerror}")
        sys.exit(1)


def say(text: str) -> None:
    """Show something to people."""
    if is_quiet() or not text:
        return
    if is_logged():
        for line in text.splitlines():  # a message is a line
            log.info(line)
    else:
        _tell(text)


def say_ends(preview: "ResultsPreview") -> None:
    """Show the first rows and the troubles by reason as a table; in JSON, each reason as a message with its facts."""
    from bulk.cli import results_text

    if is_logged():
        for said, facts in results_text.reasons(preview):
            log.info(said, extra={"facts": facts})
    elif not is_json():
        say(results_text.preview(preview, size()[0], masked=not is_looked_at()))


def complain(text: str, *, lines: bool = False) -> None:
    """Show what is wrong, in one line unless there are several things."""
    text = text if lines else one_line(text)
    if is_logged():
        log.error(text)
    else:
        _tell(f"bulk: {text}")


def refuse(error: click.ClickException, words: Sequence[str]) -> None:
    """Show what is wrong with a command line, in the form that it asks for: its options were not read to their end."""
    if _format_of(words) == "json":
        logs.set_up(_tell, "json")
        log.error(error.format_message())
    else:
        error.show()


def _format_of(words: Sequence[str]) -> str | None:
    """Return the last `--log-format` of a command line, else that of the environment."""
    spaced = (value for name, value in pairwise(words) if name == "--log-format")
    joined = (word.partition("=")[2] for word in words if word.startswith("--log-format="))
    return next(iter([*spaced, *joined][::-1]), os.environ.get("BULK_LOG_FORMAT"))


def print_error(error: Exception) -> None:
    """Show what went wrong: on one line, but for what is wrong with a campaign, which may be several things."""
    from bulk.errors import CampaignError

    complain(str(error), lines=isinstance(error, CampaignError))


def check_somebody_is_there() -> None:
    """Raise `CampaignError` where nobody can be asked."""
    from bulk.errors import CampaignError

    if not is_terminal():
        raise CampaignError("nobody is there to be asked: say --yes to send, or --sandbox to rehearse")


def ask(plan: str) -> None:
    """Show what would be sent and ask. Raises `CampaignError` where the answer is no."""
    from bulk.errors import CampaignError

    click.echo(plan, err=True)
    try:
        agreed = process.confirmed("\nSend?")
    except KeyboardInterrupt:
        _tell("\nnothing was sent")
        raise
    if not agreed:
        raise CampaignError("nothing was sent")


def _tell(text: str) -> None:
    """Write to stderr. Where that cannot be (a full disk, a pipe that nobody reads), the work goes on in silence."""
    try:
        click.echo(plain_lines(text), err=True)
    except OSError:
        _mute(sys.stderr)


def _tell_line(text: str) -> None:
    """Write a line of the log: on a terminal, broken between words."""
    if is_looked_at():
        width, _ = size()
        text = "\n".join(
            textwrap.wrap(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
        )
    _tell(text)


def _mute(stream: IO[str]) -> None:
    """Let nothing more come of a stream that cannot be written, not even at the end of the program."""
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())
