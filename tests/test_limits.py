"""Limits are arithmetic: it …"""

import math
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bulk.pacing.limits import Bucket, Limits, with_headroom
from bulk.pacing.open_contacts import OpenContactLimit
from bulk.pacing.sliding_window import SLOTS, SlidingWindow

JITTER = 1e-6  # seconds: a double at the end of a long run is no finer


def times(limits: Bucket | SlidingWindow | Limits, arrivals: Iterable[float]) -> list[float]:
    """When the calls go that ask at these moments."""
    went = []
    for now in arrivals:
        limits, wait = limits.take(now)
        went.append(now + wait)
    return went


def most_within(went: Sequence[float], seconds: float) -> int:
    """The most calls in any window of that length, both ends included."""
    start, most = 0, 0
    for end, last in enumerate(went):
        while last - went[start] > seconds:
            start += 1
        most = max(most, end - start + 1)
    return most


@pytest.mark.parametrize(
    "bucket, arrivals, expected",
    [
        pytest.param(Bucket(2), [0, 0, 0], [0, 0.5, 1], id="evenly-without-a-burst"),
        pytest.param(Bucket(2, 3), [0, 0, 0, 0, 0], [0, 0, 0, 0.5, 1], id="the-burst-at-once-then-evenly"),
        pytest.param(Bucket(2, 3), [0, 0, 0, 10, 10, 10, 10], [0, 0, 0, 10, 10, 10, 10.5], id="the-burst-comes-back"),
        pytest.param(Bucket(1, 2), [0, 0, 1.5, 1.5], [0, 0, 1.5, 2], id="half-of-a-token-is-kept"),
        pytest.param(
            Bucket(2), [0, 0.6, 1.0, 1.5], [0, 0.6, 1.1, 1.6], id="no-late-call-is-made-up-for-without-a-burst"
        ),
        pytest.param(Bucket(2, 2), [0, 0.6, 1.0, 1.5], [0, 0.6, 1.0, 1.5], id="a-late-call-does-not-delay-the-next"),
        pytest.param(Bucket(1 / 60), [0, 30], [0, 60], id="less-than-one-a-second"),
        pytest.param(Bucket(1e6), [0, 0], [0, 1e-6], id="far-more-than-the-line-bears"),
        pytest.param(Bucket(2, due=7.0), [5, 5], [7, 7.5], id="what-was-spent-before-a-restart-is-remembered"),
    ],
)
def test_a_call_waits_for_its_place(bucket: Bucket, arrivals: list[float], expected: list[float]) -> None:
    assert times(bucket, arrivals) == pytest.approx(expected)


@pytest.mark.parametrize("per_second, burst", [(0, 1), (-1, 1), (math.nan, 1), (1, 0), (1, -3)])
def test_a_limit_that_lets_nothing_through_is_refused(per_second: float, burst: int) -> None:
    with pytest.raises(ValueError, match="lets something through"):
        Bucket(per_second, burst)


def test_telling_the_wait_changes_nothing() -> None:
    bucket = Bucket(1).take(0.0)[0]
    assert [bucket.wait(0.25), bucket.wait(0.25), bucket.wait(2.0)] == [0.75, 0.75, 0.0]


@pytest.mark.parametrize("per_second", [2, 3, 7.3, 50])
def test_an_hour_has_exactly_the_calls_that_the_rate_allows(per_second: float) -> None:
    bucket, now, count = Bucket(per_second), 0.0, 0
    while now < 3600 - JITTER:
        bucket, wait = bucket.take(now)
        now += wait
        count += now < 3600 - JITTER
    assert count == math.ceil(3600 * per_second)


def test_an_hour_of_late_calls_loses_nothing_to_the_delay() -> None:
    bucket, now, went = Bucket(50, 5), 0.0, 0
    while True:
        bucket, wait = bucket.take(now)
        now += wait
        if now >= 3600 - JITTER:
            break
        went += 1
        now += 0.019 if went % 2 else 0.0  # every other caller is nearly a whole place late
    assert went == 3600 * 50 + 4


@given(
    per_second=st.floats(0.01, 1000),
    burst=st.integers(1, 50),
    gaps=st.lists(st.floats(0, 30) | st.just(0.0), max_size=120),
    window=st.floats(0, 100),
)
@example(per_second=2.0, burst=5, gaps=[0.0] * 20, window=2.5)
def test_it_is_never_faster_than_the_rate_over_any_window(
    per_second: float, burst: int, gaps: list[float], window: float
) -> None:
    arrivals = list(accumulate(gaps))
    went = times(Bucket(per_second, burst), arrivals)
    assert most_within(went, window) <= burst + per_second * (window + JITTER)


@given(
    buckets=st.lists(st.builds(Bucket, st.floats(0.1, 100), st.integers(1, 20)), min_size=1, max_size=3),
    gaps=st.lists(st.floats(0, 5) | st.just(0.0), max_size=60),
)
def test_several_limits_hold_at_once(buckets: list[Bucket], gaps: list[float]) -> None:
    arrivals = list(accumulate(gaps))
    went = times(Limits(buckets), arrivals)
    for bucket in buckets:
        for window in (0.0, 1.0, 10.0):
            assert most_within(went, window) <= bucket.burst + bucket.per_second * (window + JITTER)


@given(
    buckets=st.lists(st.builds(Bucket, st.floats(0.1, 100), st.integers(1, 20)), max_size=3),
    gaps=st.lists(st.floats(0, 5) | st.just(0.0), max_size=60),
)
def test_calls_go_in_the_order_they_came_and_never_before(buckets: list[Bucket], gaps: list[float]) -> None:
    arrivals = list(accumulate(gaps))
    went = times(Limits(buckets), arrivals)
    assert all(earlier <= later + JITTER for earlier, later in pairwise(went))
    assert all(asked <= gone for asked, gone in zip(arrivals, went, strict=True))


def test_the_strictest_limit_of_the_moment_decides() -> None:
    limits = Limits((Bucket(2, 1), Bucket(3 / 60, 3)))  # 2 a second, and 3 a minute of which all may go at once
    assert times(limits, [0] * 5) == pytest.approx([0, 0.5, 1.0, 20.0, 40.0])


def test_no_limit_lets_everything_through() -> None:
    assert times(Limits(()), [0, 0, 0]) == [0, 0, 0]


@pytest.mark.parametrize("burst, used", [(1, 1), (2, 1), (5, 4), (10, 9), (50, 45)])
def test_a_tenth_of_the_burst_stays_with_the_service(burst: int, used: int) -> None:
    bucket = with_headroom(2, burst)
    assert (bucket.per_second, bucket.burst) == (2, used)


@given(delays=st.lists(st.floats(0, 0.49), min_size=50, max_size=50))
def test_calls_that_overtake_each_other_on_the_line_are_not_throttled(delays: list[float]) -> None:
    went = times(with_headroom(2, 5), [0.0] * 50)
    arrived = sorted(moment + delay for moment, delay in zip(went, delays, strict=True))
    service = Bucket(2, 5)
    for moment in arrived:
        service, wait = service.take(moment)
        assert wait < JITTER


# So many in a span


@given(
    calls=st.integers(1, 30),
    span=st.floats(0.5, 100),
    gaps=st.lists(st.floats(0, 30) | st.just(0.0), max_size=150),
)
@example(calls=10, span=60.0, gaps=[0.0] * 40)
def test_no_span_ever_has_more_than_its_allowance(calls: int, span: float, gaps: list[float]) -> None:
    went = times(SlidingWindow(calls, span), accumulate(gaps))
    assert most_within(went, span - JITTER) <= calls


def test_all_of_an_allowance_may_go_at_once_and_again_when_the_span_is_over() -> None:
    assert times(SlidingWindow(3, 96.0), [0, 0, 0, 0, 50, 200]) == [0, 0, 0, 97, 97, 200]


def test_what_an_allowance_gives_over_a_long_time_is_hardly_less_than_what_was_said() -> None:
    allowance, now, went = SlidingWindow(100, 60.0), 0.0, 0
    while now < 3600:
        allowance, wait = allowance.take(now)
        now += wait
        went += now < 3600
    assert 100 * 60 / (1 + 1 / SLOTS) <= went <= 100 * 60


def test_a_bucket_and_an_allowance_hold_at_once() -> None:
    went = times(Limits([Bucket(2, 5), SlidingWindow(60, 60.0)]), [0] * 150)
    assert most_within(went, 60.0 - JITTER) == 60
    assert most_within(went, 10.0) <= 25
    assert went[59] == pytest.approx(27.5)


@pytest.mark.parametrize("calls, span", [(0, 60), (-1, 60), (5, 0), (5, math.nan)])
def test_an_allowance_that_lets_nothing_through_is_refused(calls: int, span: float) -> None:
    with pytest.raises(ValueError, match="lets something through"):
        SlidingWindow(calls, span)


def test_what_was_taken_in_times_yet_to_come_counts_no_more() -> None:
    spent, _ = SlidingWindow(1, 60.0).take(1e6)
    assert [spent.wait(1e6), spent.for_new_run(0.0).wait(0.0)] == [pytest.approx(60.0, abs=1), 0.0]


def test_who_waits_for_a_place_and_gives_up_leaves_what_was_taken() -> None:
    spent, _ = Limits([SlidingWindow(1, 3600.0)]).take(0.0)
    waiting, wait = spent.take(0.0)
    assert wait > 3600
    assert waiting.for_new_run(10.0).wait(10.0) > 3590


@given(taken=st.lists(st.floats(0, 1e6), max_size=50))
def test_a_state_is_the_whole_of_an_allowance(taken: list[float]) -> None:
    allowance = SlidingWindow(20, 3600.0)
    for now in sorted(taken):
        allowance, _ = allowance.take(now)
    assert SlidingWindow(20, 3600.0).with_state(allowance.state) == allowance


@pytest.mark.parametrize(
    "limits, calls, expected",
    [
        ([Bucket(2, 5)], 25, 10.0),
        ([Bucket(2, 5)], 3, 0.0),
        ([Bucket(2, 5), SlidingWindow(10, 86400.0)], 10, 2.5),
        ([Bucket(2, 5), SlidingWindow(10, 86400.0)], 25, 2 * 86400.0),
        ([SlidingWindow(10, 60.0)], 31, 180.0),
        ([Bucket(2), Bucket(1, 1, of_parts=True)], 10, 29.0),
        ([], 10, 0.0),
    ],
)
def test_it_tells_how_long_a_list_takes(limits: list[Bucket | SlidingWindow], calls: int, expected: float) -> None:
    assert Limits(limits).duration_of(calls, parts=3 * calls) == pytest.approx(expected)


# Contacts that are open at once


def opened_at(room: OpenContactLimit, arrivals: Iterable[float]) -> list[float]:
    """When the contacts open that ask at these moments, one after the other."""
    went = []
    for now in arrivals:
        went.append(now + room.wait(now))
        room.take(went[-1])
    return went


def test_no_more_are_open_at_once_than_there_is_room_for() -> None:
    assert opened_at(OpenContactLimit(2, 10), [0, 1, 2, 3, 30]) == [0, 1, 10, 11, 30]


def test_what_was_open_before_takes_room_and_of_too_many_the_newest_count() -> None:
    assert opened_at(OpenContactLimit(2, 10, [-9, -3, -1]), [0, 0, 0]) == [7, 9, 17]


def test_a_place_given_back_is_free_again() -> None:
    room = OpenContactLimit(2, 10)
    room.take(0)
    room.take(1)
    room.give_back()
    assert opened_at(room, [2, 3]) == [2, 10]


@given(limit=st.integers(1, 5), open_for=st.floats(0.1, 20), gaps=st.lists(st.floats(0, 5) | st.just(0.0), max_size=60))
def test_the_room_is_never_exceeded(limit: int, open_for: float, gaps: list[float]) -> None:
    went: list[float] = []
    room = OpenContactLimit(limit, open_for)
    for gap in gaps:
        now = (went[-1] if went else 0.0) + gap
        went.append(now + room.wait(now))
        room.take(went[-1])
    assert all(later - earlier >= open_for - JITTER for earlier, later in zip(went, went[limit:], strict=False))


@given(per_second=st.floats(0.1, 100), burst=st.integers(1, 20), parts=st.integers(1, 30), texts=st.integers(1, 40))
@example(per_second=1.0, burst=1, parts=2, texts=10)
@example(per_second=1.0, burst=1, parts=6, texts=10)
def test_texts_of_many_parts_take_as_long_as_their_parts(per_second: float, burst: int, parts: int, texts: int) -> None:
    bucket, now = Bucket(per_second, burst), 0.0
    for _ in range(texts):
        bucket, wait = bucket.take(now, parts)
        now += wait
    evenly = parts * (texts - 1) / per_second
    assert evenly - (burst - min(parts, burst)) / per_second - JITTER <= now <= evenly + JITTER


@pytest.mark.parametrize("parts, apart", [(1, 1), (2, 2), (6, 6)])
def test_a_text_of_more_parts_than_the_burst_is_waited_for_once(parts: int, apart: float) -> None:
    limits, went, now = Limits([Bucket(1, 1, of_parts=True)]), [], 0.0
    for _ in range(4):
        limits, wait = limits.take(now, parts)
        now += wait
        went.append(now)
    assert went == pytest.approx([0, apart, 2 * apart, 3 * apart])


@pytest.mark.parametrize("per_second, burst, used", [(400, 40, 28), (400, 400, 360), (200, 200, 180), (400, 5, 3)])
def test_at_a_high_rate_what_comes_in_while_calls_overtake_each_other_stays_too(
    per_second: float, burst: int, used: int
) -> None:
    assert with_headroom(per_second, burst).burst == used
