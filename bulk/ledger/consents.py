"""The consent of people: what the list said about it when their message was announced.

It is written in the transaction that announces the message, and stays as it was, whatever becomes of the list. It is
text of the list, with phone numbers and addresses masked.
"""

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from bulk.ledger import queries
from bulk.ledger.redaction import redact

LONGEST = 200  # characters of a cell that are kept

TABLE = """
CREATE TABLE consent (
    delivery INTEGER NOT NULL REFERENCES delivery,
    token TEXT NOT NULL,            -- of the call that sends the message
    said TEXT,                      -- whether the person agreed, as the list has it
    source TEXT,                    -- where they did
    at TEXT,                        -- when they did
    kept_at REAL NOT NULL,          -- Unix seconds of the first announcement
    PRIMARY KEY (delivery, token)
) STRICT, WITHOUT ROWID
"""

# The delivery is the last value of each row, and the token the one before it. What is kept stays, and the row counts as
# written.
RECORD = """
INSERT INTO consent (said, source, at, kept_at, token, delivery)
SELECT column1, column2, column3, column4, column5, column6 FROM (VALUES {rows}) WHERE true
ON CONFLICT (delivery, token) DO UPDATE SET kept_at = consent.kept_at
"""

# The rows of a run that were tried, each with what was kept of its latest message.
_TRIED = f"""
SELECT id, row, destination, {queries.RECORDED}, said, consent.source, consent.at, max(kept_at)
FROM delivery LEFT JOIN consent ON consent.delivery = delivery.id
WHERE run = ? GROUP BY id ORDER BY row IS NULL, row, id
"""  # noqa: S608 - our own text


class Tried(NamedTuple):
    """A row of a run, and the consent that was kept of it. `kept_at` (Unix seconds) is None where none was."""

    delivery: int
    row: int | None
    destination: str | None
    status: str
    contact_id: str | None
    finished_at: float | None
    consent: tuple[str | None, ...]
    kept_at: float | None


def kept(cells: tuple[str | None, ...]) -> tuple[str | None, ...]:
    """Return the cells as they are kept."""
    return tuple(redact(cell[:LONGEST]) if cell is not None else None for cell in cells)


def rows(connection: sqlite3.Connection, run: int) -> Iterator[Tried]:
    """Yield the rows of a run, those in the list in its order."""
    for id_, row, to, status, contact, *_, finished_at, said, source, at, kept_at in connection.execute(_TRIED, (run,)):
        yield Tried(id_, row, to, status, contact, finished_at, (said, source, at), kept_at)
