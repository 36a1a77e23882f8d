"""Pacing is arithmetic: it …"""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from test_limits import JITTER, most_within

from bulk.pacing.estimator import RateEstimator
from bulk.pacing.limiter import AdaptiveLimiter
from bulk.pacing.limits import Bucket, Limits
from bulk.pacing.sliding_window import SlidingWindow


def paced(per_second: float, burst: int) -> AdaptiveLimiter:
    """Return the pace of a configured rate."""
    return AdaptiveLimiter(Bucket(per_second, burst), RateEstimator(per_second, per_second))


@given(
    per_second=st.floats(0.1, 200),
    burst=st.integers(1, 50),
    events=st.lists(
        st.tuples(st.floats(0, 10) | st.just(0.0), st.integers(0, 60), st.sampled_from([0, 0, 1])), max_size=120
    ),
    window=st.floats(0, 30),
)
@example(per_second=50.0, burst=5, events=[(0.0, 0, 0)] * 9 + [(0.1, 9, 1)] + [(0.0, 0, 0)] * 20, window=1.0)
def test_a_configured_rate_is_never_exceeded_over_any_window_whatever_the_answers(
    per_second: float, burst: int, events: list[tuple[float, int, int]], window: float
) -> None:
    pace, now, went = paced(per_second, burst), 0.0, []
    for gap, took, throttled in events:
        now += gap
        pace, wait = pace.answered(now, accepted=took, throttled=throttled).take(now)
        now += wait
        went.append(now)
    assert most_within(went, window) <= burst + per_second * (window + JITTER)


def test_a_burst_at_a_slow_pace_does_not_hold_up_a_faster_one() -> None:
    pace = AdaptiveLimiter(
        Bucket(2, 4), RateEstimator(2.0)
    )  # which searches: some nine calls a second after one second
    for _ in range(4):
        pace, _ = pace.take(0.0)
    assert [pace.take(1.0)[1], pace.take(1.0)[0].take(1.0)[1]] == [0.0, 0.0]  # two of the four are made up for


def test_a_throttle_costs_one_place_however_large_the_burst() -> None:
    pace, wait = paced(150, 135).take(0.0)
    _, wait = pace.answered(1.0, accepted=0, throttled=1).take(1.0)
    assert wait == pytest.approx(1 / 150, rel=0.05)


def test_a_state_is_read_whatever_stands_behind_it() -> None:
    pace, _ = paced(2, 4).take(0.0)
    assert paced(2, 4).with_state((*pace.state, 1.0, 2.0)) == pace
    assert paced(2, 4).with_state(pace.state[:-1]) == paced(2, 4)
    assert paced(2, 4).with_state(()) == paced(2, 4)


@given(numbers=st.lists(st.floats() | st.integers(-3, 30).map(float), max_size=40))
def test_a_state_that_is_damaged_ends_nothing(numbers: list[float]) -> None:
    """Whatever stands in the shared file, it is a pace or it is not."""
    pace = paced(2, 4)._replace(others=Limits([SlidingWindow(3, 86400.0, "in 86400 s")]))
    (count, length, *rest) = pace.state
    for state in (numbers, [count, length, *numbers], [count, length, *rest[:12], *numbers]):
        assert isinstance(pace.with_state(state), AdaptiveLimiter)


def test_what_others_have_besides_is_kept_for_them() -> None:
    """Two campaigns of one account, of which one has a limit more, share what they have in common."""
    daily = paced(2, 4)._replace(others=Limits([SlidingWindow(3, 86400.0, "in 86400 s")]))
    for _ in range(2):
        daily, _ = daily.take(0.0)
    plain, _ = paced(2, 4).with_state(daily.state).take(0.0)
    assert plain.first.due == 1.5
    again = paced(2, 4)._replace(others=daily.others.for_new_run(0.0)).with_state(plain.state)
    assert (again.first.due, again.others) == (1.5, daily.others)
    assert again.take(0.0)[0].take(0.0)[1] > 80000


def test_the_strictest_of_all_limits_decides() -> None:
    pace = paced(2, 4)._replace(others=Limits([Bucket(3, 3, of_parts=True, name="parts")]))
    waits = []
    for _ in range(4):
        pace, wait = pace.take(0.0, parts=3)
        waits.append(wait)
    assert waits == pytest.approx([0, 1, 2, 3])
