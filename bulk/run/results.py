"""Reads a run from its ledger: its counts, its results, and what a person wants to see first."""

import logging
import tempfile
from collections import Counter, deque
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Unpack

import polars as pl

from bulk.delivery.attempts import CallCounts
from bulk.errors import BulkError, CampaignError, ExitCode, LedgerError
from bulk.files import private_folder
from bulk.ledger import Ledger, RunRecord
from bulk.model import Status
from bulk.reports import FileOf, Reason, Reasons, in_one_file
from bulk.reports.results import Results, check, frame, table, write
from bulk.run.contact_ends import tracked
from bulk.run.context import RunRef, Source, choose
from bulk.run.environment import open_from
from bulk.run.inputs import check_output
from bulk.run.list_reader import ListReader
from bulk.run.options import Options
from bulk.run.selection import selected, statuses_of
from bulk.run.send_options import RunOptions, public
from bulk.run.state_place import looked_at
from bulk.run.summary import Summary
from bulk.threads import in_thread

log = logging.getLogger("bulk")

FIRST = 5  # rows of the results that are shown at the end
BATCH = 10_000  # rows of the results that are looked up together
TROUBLES = [Status.REFUSED, Status.REJECTED, Status.UNKNOWN]


@dataclass(slots=True)
class ResultsPreview:
    """The first rows of the results, how many ended how, and those refused, rejected or unknown by reason."""

    first: list[dict[str, Any]] = field(default_factory=list)
    counts: Counter[Status] = field(default_factory=Counter)
    _reasons: Reasons = field(default_factory=Reasons)

    @property
    def reasons(self) -> list[Reason]:
        """Return the reasons, that of most rows first."""
        return self._reasons.sorted()

    def over(self, results: Results, file_of: FileOf = in_one_file) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
        """Note what goes by; `file_of` tells in which file of the list a row is."""
        for ours, columns in results:
            self.first += ours.head(FIRST - len(self.first)).to_dicts()
            self.counts.update({Status(status): rows for status, rows in ours["status"].value_counts().rows()})
            self._reasons.note(ours.filter(pl.col("status").is_in(TROUBLES)), file_of)
            yield ours, columns


@public
async def results(
    campaign: Source,
    output: Path | str,
    *,
    only: str | Collection[str] | None = None,
    join: bool = False,
    with_track: bool = False,
    **options: Unpack[RunOptions],
) -> Path:
    """Write the results of a run as they are now: `.csv`, `.parquet`, `.ndjson` or `.xlsx`; return the path.

    `only` takes the rows that ended so: a status, `"failed"` (refused, rejected and unknown), or several of these.
    `join` puts the list's own columns first, in their order. `with_track` adds how each contact ended, as far as
    `bulk.track` found out. Raises `CampaignError`, `ListError` and `LedgerError`.
    """
    path, statuses, asked = Path(output), statuses_of(only), Options.of(options)
    if join and asked.outcomes_only:
        raise CampaignError("--join puts the list's columns first, and --outcomes-only leaves them out: choose one")
    check(path)
    async with looked_at(campaign, asked) as place:
        given = found(await in_thread(choose, campaign, place.options)).options
        context = await open_from(campaign, given, to_send=False)
        check_output(context, path)
        form: dict[str, bool] = {"outcomes_only": given.outcomes_only, "spreadsheet_safe": given.spreadsheet_safe}
        with recorded(context) as record:
            rows = selected(read_results(context.reader, record), statuses)
            if with_track:
                rows = tracked(rows, record)
            await in_thread(lambda: write(rows, path, join=join, **form))
    return path


def found(ref: RunRef) -> RunRef:
    """Return where a run is kept. A rehearsal has a place of its own, where one looks if there is no real run."""
    options = ref.options
    if options.sandbox:
        return ref
    rehearsal = replace(ref, options=replace(options, sandbox=True))
    known, rehearsed = (_is_kept(one) for one in (ref, rehearsal))
    if not rehearsed or known:
        return ref
    log.warning("REHEARSAL: there is no real run of this name, so this is its rehearsal, of which nothing was sent")
    return rehearsal


def _is_kept(ref: RunRef) -> bool:
    ledger = Ledger.read(ref.state_dir)
    if ledger is None:
        return False
    with ledger:
        return ledger.find(ref.campaign.name, ref.options.run_id) is not None


@contextmanager
def recorded(ref: RunRef) -> Iterator[RunRecord]:
    """Open a run that was begun, to be read. Raises `LedgerError` where there is none."""
    name, run, folder = ref.campaign.name, ref.options.run_id, ref.state_dir
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


def read_results(reader: ListReader, record: RunRecord) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Read the list again, batch by batch: what became of its rows, and the rows as the list has them."""
    reader = reader.as_recorded(record)
    recorded = record.recorded(reader.contacts.place)
    if isinstance(reader.spec.destination, str):  # what templates read is of no interest any more
        reader = replace(reader, spec=replace(reader.spec, columns=frozenset(), noted=frozenset()))
    for batch in reader.batches(size=BATCH, frames=True):
        assert batch.frame is not None  # noqa: S101 - it was asked for
        rows = batch.recipients
        ends = recorded(rows.names, rows.destinations)
        yield table(rows.first, rows.keys, rows.destinations, ends, rows.lines), batch.frame


def look(reader: ListReader, record: RunRecord, path: Path | None, options: Options) -> ResultsPreview:
    """Go over the results as they are now, and write them where a path is given."""
    preview = ResultsPreview()
    results = preview.over(read_results(reader, record), reader.contacts.file_of)
    if path is None:
        deque(results, maxlen=0)
    else:
        write(results, path, outcomes_only=options.outcomes_only, spreadsheet_safe=options.spreadsheet_safe)
    return preview


def check_results(ref: RunRef) -> None:
    """Raise `CampaignError` where the results of a sending cannot be written to their place: before it costs a call."""
    path = _place_of_results(ref)
    if path is None:
        return
    check(path)
    check_output(ref, path)
    try:
        private_folder(path.parent)
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise CampaignError(
            f"{path}: the results cannot be written: {error.strerror}; name another place with --results FILE"
        ) from None
    if path.is_dir():
        raise CampaignError(f"{path}: the results cannot be written: a folder; name a file with --results FILE")


def results_of(ref: RunRef, reader: ListReader, record: RunRecord) -> tuple[ResultsPreview, Path | None, bool]:
    """Write the results of a sending where they are wanted: what there is to see, where it is, and whether that failed.

    Results that cannot be written are no reason to forget a sending, whatever is the matter: the ledger has it all.
    """
    path = _place_of_results(ref)
    for place in dict.fromkeys((path, None)):
        try:
            return look(reader, record, place, ref.options), place, place != path
        except LedgerError:
            raise
        except (BulkError, OSError, pl.exceptions.PolarsError) as error:
            log.error("the results cannot be written: %s", error)  # noqa: TRY400 - the sentence says it all
    return ResultsPreview(), None, True


def _place_of_results(ref: RunRef) -> Path | None:
    return None if ref.options.dry_run and not ref.options.results else ref.results_path


def frame_of(ref: RunRef, reader: ListReader) -> pl.DataFrame:
    """Return the results as a frame."""
    with recorded(ref) as record:
        return frame(read_results(reader, record), outcomes_only=ref.options.outcomes_only)


def summarise(
    ref: RunRef,
    counts: Mapping[Status, int],
    call_counts: CallCounts,
    *,
    seconds: float,
    halted: str | None,
) -> Summary:
    """Add up a run."""
    ended: dict[str, Any] = {status.value: counts.get(status, 0) for status in Status}
    return Summary(
        campaign=ref.campaign.name,
        run=ref.options.run_id,
        channel=ref.campaign.channel,
        rows=sum(counts.values()),
        **ended,
        calls=call_counts.calls,
        throttled=call_counts.throttled,
        seconds=round(seconds, 3),
        results=None,
        halted=halted,
        rehearsal=ref.options.sandbox,
    )


def summary_of_record(ref: RunRef, record: RunRecord) -> Summary:
    """Add up a run from its ledger alone: calls over all its sendings, seconds from its first start to its last end."""
    facts = record.facts
    seconds = (facts.ended_at - facts.started_at).total_seconds() if facts.ended_at else 0.0
    call_counts = CallCounts(facts.calls, facts.throttled)
    return with_doubts(summarise(ref, record.counts(), call_counts, seconds=seconds, halted=facts.halted), record)


def with_doubts(told: Summary, record: RunRecord) -> Summary:
    """Return a summary with what the ledger alone knows: the rows in doubt, and when the last one was sent."""
    _, last = record.sent()
    in_doubt = min(told.unknown, record.unanswered())
    return replace(told, in_doubt=in_doubt, last_sent=last.isoformat(timespec="minutes") if last else None)


def exit_code(summary: Summary, *, lost: int = 0, dry_run: bool = False) -> ExitCode:
    """Return how a run ended that was not stopped. `lost` rows may have been accepted, and are in the list no more.

    A dry run ends as the sending would, if nothing is rejected.
    """
    if summary.pending and not dry_run:
        return ExitCode.ROWS_LEFT
    failed = summary.refused or summary.rejected or summary.unknown or lost
    return ExitCode.ROWS_FAILED if failed else ExitCode.DONE
