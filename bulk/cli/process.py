"""Runs the work of a command to its end, and handles Ctrl-C before, during, and after it.

Python's own handler raises `KeyboardInterrupt` wherever the program happens to be. In the middle of loading a library,
or of leaving, somebody swallows that, or it ends in a traceback. So where there is nothing to put in order yet, or any
more, an interrupt ends the program there and then. Whoever has another handler, or ignores interrupts (`nohup`, a job
in the background), keeps that.
"""

import atexit
import os
import select
import signal
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from types import FrameType
from typing import Any, NoReturn, ParamSpec, TypeVar

import click

P = ParamSpec("P")
T = TypeVar("T")

INTERRUPTED = 130  # exit code: 128 and the number of SIGINT
ANSWERS = {"y": True, "yes": True, "n": False, "no": False, "": False}


def _leave(_number: int, _frame: FrameType | None) -> None:
    os._exit(INTERRUPTED)


def end_at_once() -> None:
    """End the program at an interrupt from now on; at the very end, where Python keeps no handler, ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)


def leave_interrupted() -> NoReturn:
    """End with the exit code of an interrupt.

    Where an interrupt has ended code made from text, such as a dataclass's, `python -m` remembers it though it was
    caught, and dies of the signal at its end. It forgets when other such code is run.
    """
    eval("0")  # noqa: S307 - a text of our own; what it is for stands above
    sys.exit(INTERRUPTED)


def open_streams() -> None:
    """Open what is closed of stdin, stdout and stderr, on nothing: else the next file to be opened takes its place."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)


def to_the_end(work: Callable[P, Awaitable[T]], *args: P.args, **options: P.kwargs) -> T:
    """Do a command's work. Raises what it raises, and `KeyboardInterrupt` where it was interrupted."""
    return _done({}, work, *args, **options)


def to_the_virtual_end(work: Callable[P, Awaitable[T]], *args: P.args, **options: P.kwargs) -> T:
    """Do a command's work in virtual time; else as `to_the_end`."""
    from bulk.pacing.virtual_time import VirtualLoop

    return _done({"loop_factory": VirtualLoop}, work, *args, **options)


def _done(backend: dict[str, Any], work: Callable[P, Awaitable[T]], *args: P.args, **options: P.kwargs) -> T:
    import anyio

    anyio.run(anyio.sleep, 0)  # loads the event loop: an import must not be interrupted halfway
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return anyio.run(partial(work, *args, **options), backend_options=backend)
    except BaseExceptionGroup as group:
        raise _cause(group) from None


def confirmed(question: str) -> bool:
    """Ask a person at a terminal and return whether the answer is yes; the end of stdin is a no.

    Python hears an interrupt between two of its own instructions only: one that comes after the question is shown, and
    before `input` waits, would be unheard until the next key. So the wait is for a line or for a signal, whichever is
    first: `signal.set_wakeup_fd` writes to a pipe at the moment of the signal.
    """
    signalled, signalling = os.pipe()
    os.set_blocking(signalling, False)
    before = signal.set_wakeup_fd(signalling)
    try:
        while True:
            click.echo(f"{question} [y/N]: ", nl=False, err=True)
            select.select([sys.stdin, signalled], [], [])
            answer = sys.stdin.readline().strip().casefold()
            if answer in ANSWERS:
                return ANSWERS[answer]
            click.echo("answer y or n", err=True)
    finally:
        signal.set_wakeup_fd(before)
        os.close(signalled)
        os.close(signalling)


ENDING = signal.SIGINT, signal.SIGTERM, signal.SIGHUP


def stop_signals() -> list[signal.Signals]:
    """Return the signals that end a run. Whoever ignores one (`nohup`, a job in the background) keeps that."""
    return [number for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN]


def exit_code(number: signal.Signals) -> int:
    """Return the exit code of a run that a signal ended: a terminal that is gone (SIGHUP) ends it as SIGTERM does."""
    return 128 + (signal.SIGTERM if number is signal.SIGHUP else number)


def _cause(error: BaseException) -> BaseException:
    """Take what one of several tasks died of out of its group; an interrupt comes before all else."""
    if isinstance(error, BaseExceptionGroup) and error.subgroup(KeyboardInterrupt):
        return KeyboardInterrupt()
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
