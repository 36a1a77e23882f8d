"""Sends a campaign, or continues it where it stopped."""

import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Unpack

import polars as pl

from bulk.errors import BulkError, ExitCode, Halted, LedgerError, RunBusy, unwrapped
from bulk.loader import ContactList
from bulk.run.changes import changes
from bulk.run.cluster import check_cluster
from bulk.run.context import RunContext, Source
from bulk.run.environment import in_scratch, open_from
from bulk.run.marks import marks_of
from bulk.run.notebook import EVERY as NOTEBOOK_EVERY
from bulk.run.notebook import Display, shell, until_stopped
from bulk.run.options import Options
from bulk.run.plan import DryRun
from bulk.run.pool import Pool
from bulk.run.rehearsal import Sandboxes
from bulk.run.results import (
    ResultsPreview,
    check_results,
    exit_code,
    frame_of,
    results_of,
    summarise,
    with_doubts,
)
from bulk.run.send_options import SendOptions, public
from bulk.run.send_pass import SendPass
from bulk.run.start import LOOK, wait_to_start
from bulk.run.state_place import StatePlace, claimed, looked_at
from bulk.run.summary import Progress, Summary
from bulk.run.virtual_rehearsal import Timing, in_own_loop, needs_loop
from bulk.run.wiring import opened_pass
from bulk.stop import Stop, Stopped
from bulk.threads import in_thread

log = logging.getLogger("bulk")

EVERY = 10.0  # seconds between two reports of progress
Watch = Callable[[Progress], None]


async def _at_once() -> None:
    """Wait for nobody."""


@dataclass(frozen=True, slots=True)
class Starting:
    """How a run starts beside others: what it shares with them, and what is waited for once all of it is open."""

    pool: Pool = field(default_factory=Pool)
    when_open: Callable[[], Awaitable[None]] = _at_once
    timing: Timing | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A run, sent or found again.

    `exit_code` is that of the command line, `sender` names the process that sends the run at this moment, None where
    nobody does; `progress` is where that process stands. `preview` has the first rows of the results and the troubles
    by reason; of a run found again, nothing.
    """

    summary: Summary
    exit_code: int
    _frame: Callable[[], pl.DataFrame]
    preview: ResultsPreview = field(default_factory=ResultsPreview)
    sender: str | None = None
    progress: Progress | None = None

    def results(self) -> pl.DataFrame:
        """Return the results: one row per row of the list, in its order."""
        return self._frame()

    def _repr_html_(self) -> str:
        return self.summary._repr_html_()

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:  # noqa: FBT001 - IPython's protocol
        told = self.summary
        printer.text(f"<Run {told.run} of {told.campaign}: {told.sent:,} of {told.rows:,} rows sent>")


@public
async def send(
    campaign: Source,
    *,
    stop: Stop | None = None,
    watch: Watch | None = None,
    every: float = EVERY,
    sandboxes: Sandboxes | None = None,
    **options: Unpack[SendOptions],
) -> Run:
    """Send a campaign, or go on with it where it stopped: no row is sent twice.

    `options` are those of `bulk.Options`, such as `contacts=frame`, `run_id="2026-11-20"`, `sandbox=True`. `watch`
    is told the progress every `every` seconds; `stop.ask(…)` ends the run early. `sandboxes`: who learns of a
    rehearsal's.

    Raises `CampaignError`, `ListError` and `LedgerError` where it could not start, `RunBusy` where another process
    sends this run, and `Halted` where there are no credentials; a run that halts later says so in its summary, or
    raises `Halted` too where the ledger cannot even be read any more.
    """
    if needs_loop(Options.of(options)):
        inside = partial(send, campaign, watch=watch, every=every, sandboxes=sandboxes, **options)
        return await in_own_loop(lambda inner: inside(stop=inner), stop or Stop())
    asked, stop, kernel = Options.of(options), stop or Stop(), shell()
    display = Display(kernel) if kernel is not None else None
    watching = (display.note, NOTEBOOK_EVERY) if display is not None and watch is None else (watch, every)
    work = _sent_in_turn(campaign, asked, stop, sandboxes or Sandboxes(), watching=watching)
    run = await until_stopped(work, stop, display)
    if display is not None:
        display.end(run.summary)
    return run


async def _sent_in_turn(
    campaign: Source, asked: Options, stop: Stop, sandboxes: Sandboxes, *, watching: tuple[Watch | None, float]
) -> Run:
    """Send, after waiting for another process that sends the run, as long as is asked."""
    until = time.monotonic() + (asked.lock_wait or 0.0)
    while True:
        await wait_to_start([campaign], replace(asked, lock_wait=until - time.monotonic()), stop)
        try:
            return await _sent_once(campaign, asked, stop, sandboxes, watching=watching)
        except RunBusy as busy:  # somebody else was quicker, unless the time is over
            with suppress(Stopped):
                await stop.sleep(min(LOOK, max(0.0, until - time.monotonic())))
            if stop.asked:
                busy.exit_code = ExitCode(stop.exit_code)
            if stop.asked or time.monotonic() >= until:
                raise


async def _sent_once(
    campaign: Source, asked: Options, stop: Stop, sandboxes: Sandboxes, *, watching: tuple[Watch | None, float]
) -> Run:
    timing = await Timing().promised(campaign, asked) if asked.virtual_time and not asked.dry_run else None
    async with looked_at(campaign, asked) if asked.dry_run else claimed(campaign, asked, stop) as place:
        opened = await prepared(campaign, place.options)
        opened.contacts.holds += place.holds
        place.pool.sandboxes = sandboxes
        run = await sent(opened, stop, *watching, starting=Starting(place.pool, timing=timing))
    return kept(run, place)


def kept(run: Run, place: StatePlace) -> Run:
    """Return a run as halted where its end could not be kept in S3."""
    if place.lost is None:
        return run
    code = run.exit_code if run.exit_code > ExitCode.BUSY else int(ExitCode.HALTED)
    return replace(run, exit_code=code, summary=replace(run.summary, halted=run.summary.halted or place.lost))


async def prepared(campaign: Source, options: Options) -> RunContext:
    """Open a campaign to be sent, and log what a person should know before. Raises what `send` raises."""
    context = await open_from(campaign, options)
    check_cluster(context)
    if options.dry_run:
        context = in_scratch(context)
    check_results(context)
    unaccepted = await in_thread(changes, context, context.digests) if options.dry_run else []
    warnings = context.warnings
    for note in [*context.notes, *context.rates.remarks(), *unaccepted]:
        log.log(logging.WARNING if note in warnings else logging.INFO, note)
    return context


async def sent(
    context: RunContext, stop: Stop, watch: Watch | None, every: float, *, starting: Starting | None = None
) -> Run:
    """Send what is prepared. Raises what `send` raises. `starting`: see there."""
    starting = starting or Starting()
    told, run, timing = list(context.contacts.notes), None, Timing()
    try:
        async with opened_pass(context, stop, DryRun(context), starting.pool) as sending:
            await starting.when_open()
            with unwrapped():
                await sending.go(watch, every)
            for note in context.contacts.notes:  # what is seen at the end of a list only, such as a footer
                if note not in told:
                    log.info(note)
            run = await in_thread(_ended, sending)
            if context.options.virtual_time and not context.options.dry_run:
                run = replace(run, summary=(starting.timing or timing).of(run.summary))
    except LedgerError:
        if run is None:  # else it is what the run says already, met once more in closing the ledger
            raise
    assert run is not None  # noqa: S101 - else something was raised
    return run


def _ended(sending: SendPass) -> Run:
    """End the pass in the ledger, and write the results. Raises `Halted` where the ledger cannot be read."""
    context, book, call_counts, halt = sending.context, sending.ledger, sending.deliverer.call_counts, sending.halt
    rows = sending.total if sending.total is not None else _rows(context.contacts)
    with halt.recording():
        book.close_pass(rows=rows, halted=halt.reason, calls=call_counts.calls, throttled=call_counts.throttled)
    try:
        preview, path, unwritten = results_of(context, context.reader, book)
        counts, seconds = preview.counts or book.counts(), sending.seen.seconds
        told = summarise(context, counts, call_counts, seconds=seconds, halted=halt.reason)
        sent_before, differs = book.sent_before
        told = replace(told, results=str(path) if path else None, sent_before=sent_before, differs=differs)
        told, lost = with_doubts(told, book), book.lost()
    except LedgerError as error:
        raise Halted(halt.reason or str(error)) from error
    code = sending.stop.exit_code or max(unwritten, exit_code(told, lost=lost, dry_run=context.options.dry_run))
    if lost:
        log.warning("%d rows in doubt or unknown are not in the list any more: `bulk resolve` lists them", lost)
    if changed := marks_of(context) != sending.marks:
        log.warning("the contact list changed while it was sent: send again, so that no row of it is left")
    if changed or sending.leaves_rows:
        code = sending.stop.exit_code or ExitCode.ROWS_LEFT
    return Run(told, int(code), lambda: frame_of(context, context.reader), preview)


def _rows(contacts: ContactList) -> int | None:
    """Count the rows of a list that was not read to its end; None where it cannot be."""
    try:
        return contacts.count()
    except (BulkError, OSError):
        return None
