"""Adds the results of a run up to the numbers of a report, by destination and by columns."""

from collections.abc import Callable, Mapping

import polars as pl

from bulk.ledger import RunRecord
from bulk.ledger.redaction import redact
from bulk.loader.locality import locality
from bulk.model import Status, mask
from bulk.reports import Figures, Fold
from bulk.run.context import RunContext
from bulk.run.expected_rows import country_of, zones_of
from bulk.run.list_reader import ListReader
from bulk.run.report_parts import Remaining
from bulk.run.results import read_results
from bulk.text.cells import text_of
from bulk.threads import ahead

COUNTRY, ZONE = "country", "time zone"


def folded(
    context: RunContext, record: RunRecord, columns: Mapping[str, str], remaining: Remaining, *, sending: bool
) -> Figures:
    """Fold the results. Raises `ListError`."""
    reader, zone = context.reader, context.eligibility.zone_column
    key = reader.spec.key
    fold = Fold(key is None or _is_destination(reader, key), reader.contacts.file_of, sending)
    masked = {name: mask if _is_destination(reader, column) else redact for name, column in columns.items()}
    for ours, theirs in ahead(read_results(reader, record)):
        zones = theirs[zone].cast(pl.String).to_list() if zone else [None] * ours.height
        places = [locality(*pair) for pair in zip(ours["destination"], zones, strict=True)]
        pending = ours["status"] == Status.PENDING
        remaining.places.update(place for place, left in zip(places, pending, strict=True) if left)
        values = {name: _shown(theirs[column], masked[name]) for name, column in columns.items()}
        where = {COUNTRY: [country_of(place) for place in places]}
        fold.note(ours, {**where, ZONE: [zones_of(place) for place in places], **values})
    return fold.figures()


def _shown(cells: pl.Series, hide: Callable[[str], str | None]) -> list[str | None]:
    """Return the cells of a column as a page may show them: no phone number and no address is whole."""
    texts = [text_of(cell) for cell in cells.to_list()]
    told = {text: hide(text) if text else None for text in set(texts)}
    return [told[text] for text in texts]


def _is_destination(reader: ListReader, column: str) -> bool:
    """Whether a column is the one that says whom to write to."""
    destination = reader.spec.destination
    resolve = reader.contacts.resolve
    return isinstance(destination, str) and resolve(column) == resolve(destination)
