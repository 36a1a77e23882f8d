"""The sandbox's clock in virtual time: it runs as usual, and jumps ahead on request."""

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

UNITS: Mapping[str, float] = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
MOST = 100 * 365 * 86400.0  # seconds that it may be ahead

_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[smhd])+", re.ASCII)
_PART = re.compile(r"(?<![\d.])(\d+(?:\.\d+)?)([smhd])", re.ASCII)


def steady_clock() -> Callable[[], float]:
    """Return Unix seconds that never jump, whatever is done to the machine's clock."""
    offset = time.time() - time.monotonic()
    return lambda: offset + time.monotonic()


class VirtualClock:
    """Unix seconds that can be moved ahead, never back: no contact may end before it began."""

    def __init__(self) -> None:
        self._real = steady_clock()
        self.ahead = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self._real() + self.ahead

    def move(self, asked: Mapping[str, Any]) -> None:
        """Move it as asked: `{"advance": "1h30m"}`, or seconds; `{"to": "2026-11-27T09:00Z"}`. Raises `ValueError`."""
        if len(asked) != 1 or not asked.keys() <= {"advance", "to"}:
            raise ValueError("say one of advance (seconds, or 1h30m) and to (a time such as 2026-11-27T09:00:00Z)")
        seconds = _until(asked["to"], self()) if "to" in asked else _duration(asked["advance"])
        if not 0 <= seconds <= MOST - self.ahead:
            raise ValueError(f"it goes ahead only, by {MOST / 86400:,.0f} days at most, and not by {seconds:g} s")
        self.ahead += seconds


def said(clock: Callable[[], float]) -> dict[str, Any]:
    """Return what a clock shows, and by how much it is ahead."""
    now, ahead = clock(), clock.ahead if isinstance(clock, VirtualClock) else 0.0
    return {
        "now": datetime.fromtimestamp(now, UTC).isoformat(),
        "seconds": now,
        "ahead": ahead,
        "virtual": isinstance(clock, VirtualClock),
    }


def _duration(given: Any) -> float:
    if type(given) in {int, float}:
        return float(given)
    if isinstance(given, str) and _DURATION.fullmatch(given):
        return sum(float(number) * UNITS[unit] for number, unit in _PART.findall(given))
    raise ValueError(f"advance: must be seconds, or a duration such as 90s or 1h30m, is {given!r}")


def _until(given: Any, now: float) -> float:
    try:
        then = datetime.fromisoformat(given)
    except (TypeError, ValueError):
        raise ValueError(f"to: must be a time such as 2026-11-27T09:00:00Z, is {given!r}") from None
    return (then if then.tzinfo else then.replace(tzinfo=UTC)).timestamp() - now
