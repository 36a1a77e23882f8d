"""Why people were written to: what the list said about their consent, as the ledger stored it."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from bulk.errors import BulkError, CampaignError
from bulk.ledger import RunRecord, consents
from bulk.model import Status
from bulk.reports.results import check, write
from bulk.run.consent_columns import MEMBERS, columns_of
from bulk.run.context import RunContext, Source, choose
from bulk.run.environment import open_from
from bulk.run.inputs import check_output
from bulk.run.list_reader import ListReader
from bulk.run.options import Options
from bulk.run.results import BATCH, found, recorded
from bulk.run.state_place import looked_at
from bulk.text.cells import text_of
from bulk.threads import in_thread

log = logging.getLogger("bulk")

_WRITTEN_TO = frozenset(status.value for status in (Status.SENT, Status.UNKNOWN, Status.REJECTED))
_NAMES = {"column": "consent", "source": "consent_source", "at": "consent_at"}
_TIME = pl.Datetime("us", "UTC")
_SCHEMA = pl.Schema(
    {
        "row": pl.Int64(),
        "line": pl.Int64(),
        "key": pl.String(),
        "destination": pl.String(),
        "status": pl.String(),
        "contact_id": pl.String(),
        "finished_at": _TIME,
        **dict.fromkeys(_NAMES.values(), pl.String()),
        "kept_at": _TIME,
    }
)
Listed = tuple[int | None, str, tuple[str | None, ...]]
"""Where a row stands in the list now, its key, and what the list says of its consent now."""


async def consent(campaign: Source, output: Path | str, **options: Any) -> Path:
    """Write why each person was written to, and return the path: `.csv`, `.parquet`, `.ndjson` or `.xlsx`.

    There is a line for each row that was tried, its destination masked, with what the columns of `[consent]` said when
    its message was announced (`kept_at`). Of messages that were announced before that was kept, it is what the list
    says now, and `kept_at` is null. Where the list cannot be read any more, keys and lines are null. Raises
    `CampaignError` and `LedgerError`.
    """
    path = Path(output)
    check(path)
    async with looked_at(campaign, Options.of(options)) as place:
        ref = found(await in_thread(choose, campaign, place.options))
        if not any(getattr(ref.campaign.consent, member) for member in MEMBERS):
            raise CampaignError("the campaign says nothing of consent: name its columns under [consent]")
        check_output(ref, path)
        with recorded(ref) as record:
            try:
                context: RunContext | None = await open_from(campaign, ref.options, to_send=False)
            except BulkError as error:
                log.warning("the contact list cannot be read, so keys and lines are left out: %s", error)
                context = None
            listed = await in_thread(_listed, context, record) if context else {}
            table = await in_thread(_table, record, listed)
            await in_thread(lambda: write([(table, pl.DataFrame())], path, outcomes_only=True))
    return path


def _listed(context: RunContext, record: RunRecord) -> dict[int, Listed]:
    """Return what the list has now of each delivery."""
    columns = columns_of(context.campaign, context.contacts)
    reader: ListReader = context.reader.as_recorded(record)
    numbers, known = record.numbers(), dict[int, Listed]()
    for batch in reader.batches(size=BATCH, frames=True):
        rows, frame = batch.recipients, batch.frame
        assert frame is not None  # noqa: S101 - it was asked for
        said = [[text_of(cell) for cell in frame[columns[one]]] if one in columns else None for one in MEMBERS]
        for at, number in enumerate(numbers(rows.names, rows.destinations)):
            cells = tuple(None if cells is None else cells[at] for cells in said)
            known[number] = (rows.lines[at] if rows.lines else None), rows.keys[at], consents.kept(cells)
    return known


def _table(record: RunRecord, listed: dict[int, Listed]) -> pl.DataFrame:
    """Return the rows that were tried."""
    return pl.DataFrame(record.read(lambda reader, run: list(_rows(reader, run, listed))), schema=_SCHEMA, orient="row")


def _rows(connection: Any, run: int, listed: dict[int, Listed]) -> Iterator[tuple[Any, ...]]:
    for one in consents.rows(connection, run):
        if one.status not in _WRITTEN_TO:
            continue
        line, key, now = listed.get(one.delivery, (None, None, (None, None, None)))
        said = now if one.kept_at is None else one.consent
        about = one.row, line, key, one.destination, one.status, one.contact_id, _moment(one.finished_at)
        yield *about, *said, _moment(one.kept_at)


def _moment(at: float | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at, UTC)
