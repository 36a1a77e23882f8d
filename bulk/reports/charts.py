"""The shapes of a chart: positions of bars, lines, and labels. Numbers in, numbers out.

Across, a chart is measured in per cent and so as wide as the page; down, in pixels, and its labels keep their size.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Final

from bulk.model import Status
from bulk.reports.figures import Bar, Timeline
from bulk.reports.intervals import DAY, MINUTE, MONDAY, STEPS

HEADROOM: Final = 14  # pixels above the plot, for the uppermost label
TICKS: Final = 6  # marks along the time, at most: as many as fit on a phone
LETTER: Final = 8  # pixels that a digit of a label is wide, at most
GAP: Final = 0.16  # the part of a bar's place that stays empty

Kinds = Mapping[str, tuple[Status, ...]]
"""What is stacked, from the bottom: kind of piece → the statuses that it counts."""

PANELS: Final[tuple[tuple[str, int, Kinds], ...]] = (
    ("Rows that calls were made for", 200, {"sent": (Status.SENT,), "unsure": (Status.REJECTED, Status.UNKNOWN)}),
    ("Rows left out without a call", 72, {"left-out": (Status.SKIPPED, Status.REFUSED)}),
)
"""Title, height of the plot in pixels, kinds."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of a stack: its kind, top edge and height."""

    kind: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Stack:
    """One interval: its place across, its bar's, and what it says when pointed at."""

    x: float
    width: float
    bar_x: float
    bar_width: float
    pieces: tuple[Piece, ...]
    said: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A line so many pixels down, or a mark so many per cent across, and what stands there."""

    at: float
    label: str
    below: str = ""
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Panel:
    """A chart over the time: `height` (pixels) is that of the plot, `label_width` that of the numbers beside it."""

    title: str
    kinds: Mapping[str, Sequence[str]]
    height: int
    label_width: int
    ticks: tuple[Tick, ...]
    stacks: tuple[Stack, ...]


def panels(timeline: Timeline) -> Iterator[Panel]:
    """Draw when rows ended: those that cost calls, and on a scale of their own those that cost none.

    The latter end by whole batches: on one scale they would make the others too small to see.
    """
    tops = [ceiling(max(bar.of(*chain(*kinds.values())) for bar in timeline.bars)) for _, _, kinds in PANELS]
    label_width = label_width_of(max(tops))  # the same for all, so that one time stands below the other
    for (title, height, kinds), top in zip(PANELS, tops, strict=True):
        if top:
            floor = HEADROOM + height
            ticks = [Tick(_rounded(floor - height * rows / top), f"{rows:,}") for rows in sorted({0, top // 2, top})]
            stacks = [
                Stack(*across, _pieces(bar, kinds, floor, height / top), _said(bar, timeline.interval))
                for bar, across in zip(timeline.bars, places(len(timeline.bars)), strict=True)
            ]
            yield Panel(title, kinds, floor, label_width, tuple(ticks), tuple(stacks))


def label_width_of(top: int) -> int:
    """Return how wide the numbers beside a chart are, in pixels."""
    return LETTER * len(f"{top:,}") + 8


def places(bars: int) -> Iterator[tuple[float, float, float, float]]:
    """Yield each interval's place across and its width, then its bar's."""
    width = 100 / bars
    for place in range(bars):
        x = place * width
        yield _rounded(x), _rounded(width), _rounded(x + width * GAP / 2), _rounded(width * (1 - GAP))


def _pieces(bar: Bar, kinds: Kinds, floor: int, pixels: float) -> tuple[Piece, ...]:
    """Stack the rows of one interval on the floor, each so many pixels high."""
    pieces, y = [], float(floor)
    for kind, statuses in kinds.items():
        if height := bar.of(*statuses) * pixels:
            y -= height
            pieces.append(Piece(kind, _rounded(y), _rounded(height)))
    return tuple(pieces)


def _said(bar: Bar, interval: int) -> str:
    rows = ", ".join(f"{rows:,} {status}" for status, rows in bar.rows.items())
    return f"{span(bar.start, interval)}: {rows or 'none'}"


def ceiling(most: int) -> int:
    """Return the least of 0, 1, 2, 4, 6, 10, 20, 40, 60, 100, … that is not below."""
    scale: int = 10 ** (len(str(most)) - 1)
    return next(digit * scale for digit in (0, 1, 2, 4, 6, 10) if digit * scale >= most)


def marks(timeline: Timeline) -> Iterator[Tick]:
    """Mark the time below a chart, in UTC: the time of day, and below it the date where that is another."""
    first, interval = timeline.bars[0].start, timeline.interval
    length = interval * len(timeline.bars)
    step = next((step for step in STEPS if step % interval == 0 and length / step <= TICKS), STEPS[-1])
    date = ""
    for at in range(first + (MONDAY - first) % step, first + length, step):
        place, moment = 100 * (at - first) / length, _utc(at)
        today = f"{moment.day} {moment:%b}"
        label, below = (today, "") if step >= DAY else (moment.strftime(_form(step)), today if today != date else "")
        yield Tick(_rounded(place), label, below, "start" if place < 5 else "end" if place > 95 else "middle")
        date = today


def span(start: int, interval: int) -> str:
    """Name an interval that begins at `start` (Unix seconds), in UTC."""
    begin, end = _utc(start), _utc(start + interval)
    if interval < DAY:
        return f"{begin:%Y-%m-%d} {begin.strftime(_form(interval))}–{end.strftime(_form(interval))}"
    return f"{begin:%Y-%m-%d}" + (f" to {_utc(start + interval - DAY):%Y-%m-%d}" if interval > DAY else "")


def _form(interval: int) -> str:
    return "%H:%M:%S" if interval < MINUTE else "%H:%M"


def _utc(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _rounded(value: float) -> float:
    return round(value, 3)
