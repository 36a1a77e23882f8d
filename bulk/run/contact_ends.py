"""Results with how the contact of each row ended, as far as it was tracked."""

from collections.abc import Iterator
from datetime import UTC, datetime

import polars as pl

from bulk.ledger import RunRecord
from bulk.ledger import ends as ledger_ends
from bulk.reports.results import Results

ENDS = pl.Schema(
    {
        "contact_id": pl.String(),
        "contact_state": pl.String(),
        "disconnect_reason": pl.String(),
        "disconnected_at": pl.Datetime("us", "UTC"),
        "answered": pl.Boolean(),
    }
)


def tracked(results: Results, record: RunRecord) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Yield results with `ENDS` beside our columns: null where nothing is known of a contact."""
    ends = record.read(lambda reader, run: _ends(list(ledger_ends.ends(reader, run))))
    for ours, columns in results:
        yield ours.join(ends, on="contact_id", how="left", maintain_order="left"), columns


def _ends(known: list[ledger_ends.ContactEnd]) -> pl.DataFrame:
    rows = [
        (
            end.contact_id,
            end.state,
            end.reason,
            None if end.disconnected_at is None else datetime.fromtimestamp(end.disconnected_at, UTC),
            None if end.messages is None else end.messages > 0,
        )
        for end in known
    ]
    return pl.DataFrame(rows, schema=ENDS, orient="row").unique("contact_id", keep="any")
