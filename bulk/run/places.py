"""Where the rows of the ledger are in the current list."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from bulk.errors import BulkError
from bulk.ledger import RunRecord, Unknown
from bulk.run.list_reader import ListReader

log = logging.getLogger("bulk")

BATCH = 4096  # rows that are looked through at a time


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row of the ledger stands in the list as it is now."""

    row: int
    key: str | None = None
    line: int | None = None
    file: str = ""


def places_of(reader: ListReader | BulkError, record: RunRecord, unknown: Sequence[Unknown]) -> dict[int, Place]:
    """Return where unknown rows stand in the list as it is now, by their numbers in the ledger.

    Where the list cannot be read, they stand where they stood when it was last read.
    """
    places: dict[int, Place] = {}
    wanted = {one.id for one in unknown}
    if not wanted:
        return places
    try:
        if isinstance(reader, BulkError):
            raise reader
        reader, numbers = reader.as_recorded(record), record.numbers()
        for batch in reader.batches(size=BATCH):
            rows = batch.recipients
            for row, (key, id_) in enumerate(zip(rows.keys, numbers(rows.names, rows.destinations), strict=True)):
                if id_ in wanted:
                    line = None if rows.lines is None else rows.lines[row]
                    places[id_] = Place(rows.first + row, key, line, rows.file)
            if len(places) == len(wanted):
                break
    except BulkError as error:
        log.warning("the list cannot be read, so rows are named as they stood when it last was: %s", error)
        return {one.id: Place(one.row) for one in unknown if one.row is not None}
    return places
