"""Progress bars on a terminal: rich's progress with a line of text below it, from 40 columns on."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

from bulk.run import progress_text
from bulk.text.plain import plain

if TYPE_CHECKING:
    from bulk.run.summary import Progress as Told

NAME = 24  # columns of a campaign's name at most
WIDE = 80  # columns from which on each of several bars says its rows, and not only its per cent


class _Rows(ProgressColumn):
    """How far it is."""

    def render(self, task: Task) -> Text:
        told: Told = task.fields["told"]
        is_brief = task.fields["brief"] and told.percent is not None
        return Text(f"{told.percent:3}%" if is_brief else progress_text.rows(told), no_wrap=True)


class Bars(Progress):
    """A bar for each run. With one alone it has no name, and what it says stands below it."""

    def __init__(self, console: Console | None = None, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        super().__init__(
            TextColumn("{task.description}", table_column=Column(max_width=NAME, no_wrap=True), markup=False),
            BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=5)),
            _Rows(table_column=Column(no_wrap=True, overflow="ellipsis")),
            console=console or Console(stderr=True),
            auto_refresh=False,  # whoever is told decides when: no thread, and no frame without news
            transient=True,
            expand=True,
        )
        self._ids: dict[str, TaskID] = {}

    def note(self, name: str, told: "Told") -> None:
        """Take in where a run stands."""
        width = self.console.width
        short, brief = progress_text.fitted(name, min(NAME, width // 4)), bool(name) and width < WIDE
        if name not in self._ids:
            self._ids[name] = self.add_task(short, total=told.total, told=told, name=plain(name), brief=brief)
        self.update(self._ids[name], total=told.total, completed=told.done, told=told, description=short, brief=brief)

    def get_renderables(self) -> Iterable[RenderableType]:
        """Yield the bars and the words below them."""
        yield self.make_tasks_table(self.tasks)
        for text in self._words():
            yield Text(text, no_wrap=True, overflow="ellipsis")

    def _words(self) -> Iterator[str]:
        now = self._clock()
        for task in self.tasks:
            width = self.console.width
            told, name = task.fields["told"], task.fields["name"]
            if name:
                yield from progress_text.brief(name, told, now, width)
            else:
                yield from progress_text.lines(told, now, width)
