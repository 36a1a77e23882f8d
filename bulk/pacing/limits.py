"""Limits, one by one and together: arithmetic only, time is a number that comes in.

A service's token bucket holds `burst` tokens and gains `per_second` of them each second; a call takes one. The same
rule told as a timetable (the generic cell rate algorithm, ITU-T I.371): calls at an even pace would go at `due`,
`due + 1/per_second`, …; a call may go ahead of its even place by as much as `burst - 1` calls. One number is the whole
state, nothing polls, and a late call does not delay the ones after it.

So many calls a day are something else: a bucket that holds a day's calls and gains as many lets nearly twice the number
through in its first day. An allowance counts the calls of the last day, in slots, and so holds for any day.

Calls leave here evenly and arrive unevenly. A sender that spends the service's last token is throttled as soon as one
call travels faster than the one before it. `inside` therefore leaves a tenth of the burst, at least one token, in
the service's bucket for good; the rate is the same to the last call. At a high rate a tenth of the burst may be less
than calls differ by: what comes in during `JITTER` is left then, but no more than half of the burst.
"""

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

CROWD = 16  # calls that processes of a host may have waiting under one limit, one each
JITTER = 0.03  # seconds by which calls may differ in how long they take from here to the service
SLOTS = 96  # in which an allowance counts its span: a quarter of an hour for a day


@dataclass(frozen=True, slots=True)
class Bucket:
    """One limit: `per_second` calls, of which `burst` may go at once. `due` is the next even place, in seconds.

    With `of_parts` it counts the parts of messages instead of calls. Limits of the same `name` are one limit to all
    processes that share it.
    """

    per_second: float
    burst: int = 1
    due: float = -math.inf
    of_parts: bool = False
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse a limit that would let nothing through."""
        if not self.per_second > 0 or self.burst < 1:
            raise ValueError(f"a limit lets something through: {self.per_second}/s, burst {self.burst}")

    def wait(self, now: float, amount: int = 1) -> float:
        """Return how long the next `amount` have to wait, in seconds: a whole burst, where they are more than that."""
        return max(0.0, self.due - max(0, self.burst - amount) / self.per_second - now)

    def take(self, now: float, amount: int = 1) -> tuple[Self, float]:
        """Return the bucket after the next `amount` have taken their place, and how many seconds they wait."""
        wait = self.wait(now, amount)
        return self.at(max(self.due, now + wait) + amount / self.per_second), wait

    def bears(self, amount: int = 1) -> float:
        """Return the time until which the last `amount` may go without another place."""
        return self.due - amount / self.per_second

    def gone(self, now: float, amount: int = 1) -> Self:
        """Return the bucket where the last `amount` go now, later than their place could bear."""
        return self.at(max(self.due, now + amount / self.per_second))

    def at(self, due: float) -> Self:
        """Return the same limit at another place."""
        return type(self)(self.per_second, self.burst, due, self.of_parts, self.name)

    def empty(self, now: float) -> Self:
        """Know that the service's bucket is empty now: the burst is spent, and one place is left out."""
        return self.at(max(self.due, now + self.burst / self.per_second))

    def lasts(self, amount: int) -> float:
        """Return how long so many take, in seconds, beginning with a full burst."""
        return max(0.0, (amount - self.burst) / self.per_second)

    def anew(self, now: float) -> Self:
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


@dataclass(frozen=True, slots=True)
class SlidingWindow:
    """Another: so many `calls` in any `span` of so many seconds, however they are spread.

    `taken` counts them by slot, the oldest first. A slot counts as long as the span may hold any moment of it, so that
    the rate over a long time is a hundredth lower than what is said.
    """

    calls: int
    span: float
    name: str = ""
    taken: tuple[tuple[int, int], ...] = ()
    of_parts: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Refuse a limit that would let nothing through."""
        if self.calls < 1 or not self.span > 0:
            raise ValueError(f"a limit lets something through: {self.calls} in {self.span} s")

    def wait(self, now: float, amount: int = 1) -> float:
        """Return how long the next `amount` have to wait, in seconds."""
        begins = now  # not before the last that has its place
        left = self.calls - amount
        for slot, calls in reversed(self.taken):
            begins = max(begins, slot * self._width)
            left -= calls
            if left < 0:
                return max(begins, (slot + SLOTS + 1) * self._width) - now
        return begins - now

    def take(self, now: float, amount: int = 1) -> tuple[Self, float]:
        """Return the window after the next `amount` have taken their place, and how many seconds they wait."""
        wait = self.wait(now, amount)
        slot = int((now + wait) // self._width)
        kept = [one for one in self.taken if one[0] >= slot - 2 * (SLOTS + 1)]  # who waits for a span may yet give up
        if kept and kept[-1][0] >= slot:
            slot, calls = kept.pop()
            amount += calls
        return self._with((*kept, (slot, amount))), wait

    def bears(self, amount: int = 1) -> float:  # noqa: ARG002 - a slot is much longer than a call is late
        """Return the time until which the last `amount` may go without another place: any."""
        return math.inf

    def gone(self, now: float, amount: int = 1) -> Self:  # noqa: ARG002
        """Return the allowance where the last `amount` go now: their slot counts them for long enough."""
        return self

    def lasts(self, amount: int) -> float:
        """Return how long it takes until the last of so many may go, in seconds."""
        return (amount - 1) // self.calls * self.span

    def anew(self, now: float) -> Self:
        """Begin another run: what was taken stays so, except in times yet to come, by a clock that was set back."""
        return self._with(tuple(one for one in self.taken if one[0] <= now // self._width + 1))

    @property
    def state(self) -> tuple[float, ...]:
        """What a restart and other processes have to know."""
        return tuple(number for slot in self.taken for number in slot)

    def with_state(self, state: Sequence[float]) -> Self:
        """Go on from a state; where it is empty, nothing was taken."""
        return self._with(tuple(zip(map(int, state[::2]), map(int, state[1::2]), strict=True)))

    @property
    def _width(self) -> float:
        return self.span / SLOTS

    def _with(self, taken: tuple[tuple[int, int], ...]) -> Self:
        return type(self)(self.calls, self.span, self.name, taken)


Limit = Bucket | SlidingWindow


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

    def bears(self, parts: int = 1) -> float:
        """Return the time until which the call that took the last place may go without another."""
        return min((limit.bears(_amount(limit, parts)) for limit in self), default=math.inf)

    def gone(self, now: float, parts: int = 1) -> Self:
        """Return the limits where the call that took the last place goes now, later than that could bear."""
        return type(self)(limit.gone(now, _amount(limit, parts)) for limit in self)

    def anew(self, now: float) -> Self:
        """Begin another run."""
        return type(self)(limit.anew(now) for limit in self)

    def lasts(self, calls: int, parts: int = 0) -> float:
        """Return how long so many calls take, of so many parts in all, in seconds."""
        steady = [limit for limit in self if isinstance(limit, Bucket)]
        allowances = [limit for limit in self if isinstance(limit, SlidingWindow)]

        def evenly(calls: int) -> float:
            return max((limit.lasts(_amount(limit, parts, calls)) for limit in steady), default=0.0)

        return max([evenly(calls), *(one.lasts(calls) + evenly((calls - 1) % one.calls + 1) for one in allowances)])


def _amount(limit: Limit, parts: int, calls: int = 1) -> int:
    return parts if limit.of_parts else calls


def inside(per_second: float, burst: int, name: str = "") -> Bucket:
    """Return the bucket that stays inside a service's `per_second` and `burst`, whatever the jitter of the line."""
    left = max(1, burst // 10, min(burst // 2, int(per_second * JITTER)))
    return Bucket(per_second, max(1, burst - left), name=name)


class OpenContactLimit:
    """The contacts that may be open at once: `limit` of them, each for `open_for` seconds.

    `opened` are the times at which those opened that are open already, the oldest first.
    """

    def __init__(self, limit: int, open_for: float, opened: Iterable[float] = ()) -> None:
        self._limit = limit
        self._open_for = open_for
        self._opened = deque(opened, maxlen=limit)

    def wait(self, now: float) -> float:
        """Return how long until there is room for one more, in seconds."""
        return max(0.0, self._opened[0] + self._open_for - now) if len(self._opened) == self._limit else 0.0

    def take(self, now: float) -> None:
        """Count a contact that opens now: of more than the limit, the oldest has ended."""
        self._opened.append(now)

    def give_back(self) -> None:
        """Count one contact less: it did not open after all, or has ended."""
        if self._opened:
            self._opened.pop()

    def refill(self, opened: Iterable[float]) -> None:
        """Know anew which are open: the oldest first."""
        self._opened = deque(opened, maxlen=self._limit)
