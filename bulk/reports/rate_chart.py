"""The chart of a rate: calls a second in each interval, those that were throttled, and the rate permitted."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bulk.reports.charts import HEADROOM, Panel, Piece, Stack, Tick, ceiling, label_width_of, marks, places, span
from bulk.reports.figures import Bar, Timeline
from bulk.reports.run_facts import Wire, WireBar

HEIGHT: Final = 120  # pixels of the plot
LINE: Final = 2  # pixels of the permitted rate
KINDS: Final = {"sent": ("answered",), "unsure": ("throttled",), "allowed": ("permitted",)}


@dataclass(frozen=True, slots=True)
class RateChart:
    """One operation's chart with the marks of the time below it."""

    wire: Wire
    panel: Panel
    marks: tuple[Tick, ...]


def rate_charts(wires: tuple[Wire, ...]) -> Iterator[RateChart]:
    """Draw each operation for which calls were made."""
    for wire in wires:
        if wire.bars:
            timeline = Timeline(wire.interval, tuple(Bar(bar.start, {}) for bar in wire.bars))
            yield RateChart(wire, _panel(wire), tuple(marks(timeline)))


def _panel(wire: Wire) -> Panel:
    most = max(max(bar.calls / wire.interval, bar.permitted) for bar in wire.bars)
    top = ceiling(max(1, math.ceil(most)))
    floor = HEADROOM + HEIGHT
    ticks = [Tick(round(floor - HEIGHT * rate / top, 3), f"{rate:,}") for rate in sorted({0, top // 2, top})]
    stacks = [
        Stack(*across, tuple(_pieces(bar, wire.interval, floor, HEIGHT / top)), _said(bar, wire.interval))
        for bar, across in zip(wire.bars, places(len(wire.bars)), strict=True)
    ]
    return Panel(f"{wire.operation}: calls a second", KINDS, floor, label_width_of(top), tuple(ticks), tuple(stacks))


def _pieces(bar: WireBar, interval: int, floor: int, pixels: float) -> Iterator[Piece]:
    y = float(floor)
    for kind, calls in (("sent", bar.calls - bar.throttled), ("unsure", bar.throttled)):
        if height := calls / interval * pixels:
            y -= height
            yield Piece(kind, round(y, 3), round(height, 3))
    if bar.permitted:
        yield Piece("allowed", round(floor - bar.permitted * pixels - LINE / 2, 3), LINE)


def _said(bar: WireBar, interval: int) -> str:
    return (
        f"{span(bar.start, interval)}: {bar.calls / interval:.3g} a second, "
        f"{bar.throttled:,} of {bar.calls:,} throttled, {bar.permitted:.3g} a second permitted"
    )
