"""The wiring: a campaign sent, checked, looked at. What the command line and a notebook call."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from bulk.campaign import Campaign
from bulk.errors import BulkError, ExitCode, Halted, LedgerError, unwrapped
from bulk.files import state_folder
from bulk.ledger import Ledger
from bulk.lock import sender, sole_sender
from bulk.model import Outcome
from bulk.run.changes import changes
from bulk.run.examination import examine
from bulk.run.inputs import check_output
from bulk.run.judging import Judge
from bulk.run.looking import (
    Glance,
    check_results,
    exit_code,
    found,
    frame_of,
    look,
    read_as,
    read_results,
    recorded,
    results_of,
    summarise,
    summary_of_record,
    with_doubts,
)
from bulk.run.marks import marks_of
from bulk.run.opening import Opened, choose, open_campaign
from bulk.run.options import Options
from bulk.run.pace import at_once, remarks
from bulk.run.plan import Plan, Survey
from bulk.run.rehearsal import destination, guesses, in_scratch, open_from, start_afresh
from bulk.run.sending import Sending
from bulk.run.summary import Progress, Summary
from bulk.run.trial import Whose, tried
from bulk.run.wiring import carrier, turns_of
from bulk.sharing import steady_clock
from bulk.stopping import Stop
from bulk.threads import in_thread
from bulk.turns import Waiting

__all__ = ["Options", "Plan", "Progress", "Run", "Summary", "check", "results", "send", "status", "test"]

log = logging.getLogger("bulk")

EVERY = 10.0  # seconds between two reports of progress
Source = Campaign | Path | str
Watch = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Run:
    """A run, sent or found again.

    `exit_code` is that of the command line, `sender` names the process that sends the run at this moment, None where
    nobody does. `glance` has the first rows of the results and the troubles by reason; of a run found again, nothing.
    """

    summary: Summary
    exit_code: int
    _frame: Callable[[], pl.DataFrame]
    glance: Glance = field(default_factory=Glance)
    sender: str | None = None

    def results(self) -> pl.DataFrame:
        """Give the results: one row per row of the list, in its order."""
        return self._frame()

    def _repr_html_(self) -> str:
        return self.summary._repr_html_()


async def send(
    campaign: Source, *, stop: Stop | None = None, watch: Watch | None = None, every: float = EVERY, **options: Any
) -> Run:
    """Send a campaign, or go on with it where it stopped: no row is sent twice.

    `options` are those of `bulk.Options`, such as `contacts=frame`, `run_id="2026-11-20"`, `sandbox=True`. `watch`
    is told the progress every `every` seconds; `stop.ask(…)` ends the run early.

    Raises `CampaignError`, `ListError` and `LedgerError` where it could not start, `RunBusy` where another process
    sends this run, and `Halted` where there are no credentials; a run that halts later says so in its summary, or
    raises `Halted` too where the ledger cannot even be read any more.
    """
    opened = await open_from(campaign, Options.of(options))
    if opened.options.dry_run:
        opened = in_scratch(opened)
    check_results(opened)
    unaccepted = await in_thread(changes, opened) if opened.options.dry_run else []
    told, warnings = [*opened.notes, *remarks(opened), *unaccepted], opened.warnings
    for note in told:
        log.log(logging.WARNING if note in warnings else logging.INFO, note)
    stop = stop or Stop()
    run: Run | None = None
    try:
        async with _sending(opened, stop, Survey(opened)) as sending:
            with unwrapped():
                await sending.go(watch, every)
            for note in opened.contacts.notes:  # what is seen at the end of a list only, such as a footer
                if note not in told:
                    log.info(note)
            run = await in_thread(_ended, sending)
    except LedgerError:
        if run is None:  # else it is what the run says already, met once more in closing the ledger
            raise
    assert run is not None  # noqa: S101 - else something was raised
    return run


async def check(campaign: Source, **options: Any) -> Plan:
    """Read everything and send nothing: what would be sent, what would not and why, and how long it takes.

    Raises `CampaignError` and `ListError`.
    """
    opened = in_scratch(await open_from(campaign, Options.of({**options, "dry_run": True})))
    survey = Survey(opened)
    survey.plan.notes += await in_thread(changes, opened)
    async with _sending(opened, Stop(), survey) as sending:
        if not opened.options.only and not any(sending.book.counts().values()):
            return await in_thread(examine, sending.opened, sending.judge, survey)
        with unwrapped():
            await sending.go(None, EVERY)
        return await in_thread(survey.finish, sending.rows, read_results(opened, sending.book))


async def test(
    campaign: Source,
    *,
    to: str,
    row: int | None = None,  # noqa: PT028 - no test of pytest's
    line: int | None = None,  # noqa: PT028
    **options: Any,
) -> Outcome:
    """Send to somebody else (`to`) exactly what a row would get, outside any run: nothing is recorded.

    The row is the one at this place of the list, from 0, or the one that begins in this line, as the list shows it.

    Raises `CampaignError` and `ListError` where that cannot be sent, `Halted` where Amazon Connect refuses everybody.
    """
    return (await tried(campaign, Whose(row, line), to, Options.of(options))).outcome


async def results(campaign: Source, output: Path | str, **options: Any) -> Path:
    """Write the results of a run as they are now. Raises `CampaignError`, `ListError` and `LedgerError`."""
    given = found(await in_thread(choose, campaign, Options.of(options))).options
    opened = await open_from(campaign, given, to_send=False)
    check_output(opened, Path(output))
    with recorded(opened) as record:
        await in_thread(look, opened, record, Path(output))
    return Path(output)


async def status(campaign: Source, **options: Any) -> Run:
    """Tell where a run stands, from the ledger alone, also while it runs. Raises `CampaignError` and `LedgerError`."""
    chosen = found(await in_thread(choose, campaign, Options.of(options)))
    busy = sender(chosen.state_dir, chosen.campaign.name, chosen.options.run_id)
    with recorded(chosen) as record:
        summary = await in_thread(summary_of_record, chosen, record)
    return Run(summary, exit_code(summary), lambda: frame_of(open_campaign(campaign, chosen.options)), sender=busy)


@asynccontextmanager
async def _sending(opened: Opened, stop: Stop, survey: Survey) -> AsyncIterator[Sending]:
    """Open all that a sending needs: the lock, the way out, the ledger. Where there is no way out, look instead."""
    options = opened.options
    if options.state_dir is not None:  # a rehearsal's is a folder inside it, so the one that was named is seen to here
        state_folder(Path(options.state_dir))
    with sole_sender(opened.state_dir, opened.campaign.name, options.run_id):
        start_afresh(opened)
        async with destination(opened) as (transport, place):
            clock = steady_clock()
            with Ledger.open(opened.state_dir, now=clock, at_once=at_once(opened)) as ledger:
                accept = options.accept_changes or options.dry_run
                identity = opened.identity(*place)
                book = ledger.begin(identity, opened.digests, fixed=opened.fixed, accept_changes=accept)
                opened = read_as(opened, book)
                if options.only:
                    book.only({options.only})
                judge = Judge.of(opened.terms, ledger, book.facts, now=clock, waits=transport is not None)
                if transport is None:
                    yield Sending(opened, book, survey, judge, stop)
                    return
                waiting = Waiting()
                with turns_of(opened, place, ledger, await guesses(opened), stop=stop, waiting=waiting) as turns:
                    driving = carrier(opened, book, transport, turns=turns, judge=judge, stop=stop)
                    yield Sending(opened, book, driving, judge, stop, waiting)


def _ended(sending: Sending) -> Run:
    """End the pass in the ledger, and write the results. Raises `Halted` where the ledger cannot be read."""
    opened, book, tally, halting = sending.opened, sending.book, sending.carrier.tally, sending.halting
    rows = sending.total if sending.total is not None else _rows(opened)
    with halting.recording():
        book.close_pass(rows=rows, halted=halting.reason, calls=tally.calls, throttled=tally.throttled)
    try:
        glance, path, unwritten = results_of(opened, book)
        counts, seconds = glance.counts or book.counts(), sending.progress().seconds
        told = summarise(opened, counts, tally, seconds=seconds, halted=halting.reason)
        sent_before, differs = book.sent_before
        told = replace(told, results=str(path) if path else None, sent_before=sent_before, differs=differs)
        told, lost = with_doubts(told, book), book.lost()
    except LedgerError as error:
        raise Halted(halting.reason or str(error)) from error
    code = sending.stop.exit_code or max(unwritten, exit_code(told, lost=lost, dry_run=opened.options.dry_run))
    if lost:
        log.warning("%d rows in doubt or unknown are not in the list any more: `bulk resolve` lists them", lost)
    if changed := marks_of(opened) != sending.marks:
        log.warning("the contact list changed while it was sent: send again, so that no row of it is left")
    if changed or sending.leaves_rows:
        code = sending.stop.exit_code or ExitCode.ROWS_LEFT
    return Run(told, int(code), lambda: frame_of(opened), glance)


def _rows(opened: Opened) -> int | None:
    """Count the rows of a list that was not read to its end; None where it cannot be."""
    try:
        return opened.contacts.count()
    except (BulkError, OSError):
        return None
