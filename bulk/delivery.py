"""One recipient driven to one outcome: the channel's conversation, with every call announced and every reply kept.

Going on after a crash is replaying: the generator is fed the replies that the ledger recorded, and yields the first
call without one. Where that call was announced before, it goes out again with the token and the parameters of then,
while the token is young enough for the service to know it; otherwise nobody can tell, and the outcome says so.
"""

import itertools
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from bulk.calling import Caller, Tally, Tries
from bulk.errors import CallFailed, CallRejected, CallUnsettled, Halted
from bulk.model import Call, Delivery, Exchange, Outcome, Parameters, Reply, Status, digest
from bulk.outside import row_values
from bulk.stopping import Stopped


class NotNow(Exception):
    """The recipient may not be written to at this moment, or not at all: `why` says which."""

    def __init__(self, why: Any) -> None:
        super().__init__(str(why))
        self.why = why


class Journal(Protocol):
    """What remembers. `delivery` is the delivery's id."""

    async def intend(self, delivery: int, step: int, token: str, *, digest: bytes, at: float) -> None:
        """Announce a call (`at`: Unix seconds); returns when that is durable."""

    async def answer(self, delivery: int, step: int, reply: Reply, *, attempts: int, settled: bool) -> None:
        """Record a call's reply; returns when that is durable. `settled`: the recipient's end is known with it."""

    async def withdraw(self, delivery: int, *, attempts: int) -> None:
        """Take an intent back: its call was certainly not accepted."""

    async def finish(self, delivery: int, outcome: Outcome) -> None:
        """Record a recipient's end."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """Drives recipients to their outcomes; owns no task.

    `token_of` names a call, by operation, step and delivery. `replay_within` says, per operation, for how many
    seconds after its intent a token may be used again. `admit` is asked when the first call has its turn, and raises
    `NotNow` where the recipient may not be written to. `now` gives Unix seconds.
    """

    caller: Caller
    journal: Journal
    exchange: Callable[[Mapping[str, Parameters]], Exchange]
    token_of: Callable[[str, int, Delivery], str]
    replay_within: Mapping[str, float]
    admit: Callable[[Delivery], None] = lambda _: None
    now: Callable[[], float] = time.time

    @property
    def tally(self) -> Tally:
        """What went over the wire."""
        return self.caller.tally

    @property
    def full(self) -> tuple[str, ...]:
        """The operations that wait until the service has room again."""
        return self.caller.full()

    async def deliver(self, delivery: Delivery) -> Outcome:
        """Drive one recipient to its outcome, and record that.

        Raises `Stopped` and `Halted`: the row is then unsent, or in doubt where a try may have been accepted.
        """
        tries = Tries(delivery.progress.attempts)
        try:
            contact_id = await self._converse(delivery, tries)
            outcome = self._end(Status.SENT, tries, contact_id=contact_id)
        except CallRejected as failure:
            outcome = self._end(Status.REJECTED, tries, failure)
        except CallUnsettled as failure:
            outcome = self._end(Status.UNKNOWN, tries, failure)
        except (Stopped, Halted):
            if tries.announced and not tries.in_doubt:
                await self.journal.withdraw(delivery.id, attempts=tries.made)
            raise
        await self.journal.finish(delivery.id, outcome)
        return outcome

    async def _converse(self, delivery: Delivery, tries: Tries) -> str:
        """Run the channel's generator: recorded replies first, then calls."""
        exchange = self.exchange(delivery.parameters)
        recorded = delivery.progress.replies
        try:
            call = next(exchange)
            for step in itertools.count():
                try:
                    reply = recorded[step] if step < len(recorded) else await self._answer(delivery, step, call, tries)
                except CallFailed as failure:
                    call = exchange.throw(failure)
                    if isinstance(failure, CallRejected):  # a clear no, and what follows tidies up
                        await self.journal.withdraw(delivery.id, attempts=tries.made)
                else:
                    call = exchange.send(reply)
                    if step >= len(recorded):  # the last reply needs no record of its own: it is in the outcome
                        await self.journal.answer(delivery.id, step, reply, attempts=tries.made, settled=call.optional)
        except StopIteration as end:
            contact_id: str = end.value
            return contact_id
        finally:
            exchange.close()
        raise AssertionError("a conversation ends by its generator's return")

    async def _answer(self, delivery: Delivery, step: int, call: Call, tries: Tries) -> Reply:
        """Get the reply to one call."""
        named = digest(delivery.parameters)
        announced_at = delivery.progress.intended_at if step == len(delivery.progress.replies) else None
        if announced_at is not None and delivery.progress.digest != named:
            raise CallUnsettled(call.operation, "changed", "it was tried with other parameters, and nobody answered")
        tries.begin(in_doubt=announced_at is not None)
        token = call.parameters.get("ClientToken") or self.token_of(call.operation, step, delivery)

        async def ready() -> None:
            nonlocal announced_at
            if tries.in_doubt and announced_at is not None:
                self._check_age(call.operation, announced_at)
            if not tries.announced:
                if step == 0 and announced_at is None:
                    self.admit(delivery)
                announced_at = self.now() if announced_at is None else announced_at
                await self.journal.intend(delivery.id, step, token, digest=named, at=announced_at)
                tries.announced = True

        try:
            return await self._told(delivery, self.caller.make(call, token, ready=ready, tries=tries))
        except CallRejected as no:
            if step and tries.in_doubt:  # our own first try may be why the contact of an earlier call is refused now
                raise CallUnsettled(no.operation, no.code, no.message, status=no.status) from no
            raise

    async def _told(self, delivery: Delivery, reply: Awaitable[Reply]) -> Reply:
        """Wait for a reply; what is said instead goes on without the row's own values, which it may echo."""
        try:
            return await reply
        except (CallFailed, Halted) as error:
            error.hide(row_values(delivery.recipient, delivery.parameters))
            raise

    def _check_age(self, operation: str, announced_at: float) -> None:
        """Raise `CallUnsettled` where the service may have forgotten a token under which it may have accepted."""
        age, limit = self.now() - announced_at, self.replay_within.get(operation, 0.0)
        if age > limit:
            raise CallUnsettled(
                operation,
                "token_expired",
                f"tried {age / 60:.0f} minutes ago without an answer; "
                f"a token is reused within {limit / 60:.0f} minutes",
            )

    def _end(
        self, status: Status, tries: Tries, failure: CallFailed | None = None, *, contact_id: str | None = None
    ) -> Outcome:
        return Outcome(
            status,
            contact_id=contact_id,
            attempts=tries.made,
            error_code=failure.code if failure else None,
            error_message=failure.message if failure else None,
            request_id=tries.request_id,
            finished_at=datetime.fromtimestamp(self.now(), UTC),
        )
