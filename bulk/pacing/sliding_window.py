"""At most so many calls in any span of time. Arithmetic only: time is an argument.

A bucket that holds a day's calls and gains as many lets nearly twice the number through in its first day. A sliding
window counts the calls of the last day, in slots, and so holds for any day.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

SLOTS = 96  # in which a window counts its span: a quarter of an hour for a day


@dataclass(frozen=True, slots=True)
class SlidingWindow:
    """One limit: so many `calls` in any `span` of so many seconds, however they are spread.

    `taken` counts them by slot, the oldest first. A slot counts as long as the span may hold any moment of it, so that
    the rate over a long time is a hundredth lower than what is said.
    """

    calls: int
    span: float
    name: str = ""
    taken: tuple[tuple[int, int], ...] = ()
    of_parts: ClassVar[bool] = False

    def __post_init__(self) -> None:
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

    def valid_until(self, amount: int = 1) -> float:  # noqa: ARG002 - a slot is much longer than a call is late
        """Return the time until which the last `amount` may go without another place: any."""
        return math.inf

    def taken_late(self, now: float, amount: int = 1) -> Self:  # noqa: ARG002 - whenever they go
        """Return the window where the last `amount` go now: their slot counts them for long enough."""
        return self

    def duration_of(self, amount: int) -> float:
        """Return how long it takes until the last of so many may go, in seconds."""
        return (amount - 1) // self.calls * self.span

    def remainder(self, amount: int) -> int:
        """Return how many are left for the last span."""
        return (amount - 1) % self.calls + 1

    def for_new_run(self, now: float) -> Self:
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
