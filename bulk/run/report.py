"""The report of a run: its ledger and its list, added up to one page."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Unpack

from bulk.errors import BulkError, CampaignError, ListError
from bulk.files.replacement import taking_the_place_of
from bulk.ledger import RunRecord
from bulk.ledger.lock import sender
from bulk.ledger.redaction import redact
from bulk.model import Status, place_of
from bulk.reports import About, Figures, Report, Row, as_dict, page, remedy
from bulk.reports.aggregate import SHOWN
from bulk.run.context import RunContext, RunRef, Source, choose
from bulk.run.cost import so_far
from bulk.run.environment import open_from
from bulk.run.inputs import check_output
from bulk.run.options import Options
from bulk.run.report_fold import folded
from bulk.run.report_parts import Remaining, Typed, commands, message_of, outcomes_of, passes_of
from bulk.run.results import found, recorded
from bulk.run.send_options import SendOptions, public
from bulk.run.state_place import looked_at
from bulk.run.wire_record import wires
from bulk.threads import in_thread

log = logging.getLogger("bulk")

_SUFFIXES = ".html", ".htm"
_REHEARSAL = "REHEARSAL: it went to a sandbox, and nobody was written to."
_ENDED = Status.SENT, Status.REFUSED, Status.REJECTED, Status.UNKNOWN


@public
async def report(
    campaign: Source,
    output: Path | str,
    *,
    by: str | Collection[str] = (),
    with_track: bool = False,
    **options: Unpack[SendOptions],
) -> Path:
    """Write how a run went, as it is now, as one page with charts (`.html`) that loads nothing; return its path.

    `by` names columns of the list by which the rows are counted, besides country and time zone. `with_track` adds
    how the contacts ended, as far as `bulk.track` found out. Where the list cannot be read any more, the page has what
    the ledger alone can tell, and says so. `options` are those of `bulk.Options`.
    Raises `CampaignError` where the page cannot be written, `ListError` where the list has no such column, and
    `LedgerError` without a run.
    """
    path, _ = await reported(campaign, output, by=by, with_track=with_track, **options)
    assert path is not None  # noqa: S101 - one was named
    return path


async def reported(
    campaign: Source,
    output: Path | str | None = None,
    *,
    by: str | Collection[str] = (),
    with_track: bool = False,
    **options: Unpack[SendOptions],
) -> tuple[Path | None, dict[str, Any]]:
    """Do as `report` does; return the path, and the numbers of the page. Without an output, no page is written."""
    path, given = None if output is None else Path(output), Options.of(options)
    if path is not None and path.suffix.lower() not in _SUFFIXES:
        raise CampaignError(f"{path}: a report is a page: name it {path.stem or 'report'}.html")
    wanted = [by] if isinstance(by, str) else list(by)
    async with looked_at(campaign, given) as place:
        ref = found(await in_thread(choose, campaign, place.options))
        if path is not None:
            check_output(ref, path)
        with recorded(ref) as record:
            context = await _context(campaign, ref.options)
            columns = (
                {} if isinstance(context, BulkError) else {name: context.contacts.resolve(name) for name in wanted}
            )
            elsewhere = place.sender if record.facts.under_way is not None else None
            asked = Asked(ref, columns, Typed.of(campaign, given), elsewhere, with_track)
            made = await in_thread(_report, asked, context, record)
            if path is not None:
                await in_thread(_write, path, made)
    return path, as_dict(made)


@dataclass(frozen=True, slots=True)
class Asked:
    """Of which run, by which columns of the list (as named → as the list names them), who sends it elsewhere.

    `with_track`: how the contacts ended, too.
    """

    ref: RunRef
    columns: Mapping[str, str]
    typed: Typed
    sender_elsewhere: str | None
    with_track: bool


async def _context(campaign: Source, options: Options) -> RunContext | BulkError:
    """Open the campaign with its list, or return why that cannot be."""
    try:
        return await open_from(campaign, options, to_send=False)
    except BulkError as error:
        return error


def _write(path: Path, made: Report) -> None:
    remedy = "Make room, or choose another place with -o FILE.html"
    with taking_the_place_of(path, failed="the report cannot be written", remedy=remedy) as file:
        file.write_text(page(made), "utf-8")


def _report(asked: Asked, context: RunContext | BulkError, record: RunRecord) -> Report:
    about, now = _about(asked.ref, record, asked.sender_elsewhere), datetime.now(UTC)
    spent = so_far(asked.ref, record).notes()
    if isinstance(context, RunContext):
        remaining = Remaining()
        try:
            figures = folded(context, record, asked.columns, remaining, sending=about.sender is not None)
        except ListError as error:
            context = error
        else:
            notes = () if about.sender else _unlisted(figures, record)
            changed = tuple(record.facts.changed(context.digests))
            made = Report(about, figures, now, (*notes, *spent), message=message_of(asked.ref, changed))
            return _completed(replace(made, left=remaining.left(context, now)), asked, record)
    trouble = redact(f"The contact list cannot be read, so here is what the ledger alone can tell: {context}")
    log.warning(trouble)
    figures = _from_ledger(record, sending=about.sender is not None)
    made = Report(about, figures, now, (str(trouble), *spent), complete=False, message=message_of(asked.ref))
    return _completed(made, asked, record)


def _completed(made: Report, asked: Asked, record: RunRecord) -> Report:
    """Add what the ledger and the campaign tell besides the results."""
    rates, figures, sandbox = asked.ref.rates, made.figures, asked.ref.options.sandbox
    kinds = {(why.status, why.code): remedy(why.status, why.code, asked.typed) for why in figures.whys}
    return replace(
        made,
        passes=passes_of(record),
        wire=tuple(wires(record.traffic(), lambda name: rates.quota(name)[0] * rates.options.rate_share)),
        commands=tuple(commands(figures, record, asked.typed, sender=made.about.sender)),
        remedies=kinds,
        rehearsal=sandbox,
        outcomes=outcomes_of(asked.ref, record) if asked.with_track else None,
        notes=((_REHEARSAL, *made.notes) if sandbox else made.notes),
    )


def _about(ref: RunRef, record: RunRecord, sender_elsewhere: str | None) -> About:
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
        sender=sender(ref.state_dir, place.campaign, place.run) or sender_elsewhere,
    )


def _unlisted(figures: Figures, record: RunRecord) -> tuple[str, ...]:
    """Return how many rows that have an end are not in the list any more: it is read as it is now."""
    ended = record.counts()
    rows = sum(max(0, ended[status] - figures.counts[status]) for status in _ENDED)
    if not rows:
        return ()
    return (f"The list has changed: {rows:,} rows that have an end are not in it any more, and not on this page.",)


def _from_ledger(record: RunRecord, *, sending: bool) -> Figures:
    """Return what is known without the list: the counts, and the unknown rows."""
    flying = record.unanswered() if sending else 0
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
        if not (sending and one.in_doubt)
    ]
    counts = record.counts()
    flying = min(flying, counts[Status.UNKNOWN])
    counts[Status.UNKNOWN] -= flying
    return Figures(counts, look=tuple(look[:SHOWN]), in_flight=flying)
