"""Counts the calls of each operation and their outcomes."""

from array import array
from dataclasses import dataclass, field
from typing import Any

_TIMES_KEPT = 1_000_000


@dataclass(slots=True)
class Calls:
    """The calls of one operation.

    Each one received is counted as one of the others; one whose answer was lost is counted as `dropped`
    besides.
    """

    received: int = 0
    accepted: int = 0
    replayed: int = 0
    throttled: int = 0
    failed: int = 0
    dropped: int = 0
    received_at: "array[float]" = field(default_factory=lambda: array("d"))

    def receive(self, now: float) -> None:
        self.received += 1
        self.received_at.append(now)
        if len(self.received_at) > _TIMES_KEPT:
            del self.received_at[: _TIMES_KEPT // 2]

    def as_dict(self) -> dict[str, Any]:
        names = ("received", "accepted", "replayed", "throttled", "failed", "dropped")
        return {name: getattr(self, name) for name in names} | {"received_at": self.received_at.tolist()}
