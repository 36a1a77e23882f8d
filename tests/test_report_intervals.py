"""When rows ended: the bars of the chart, and the throughput, whatever a run's length, in little memory."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulk.model import Status
from bulk.reports.figures import Throughput, Timeline
from bulk.reports.intervals import BARS, DAY, HOUR, MINUTE, STEPS, WIDTHS, TimeHistogram

MIDNIGHT = 1_795_132_800  # Fri 2026-11-20 00:00 UTC


def cells(*ends: tuple[int, int], status: Status = Status.SENT, most: int = 20_000) -> TimeHistogram:
    """Count so many rows so many seconds after midnight."""
    counted = TimeHistogram(most=most)
    for second, rows in ends:
        counted.add(MIDNIGHT + second, status, rows)
    return counted


def drawn(counted: TimeHistogram) -> Timeline:
    timeline = counted.timeline()
    assert timeline is not None
    return timeline


@pytest.mark.parametrize(
    "lasts, interval, bars",
    [
        (0, 1, 1),
        (10, 1, 11),
        (59, 1, 60),
        (60, 2, 31),
        (100, 2, 51),
        (90 * MINUTE, 2 * MINUTE, 46),
        (8 * HOUR, 10 * MINUTE, 49),
        (5 * DAY, 3 * HOUR, 41),
        (60 * DAY, 2 * DAY, 31),
        (3 * 365 * DAY, 28 * DAY, 41),
    ],
)
def test_an_interval_is_round_and_gives_as_many_bars_as_can_be_told_apart(lasts: int, interval: int, bars: int) -> None:
    timeline = drawn(cells((0, 1), (lasts, 1)))
    assert (timeline.interval, len(timeline.bars)) == (interval, bars)


def test_bars_stand_at_round_times_and_leave_no_gap_between_them() -> None:
    timeline = drawn(cells((7 * MINUTE + 1, 3), (49 * MINUTE, 2)))
    assert timeline.interval == MINUTE
    assert [bar.start for bar in timeline.bars] == [MIDNIGHT + MINUTE * n for n in range(7, 50)]
    assert [bar.of(Status.SENT) for bar in timeline.bars] == [3, *[0] * 41, 2]


def test_weeks_begin_on_mondays_at_midnight_utc() -> None:
    timeline = drawn(cells((0, 1), (200 * DAY, 1)))
    assert timeline.interval == 7 * DAY
    assert timeline.bars[0].start == MIDNIGHT - 4 * DAY


def test_without_an_end_there_is_no_chart_and_no_throughput() -> None:
    assert (TimeHistogram().timeline(), TimeHistogram().throughput()) == (None, None)


ENDS = st.lists(st.tuples(st.integers(0, 40 * DAY), st.integers(1, 9)), min_size=1, max_size=60)


@given(ends=ENDS, most=st.integers(2, 20))
def test_coarser_cells_lose_no_row_and_keep_few_in_memory(ends: list[tuple[int, int]], most: int) -> None:
    counted = cells(*ends, most=most)
    assert len(counted._rows) <= most or counted.width == WIDTHS[-1]
    assert sum(bar.of(Status.SENT) for bar in drawn(counted).bars) == sum(rows for _, rows in ends)


@given(first=st.integers(0, 2**31), lasts=st.integers(0, 10 * 365 * DAY))
def test_there_are_at_most_sixty_bars_and_no_step_is_coarser_than_needed(first: int, lasts: int) -> None:
    timeline = drawn(cells((first, 1), (first + lasts, 1)))
    bars, finer = len(timeline.bars), [step for step in STEPS if step < timeline.interval]
    assert bars <= BARS
    assert not finer or bars * timeline.interval / finer[-1] > BARS - 2


@given(ends=ENDS)
def test_cells_that_grew_coarser_draw_the_same_chart(ends: list[tuple[int, int]]) -> None:
    """A year of sending goes into cells of a minute; the chart's intervals are far longer than those."""
    fine, coarse = cells((0, 1), *ends, (300 * DAY, 1)), cells((0, 1), *ends, (300 * DAY, 1))
    while coarse.width < MINUTE:
        coarse.most = len(coarse._rows) - 1
        coarse.add(MIDNIGHT, Status.SENT, 0)
    assert drawn(coarse) == drawn(fine)


def test_every_width_divides_the_next_and_the_steps_that_may_follow_it() -> None:
    assert [(width, wider) for width, wider in pairwise(WIDTHS) if wider % width] == []
    assert [(width, step) for width in WIDTHS for step in STEPS if step >= 10 * width and step % width] == []


def test_the_throughput_is_that_of_whole_windows_in_which_rows_ended() -> None:
    """A pause is no slowness, and the first and the last second, seldom whole, tell nothing of the median."""
    ends = [
        (0, 1),
        *((second, 20) for second in range(1, 9)),
        (9, 40),
        *((second, 20) for second in range(30, 34)),
        (34, 2),
    ]
    assert cells(*ends).throughput() == Throughput(window=1, busiest=40.0, median=20.0)


def test_the_throughput_of_a_long_run_is_measured_by_the_minute() -> None:
    counted = cells(*((MINUTE * n, 120) for n in range(600)))
    assert drawn(counted).interval == 10 * MINUTE
    assert counted.throughput() == Throughput(window=MINUTE, busiest=2.0, median=2.0)


def test_rows_that_cost_no_call_have_no_throughput() -> None:
    assert cells((0, 5), status=Status.SKIPPED).throughput() is None
    assert cells((0, 5), status=Status.REJECTED).throughput() == Throughput(window=1, busiest=5.0, median=5.0)
