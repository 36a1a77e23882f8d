"""One pass of a campaign: list → ledger → request → delivery, which are connected only here."""

import logging
import math
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import anyio

from bulk.delivery.announcements import Deferred
from bulk.delivery.breaker import Breaker
from bulk.delivery.workers import send
from bulk.errors import BulkError, ExitCode, Halted
from bulk.ledger import Claim, ClaimKind, RunLedger
from bulk.loader import Batch
from bulk.model import Recipient, Status
from bulk.pacing import virtual_time
from bulk.pacing.queue import RateLimitQueue
from bulk.pacing.virtual_time import pause
from bulk.pacing.waiters import WaiterCount
from bulk.run.allotment import Allotment
from bulk.run.context import RunContext
from bulk.run.destination_lock import DestinationLock
from bulk.run.eligibility import Judge
from bulk.run.halt import Halt
from bulk.run.marks import Marks, marks_of
from bulk.run.opt_outs import are_asked, follow
from bulk.run.pool import Pool
from bulk.run.progress import Watch
from bulk.run.progress_file import leaving
from bulk.run.rotation import Rotation
from bulk.run.row import Executor, Row
from bulk.run.summary import Progress
from bulk.stop import Stop, Stopped
from bulk.threads import in_thread

log = logging.getLogger("bulk")

Item = tuple[Recipient, Claim]

BATCH = 1000  # rows that are claimed in one transaction of the ledger
UNWATCHED = 1.0  # seconds after which the rows are counted where nobody watches: a short run has ended by then
REFRESH = 3.0  # seconds between two looks at the suppression files: what is said there is honoured within five
OPEN = ClaimKind.NEW, ClaimKind.UNSETTLED  # claims of rows that are to be driven on


@dataclass(slots=True)
class SendPass:
    """One pass over the list. `seen` counts what this pass does; the ledger has the whole."""

    context: RunContext
    ledger: RunLedger
    deliverer: Executor
    judge: Judge
    stop: Stop
    waiting: WaiterCount = field(default_factory=WaiterCount)
    pool: Pool = field(default_factory=Pool)
    queues: Mapping[str, RateLimitQueue] = field(default_factory=dict)
    ticks: Callable[[], float] = field(default_factory=virtual_time.ticks)
    rows: int = 0
    total: int | None = None
    opens_at: float = math.inf
    marks: Marks = field(init=False)
    halt: Halt = field(init=False)
    _breaker: Breaker = field(init=False)
    _lock: DestinationLock = field(init=False)
    _allotment: Allotment = field(init=False)
    _row: Row = field(init=False)
    seen: Watch = field(init=False)
    _wording: str = field(init=False)

    def __post_init__(self) -> None:
        settings = self.context.campaign.stop
        self.waiting.unsettled = self.ledger.unanswered()
        self.halt = Halt(self.stop, self.deliverer.call_counts)
        self.marks = marks_of(self.context)
        tables = self.context.campaign.tables
        self._row = Row(Rotation(self.context.request, self._tried), tables, self.ledger, self.deliverer, self.judge)
        rules, recorded = self.context.eligibility.rules, self._recorded()
        self.seen = Watch(self.ticks, self.context.rates, rules, recorded, self.queues, self.judge.now)
        self._allotment = Allotment(self.context.options.limit)
        self._lock = DestinationLock(needed=bool(self.context.eligibility.rules.limits))
        self._wording = self.context.wording
        self._breaker = Breaker(settings.same_error_in_a_row, settings.failure_share)

    async def go(self, watch: Callable[[Progress], None] | None, every: float) -> None:
        """Send what is to be sent, until the list ends or the run stops.

        Raises `ListError` and `LedgerError` where it could not start: no call was made.
        """
        options, settings = self.context.options, self.context.campaign.stop
        async with anyio.create_task_group() as beside:
            if options.max_duration is not None:
                beside.start_soon(self._stop_after, options.max_duration)
            if watch is not None:
                beside.start_soon(self._report, watch, every)
            if not options.dry_run:
                beside.start_soon(self._count_rows, 0.0 if watch else UNWATCHED)
                beside.start_soon(leaving, self.context, self.progress)
            if not options.dry_run or self.context.campaign.contact_list.suppress:
                beside.start_soon(self._refresh)
            if not options.dry_run and are_asked(self.context):
                beside.start_soon(follow, self.context)
            await self._read_through(settings.grace)
            beside.cancel_scope.cancel()
        if unstopped := self.deliverer.call_counts.unstopped:
            log.warning("%d contacts could not be stopped (StopContact): they stay open until they expire", unstopped)
        self.halt.check()
        with self.halt.recording():
            await self.ledger.flush()

    async def _read_through(self, grace: float) -> None:
        """Read the list, and read it again when the first window opens of those that were closed, until none is left.

        Rows that wait stay in the list and the ledger, not in memory.
        """
        while True:
            self.opens_at = math.inf
            await send(
                self._batches(),
                self._deliver,
                at_once=self.context.rates.rows_at_once(),
                waiting=self.waiting,
                stop=self.stop,
                grace=grace,
            )
            self.seen.readings += 1
            if self.stop.asked or self.opens_at == math.inf or self._allotment.is_used_up:
                return
            if self.context.options.no_wait:
                log.warning("sending hours are closed until %s: the rest is left (--no-wait)", _said(self.opens_at))
                return
            log.info("waiting for sending hours: the next window opens at %s", _said(self.opens_at))
            try:
                await self.stop.sleep(self.opens_at - self.judge.now())
            except Stopped:
                return
            with self.halt.recording():
                await self.ledger.flush()  # what is read again must not be older than what was done
            self.ledger.read_again()
            self.rows, self.total = 0, None
            self.seen.closed.clear()

    @property
    def leaves_rows(self) -> bool:
        """Whether rows wait for a window that this pass does not wait for."""
        return self.opens_at < math.inf

    def progress(self) -> Progress:
        """Return where the run stands."""
        full = dict.fromkeys(self.deliverer.full, 0.0) | self.deliverer.probes_in()
        return self.seen.progress(self.total, self.deliverer.call_counts, full)

    async def _batches(self) -> AsyncIterator[Sequence[Item]]:
        batches = self.context.contacts.batches(self.context.wanted, size=BATCH)
        while not self._allotment.is_used_up and (items := await in_thread(self._claim, batches)):
            await self.pool.keep()  # a row is called when what is known of it outlives this machine
            yield items

    def _claim(self, batches: Iterator[Batch]) -> list[Item]:
        """Read on until there is something to send; empty at the end of the list. Runs in a thread."""
        try:
            return self._claimed(batches)
        except BulkError as error:
            self.halt.note(error)
            raise

    def _claimed(self, batches: Iterator[Batch]) -> list[Item]:
        items: list[Item] = []
        for batch in batches:
            rows = batch.recipients
            claims = self.ledger.claim(rows, rows.names, partial(rows.contents, self._wording))
            self.rows += len(claims)
            for claim in claims:
                if claim.kind not in OPEN:
                    self.seen.claimed(claim.status, fresh=claim.fresh)
            items += [(rows[place], claim) for place, claim in enumerate(claims) if claim.kind in OPEN]
            if self.stop.asked or len(items) > self.pool.lot():
                return items
        self.total = self.rows
        return items

    async def _deliver(self, item: Item) -> None:
        if not await self._allotment.take():
            return
        recipient, claim = item
        called = False
        try:
            async with self._lock.with_(recipient.destination):
                outcome = await self._row.outcome(recipient, claim)
            called = outcome.attempts > claim.progress.attempts or outcome.status is Status.PENDING
        except Deferred as not_now:
            self.opens_at = min(self.opens_at, not_now.until)
            self.seen.closed.note(not_now.until, self.context.eligibility.place(recipient))
            return
        except BulkError as error:
            self.halt.note(error)
            raise
        finally:
            self._allotment.give_back(called=called)
            self.waiting.unsettled -= claim.kind is ClaimKind.UNSETTLED
        self.seen.count(outcome.status)
        if called and (reason := self._breaker.after(outcome)):
            raise Halted(reason)

    def _tried(self) -> int:
        """Count the rows that were written to by now, or may have been."""
        counts = self.ledger.counts()
        return sum(counts[status] for status in (Status.SENT, Status.REJECTED, Status.UNKNOWN))

    def _recorded(self) -> int:
        """Count the rows that had their end before this pass, where no decision opens them again."""
        if self.context.options.only:
            return 0
        counts = self.ledger.counts()
        return sum(counts.values()) - counts[Status.PENDING] - self.waiting.unsettled

    async def _refresh(self) -> None:
        """Follow the files that say whom not to write to."""
        while True:
            await pause(REFRESH)
            if not self.context.eligibility.suppression.may_be_stale:
                continue
            for warning in await in_thread(self.context.eligibility.suppression.refresh):
                log.warning(warning)

    async def _stop_after(self, seconds: float) -> None:
        await anyio.sleep(seconds)
        self.stop.ask(f"--max-duration: {seconds:g} s are over", ExitCode.ROWS_LEFT)

    async def _count_rows(self, after: float) -> None:
        """Count the list; what is wrong with it, the reading says."""
        await pause(after)
        with suppress(BulkError, OSError):
            self.total = await in_thread(self.context.contacts.count)

    async def _report(self, watch: Callable[[Progress], None], every: float) -> None:
        while True:
            await pause(every)
            watch(self.progress())


def _said(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="minutes")
