"""How contacts ended, as far as Amazon Connect reported: by DescribeContact, or in contact events.

It is kept by the contact, beside the row's outcome, which it never changes: a contact that ended well is no receipt.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from typing import NamedTuple

TABLE = """
CREATE TABLE contact_end (
    delivery INTEGER PRIMARY KEY REFERENCES delivery,
    contact_id TEXT NOT NULL,
    state TEXT NOT NULL,            -- 'ended', 'open', or 'gone': Amazon Connect knows no such contact
    initiated_at REAL,              -- Unix seconds, by Amazon Connect's clock
    disconnected_at REAL,
    reason TEXT,                    -- its disconnect reason
    messages INTEGER,               -- how many the person sent; NULL where nobody told
    source TEXT NOT NULL,           -- 'asked' or 'event'
    tracked_at REAL NOT NULL
) STRICT
"""

_THERE = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'contact_end'"

# Of a row that was sent again, the contact of before is of no interest.
_FORGET = "DELETE FROM contact_end WHERE delivery = ? AND contact_id <> ?"

# An end stays, whatever comes late; and what is known of answers is not forgotten.
_RECORD = """
INSERT INTO contact_end (delivery, contact_id, state, initiated_at, disconnected_at, reason, messages, source,
    tracked_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (delivery) DO UPDATE SET
    state = iif(state = 'ended', state, excluded.state),
    initiated_at = ifnull(excluded.initiated_at, initiated_at),
    disconnected_at = ifnull(excluded.disconnected_at, disconnected_at),
    reason = ifnull(excluded.reason, reason),
    messages = nullif(max(ifnull(messages, -1), ifnull(excluded.messages, -1)), -1),
    source = iif(state = 'ended' AND excluded.state <> 'ended', source, excluded.source),
    tracked_at = iif(state = 'ended' AND excluded.state <> 'ended', tracked_at, excluded.tracked_at)
"""

# The sent rows of a run whose end is not known yet, in the order in which they were first met.
_OPEN = """
SELECT delivery.id, delivery.contact_id FROM delivery
    LEFT JOIN contact_end ON contact_end.delivery = delivery.id AND contact_end.contact_id = delivery.contact_id
WHERE run = ? AND delivery.contact_id IS NOT NULL AND (contact_end.state IS NULL OR contact_end.state <> 'ended')
ORDER BY contact_end.tracked_at IS NOT NULL, contact_end.tracked_at, delivery.id
"""

# Of whom a contact is.
_OF = "SELECT id, contact_id FROM delivery WHERE run = ? AND contact_id IS NOT NULL"

_ALL = """
SELECT contact_end.* FROM contact_end JOIN delivery ON delivery.id = contact_end.delivery
WHERE run = ? AND contact_end.contact_id = delivery.contact_id
"""


class ContactEnd(NamedTuple):
    """How the contact of a row ended, or that it is open still. Times in Unix seconds, by Amazon Connect's clock.

    `state` is `ended`, `open` or `gone` (Amazon Connect knows no such contact). `messages` is how many messages the
    person sent, None where nobody told.
    """

    delivery: int
    contact_id: str
    state: str
    initiated_at: float | None
    disconnected_at: float | None
    reason: str | None
    messages: int | None
    source: str
    tracked_at: float


def record(writing: sqlite3.Connection, told: Iterable[ContactEnd]) -> None:
    """Keep what is known of contacts."""
    known = list(told)
    writing.executemany(_FORGET, [(one.delivery, one.contact_id) for one in known])
    writing.executemany(_RECORD, known)


def still_open(connection: sqlite3.Connection, run: int) -> list[tuple[int, str]]:
    """Return delivery and contact of the rows whose end is not known yet; those asked about longest ago come last."""
    return connection.execute(_OPEN, (run,)).fetchall()


def contacts(connection: sqlite3.Connection, run: int) -> dict[str, int]:
    """Return the delivery of each contact of a run."""
    return {contact: delivery for delivery, contact in connection.execute(_OF, (run,))}


def ends(connection: sqlite3.Connection, run: int) -> Iterator[ContactEnd]:
    """Yield what is known of a run's contacts: nothing in a ledger that an older version made."""
    if connection.execute(_THERE).fetchone():
        yield from map(ContactEnd._make, connection.execute(_ALL, (run,)))
