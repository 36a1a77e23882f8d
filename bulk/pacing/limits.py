"""Limits, single and combined. Arithmetic only: time is an argument.

A service's token bucket holds `burst` tokens and gains `per_second` of them each second; a call takes one. The same
rule told as a timetable (the generic cell rate algorithm, ITU-T I.371): calls at an even pace would go at `due`,
`due + 1/per_second`, …; a call may go ahead of its even place by as much as `burst - 1` calls. One number is the whole
state, nothing polls, and a late call does not delay the ones after it.

Calls leave here evenly and arrive unevenly. A sender that spends the service's last token is throttled as soon as one
call travels faster than the one before it. `with_headroom` therefore never uses a tenth of the burst, at least one
token; the rate stays the same. At a high rate a tenth of the burst may be less than calls differ by: the tokens that
come in during `JITTER` stay unused then, but no more than half of the burst.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

CROWD = 16  # calls that processes of a host may have waiting under one limit, one each
JITTER = 0.03  # seconds by which calls may differ in how long they take from here to the service


class Limit(Protocol):
    """What a limit is: a frozen value that counts calls or, where it is `of_parts`, the parts of messages.

    Limits of the same `name` are one limit to all processes that share it. `amount` is what is taken at once.
    """

    @property
    def name(self) -> str: ...

    @property
    def of_parts(self) -> bool: ...

    def wait(self, now: float, amount: int = 1) -> float:
        """Return how long the next `amount` have to wait, in seconds."""

    def take(self, now: float, amount: int = 1) -> tuple[Self, float]:
        """Return the limit after the next `amount` have taken their place, and how many seconds they wait."""

    def valid_until(self, amount: int = 1) -> float:
        """Return the time until which the last `amount` may go without another place."""

    def taken_late(self, now: float, amount: int = 1) -> Self:
        """Return the limit where the last `amount` go now, later than their place could bear."""

    def duration_of(self, amount: int) -> float:
        """Return how long so many take at least, in seconds, with nothing spent before."""

    def remainder(self, amount: int) -> int:
        """Return how many of so many are left after `duration_of`, and may go at once: 0 where they go evenly."""

    def for_new_run(self, now: float) -> Self:
        """Begin another run: what was spent stays so, except in times yet to come, by a clock that was set back."""

    @property
    def state(self) -> tuple[float, ...]:
        """What a restart and other processes have to know."""

    def with_state(self, state: Sequence[float]) -> Self:
        """Go on from a state; where it is empty, nothing was spent."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """One limit: `per_second` calls, of which `burst` may go at once. `due` is the next even place, in seconds."""

    per_second: float
    burst: int = 1
    due: float = -math.inf
    of_parts: bool = False
    name: str = ""

    def __post_init__(self) -> None:
        if not self.per_second > 0 or self.burst < 1:
            raise ValueError(f"a limit lets something through: {self.per_second}/s, burst {self.burst}")

    def wait(self, now: float, amount: int = 1) -> float:
        """Return how long the next `amount` have to wait, in seconds: a whole burst, where they are more than that."""
        return max(0.0, self.due - max(0, self.burst - amount) / self.per_second - now)

    def take(self, now: float, amount: int = 1) -> tuple[Self, float]:
        """Return the bucket after the next `amount` have taken their place, and how many seconds they wait."""
        wait = self.wait(now, amount)
        return self.at(max(self.due, now + wait) + amount / self.per_second), wait

    def valid_until(self, amount: int = 1) -> float:
        """Return the time until which the last `amount` may go without another place."""
        return self.due - amount / self.per_second

    def taken_late(self, now: float, amount: int = 1) -> Self:
        """Return the bucket where the last `amount` go now, later than their place could bear."""
        return self.at(max(self.due, now + amount / self.per_second))

    def at(self, due: float) -> Self:
        """Return the same limit at another place."""
        return type(self)(self.per_second, self.burst, due, self.of_parts, self.name)

    def empty(self, now: float) -> Self:
        """Know that the service's bucket is empty now: the burst is spent, and one place is left out."""
        return self.at(max(self.due, now + self.burst / self.per_second))

    def duration_of(self, amount: int) -> float:
        """Return how long so many take, in seconds, beginning with a full burst."""
        return max(0.0, (amount - self.burst) / self.per_second)

    def remainder(self, amount: int) -> int:  # noqa: ARG002 - whatever the amount
        """Return how many are left for the end: none, they go evenly."""
        return 0

    def for_new_run(self, now: float) -> Self:
        """Begin another run: what was spent stays so.

        A place further ahead than a spent burst and a crowd of callers comes from a clock that was set back since.
        """
        return self.at(min(self.due, now + (self.burst + CROWD) / self.per_second))

    @property
    def state(self) -> tuple[float, ...]:
        """What a restart and other processes have to know."""
        return (self.due,)

    def with_state(self, state: Sequence[float]) -> Self:
        """Go on from a state; where it is empty, nothing was spent."""
        return self.at(*state) if state else self


class Limits(tuple[Limit, ...]):
    """Several limits at once, such as 2 a second and 10,000 a day: the strictest of the moment decides."""

    __slots__ = ()

    def wait(self, now: float, parts: int = 1) -> float:
        """Return how long a call of so many parts has to wait, in seconds."""
        return max((limit.wait(now, _amount(limit, parts)) for limit in self), default=0.0)

    def take(self, now: float, parts: int = 1) -> tuple[Self, float]:
        """Return the limits after a call of so many parts has taken its place, and how many seconds it waits."""
        wait = self.wait(now, parts)
        return type(self)(limit.take(now + wait, _amount(limit, parts))[0] for limit in self), wait

    def valid_until(self, parts: int = 1) -> float:
        """Return the time until which the call that took the last place may go without another."""
        return min((limit.valid_until(_amount(limit, parts)) for limit in self), default=math.inf)

    def taken_late(self, now: float, parts: int = 1) -> Self:
        """Return the limits where the call that took the last place goes now, later than that could bear."""
        return type(self)(limit.taken_late(now, _amount(limit, parts)) for limit in self)

    def for_new_run(self, now: float) -> Self:
        """Begin another run."""
        return type(self)(limit.for_new_run(now) for limit in self)

    def duration_of(self, calls: int, parts: int = 0) -> float:
        """Return how long so many calls take, of so many parts in all, in seconds."""
        left = {limit: limit.remainder(calls) for limit in self}

        def evenly(calls: int) -> float:
            return max(
                (limit.duration_of(_amount(limit, parts, calls)) for limit in self if not left[limit]), default=0.0
            )

        return max([evenly(calls), *(limit.duration_of(calls) + evenly(left[limit]) for limit in self if left[limit])])


def _amount(limit: Limit, parts: int, calls: int = 1) -> int:
    return parts if limit.of_parts else calls


def with_headroom(per_second: float, burst: int, name: str = "") -> Bucket:
    """Return the bucket that stays inside a service's `per_second` and `burst`, whatever the jitter of the line."""
    left = max(1, burst // 10, min(burst // 2, int(per_second * JITTER)))
    return Bucket(per_second, max(1, burst - left), name=name)
