"""The protocols that a call needs: a queue that says when, and a transport that makes the request."""

from collections.abc import Sequence
from typing import Protocol

from bulk.model import Call, Reply


class Transport(Protocol):
    """What makes requests."""

    async def prepare(self) -> None:
        """See to it that the next request can be signed. Raises `SetupError`: no row is charged for that."""

    async def call(self, call: Call, token: str) -> Reply:
        """Make one request, once, under a `ClientToken` where the operation takes one.

        Raises `CallFailed`, `CallNotMade` where the request was certainly never sent, or `Halted` where none can be.
        """


class Queue(Protocol):
    """What says when the calls of an operation may be made, and learns from what comes of them."""

    async def take(self, parts: int = 1, *, opens: bool = True) -> None:
        """Wait until the caller may make one call, of so many parts. Raises `Stopped`.

        `opens`: the call opens a contact for which no room was taken yet.
        """

    def release(self) -> None:
        """Record that a call which had its turn is over, or was not made after all."""

    def accepted(self) -> None:
        """Record that the service accepted a call."""

    def throttled(self) -> None:
        """Record that the service refused a call for its rate."""

    def give_back(self) -> None:
        """Record that a contact did not open after all, or has ended."""

    def refill(self, opened: Sequence[float]) -> None:
        """Record which contacts are open, by the times at which they were opened."""
