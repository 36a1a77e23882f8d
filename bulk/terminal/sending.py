"""`bulk send` on a terminal: the plan and the question before, progress during, signals at any time."""

import gc
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import click
from anyio.abc import TaskStatus

from bulk.errors import CampaignError
from bulk.run import Progress, Run, check
from bulk.run import send as run_send
from bulk.stopping import Stop
from bulk.terminal import hints, running, screen, words

EVERY_LINE = 10.0  # seconds between two lines of a log
EVERY_FRAME = 0.2  # seconds between two looks at a bar
PLANNED = hints.RUN | hints.REACH | hints.PACE | {"only"}

Watch = Callable[[Progress], None]


async def survey(campaign: Path, options: dict[str, Any]) -> str:
    """Tell what would be sent, to a person who is there to be asked. Raises `CampaignError` where nobody is."""
    check_somebody_is_there()
    return words.plan(await check(campaign, **{name: options[name] for name in PLANNED}))


def check_somebody_is_there() -> None:
    """Raise `CampaignError` where nobody can be asked."""
    if not screen.is_terminal():
        raise CampaignError("nobody is there to be asked: say --yes to send, or --sandbox to rehearse")


def ask(plan: str) -> None:
    """Show what would be sent and ask. Raises `CampaignError` where the answer is no."""
    click.echo(plan, err=True)
    if not running.confirmed("\nSend?"):
        raise CampaignError("nothing was sent")


async def send(campaign: Path, options: dict[str, Any]) -> Run:
    """Send a campaign: progress on stderr, until its end or a signal."""
    stop = Stop()
    _settle()
    async with anyio.create_task_group() as group:
        await group.start(_obey_signals, stop)
        with _watching() as (watch, every):
            run = await run_send(campaign, stop=stop, watch=watch, every=every, **options)
        group.cancel_scope.cancel()
    return run


def _settle() -> None:
    """Tell the collector that the modules stay, and that many short-lived objects are the work itself, not a leak.

    Searching hundreds of thousands of objects of the SDK's for garbage again and again took a fifth of each call.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


async def _obey_signals(stop: Stop, *, task_status: TaskStatus[None]) -> None:
    """End well at the first signal, at once at the second."""
    with anyio.open_signal_receiver(*heeded()) as signals:
        task_status.started()
        leaving = False
        async for number in signals:
            code = exit_code(number)
            if leaving:
                screen.say(f"{number.name}: left at once. What was in flight is in doubt, and settled by: {_again()}")
                os._exit(code)
            leaving = True
            screen.say(f"{number.name}: finishing what is in flight; once more to leave at once")
            stop.ask(f"interrupted by {number.name}", code)


ENDING = signal.SIGINT, signal.SIGTERM, signal.SIGHUP


def heeded() -> list[signal.Signals]:
    """Return the signals that end a run. Whoever ignores one (`nohup`, a job in the background) keeps that."""
    return [number for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN]


def exit_code(number: signal.Signals) -> int:
    """Return the exit code of a run that a signal ended: a terminal that is gone (SIGHUP) ends it as SIGTERM does."""
    return 128 + (signal.SIGTERM if number is signal.SIGHUP else number)


def _again() -> str:
    return hints.again("send", *(("--sandbox",) if click.get_current_context().params.get("sandbox") else ()))


@contextmanager
def _watching() -> Iterator[tuple[Watch | None, float]]:
    """Give what shows the progress: a bar to a person, lines to a log."""
    if screen.is_quiet():
        yield None, EVERY_LINE
    elif screen.is_terminal() and not screen.is_logged():
        with _bar() as watch:
            yield watch, EVERY_FRAME
    else:
        yield _log, EVERY_LINE


def _log(told: Progress) -> None:
    screen.log.info(words.progress(told), extra={"facts": told.as_dict()})


@contextmanager
def _bar() -> Iterator[Watch]:
    from rich.console import Console, Group  # noqa: PLC0415 - only a terminal needs it
    from rich.live import Live  # noqa: PLC0415
    from rich.progress_bar import ProgressBar  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    with Live(console=Console(stderr=True), auto_refresh=False, transient=True) as live:

        def watch(told: Progress) -> None:
            line = Text(words.progress(told), no_wrap=True, overflow="ellipsis")
            live.update(Group(line, ProgressBar(told.total, told.done, width=words.WIDTH)), refresh=True)

        yield watch
