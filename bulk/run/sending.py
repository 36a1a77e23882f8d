"""One sending of a campaign, wired: list → ledger → request → delivery, each known to the others only here."""

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import anyio
from anyio import to_thread

from bulk.breaker import Breaker
from bulk.calling import Caller, Policy, Tally, Transport
from bulk.delivery import Carrier
from bulk.errors import Halted
from bulk.ledger import Claim, ClaimKind, RunLedger
from bulk.loader import Batch
from bulk.model import Delivery, Outcome, Recipient, Refusal, Status, digest
from bulk.run.opening import Opened
from bulk.run.pace import limits
from bulk.run.summary import Progress
from bulk.sender import send
from bulk.stopping import Stop
from bulk.turns import Turns

Item = tuple[Recipient, Claim]

AT_ONCE = 64  # calls in flight where nothing is said: 50 a second at a latency of more than a second
PROMISED = {"StartOutboundChatContact": 7 * 86400.0}  # "StartOutboundChatContact", ClientToken: valid for 7 days
STOPPED = 4  # exit code: stopped with rows left, as asked


class Carries(Protocol):
    """What drives a delivery to its outcome, or, in a dry run, looks at it."""

    @property
    def tally(self) -> Tally:
        """What went over the wire."""

    @property
    def full(self) -> tuple[str, ...]:
        """The operations that wait until the service has room again."""

    async def deliver(self, delivery: Delivery) -> Outcome:
        """Drive one delivery to its outcome."""


@dataclass(slots=True)
class Sending:
    """One pass over the list. `done` and `ended` count what this pass did; the ledger has the whole."""

    opened: Opened
    book: RunLedger
    carrier: Carries
    stop: Stop
    started: float = field(default_factory=time.monotonic)
    rows: int = 0
    total: int | None = None
    begun: int = 0
    ended: Counter[Status] = field(default_factory=Counter)
    _breaker: Breaker = field(init=False)

    def __post_init__(self) -> None:
        settings = self.opened.campaign.stop
        self._breaker = Breaker(settings.same_error_in_a_row, settings.failure_share)

    async def go(self, watch: Callable[[Progress], None] | None, every: float) -> None:
        """Send what is to be sent, until the list ends or the run stops."""
        options, settings = self.opened.options, self.opened.campaign.stop
        async with anyio.create_task_group() as beside:
            if options.max_duration is not None:
                beside.start_soon(self._stop_after, options.max_duration)
            if watch is not None:
                beside.start_soon(self._count_rows)
                beside.start_soon(self._report, watch, every)
            await send(
                self._batches(), self._deliver, at_once=at_once(self.opened), stop=self.stop, grace=settings.grace
            )
            beside.cancel_scope.cancel()
        await self.book.flush()

    def progress(self) -> Progress:
        """Tell where the run stands."""
        failed = self.ended[Status.REJECTED] + self.ended[Status.UNKNOWN] + self.ended[Status.REFUSED]
        tally = self.carrier.tally
        return Progress(
            total=self.total,
            done=sum(self.ended.values()),
            sent=self.ended[Status.SENT],
            failed=failed,
            calls=tally.calls,
            throttled=tally.throttled,
            seconds=time.monotonic() - self.started,
            full=self.carrier.full,
        )

    async def _batches(self) -> AsyncIterator[Sequence[Item]]:
        batches = self.opened.contacts.batches(self.opened.wanted)
        while items := await to_thread.run_sync(self._claim, batches):
            yield items

    def _claim(self, batches: Iterator[Batch]) -> list[Item]:
        """Read on until there is something to send; empty at the end of the list. Runs in a thread."""
        for batch in batches:
            claims = self.book.claim(batch.recipients)
            self.rows += len(claims)
            self.ended.update(claim.status for claim in claims if claim.kind in {ClaimKind.FINAL, ClaimKind.DUPLICATE})
            rows = zip(batch.recipients, claims, strict=True)
            items = [(who, claim) for who, claim in rows if claim.kind in {ClaimKind.NEW, ClaimKind.UNSETTLED}]
            if self.stop.asked or items:
                return items
        self.total = self.rows
        return []

    async def _deliver(self, item: Item) -> None:
        recipient, claim = item
        limit = self.opened.options.limit
        if limit is not None and self.begun >= limit:
            self.stop.ask("the limit is reached", 0)
            return
        self.begun += 1
        outcome = await self._outcome(recipient, claim)
        self.ended[outcome.status] += 1
        if reason := self._breaker.after(outcome):
            raise Halted(reason)

    async def _outcome(self, recipient: Recipient, claim: Claim) -> Outcome:
        built = self.opened.request.build(recipient)
        if not isinstance(built, Refusal):
            return await self.carrier.deliver(Delivery(claim.id, recipient, built, claim.progress, claim.decisions))
        status = Status.UNKNOWN if claim.kind is ClaimKind.UNSETTLED else built.status
        outcome = Outcome(status, error_code=built.code, error_message=built.message)
        await self.book.finish(claim.id, outcome)
        return outcome

    async def _stop_after(self, seconds: float) -> None:
        await anyio.sleep(seconds)
        self.stop.ask(f"--max-duration: {seconds:g} s are over", STOPPED)

    async def _count_rows(self) -> None:
        self.total = await to_thread.run_sync(self.opened.contacts.count, abandon_on_cancel=True)

    async def _report(self, watch: Callable[[Progress], None], every: float) -> None:
        while True:
            await anyio.sleep(every)
            watch(self.progress())


def carrier(opened: Opened, book: RunLedger, transport: Transport, stop: Stop) -> Carrier:
    """Introduce the parts of a delivery to each other."""
    campaign = opened.campaign
    operations = campaign.way.OPERATIONS.values()
    turns = {operation: Turns(limits(opened, operation), stop) for operation in operations}
    policy = Policy(campaign.retry.attempts, campaign.retry.longest_wait, opened.request.varies)
    return Carrier(
        caller=Caller(transport, turns, stop, policy=policy),
        journal=book,
        exchange=campaign.way.exchange,
        token_of=_tokens(opened),
        replay_within={name: PROMISED.get(name, campaign.retry.replay_within) for name in operations},
    )


def at_once(opened: Opened) -> int:
    """Tell how many calls may be in flight."""
    return opened.options.at_once or opened.campaign.pacing.at_once or AT_ONCE


def _tokens(opened: Opened) -> Callable[[str, int, Delivery], str]:
    """Name each call by who, what and which run: the same however often, and in whatever order, the list is read.

    The text of the message is no part of it: a text that changed after a first try must not become a second message.
    """
    run = [opened.campaign.name, opened.options.run_id, opened.instance]

    def token(operation: str, step: int, delivery: Delivery) -> str:
        return digest([*run, operation, step, delivery.recipient.key, delivery.decisions]).hex()

    return token
