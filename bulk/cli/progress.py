"""The progress of a run as it goes on: a bar to a person, lines to a log; of several runs, a bar or a line for each."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bulk.cli import screen, text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bulk.run.summary import Progress

EVERY_LINE = 10.0  # seconds between two lines of a log
EVERY_FRAME = 0.2  # seconds between two looks at a bar
NAME, BAR = 24, 20  # characters of a campaign's name, and of its bar where there are several

Watch = Callable[["Progress"], None]
WatchAll = Callable[[str, "Progress"], None]


@contextmanager
def watching() -> Iterator[tuple[Watch | None, float]]:
    """Yield what shows the progress, None for nothing, and the seconds between two looks."""
    with watching_all() as (watch, every):
        yield (None if watch is None else lambda told: watch("", told)), every


@contextmanager
def watching_all() -> Iterator[tuple[WatchAll | None, float]]:
    """Yield what shows the progress of each of several runs, None for nothing, and the seconds between two looks."""
    if screen.is_quiet():
        yield None, EVERY_LINE
    elif screen.is_terminal() and not screen.is_logged():
        with _live() as watch:
            yield watch, EVERY_FRAME
    else:
        yield _log, EVERY_LINE


def _log(_name: str, told: "Progress") -> None:
    """Log where a run stands; the log names the campaign by itself."""
    screen.log.info(text.progress(told), extra={"facts": told.as_dict()})


@contextmanager
def _live() -> Iterator[WatchAll]:
    from rich.console import Console, Group
    from rich.live import Live

    seen: dict[str, Progress] = {}
    shown_at = 0.0
    with Live(console=Console(stderr=True), auto_refresh=False, transient=True) as live:

        def watch(name: str, told: "Progress") -> None:
            nonlocal shown_at
            seen[name], now = told, time.monotonic()
            if not name:
                live.update(Group(*_alone(told)), refresh=True)
            elif now - shown_at >= EVERY_FRAME:  # a frame for all of them, not one for each
                live.update(_named(seen), refresh=True)
                shown_at = now

        yield watch


def _alone(told: "Progress") -> Iterator["RenderableType"]:
    from rich.progress_bar import ProgressBar
    from rich.text import Text

    yield Text(text.progress(told), no_wrap=True, overflow="ellipsis")
    yield ProgressBar(told.total, told.done, width=text.WIDTH)


def _named(seen: dict[str, "Progress"]) -> "RenderableType":
    """Return a line for each campaign: its name, a bar, and where it stands."""
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 1))
    table.add_column(max_width=NAME, no_wrap=True, overflow="ellipsis")
    table.add_column(width=BAR)
    table.add_column(no_wrap=True, overflow="ellipsis")
    for name, told in seen.items():
        table.add_row(Text(name), ProgressBar(told.total, told.done, width=BAR), Text(text.progress(told)))
    return table
