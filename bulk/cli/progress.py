"""The progress of a run: a bar for a person, lines for a log; one of them for each run of several."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from bulk.cli import screen
from bulk.run import progress_text

if TYPE_CHECKING:
    from bulk.run.summary import Progress

EVERY_LINE = 10.0  # seconds between two lines of a log
EVERY_FRAME = 0.2  # seconds between two looks at a bar

Watch = Callable[["Progress"], None]
WatchAll = Callable[[str, "Progress"], None]


@contextmanager
def watching(note: WatchAll) -> Iterator[tuple[Watch, float]]:
    """Yield what shows the progress, and the seconds between two looks. `note` is told it as well."""
    with watching_all(note) as (watch, every):
        yield partial(watch, ""), every


@contextmanager
def watching_all(note: WatchAll) -> Iterator[tuple[WatchAll, float]]:
    """Yield what shows the progress of each of several runs, and the seconds between two looks."""
    match form():
        case "none":
            yield note, EVERY_LINE
        case "live":
            with _live() as watch:
                yield _both(watch, note), EVERY_FRAME
        case _:
            yield _both(_log, note), EVERY_LINE


def _both(first: WatchAll, second: WatchAll) -> WatchAll:
    def watch(name: str, told: "Progress") -> None:
        first(name, told)
        second(name, told)

    return watch


def form() -> str:
    """Return how progress is shown: `live`, `plain` or `none`. A bar needs a terminal that can move its cursor."""
    asked = screen.progress()
    if screen.is_quiet():
        return "none"
    can_live = screen.can_redraw() and not screen.is_logged()
    if asked is None:
        return "live" if can_live and screen.is_terminal() else "plain"
    return "plain" if asked == "live" and not can_live else asked


def _log(_name: str, told: "Progress") -> None:
    """Log where a run stands; the log names the campaign by itself."""
    screen.log.info(progress_text.line(told, time.time()), extra={"facts": told.as_dict()})


@contextmanager
def _live() -> Iterator[WatchAll]:
    from bulk.cli.bars import Bars

    shown_at = 0.0
    with Bars() as bars:

        def watch(name: str, told: "Progress") -> None:
            nonlocal shown_at
            bars.note(name, told)
            if not name or time.monotonic() - shown_at >= EVERY_FRAME:  # a frame for all, not one for each
                bars.refresh()
                shown_at = time.monotonic()

        yield watch
