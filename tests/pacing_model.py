"""How a list of calls goes, told in arithmetic: a pace, and a service that is a token bucket."""

import heapq
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from bulk.pacing.estimator import RateEstimator
from bulk.pacing.limiter import AdaptiveLimiter
from bulk.pacing.limits import with_headroom


@dataclass
class Service:
    """A token bucket that answers after `latency` seconds; `rate` gives calls a second at a time.

    A share of `strays` is refused at random besides. `permitted` is what could have been accepted by now.
    """

    rate: Callable[[float], float]
    burst: float
    latency: float = 0.1
    strays: float = 0.0
    seed: int = 7
    tokens: float = field(init=False)
    permitted: float = field(init=False)
    accepted: int = 0
    last: float = 0.0

    def __post_init__(self) -> None:
        self.tokens = self.permitted = self.burst
        self.chance = random.Random(self.seed)

    def takes(self, now: float) -> bool:
        flowed = (now - self.last) * self.rate(now)
        self.tokens, self.permitted = min(self.burst, self.tokens + flowed), self.permitted + flowed
        self.last = now
        taken = self.tokens >= 1 and self.chance.random() >= self.strays
        self.tokens -= taken
        self.accepted += taken
        return taken


@dataclass(frozen=True)
class Story:
    """How a list of `calls` went: when the last was accepted, and how many were throttled on the way."""

    calls: int
    seconds: float
    throttled: int
    pace: AdaptiveLimiter
    answers: list[tuple[float, bool]]

    def share(self, per_second: float) -> float:
        return self.calls / (per_second * self.seconds)

    @property
    def throttles(self) -> float:
        return self.throttled / self.calls

    def between(self, start: float, end: float) -> tuple[float, float]:
        """Return the calls accepted a second, and the share throttled, in a part of the story."""
        answers = [taken for now, taken in self.answers if start <= now < end]
        return sum(answers) / (end - start), 1 - sum(answers) / len(answers)


def told(
    pace: AdaptiveLimiter, service: Service, calls: int, *, pause: tuple[float, float] = (math.inf, math.inf)
) -> Story:
    """Make so many calls, each again until it is taken; 64 in flight at most, and none begun in the pause."""
    chance = random.Random(service.seed)
    todo, throttled, flying, took, now = calls, 0, 0, 0, 0.0
    place: float | None = None
    arriving: list[tuple[float, str, bool]] = []
    again: list[float] = []
    answers: list[tuple[float, bool]] = []
    while len(answers) - throttled < calls:
        may_begin = not pause[0] <= now < pause[1]
        if place is None and flying < 64 and may_begin and (todo or (again and again[0] <= now)):
            pace, wait = pace.answered(now, accepted=took, throttled=0).take(now)
            took, place = 0, now + wait
            if again and again[0] <= now:
                heapq.heappop(again)
            else:
                todo -= 1
        soonest = [time for time in (place, arriving[0][0] if arriving else None) if time is not None]
        now = max(now, min(soonest or (again if may_begin else pause[1:])))
        if place is not None and place <= now:
            place, flying = None, flying + 1
            heapq.heappush(arriving, (now + service.latency * chance.uniform(0.45, 0.55), "there", False))
        elif arriving and arriving[0][0] <= now:
            _, where, taken = heapq.heappop(arriving)
            if where == "there":
                heapq.heappush(arriving, (now + service.latency / 2, "back", service.takes(now)))
                continue
            flying -= 1
            answers.append((now, taken))
            took += taken
            if not taken:
                throttled += 1
                pace, took = pace.answered(now, accepted=took, throttled=1), 0
                heapq.heappush(again, now + chance.uniform(0.25, 0.5))
    return Story(calls, now, throttled, pace, answers)


def auto(guess: float = 2.0, burst: int = 5) -> AdaptiveLimiter:
    return AdaptiveLimiter(with_headroom(guess, burst), RateEstimator(guess))


def configured(rate: float, burst: int) -> AdaptiveLimiter:
    first = with_headroom(rate, burst)
    return AdaptiveLimiter(first, RateEstimator(rate, rate))
