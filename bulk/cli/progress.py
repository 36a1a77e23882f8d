"""The progress of a run as it goes on: a bar to a person, lines to a log."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bulk.cli import screen, text

if TYPE_CHECKING:
    from bulk.run.summary import Progress

EVERY_LINE = 10.0  # seconds between two lines of a log
EVERY_FRAME = 0.2  # seconds between two looks at a bar

Watch = Callable[["Progress"], None]


@contextmanager
def watching() -> Iterator[tuple[Watch | None, float]]:
    """Yield what shows the progress, None for nothing, and the seconds between two looks."""
    if screen.is_quiet():
        yield None, EVERY_LINE
    elif screen.is_terminal() and not screen.is_logged():
        with _bar() as watch:
            yield watch, EVERY_FRAME
    else:
        yield _log, EVERY_LINE


def _log(told: "Progress") -> None:
    screen.log.info(text.progress(told), extra={"facts": told.as_dict()})


@contextmanager
def _bar() -> Iterator[Watch]:
    from rich.console import Console, Group
    from rich.live import Live
    from rich.progress_bar import ProgressBar
    from rich.text import Text

    with Live(console=Console(stderr=True), auto_refresh=False, transient=True) as live:

        def watch(told: "Progress") -> None:
            line = Text(text.progress(told), no_wrap=True, overflow="ellipsis")
            live.update(Group(line, ProgressBar(told.total, told.done, width=text.WIDTH)), refresh=True)

        yield watch
