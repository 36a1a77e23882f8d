"""`bulk send` on a terminal: the plan and the question before, progress during, signals at any time."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import click

from bulk.errors import CampaignError
from bulk.run import Progress, Run, check
from bulk.run import send as run_send
from bulk.stopping import Stop
from bulk.terminal import screen

EVERY_LINE = 10.0  # seconds between two lines of a log
EVERY_FRAME = 0.2  # seconds between two looks at a bar

Watch = Callable[[Progress], None]


async def send(campaign: Path, *, yes: bool, **options: Any) -> Run:
    """Send a campaign, asking first where somebody is there to be asked."""
    if not (yes or options["sandbox"] or options["dry_run"]):
        await _ask(campaign, options)
    stop = Stop()
    async with anyio.create_task_group() as group:
        group.start_soon(_obey_signals, stop)
        with _watching() as (watch, every):
            run = await run_send(campaign, stop=stop, watch=watch, every=every, **options)
        group.cancel_scope.cancel()
    return run


async def _ask(campaign: Path, options: dict[str, Any]) -> None:
    if not screen.is_terminal():
        raise CampaignError("nobody is there to be asked: say --yes to send, or --sandbox to rehearse")
    kept = {name: options[name] for name in ("contacts", "run_id", "rate", "burst", "at_once", "state_dir", "only")}
    click.echo(screen.plan(await check(campaign, **kept)), err=True)
    click.confirm("Send?", abort=True, err=True)


async def _obey_signals(stop: Stop) -> None:
    """End well at the first signal, at once at the second."""
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for number in signals:
            if stop.asked and stop.exit_code > 128:
                os._exit(128 + number)
            screen.say(f"{number.name}: finishing what is in flight; once more to leave at once")
            stop.ask(f"interrupted by {number.name}", 128 + number)


@contextmanager
def _watching() -> Iterator[tuple[Watch | None, float]]:
    """Give what shows the progress: a bar to a person, lines to a log."""
    if screen.is_quiet():
        yield None, EVERY_LINE
    elif screen.is_terminal():
        with _bar() as watch:
            yield watch, EVERY_FRAME
    else:
        yield (
            (lambda progress: screen.log.info(screen.progress_line(progress), extra={"facts": progress.as_dict()})),
            EVERY_LINE,
        )


@contextmanager
def _bar() -> Iterator[Watch]:
    from rich import progress as rich  # noqa: PLC0415 - only a terminal needs it
    from rich.console import Console  # noqa: PLC0415

    columns = rich.BarColumn(), rich.TextColumn("{task.description}")
    with rich.Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("starting", total=None)

        def watch(progress: Progress) -> None:
            bar.update(task, description=screen.progress_line(progress), total=progress.total, completed=progress.done)

        yield watch
