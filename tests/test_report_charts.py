"""Shapes: bars as tall as their numbers, one time above the other, labels that fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulk.model import Status
from bulk.reports.charts import HEADROOM, PANELS, TICKS, marks, panels, span
from bulk.reports.figures import Bar, Timeline
from bulk.reports.intervals import DAY, HOUR, MINUTE, STEPS

NOON = 1_795_176_000  # 2026-11-20 12:00 UTC


def timeline(*rows: dict[Status, int], interval: int = MINUTE) -> Timeline:
    return Timeline(interval, tuple(Bar(NOON + place * interval, bar) for place, bar in enumerate(rows)))


def test_bars_are_stacked_to_scale_and_stand_on_the_floor() -> None:
    (panel,) = panels(timeline({Status.SENT: 30, Status.REJECTED: 5, Status.UNKNOWN: 5}, {}, {Status.SENT: 10}))
    height = panel.height - HEADROOM
    assert [tick.label for tick in panel.ticks] == ["0", "20", "40"]
    first, none, last = panel.stacks
    assert [(piece.kind, piece.height) for piece in first.pieces] == [("sent", height * 3 / 4), ("unsure", height / 4)]
    assert first.pieces[0].y + first.pieces[0].height == panel.height
    assert first.pieces[1].y + first.pieces[1].height == first.pieces[0].y
    assert none.pieces == ()
    assert last.pieces[0].height == height / 4


def test_rows_without_a_call_have_a_panel_of_their_own_below_the_same_times() -> None:
    tried, left_out = panels(timeline({Status.SENT: 2, Status.SKIPPED: 4096}, {Status.REFUSED: 1}))
    assert [tick.label for tick in tried.ticks] == ["0", "1", "2"]
    assert [tick.label for tick in left_out.ticks] == ["0", "3,000", "6,000"]
    assert tried.label_width == left_out.label_width
    assert [stack.x for stack in tried.stacks] == [stack.x for stack in left_out.stacks]


def test_a_bar_says_its_time_and_its_rows() -> None:
    (panel,) = panels(timeline({Status.SENT: 1200, Status.UNKNOWN: 1}, {}))
    assert [stack.said for stack in panel.stacks] == [
        "2026-11-20 12:00–12:01: 1,200 sent, 1 unknown",
        "2026-11-20 12:01–12:02: none",
    ]


COUNTS = st.fixed_dictionaries({}, optional={status: st.integers(1, 10**7) for status in Status})


@given(rows=st.lists(COUNTS, min_size=1, max_size=60))
def test_nothing_leaves_its_chart(rows: list[dict[Status, int]]) -> None:
    for panel in panels(timeline(*rows)):
        for stack in panel.stacks:
            assert 0 <= stack.x <= stack.bar_x
            assert stack.bar_x + stack.bar_width <= stack.x + stack.width <= 100.1
            assert all(HEADROOM - 0.01 <= piece.y <= panel.height for piece in stack.pieces)
        assert len(panel.ticks) in {2, 3}
        assert all(HEADROOM <= tick.at <= panel.height for tick in panel.ticks)


@pytest.mark.parametrize(
    "interval, bars, told",
    [
        (1, 5, ["12:00:00 20 Nov", "12:00:01 ", "12:00:02 ", "12:00:03 ", "12:00:04 "]),
        (MINUTE, 45, ["12:00 20 Nov", "12:10 ", "12:20 ", "12:30 ", "12:40 "]),
        (HOUR, 48, ["12:00 20 Nov", "00:00 21 Nov", "12:00 ", "00:00 22 Nov"]),
        (2 * HOUR, 50, ["21 Nov", "22 Nov", "23 Nov", "24 Nov"]),
    ],
)
def test_times_are_marked_at_round_places_and_the_date_where_it_changes(
    interval: int, bars: int, told: list[str]
) -> None:
    found = list(marks(timeline(*[{Status.SENT: 1}] * bars, interval=interval)))
    assert [f"{mark.label} {mark.below}".strip() for mark in found] == [one.strip() for one in told]


@given(interval=st.sampled_from(STEPS[:-2]), bars=st.integers(1, 60), offset=st.integers(0, 1000))
def test_there_are_as_many_marks_as_fit(interval: int, bars: int, offset: int) -> None:
    start = (NOON // interval + offset) * interval
    found = list(marks(Timeline(interval, tuple(Bar(start + n * interval, {}) for n in range(bars)))))
    assert len(found) <= TICKS
    assert all(0 <= mark.at < 100 for mark in found)


def test_an_interval_is_named_as_long_as_it_is() -> None:
    assert span(NOON, 5) == "2026-11-20 12:00:00–12:00:05"
    assert span(NOON, 2 * HOUR) == "2026-11-20 12:00–14:00"
    assert span(NOON - NOON % DAY, DAY) == "2026-11-20"
    assert span(NOON - NOON % DAY, 7 * DAY) == "2026-11-20 to 2026-11-26"


def test_every_status_with_an_end_is_drawn_once() -> None:
    drawn = [status for _, _, kinds in PANELS for statuses in kinds.values() for status in statuses]
    assert sorted(drawn) == sorted(set(Status) - {Status.PENDING})
