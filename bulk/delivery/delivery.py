"""Delivers to one recipient: the channel's conversation, with every call announced and every reply recorded.

Going on after a crash is replaying: the generator is fed the replies that the ledger recorded, and yields the first
call without one. Where that call was announced before, it goes out again with the token and the parameters of then,
while the token is young enough for the service to know it; otherwise nobody can tell, and the outcome says so.
"""

import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from bulk.delivery.announcements import Admission, Announcer, Announces, Deferred
from bulk.delivery.attempts import AttemptState, CallCounts
from bulk.delivery.call_runner import CallRunner
from bulk.delivery.marks import marked
from bulk.errors import CallFailed, CallRejected, CallUnsettled, CallWithheld, Halted
from bulk.model import Call, Delivery, Exchange, Outcome, Parameters, Reply, Status, digest
from bulk.stop import Stopped
from bulk.text.outside import row_values


class Journal(Announces, Protocol):
    """What remembers. `delivery` is the delivery's id."""

    async def answer(self, delivery: int, step: int, reply: Reply, *, attempts: int, settled: bool) -> None:
        """Record a call's reply; returns when that is durable. `settled`: the recipient's end is known with it."""

    async def withdraw(self, delivery: int, *, attempts: int, token: str | None = None) -> None:
        """Take an announcement back: its call was certainly not accepted. `token`: it would have reached a person."""

    async def opened(self, delivery: int, token: str, at: float) -> None:
        """Record that a contact opened under a token (`at`: Unix seconds): from then on it is open for its time."""

    async def end(self, delivery: int, token: str, at: float) -> None:
        """Record that the contact opened under a token was ended (`at`: Unix seconds)."""

    async def finish(self, delivery: int, outcome: Outcome, *, token: str | None = None, reopens: bool = False) -> None:
        """Record a recipient's end. `token`: a last call certainly not accepted. `reopens`: see `Delivery`."""


@dataclass(slots=True)
class CallInFlight:
    """The call of a conversation that is under way, its token, and which call opened the contact (see `Call.opens`)."""

    call: Call = field(init=False)
    token: str = field(init=False)
    opening: tuple[str, str] | None = None

    def take(self, call: Call, token: str) -> None:
        """Go on to another call."""
        self.call, self.token = call, token
        if call.opens:
            self.opening = call.operation, token

    @property
    def reaching_token(self) -> str | None:
        """The token of the call, where it reaches a person."""
        return self.token if self.call.reaches else None


@dataclass(frozen=True, slots=True)
class Deliverer:
    """Drives recipients to their outcomes; owns no task.

    `token_of` names a call, by operation, step and delivery. `replay_within` says, per operation, for how many
    seconds after its announcement a token may be used again. `admission` is asked before each try that reaches a
    person. `mark` is the contact attribute that names each call. `now` returns Unix seconds.
    """

    caller: CallRunner
    journal: Journal
    exchange: Callable[[Mapping[str, Parameters]], Exchange]
    token_of: Callable[[str, int, Delivery], str]
    replay_within: Mapping[str, float]
    admission: Admission = field(default_factory=Admission)
    mark: str | None = None
    now: Callable[[], float] = time.time

    @property
    def call_counts(self) -> CallCounts:
        """What went over the wire."""
        return self.caller.call_counts

    @property
    def full(self) -> tuple[str, ...]:
        """The operations that wait until the service has room again."""
        return self.caller.full()

    def probes_in(self) -> dict[str, float]:
        """Return when each of those is tried again: in so many seconds."""
        return self.caller.probes_in()

    async def deliver(self, delivery: Delivery) -> Outcome:
        """Drive one recipient to its outcome, and record that.

        Raises `Deferred` where its window is closed, `Stopped` and `Halted`: the row is then unsent, or in doubt where
        a try may have been accepted.
        """
        tries = AttemptState(delivery.progress.attempts, reopens=delivery.reopens is not None)
        in_flight = CallInFlight()
        try:
            contact_id = await self._converse(delivery, tries, in_flight)
            outcome = self._end(Status.SENT, tries, contact_id=contact_id)
        except CallWithheld as no:
            await self._take_back(delivery, tries, in_flight)
            if tries.reopens and delivery.reopens is Status.UNKNOWN:  # it may have been accepted, and stays so
                return self._end(Status.UNKNOWN, tries, no)
            outcome = self._end(no.refusal.status, tries, no)
        except CallRejected as failure:
            outcome = self._end(Status.REJECTED, tries, failure)
        except CallUnsettled as failure:
            outcome = self._end(Status.UNKNOWN, tries, failure)
        except (Stopped, Halted, Deferred):
            await self._take_back(delivery, tries, in_flight)
            raise
        await self._finish(delivery, outcome, tries, in_flight)
        return outcome

    async def _finish(self, delivery: Delivery, outcome: Outcome, tries: AttemptState, in_flight: CallInFlight) -> None:
        not_accepted = outcome.status is Status.REJECTED and tries.announced
        token = in_flight.reaching_token if not_accepted else None
        await self.journal.finish(delivery.id, outcome, token=token, reopens=tries.reopens)

    async def _take_back(self, delivery: Delivery, tries: AttemptState, in_flight: CallInFlight) -> None:
        """Take the last announcement back, where nothing of it can have been accepted."""
        if tries.announced and not tries.in_doubt:
            await self.journal.withdraw(delivery.id, attempts=tries.made, token=in_flight.reaching_token)
            tries.announced = False

    async def _converse(self, delivery: Delivery, tries: AttemptState, in_flight: CallInFlight) -> str:
        """Run the channel's generator: recorded replies first, then calls."""
        exchange = self.exchange(delivery.parameters)
        recorded = delivery.progress.replies
        try:
            call = next(exchange)
            for step in itertools.count():
                in_flight.take(call, self._token(call, step, delivery))
                try:
                    reply = (
                        recorded[step] if step < len(recorded) else await self._answer(delivery, step, tries, in_flight)
                    )
                except CallFailed as failure:
                    call = exchange.throw(failure)
                    if isinstance(failure, CallRejected):  # a clear no, and what follows tidies up
                        await self._take_back(delivery, tries, in_flight)
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

    def _token(self, call: Call, step: int, delivery: Delivery) -> str:
        return call.parameters.get("ClientToken") or self.token_of(call.operation, step, delivery)

    def _content(self, delivery: Delivery) -> object:
        """Return what must be the same at each try of a call."""
        return delivery.parameters if self.mark is None else [delivery.parameters, self.mark]

    async def _answer(self, delivery: Delivery, step: int, tries: AttemptState, in_flight: CallInFlight) -> Reply:
        """Get the reply to one call."""
        token, attribute = in_flight.token, self.mark if in_flight.call.opens else None
        call, named = marked(in_flight.call, attribute, token), digest(self._content(delivery))
        progress = delivery.progress
        announced_at = progress.intended_at if step == len(progress.replies) else None
        if announced_at is not None and progress.digest and progress.digest != named:
            raise CallUnsettled(call.operation, "changed", "it was tried with other parameters, and nobody answered")
        if announced_at is None:
            announced_at = progress.doubted_at
        tries.begin(in_doubt=announced_at is not None)
        limit = self.replay_within.get(call.operation, 0.0)
        ready = Announcer(
            *(delivery, call, step, token, named, tries, self.journal, self.admission, limit, self.now, announced_at),
            attribute,
        )
        ready.check_age()  # what is too old to be asked again takes no turn from what can be sent
        try:
            reply = await self.caller.make(call, token, ready=ready, tries=tries)
        except (CallFailed, Halted) as error:  # what is said goes on without the row's own values, which it may echo
            error.hide(row_values(delivery.recipient, delivery.parameters))
            raise
        if call.opens and self.admission.counts_open:
            await self.journal.opened(delivery.id, token, self.now())
        if call.ends and in_flight.opening is not None:
            opener, opened_under = in_flight.opening
            self.caller.ended(opener)
            await self.journal.end(delivery.id, opened_under, self.now())
        return reply

    def _end(
        self, status: Status, tries: AttemptState, failure: CallFailed | None = None, *, contact_id: str | None = None
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
