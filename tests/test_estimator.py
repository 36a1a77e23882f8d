"""A rate that nobody told, against a service that is a token bucket: all in arithmetic."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pacing_model import Service, auto, configured, told

from bulk.pacing.estimator import DOUBLING, RateEstimator
from bulk.pacing.limiter import AdaptiveLimiter


def test_a_configured_rate_is_kept_to_the_last_call_without_a_throttle() -> None:
    story = told(configured(50, 50), Service(lambda _: 50, 50), 1000)
    assert story.share(50) >= 0.99
    assert story.throttled == 0


@pytest.mark.parametrize("rate, burst, calls", [(50, 50, 3000), (20, 25, 1500), (2, 5, 1000)])
def test_a_rate_that_nobody_told_is_found_from_the_answers(rate: float, burst: int, calls: int) -> None:
    story = told(auto(), Service(lambda _: rate, burst), calls)
    assert story.share(rate) >= 0.95
    assert story.throttles <= 0.025


@pytest.mark.parametrize(
    "rate, burst, latency, guess",
    [
        (2, 5, 0.5, 8),
        (5, 100, 0.05, 2),
        (10, 5, 0.1, 2),
        (50, 5, 0.2, 200),
        (50, 50, 0.5, 2),
        (50, 100, 0.5, 50),
        (200, 100, 0.05, 2),
        (200, 200, 0.1, 800),
    ],
)
def test_it_keeps_to_what_it_found_whatever_the_rate_the_latency_and_the_guess(
    rate: float, burst: int, latency: float, guess: float
) -> None:
    story = told(auto(guess), Service(lambda _: rate, burst, latency), int(120 * rate))
    accepted, throttled = story.between(60, story.seconds)
    assert accepted >= 0.9 * rate
    assert throttled <= 0.05


def test_a_guess_that_is_too_high_comes_down() -> None:
    story = told(auto(50, 50), Service(lambda _: 2, 5), 300)
    assert story.share(2) >= 0.95
    assert story.pace.estimator.estimate == pytest.approx(2, rel=0.1)


def test_a_quota_that_is_halved_and_doubled_is_followed() -> None:
    story = told(auto(), Service(lambda now: 25 if 30 <= now < 60 else 50, 50), 4000)
    permitted = 50 * story.seconds - 25 * 30
    assert story.calls / permitted >= 0.93
    assert story.throttles <= 0.03


@pytest.mark.parametrize("seed", range(5))
def test_a_quota_that_is_halved_after_a_third_and_doubled_after_two_is_followed(seed: int) -> None:
    service = Service(lambda _: 25 if 1000 <= service.accepted < 2000 else 50, 50, seed=seed)
    story = told(auto(), service, 3000)
    assert story.calls / service.permitted >= 0.935
    assert story.throttles <= 0.027


def test_a_configured_rate_gives_way_where_others_use_the_account_too() -> None:
    story = told(configured(50, 50), Service(lambda _: 25, 50), 1000)
    assert story.pace.estimator.estimate == pytest.approx(25, rel=0.1)
    assert story.share(25) >= 0.95


@pytest.mark.parametrize("real, strays", [(25, 0.0), (45, 0.0), (10, 0.0), (25, 0.01)])
def test_a_configured_rate_lives_with_others_for_minutes(real: float, strays: float) -> None:
    service = Service(lambda _: real, 50, strays=strays)
    story = told(configured(50, 50), service, int(120 * real))
    assert story.calls / service.permitted >= 0.93
    assert story.throttles <= 0.03 + strays


def test_a_configured_rate_comes_back_when_the_others_have_gone() -> None:
    story = told(configured(50, 50), Service(lambda now: 25 if now < 60 else 50, 50), 3500)
    accepted, throttled = story.between(68, story.seconds)
    assert accepted >= 0.98 * 50
    assert throttled <= 0.01


@pytest.mark.parametrize("pace", [configured(50, 50), auto()], ids=["configured", "auto"])
def test_it_comes_back_when_others_took_everything_for_a_minute(pace: AdaptiveLimiter) -> None:
    story = told(pace, Service(lambda now: 0 if 30 <= now < 90 else 50, 50), 6000)
    accepted, _ = story.between(165, story.seconds)
    assert accepted >= 0.95 * 50


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rate, calls", [(150, 1500), (50, 3000)])
def test_strays_do_not_drag_a_configured_rate_down(rate: int, calls: int, seed: int) -> None:
    story = told(configured(rate, rate), Service(lambda _: 1e4, 1e4, strays=0.03, seed=seed), calls)
    assert story.share(rate) >= 0.85


@pytest.mark.parametrize("rate", [2, 10])
def test_strays_do_not_drag_a_slow_rate_down_in_the_long_run(rate: int) -> None:
    story = told(configured(rate, rate), Service(lambda _: 1e4, 1e4, strays=0.03), 3000)
    assert story.share(rate) >= 0.85


@pytest.mark.parametrize("seed", range(3))
def test_strays_do_not_drag_a_learned_rate_down(seed: int) -> None:
    story = told(auto(), Service(lambda _: 50, 50, strays=0.01, seed=seed), 4000)
    assert story.share(50) >= 0.9
    assert story.throttles <= 0.04


def test_a_pause_is_not_sending_time() -> None:
    story = told(auto(), Service(lambda _: 50, 50), 2500, pause=(20, 50))
    accepted, throttled = story.between(50.5, 60)
    assert accepted >= 0.98 * 50
    assert throttled <= 0.03
    assert story.pace.estimator.estimate == pytest.approx(50, rel=0.02)


def test_no_estimate_comes_from_a_time_with_a_restart_in_it() -> None:
    story = told(auto(), Service(lambda _: 50, 50), 1000)
    later = story.seconds + 3600
    restored = auto().with_state(story.pace.state).for_new_run(story.seconds)
    throttled = restored.take(later)[0].answered(later + 1, accepted=30, throttled=1)
    assert throttled.estimator.estimate == restored.estimator.estimate


def test_a_search_stands_still_while_nobody_asks() -> None:
    searching = RateEstimator(2.0).with_request(0.0, 0.0).at_pace(2.0)
    assert searching.pace(DOUBLING) == pytest.approx(4)
    assert searching.with_request(100.5, 100.0).pace(100.5 + DOUBLING) == pytest.approx(4)


def test_growth_stands_still_while_nobody_asks() -> None:
    pace, now = told(auto(), Service(lambda _: 50, 50), 1000).pace, 100.0
    for _ in range(600):
        pace, now = pace.take(now)[0].answered(now, accepted=1, throttled=0), now + 1
    assert pace.estimator.pace(now) <= 1.5 * 50


def test_a_configured_rate_is_never_exceeded_however_long_nothing_is_throttled() -> None:
    estimator = RateEstimator(50, 50).with_request(0.0, 0.0).with_accepted(100, 10.0).throttled(10.0)
    assert all(estimator.pace(float(now)) <= 50 for now in range(10, 10_000))


@given(
    ceiling=st.sampled_from([math.inf, 2.0, 50.0]),
    answers=st.lists(st.tuples(st.floats(0, 5), st.booleans(), st.integers(0, 50), st.booleans()), max_size=50),
)
def test_no_run_of_answers_stops_the_calls_for_good(
    ceiling: float, answers: list[tuple[float, bool, int, bool]]
) -> None:
    estimator, now = RateEstimator(2.0, ceiling).with_request(0.0, 0.0).at_pace(2.0), 0.0
    for seconds, idle, took, no in answers:
        now += seconds
        estimator = estimator.with_request(now, seconds / 2 if idle else 0.0).with_accepted(took, now)
        estimator = estimator.throttled(now) if no else estimator
        assert 0.01 < estimator.pace(now) <= min(ceiling, 1e4)


def test_what_was_learned_outlives_a_restart_and_a_fruitless_search_does_not() -> None:
    known = told(auto(), Service(lambda _: 50, 50), 1000).pace
    assert auto().with_state(known.state).for_new_run(1e9).estimator == known.estimator
    searching = auto().take(0.0)[0].answered(1.0, accepted=3, throttled=0)
    assert auto().with_state(searching.state).for_new_run(1e9).estimator == RateEstimator(2.0)


def test_a_state_of_another_shape_is_of_no_use_and_does_no_harm() -> None:
    assert auto().with_state([1.0, 2.0]) == auto()


def test_a_throttle_costs_no_silence_however_slow_the_first_guess_was() -> None:
    learned = auto().take(0.0)[0].answered(9.0, accepted=450, throttled=1).answered(9.0, accepted=0, throttled=1)
    restored = auto().with_state(learned.state)
    _, wait = restored.answered(10.0, accepted=5, throttled=1).take(10.0)
    assert wait < 0.5


@pytest.mark.parametrize(
    "accepted, seconds, expected",
    [
        pytest.param(9, 1.1, math.sqrt(9 / 1.1 * 8), id="the middle of what was accepted and the pace of then"),
        pytest.param(0, 1.1, math.sqrt(1 / 1.1 * 8), id="one call at least"),
        pytest.param(0, 0.0, math.sqrt(1 / 0.1 * 2), id="in a tenth of a second at least"),
        pytest.param(1, 0.55, math.sqrt(1 / 0.55 * 4), id="one call as one"),
        pytest.param(30, 0.55, math.sqrt(30 / 0.55 * 4), id="more than the pace, which the burst paid for"),
    ],
)
def test_the_first_estimate_is(accepted: int, seconds: float, expected: float) -> None:
    """Too high was the pace, too low what it gave: the geometric mean of both. The pace doubles from a guess of 2."""
    searching = RateEstimator(2.0).with_request(0.0, 0.0).at_pace(2.0)
    known = searching.with_accepted(accepted, seconds).throttled(seconds).throttled(seconds)  # the first is forgiven
    assert known.estimate == pytest.approx(expected)
    assert (known.prior, known.since, known.accepted) == (known.estimate, seconds, 0)


def test_the_first_estimate_of_a_configured_rate_is_that_rate() -> None:
    assert (
        RateEstimator(50.0, 50.0).with_request(0.0, 0.0).at_pace(50.0).with_accepted(3, 1.0).throttled(1.0).estimate
        == 50.0
    )
