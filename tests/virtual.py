"""Virtual time: an event loop whose clock is a number, so that an hour of sending takes a second.

Whenever every task waits, time jumps to the next timer; nothing ever sleeps. Where no timer is left either, the test
would hang for good, and fails instead.
"""

import asyncio
import random
import selectors
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

import pytest

T = TypeVar("T")

in_virtual_time = pytest.mark.asyncio(loop_factories=["virtual"])
"""Marks a test whose event loop is a `VirtualLoop`: see `conftest`."""


class _Jump(selectors.SelectSelector):
    """Reports what is ready now, and moves the clock where nothing is."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("every task waits, and there is no timer that would wake one")
        self.now += 0.0 if ready else timeout or 0.0
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio event loop in virtual time. It starts at 0, in seconds."""

    jump: Callable[[], _Jump] = _Jump

    def __init__(self) -> None:
        self._jump = self.jump()
        super().__init__(self._jump)

    def time(self) -> float:
        return self._jump.now


class _LateJump(_Jump):
    """Wakes later than it was asked to, each time by another while, as a busy machine does."""

    def __init__(self, worst: float, seed: int) -> None:
        super().__init__()
        self._worst = worst
        self._random = random.Random(seed)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(timeout and timeout + self._random.uniform(0, self._worst))


def late_loop(worst: float, seed: int = 0) -> Callable[[], VirtualLoop]:
    """Return what makes virtual loops whose timers are late, by `worst` seconds at most."""

    class LateLoop(VirtualLoop):
        jump = staticmethod(partial(_LateJump, worst, seed))

    return LateLoop


def run(main: Coroutine[Any, Any, T], loop: Callable[[], VirtualLoop] = VirtualLoop) -> T:
    """Run a coroutine to its end in virtual time."""
    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(main)
