"""The report of a run: its ledger and its list, folded into one page."""

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bulk.errors import BulkError, CampaignError, ListError
from bulk.files.replacement import taking_the_place_of
from bulk.ledger import RunRecord
from bulk.ledger.lock import sender
from bulk.ledger.redaction import redact
from bulk.model import Status, place_of
from bulk.reports import About, Figures, Fold, Report, Row, page
from bulk.reports.aggregate import SHOWN
from bulk.run.context import RunRef, Source, choose
from bulk.run.cost import so_far
from bulk.run.environment import open_from
from bulk.run.inputs import check_output
from bulk.run.list_reader import ListReader
from bulk.run.options import Options
from bulk.run.results import found, read_results, recorded
from bulk.threads import ahead, in_thread

log = logging.getLogger("bulk")

_SUFFIXES = ".html", ".htm"
_ENDED = Status.SENT, Status.REFUSED, Status.REJECTED, Status.UNKNOWN


async def report(campaign: Source, output: Path | str, **options: Any) -> Path:
    """Write how a run went, as it is now, as one page with charts (`.html`) that loads nothing; give its path.

    Where the list cannot be read any more, the page has what the ledger alone can tell, and says so. `options` are
    those of `bulk.Options`. Raises `CampaignError` where the page cannot be written, and `LedgerError` without a run.
    """
    path, given = Path(output), Options.of(options)
    if path.suffix.lower() not in _SUFFIXES:
        raise CampaignError(f"{path}: a report is a page: name it {path.stem or 'report'}.html")
    ref = found(await in_thread(choose, campaign, given))
    check_output(ref, path)
    with recorded(ref) as record:
        reader = await _reader(campaign, ref.options)
        await in_thread(_write, path, ref, reader, record)
    return path


async def _reader(campaign: Source, options: Options) -> ListReader | BulkError:
    """Open the list, or say why it cannot be."""
    try:
        return (await open_from(campaign, options, to_send=False)).reader
    except BulkError as error:
        return error


def _write(path: Path, ref: RunRef, reader: ListReader | BulkError, record: RunRecord) -> None:
    remedy = "Make room, or choose another place with -o FILE.html"
    with taking_the_place_of(path, failed="the report cannot be written", remedy=remedy) as file:
        file.write_text(page(_report(ref, reader, record)), "utf-8")


def _report(ref: RunRef, reader: ListReader | BulkError, record: RunRecord) -> Report:
    about, now = _about(ref, record), datetime.now(UTC)
    if isinstance(reader, ListReader):
        try:
            figures = _figures(reader, record)
        except ListError as error:
            reader = error
        else:
            notes = () if about.sender else _unlisted(figures, record)
            return Report(about, figures, now, (*_rehearsal(ref), *so_far(ref, record).notes(), *notes))
    trouble = redact(f"The contact list cannot be read, so here is what the ledger alone can tell: {reader}")
    log.warning(trouble)
    notes = (*_rehearsal(ref), *so_far(ref, record).notes(), str(trouble))
    return Report(about, _from_ledger(record), now, notes, complete=False)


def _rehearsal(ref: RunRef) -> tuple[str, ...]:
    return ("REHEARSAL: it went to a sandbox, and nobody was written to.",) if ref.options.sandbox else ()


def _about(ref: RunRef, record: RunRecord) -> About:
    facts, place, campaign = record.facts, record.facts.identity, ref.campaign
    return About(
        campaign=place.campaign,
        run=place.run,
        channel=place.channel,
        endpoint=place.endpoint,
        region=place.region,
        instance=place.instance,
        operations=tuple(name for table, name in campaign.channel_facts.OPERATIONS.items() if table in campaign.tables),
        started_at=facts.started_at,
        ended_at=facts.ended_at,
        passes=facts.passes,
        calls=facts.calls,
        throttled=facts.throttled,
        halted=redact(facts.halted),
        sender=sender(ref.state_dir, place.campaign, place.run),
    )


def _figures(reader: ListReader, record: RunRecord) -> Figures:
    """Fold the results. Raises `ListError`."""
    key = reader.spec.key
    fold = Fold(key is None or _is_destination(reader, key), reader.contacts.file_of)
    for ours, _ in ahead(read_results(reader, record)):
        fold.note(ours)
    return fold.figures()


def _is_destination(reader: ListReader, column: str) -> bool:
    """Whether a column is the one that says whom to write to."""
    destination = reader.spec.destination
    resolve = reader.contacts.resolve
    return isinstance(destination, str) and resolve(column) == resolve(destination)


def _unlisted(figures: Figures, record: RunRecord) -> tuple[str, ...]:
    """Return how many rows that have an end are not in the list any more: it is read as it is now."""
    ended = record.counts()
    rows = sum(max(0, ended[status] - figures.counts[status]) for status in _ENDED)
    if not rows:
        return ()
    return (f"The list has changed: {rows:,} rows that have an end are not in it any more, and not on this page.",)


def _from_ledger(record: RunRecord) -> Figures:
    """Return what is known without the list: the counts, and the unknown rows."""
    look = [
        Row(
            place=None if one.row is None else place_of(one.row, None),
            key=None,
            destination=one.destination,  # as the ledger has it: masked
            status=one.outcome.status,
            code=one.outcome.error_code,
            message=one.outcome.error_message,
            attempts=one.outcome.attempts,
            at=one.outcome.finished_at,
        )
        for one in record.unknown()
    ]
    return Figures(record.counts(), look=tuple(look[:SHOWN]))
