"""A lot: calls on their way to a worker, each with a task that waits for its answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import anyio

from bulk.cluster.lease import Lease
from bulk.cluster.message import SentCall
from bulk.cluster.shares import Grant, Seat
from bulk.errors import BulkError
from bulk.model import Reply


@dataclass(slots=True, eq=False)
class Waiting:
    """A call that waits for its lot, and then for its answer."""

    sent: SentCall
    since: float
    result: Reply | BulkError | None = None
    answered: anyio.Event = field(default_factory=anyio.Event)

    def settle(self, result: Reply | BulkError) -> None:
        """Hand over what became of it."""
        if self.result is None:
            self.result = result
            self.answered.set()


@dataclass(frozen=True, slots=True, eq=False)
class Lot:
    """Calls on their way to a worker, under a lease."""

    seat: Seat
    grant: Grant
    lease: Lease
    calls: Sequence[Waiting]
