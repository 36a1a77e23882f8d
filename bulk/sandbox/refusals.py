"""The latest calls that were refused, for the page."""

import itertools
from collections import deque
from typing import Any

from bulk.sandbox.errors import ServiceError

_KEPT = 200


class Refusals:
    """The latest refusals, numbered from 1."""

    def __init__(self) -> None:
        self._latest: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self._numbers = itertools.count(1)

    def add(self, now: float, operation: str, destination: str | None, error: ServiceError) -> None:
        """Note a call that was refused."""
        self._latest.append(
            {
                "Number": next(self._numbers),
                "At": now,
                "Operation": operation,
                "Destination": destination,
                "Code": error.code or f"HTTP {error.status}",
                "Message": error.message,
            }
        )

    def clear(self) -> None:
        """Forget them; the next one has the next number all the same."""
        self._latest.clear()

    def after(self, number: int) -> list[dict[str, Any]]:
        """Return those after a number, oldest first."""
        return [one for one in self._latest if one["Number"] > number]
