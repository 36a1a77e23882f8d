"""The rate of a sending, and the time that is left: it …"""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox_runs import Runs

from bulk.run.meter import WINDOW, Meter
from bulk.run.summary import Progress


def counted(meter: Meter, rows: int, *, sent: bool = True) -> None:
    for _ in range(rows):
        meter.count(sent=sent)


def test_nothing_is_known_before_anything_is_done() -> None:
    meter = Meter(100.0)
    assert (meter.per_second(100.0), meter.seconds_left(105.0, 10)) == (0.0, 0.0)


def test_the_rate_is_that_of_the_rows_which_were_sent_and_the_time_left_that_of_all() -> None:
    meter = Meter(100.0)
    counted(meter, 20)
    counted(meter, 20, sent=False)
    assert (meter.per_second(110.0), meter.seconds_left(110.0, 8)) == (2.0, 2.0)


def test_what_was_longer_ago_than_the_window_counts_no_more() -> None:
    meter = Meter(0.0)
    for second in range(100):
        counted(meter, 100 if second < 50 else 2)
        meter.per_second(second + 1.0)
    assert meter.per_second(100.0) == 2.0
    assert meter.seconds_left(100.0, 10) == 5.0


def test_the_window_is_half_a_minute_and_what_is_as_old_as_that_is_its_beginning() -> None:
    meter = Meter(10.0)
    counted(meter, 1000)
    meter.per_second(20.0)
    counted(meter, 60)
    assert meter.per_second(49.99) == pytest.approx(1060 / 39.99)
    assert (meter.per_second(50.0), meter.seconds_left(50.0, 1)) == (2.0, 0.5)


def test_of_one_moment_the_first_reading_is_kept() -> None:
    meter = Meter(0.0)
    meter.per_second(10.0)
    counted(meter, 60)
    meter.per_second(10.0)
    assert (meter.per_second(40.0), len(meter._readings)) == (2.0, 2)


def test_what_is_done_in_no_time_tells_nothing_of_the_rest() -> None:
    meter = Meter(10.0)
    counted(meter, 3)
    assert (meter.per_second(10.0), meter.seconds_left(10.0, 5)) == (0.0, 0.0)
    assert (meter.per_second(10.5), meter.seconds_left(10.5, 6)) == (6.0, 1.0)


@given(st.lists(st.tuples(st.floats(0.01, 40), st.integers(0, 50)), min_size=1, max_size=60))
def test_few_readings_are_kept_and_the_rate_is_within_what_was_done(steps: list[tuple[float, int]]) -> None:
    meter, now = Meter(0.0), 0.0
    for seconds, rows in steps:
        now += seconds
        counted(meter, rows)
        assert 0 <= meter.per_second(now) <= meter.sent / min(now, WINDOW) + 1e-9
    assert sum(reading.at < now - WINDOW for reading in meter._readings) <= 1


async def test_a_run_that_goes_on_tells_the_rate_of_this_sending_alone(runs: Runs) -> None:
    people = [{"key": str(row), "phone": f"+1206555{row:04}", "name": "Ann"} for row in range(440)]
    await runs.send(people, limit=400)
    runs.settings |= {"pacing": {"rate": 20, "burst": 2}}
    told: list[Progress] = []
    await runs.send(people, watch=told.append, every=0.1)
    later = [one for one in told if one.seconds > 1]
    assert later
    assert max(one.per_second for one in later) < 25
    for one in later:
        assert (one.total, one.before) == (40, 400)
        assert one.done <= 40
        assert one.seconds_left == pytest.approx((40 - one.done) / 20, rel=0.5, abs=0.2)
