"""The attempts of a call: their counts, and the errors that end one without an answer."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class CallCounts:
    """What went over the wire so far."""

    calls: int = 0
    throttled: int = 0
    unstopped: int = 0
    in_flight: int = 0


@dataclass(slots=True)
class AttemptState:
    """The tries of one recipient: `made` over all its calls, the rest of the call under way.

    `announced` tells that the ledger holds an intent, `in_doubt` that one of the tries may have been accepted, `placed`
    that room was taken for the contact: a call in doubt may have opened it, and waits for none. `reopens`: a decision
    sends the recipient again, and no call has been announced since.
    """

    made: int = 0
    faults: int = 0
    throttles: int = 0
    announced: bool = False
    in_doubt: bool = False
    placed: bool = False
    reopens: bool = False
    request_id: str | None = None

    def begin(self, *, in_doubt: bool) -> None:
        """Begin the tries of another call."""
        self.faults, self.throttles, self.announced = 0, 0, False
        self.in_doubt = self.placed = in_doubt


class Full(Exception):  # a course of things, not an error
    """There is no room for another open contact: `opened` are the times (seconds) at which those opened."""

    def __init__(self, opened: Sequence[float]) -> None:
        super().__init__(f"{len(opened)} contacts are open")
        self.opened = opened


class RetryAfter(Exception):  # a course of things, not an error
    """The call is to be made again, after `wait` seconds."""

    def __init__(self, wait: float = 0.0, at_least: float | None = None) -> None:
        super().__init__(wait)
        self.wait, self.at_least = wait, at_least or 0.0
