"""Results with the end of each contact, and what came back, as far as it was tracked."""

from collections.abc import Iterator
from datetime import UTC, datetime

import polars as pl

from bulk.ledger import Connection, RunRecord
from bulk.ledger import ends as ledger_ends
from bulk.ledger import feedback as ledger_feedback
from bulk.reports.results import Results

ENDS = pl.Schema(
    {
        "contact_id": pl.String(),
        "contact_state": pl.String(),
        "disconnect_reason": pl.String(),
        "disconnected_at": pl.Datetime("us", "UTC"),
        "answered": pl.Boolean(),
        "feedback": pl.String(),
    }
)


def tracked(results: Results, record: RunRecord) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Yield results with `ENDS` beside our columns: null where nothing is known of a contact."""
    ends = record.read(_ends)
    for ours, columns in results:
        yield ours.join(ends, on="contact_id", how="left", maintain_order="left"), columns


def _ends(connection: Connection, run: int) -> pl.DataFrame:
    """Return what is known of contacts, one row each."""
    known = {end.contact_id: end for end in ledger_ends.ends(connection, run)}
    feedback = ledger_feedback.kinds_of(connection, run)
    contacts = ledger_ends.contacts(connection, run) if feedback else {}
    said = {contact: ", ".join(feedback[delivery]) for contact, delivery in contacts.items() if delivery in feedback}
    rows = [(contact, *_told(known.get(contact)), said.get(contact)) for contact in {**known, **said}]
    return pl.DataFrame(rows, schema=ENDS, orient="row")


def _told(end: ledger_ends.ContactEnd | None) -> tuple[object, ...]:
    if end is None:
        return None, None, None, None
    at = None if end.disconnected_at is None else datetime.fromtimestamp(end.disconnected_at, UTC)
    return end.state, end.reason, at, None if end.messages is None else end.messages > 0
