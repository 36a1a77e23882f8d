"""When rows ended, counted in little memory: the cells of time become longer when there are too many.

A run takes seconds or weeks, and nobody knows beforehand. So rows are counted by the second at first; when that makes
too many cells, five seconds are put together, and so on: each width divides the next, so nothing is lost but detail.
The intervals of the chart are chosen at the end, among lengths that people are used to. A length is always a multiple
of the width: cells become coarser only when there are so many that even the finest chart wants far longer intervals.
"""

import statistics
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from bulk.model import Status
from bulk.reports.figures import TRIED, Bar, Throughput, Timeline

MINUTE, HOUR, DAY = 60, 3600, 86_400
STEPS: Final = (
    *(1, 2, 5, 10, 15, 30),
    *(MINUTE * n for n in (1, 2, 5, 10, 15, 30)),
    *(HOUR * n for n in (1, 2, 3, 6, 12)),
    *(DAY * n for n in (1, 2, 7, 14, 28, 84, 364)),
)
"""Lengths of intervals that people are used to, in seconds."""

WIDTHS: Final = (1, 5, 30, MINUTE, 5 * MINUTE, 30 * MINUTE, HOUR, 6 * HOUR, DAY)
CELLS: Final = 20_000  # at most, then they are made coarser
BARS: Final = 60  # at most; the steps are so close that there are 20 and more, where the run took 20 seconds
MONDAY: Final = 4 * DAY  # 1970-01-05, from which intervals are counted: weeks begin on Mondays, days at midnight UTC


@dataclass(slots=True)
class TimeHistogram:
    """Rows by the time at which they ended, and how. `width` is that of a cell, in seconds."""

    width: int = WIDTHS[0]
    most: int = CELLS
    _rows: Counter[tuple[int, Status]] = field(default_factory=Counter)

    def add(self, second: int, status: Status, rows: int) -> None:
        """Count some rows that ended at, or soon after, a second (Unix time)."""
        self._rows[_begin(second, self.width), status] += rows
        while len(self._rows) > self.most and self.width < WIDTHS[-1]:
            self.width = next(width for width in WIDTHS if width > self.width)
            self._rows = self._by(self.width)

    def timeline(self) -> Timeline | None:
        """Return the bars of the chart, from the first row's end to the last one's; None where no row has ended."""
        if not self._rows:
            return None
        first, last = (choose(second for second, _ in self._rows) for choose in (min, max))
        step = next((step for step in STEPS if step >= self.width and _bars(first, last, step) <= BARS), STEPS[-1])
        rows = self._by(step)
        starts = range(_begin(first, step), last + 1, step)
        return Timeline(step, tuple(Bar(start, _at(rows, start)) for start in starts))

    def throughput(self) -> Throughput | None:
        """Return how fast rows went that cost calls, by the minute, or finer where the run was short.

        The first window and the last are seldom full: where there are others, the median leaves them out.
        """
        timeline = self.timeline()
        if timeline is None:
            return None
        window = max(self.width, min(timeline.interval, MINUTE))
        windows = Counter[int]()
        for (start, status), rows in self._by(window).items():
            if status in TRIED:
                windows[start] += rows
        rates = [rows / window for _, rows in sorted(windows.items())]
        return Throughput(window, max(rates), statistics.median(rates[1:-1] or rates)) if rates else None

    def _by(self, width: int) -> Counter[tuple[int, Status]]:
        coarser = Counter[tuple[int, Status]]()
        for (second, status), rows in self._rows.items():
            coarser[_begin(second, width), status] += rows
        return coarser


def _begin(second: int, width: int) -> int:
    return (second - MONDAY) // width * width + MONDAY


def _bars(first: int, last: int, step: int) -> int:
    return (last - _begin(first, step)) // step + 1


def _at(rows: Counter[tuple[int, Status]], start: int) -> dict[Status, int]:
    return {status: rows[start, status] for status in Status if (start, status) in rows}
