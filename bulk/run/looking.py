"""Looking at a run in its ledger: its counts, its results."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from bulk.calling import Tally
from bulk.errors import LedgerError
from bulk.ledger import Ledger, RunRecord
from bulk.model import Outcome, Recipient, Status
from bulk.outcomes import frame, write
from bulk.run.opening import Opened
from bulk.run.summary import Summary


@contextmanager
def recorded(opened: Opened) -> Iterator[RunRecord]:
    """Open a run that was begun, to be read. Raises `LedgerError` where there is none."""
    name, run, folder = opened.campaign.name, opened.options.run_id, opened.state_dir
    ledger = Ledger.read(folder)
    if ledger is None:
        raise LedgerError(
            f"{folder} holds no ledger: nothing was sent from there. Another folder? --state-dir names it"
        )
    with ledger:
        record = ledger.find(name, run)
        if record is None:
            known = ", ".join(f"{facts.identity.campaign} --run {facts.identity.run}" for facts in ledger.runs())
            raise LedgerError(f"{folder}: no run {run!r} of campaign {name!r}; there are: {known or 'none'}")
        yield record


def ends_of(opened: Opened, record: RunRecord) -> Iterator[tuple[Sequence[Recipient], list[Outcome], pl.DataFrame]]:
    """Read the list again, batch by batch: recipients, their outcomes, and their rows as the list has them."""
    outcomes = record.outcomes()
    for batch in opened.contacts.batches(opened.wanted, size=4096, frames=True):
        assert batch.frame is not None  # noqa: S101 - it was asked for
        yield batch.recipients, outcomes(batch.recipients), batch.frame


def write_results(opened: Opened, record: RunRecord, path: Path) -> Path:
    """Write the results as they are now."""
    write(ends_of(opened, record), path, outcomes_only=opened.options.outcomes_only)
    return path


def frame_of(opened: Opened) -> pl.DataFrame:
    """Give the results as a frame."""
    with recorded(opened) as record:
        return frame(ends_of(opened, record), outcomes_only=opened.options.outcomes_only)


def summarise(
    opened: Opened, record: RunRecord, tally: Tally, *, seconds: float, results: Path | None, halted: str | None
) -> Summary:
    """Add up a run."""
    counts = record.counts()
    return Summary(
        campaign=opened.campaign.name,
        run=opened.options.run_id,
        channel=opened.campaign.channel,
        rows=sum(counts.values()),
        **{status.value: counts[status] for status in Status},
        calls=tally.calls,
        throttled=tally.throttled,
        seconds=round(seconds, 3),
        results=str(results) if results else None,
        halted=halted,
    )


def summary_of_record(opened: Opened, record: RunRecord) -> Summary:
    """Add up a run from its ledger alone: calls over all its sendings, seconds from its first start to its last end."""
    facts = record.facts
    seconds = (facts.ended_at - facts.started_at).total_seconds() if facts.ended_at else 0.0
    tally = Tally(facts.calls, facts.throttled)
    return summarise(opened, record, tally, seconds=seconds, results=None, halted=facts.halted)


def exit_code(summary: Summary) -> int:
    """Tell how a run ended that came to the end of its list."""
    return int(bool(summary.refused or summary.rejected or summary.unknown))
