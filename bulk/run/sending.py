"""One sending of a campaign, wired: list → ledger → request → delivery, each known to the others only here."""

import logging
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

import anyio

from bulk.breaker import Breaker
from bulk.calling import Tally
from bulk.delivery import NotNow
from bulk.errors import BulkError, Halted
from bulk.ledger import Claim, ClaimKind, RunLedger
from bulk.loader import Batch
from bulk.model import Delivery, Outcome, Parameters, Recipient, Refusal, Status
from bulk.outside import row_text
from bulk.rules import Wait
from bulk.run.alone import Alone
from bulk.run.halting import Halting
from bulk.run.judging import Judge
from bulk.run.opening import Opened
from bulk.run.pace import at_once
from bulk.run.summary import Progress
from bulk.sender import send
from bulk.stopping import Stop, Stopped
from bulk.threads import in_thread
from bulk.turns import Waiting

log = logging.getLogger("bulk")

Item = tuple[Recipient, Claim]

BATCH = 1000  # rows that are claimed in one transaction of the ledger
REFRESH = 5.0  # seconds between two looks at the suppression files
OPEN = ClaimKind.NEW, ClaimKind.UNSETTLED  # claims of rows that are to be driven on
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
    judge: Judge
    stop: Stop
    waiting: Waiting = field(default_factory=Waiting)
    started: float = field(default_factory=time.monotonic)
    rows: int = 0
    total: int | None = None
    ended: Counter[Status] = field(default_factory=Counter)
    opens_at: float = math.inf
    halting: Halting = field(init=False)
    _breaker: Breaker = field(init=False)
    _alone: Alone = field(init=False)

    def __post_init__(self) -> None:
        settings = self.opened.campaign.stop
        self.halting = Halting(self.stop, self.carrier.tally)
        self._alone = Alone(needed=bool(self.opened.terms.rules.limits))
        self._breaker = Breaker(settings.same_error_in_a_row, settings.failure_share)

    async def go(self, watch: Callable[[Progress], None] | None, every: float) -> None:
        """Send what is to be sent, until the list ends or the run stops.

        Raises `ListError` and `LedgerError` where it could not start: no call was made.
        """
        options, settings = self.opened.options, self.opened.campaign.stop
        async with anyio.create_task_group() as beside:
            if options.max_duration is not None:
                beside.start_soon(self._stop_after, options.max_duration)
            if watch is not None:
                beside.start_soon(self._count_rows)
                beside.start_soon(self._report, watch, every)
            if self.opened.campaign.contact_list.suppress:
                beside.start_soon(self._refresh)
            await self._read_through(settings.grace)
            beside.cancel_scope.cancel()
        self.halting.check()
        with self.halting.recording():
            await self.book.flush()

    async def _read_through(self, grace: float) -> None:
        """Read the list, and read it again when the first window opens of those that were closed, until none is left.

        Rows that wait stay in the list and the ledger, not in memory.
        """
        while True:
            self.opens_at = math.inf
            await send(
                self._batches(),
                self._deliver,
                at_once=at_once(self.opened),
                waiting=self.waiting,
                stop=self.stop,
                grace=grace,
            )
            if self.stop.asked or self.opens_at == math.inf:
                return
            log.info(
                "waiting for sending hours: the next window opens at %s",
                datetime.fromtimestamp(self.opens_at, UTC).isoformat(timespec="minutes"),
            )
            try:
                await self.stop.sleep(self.opens_at - self.judge.now())
            except Stopped:
                return
            self.book.read_again()
            self.rows, self.total = 0, None
            self.ended.clear()

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
        batches = self.opened.contacts.batches(self.opened.wanted, size=BATCH)
        left = self.opened.options.limit
        while (left is None or left > 0) and (items := await in_thread(self._claim, batches)):
            yield items[:left]
            left = None if left is None else left - len(items)

    def _claim(self, batches: Iterator[Batch]) -> list[Item]:
        """Read on until there is something to send; empty at the end of the list. Runs in a thread."""
        try:
            return self._claimed(batches)
        except BulkError as error:
            self.halting.note(error)
            raise

    def _claimed(self, batches: Iterator[Batch]) -> list[Item]:
        for batch in batches:
            rows = batch.recipients
            claims = self.book.claim(rows, rows.names)
            self.rows += len(claims)
            self.ended.update(claim.status for claim in claims if claim.kind not in OPEN)
            items = [(rows[place], claim) for place, claim in enumerate(claims) if claim.kind in OPEN]
            if self.stop.asked or items:
                return items
        self.total = self.rows
        return []

    async def _deliver(self, item: Item) -> None:
        recipient, claim = item
        async with self._alone.with_(recipient.destination):
            try:
                outcome = await self._outcome(recipient, claim)
            except NotNow as not_now:
                self.opens_at = min(self.opens_at, not_now.why)
                return
            except BulkError as error:
                self.halting.note(error)
                raise
        self.ended[outcome.status] += 1
        if reason := self._breaker.after(outcome):
            raise Halted(reason)

    async def _outcome(self, recipient: Recipient, claim: Claim) -> Outcome:
        """Drive one row to its outcome. Raises `NotNow` with the time (Unix seconds) to which it has to wait."""
        settling = claim.kind is ClaimKind.UNSETTLED
        why: Refusal | Mapping[str, Parameters] = self._refused(recipient, settling=settling) or self._built(
            recipient, claim
        )
        if not isinstance(why, Refusal):
            delivery = Delivery(claim.id, recipient, why, claim.progress, claim.decisions)
            try:
                return await self.carrier.deliver(delivery)
            except NotNow as not_now:
                if not isinstance(not_now.why, Refusal):
                    raise
                why = not_now.why
        status = Status.UNKNOWN if settling else why.status
        outcome = Outcome(status, error_code=why.code, error_message=row_text(why.message, recipient))
        await self.book.finish(claim.id, outcome)
        return outcome

    def _built(self, recipient: Recipient, claim: Claim) -> Refusal | Mapping[str, Parameters]:
        """Build the request. Rows take turns in the order in which the ledger met them, whatever the list's now."""
        return self.opened.request.build(recipient, turn=claim.id - 1)

    def _refused(self, recipient: Recipient, *, settling: bool) -> Refusal | None:
        """Ask the rules before anything is built: a row whose window is closed costs no turn."""
        judged = self.judge(recipient, settling=settling)
        if isinstance(judged, Wait):
            raise NotNow(judged.until)
        return judged

    async def _refresh(self) -> None:
        """Follow the files that say whom not to write to."""
        while True:
            await anyio.sleep(REFRESH)
            for warning in await in_thread(self.opened.terms.suppression.refresh):
                log.warning(warning)

    async def _stop_after(self, seconds: float) -> None:
        await anyio.sleep(seconds)
        self.stop.ask(f"--max-duration: {seconds:g} s are over", STOPPED)

    async def _count_rows(self) -> None:
        self.total = await in_thread(self.opened.contacts.count)

    async def _report(self, watch: Callable[[Progress], None], every: float) -> None:
        while True:
            await anyio.sleep(every)
            watch(self.progress())
