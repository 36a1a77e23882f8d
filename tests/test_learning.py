"""A rate that nobody told, against a service that is a token bucket: all in arithmetic."""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulk.learning import Learner
from bulk.pacing import Limits, Pace, inside


@dataclass
class Service:
    """A token bucket that answers after `latency` seconds; `rate` gives calls a second at a time."""

    rate: Callable[[float], float]
    burst: float
    latency: float = 0.1
    tokens: float = field(init=False)
    last: float = 0.0

    def __post_init__(self) -> None:
        self.tokens = self.burst

    def takes(self, now: float) -> bool:
        self.tokens = min(self.burst, self.tokens + (now - self.last) * self.rate(now))
        self.last = now
        taken = self.tokens >= 1
        self.tokens -= taken
        return taken


@dataclass(frozen=True)
class Story:
    """How a list of `calls` went: when the last was accepted, and how many were throttled on the way."""

    calls: int
    seconds: float
    throttled: int
    pace: Pace

    def share(self, per_second: float) -> float:
        return self.calls / (per_second * self.seconds)

    @property
    def throttles(self) -> float:
        return self.throttled / self.calls


def told(pace: Pace, service: Service, calls: int) -> Story:
    """Make so many calls, each again until it is taken; 64 in flight at most."""
    chance = random.Random(7)
    todo, done, throttled, flying, took, now = calls, 0, 0, 0, 0, 0.0
    place: float | None = None
    arriving: list[tuple[float, str, bool]] = []
    again: list[float] = []
    while done < calls:
        if place is None and flying < 64 and (todo or (again and again[0] <= now)):
            pace, wait = pace.answered(now, took=took, throttled=0).take(now)
            took, place = 0, now + wait
            if again and again[0] <= now:
                heapq.heappop(again)
            else:
                todo -= 1
        soonest = [time for time in (place, arriving[0][0] if arriving else None) if time is not None]
        now = max(now, min(soonest or again))
        if place is not None and place <= now:
            place, flying = None, flying + 1
            heapq.heappush(arriving, (now + service.latency * chance.uniform(0.45, 0.55), "there", False))
        elif arriving and arriving[0][0] <= now:
            _, where, taken = heapq.heappop(arriving)
            if where == "there":
                heapq.heappush(arriving, (now + service.latency / 2, "back", service.takes(now)))
                continue
            flying -= 1
            done, took = done + taken, took + taken
            if not taken:
                throttled += 1
                pace, took = pace.answered(now, took=took, throttled=1), 0
                heapq.heappush(again, now + chance.uniform(0.25, 0.5))
    return Story(calls, now, throttled, pace)


def auto(guess: float = 2.0, burst: int = 5) -> Pace:
    return Pace(Limits((inside(guess, burst),)), Learner(guess))


def configured(rate: float, burst: int) -> Pace:
    first = inside(rate, burst)
    return Pace(Limits((first,)), Learner(rate, rate))


def test_a_configured_rate_is_kept_to_the_last_call_without_a_throttle() -> None:
    story = told(configured(50, 50), Service(lambda _: 50, 50), 1000)
    assert story.share(50) >= 0.99
    assert story.throttled == 0


@pytest.mark.parametrize("rate, burst, calls", [(50, 50, 3000), (20, 25, 1500), (2, 5, 1000)])
def test_a_rate_that_nobody_told_is_found_from_the_answers(rate: float, burst: int, calls: int) -> None:
    story = told(auto(), Service(lambda _: rate, burst), calls)
    assert story.share(rate) >= 0.95
    assert story.throttles <= 0.025


def test_a_guess_that_is_too_high_comes_down() -> None:
    story = told(auto(50, 50), Service(lambda _: 2, 5), 300)
    assert story.share(2) >= 0.95
    assert story.pace.learner.estimate == pytest.approx(2, rel=0.1)


def test_a_quota_that_is_halved_and_doubled_is_followed() -> None:
    story = told(auto(), Service(lambda now: 25 if 30 <= now < 60 else 50, 50), 4000)
    permitted = 50 * story.seconds - 25 * 30
    assert story.calls / permitted >= 0.93
    assert story.throttles <= 0.03


def test_a_configured_rate_gives_way_where_others_use_the_account_too() -> None:
    story = told(configured(50, 50), Service(lambda _: 25, 50), 1000)
    assert story.pace.learner.estimate == pytest.approx(25, rel=0.1)
    assert story.share(25) >= 0.95


def test_a_configured_rate_is_never_exceeded_however_long_nothing_is_throttled() -> None:
    learner = Learner(50, 50).begin(0.0).took(100).throttled(10.0)
    assert all(learner.pace(float(now)) <= 50 for now in range(10, 10_000))


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(0, 50), st.booleans()), max_size=50))
def test_no_run_of_answers_stops_the_calls_for_good(answers: list[tuple[float, int, bool]]) -> None:
    learner, now = Learner(2.0).begin(0.0), 0.0
    for seconds, took, no in answers:
        now += seconds
        learner = learner.took(took)
        learner = learner.throttled(now) if no else learner
        assert learner.pace(now) > 0.01


def test_what_was_learned_outlives_a_restart_and_a_fruitless_search_does_not() -> None:
    known = auto().answered(0.0, took=0, throttled=0).take(0.0)[0].answered(9.0, took=300, throttled=1)
    assert auto().with_state(known.state).anew().learner == known.learner
    searching = auto().take(0.0)[0].answered(1.0, took=3, throttled=0)
    assert auto().with_state(searching.state).anew().learner == Learner(2.0)


def test_a_state_of_another_shape_is_of_no_use_and_does_no_harm() -> None:
    assert auto().with_state([1.0, 2.0]) == auto()


def test_a_throttle_costs_no_silence_however_slow_the_first_guess_was() -> None:
    learned = auto().take(0.0)[0].answered(9.0, took=450, throttled=1)
    restored = auto().with_state(learned.state)
    _, wait = restored.answered(10.0, took=5, throttled=1).take(10.0)
    assert wait < 0.5
