"""Feedback of people who were written to: replies that say stop, mail that bounced, complaints.

It stands beside the row's outcome, which it never changes. Whose destination it is, the ledger does not say: that is on
the suppression list, where the person was put (`listed`). What was read from objects that stay where they are is known
by their ETags, so that each is read once.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

STOP, BOUNCE, SOFT_BOUNCE, COMPLAINT = "stop", "bounce", "soft_bounce", "complaint"
KINDS = STOP, BOUNCE, SOFT_BOUNCE, COMPLAINT

TABLE = """
CREATE TABLE feedback (
    delivery INTEGER NOT NULL REFERENCES delivery,
    kind TEXT NOT NULL,             -- 'stop', 'bounce' (for good), 'soft_bounce' (for now) or 'complaint'
    at REAL,                        -- Unix seconds, as the event has it
    listed INTEGER NOT NULL,        -- whether the person was put on the suppression list for it
    tracked_at REAL NOT NULL,
    PRIMARY KEY (delivery, kind)
) STRICT, WITHOUT ROWID
"""
OBJECTS = """
CREATE TABLE event_object (
    run INTEGER NOT NULL REFERENCES run,
    name TEXT NOT NULL,             -- s3://bucket/key, read to its end
    etag TEXT NOT NULL,
    PRIMARY KEY (run, name)
) STRICT, WITHOUT ROWID
"""

_RECORD = """
INSERT INTO feedback (delivery, kind, at, listed, tracked_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (delivery, kind) DO UPDATE SET at = ifnull(at, excluded.at), listed = max(listed, excluded.listed)
"""
_OF_RUN = "FROM feedback JOIN delivery ON delivery.id = feedback.delivery WHERE run = ?"
_LISTED = "UPDATE feedback SET listed = 1 WHERE delivery = ? AND kind = ?"
_NOTE = "INSERT OR REPLACE INTO event_object (run, name, etag) VALUES (?, ?, ?)"

# Who was written to, and when last: by the contact, and by the keyed hash of the person.
_ADDRESSEES = """
SELECT delivery.id, contact_id, delivery.person, max(dispatch.last_at) FROM delivery
    JOIN dispatch ON dispatch.delivery = delivery.id AND dispatch.announced > 0 AND writes
WHERE run = ? AND delivery.person IS NOT NULL GROUP BY delivery.id
"""


class Feedback(NamedTuple):
    """What came back about one row. Times in Unix seconds; `listed`: the person was put on the suppression list."""

    delivery: int
    kind: str
    at: float | None
    listed: bool
    tracked_at: float


class Addressee(NamedTuple):
    """A row that a message of was sent to somebody: its contact, the keyed hash of the person, and when last."""

    delivery: int
    contact_id: str | None
    person: bytes
    last_at: float


def record(writing: sqlite3.Connection, told: Iterable[Feedback]) -> None:
    """Keep what came back; what is known already stays."""
    writing.executemany(_RECORD, told)


def mark_listed(writing: sqlite3.Connection, rows: Iterable[tuple[int, str]]) -> None:
    """Note of deliveries, and what came back, that their people were put on the suppression list."""
    writing.executemany(_LISTED, rows)


def kinds_of(connection: sqlite3.Connection, run: int) -> dict[int, list[str]]:
    """Return what came back about the rows of a run, by delivery."""
    found = defaultdict(list)
    for delivery, kind in connection.execute(f"SELECT delivery, kind {_OF_RUN} ORDER BY delivery, kind", (run,)):
        found[delivery].append(kind)
    return dict(found)


def unlisted(connection: sqlite3.Connection, run: int, kinds: Collection[str]) -> list[tuple[int, str]]:
    """Return deliveries, and what came back about them, of these kinds, whose people are on no list for it yet."""
    found = connection.execute(f"SELECT delivery, kind {_OF_RUN} AND NOT listed", (run,))
    return [(delivery, kind) for delivery, kind in found if kind in kinds]


def addressees(connection: sqlite3.Connection, run: int) -> list[Addressee]:
    """Return who was written to in a run."""
    return [Addressee(*row) for row in connection.execute(_ADDRESSEES, (run,))]


def note_object(writing: sqlite3.Connection, run: int, name: str, etag: str) -> None:
    """Note that an object was read to its end in this version."""
    writing.execute(_NOTE, (run, name, etag))


def known_objects(connection: sqlite3.Connection, run: int) -> Mapping[str, str]:
    """Return the ETags of the objects that were read, by name."""
    return dict(connection.execute("SELECT name, etag FROM event_object WHERE run = ?", (run,)))
