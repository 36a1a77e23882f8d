"""What may have reached a person: a fact that no answer, later step, or decision erases.

A dispatch is one call that opens a contact or sends a message, under one token. It is written in the transaction that
announces the call, and taken back only when the service certainly has not accepted it (`announced` falls to 0). Caps
and the bound of open contacts count dispatches, over all the runs of a state directory.
"""

import sqlite3
from collections.abc import Callable, Sequence

from bulk.ledger.facts import RunIdentity

TABLE = """
CREATE TABLE dispatch (
    delivery INTEGER NOT NULL REFERENCES delivery,
    token TEXT NOT NULL,
    person BLOB,                    -- keyed hash of the identity of the one who is written to
    opens INTEGER NOT NULL,         -- whether the call opens a contact
    writes INTEGER NOT NULL,        -- whether it sends a message
    last_at REAL NOT NULL,          -- Unix seconds of the last try
    announced INTEGER NOT NULL,     -- announcements that were not taken back: above 0, it may have been accepted
    ended_at REAL,                  -- when the contact was ended by us
    PRIMARY KEY (delivery, token)
) STRICT, WITHOUT ROWID
"""

FROM_DELIVERIES = """
INSERT INTO dispatch (delivery, token, person, opens, writes, last_at, announced)
SELECT delivery.id, token, person, 1, channel <> 'email' OR step > 0 OR contact_id IS NOT NULL, at, 1
FROM (SELECT *, coalesce(intended_at, finished_at, (SELECT started_at FROM run WHERE id = run)) AS at FROM delivery)
    AS delivery JOIN run ON run.id = delivery.run
WHERE token IS NOT NULL AND (state = 'sent' OR state = 'unknown' OR state = 'intended'
    OR (state = 'pending' AND replies IS NOT NULL) OR (state = 'rejected' AND error_code = 'given_up'))
"""
"""Of a ledger of the first version: its deliveries that may have been accepted."""

# The delivery is the last value of each row, and the token the one before it.
RECORD = """
INSERT INTO dispatch (delivery, token, person, opens, writes, last_at, segments, announced)
SELECT id, column5, person, column1, column2, column3, column4, 1
FROM (VALUES {rows}) JOIN delivery ON id = column6 WHERE true
ON CONFLICT (delivery, token) DO UPDATE SET last_at = excluded.last_at, announced = dispatch.announced + 1
"""
RENEW = "UPDATE dispatch SET last_at = column1 FROM (VALUES {rows}) WHERE token = column2 AND delivery = column3"
TAKE_BACK = """
UPDATE dispatch SET announced = announced - 1 FROM (VALUES {rows}) WHERE token = column1 AND delivery = column2
"""
END = """
UPDATE dispatch SET ended_at = column1 FROM (VALUES {rows})
WHERE delivery = column3 AND opens AND NOT EXISTS (SELECT 1 FROM dispatch AS other WHERE other.delivery = column3
    AND other.opens AND (other.token = column2, other.last_at, other.token)
    > (dispatch.token = column2, dispatch.last_at, dispatch.token))
"""
"""Ends what was opened under a token, else what was opened last: a draft that a decision kept had an earlier token."""

SEGMENTS = "ALTER TABLE dispatch ADD COLUMN segments INTEGER NOT NULL DEFAULT 1"
"""How many segments a message has; 1 where it is no SMS, or was announced before that was kept."""

WRITTEN = """
SELECT count(*), ifnull(sum(segments), 0) FROM delivery CROSS JOIN dispatch ON dispatch.delivery = delivery.id
WHERE run = ? AND writes AND dispatch.announced > 0
"""
"""The messages of a run that may have been accepted, and their segments."""

WROTE = "SELECT EXISTS (SELECT 1 FROM dispatch WHERE delivery = ? AND writes AND announced > 0)"

_INDEX_PEOPLE = "CREATE INDEX IF NOT EXISTS dispatch_person ON dispatch (person, last_at) WHERE writes"
_INDEX_OPEN = "CREATE INDEX IF NOT EXISTS dispatch_open ON dispatch (last_at) WHERE opens AND ended_at IS NULL"
_WRITTEN = """
SELECT count(*) FROM dispatch INDEXED BY dispatch_person JOIN delivery ON delivery.id = dispatch.delivery
    JOIN run ON run.id = delivery.run
WHERE dispatch.person IN (?, ?) AND last_at >= ? AND writes AND dispatch.announced > 0 AND dispatch.delivery <> ?
    AND channel = ?
"""
_OPEN = """
SELECT last_at FROM dispatch INDEXED BY dispatch_open CROSS JOIN delivery ON delivery.id = dispatch.delivery
    JOIN run ON run.id = delivery.run
WHERE opens AND dispatch.ended_at IS NULL AND last_at > ? AND dispatch.announced > 0 AND dispatch.delivery <> ?
    AND channel = ? AND endpoint = ? AND region = ? AND instance = ?
ORDER BY last_at DESC LIMIT ?
"""


def index_people(connection: sqlite3.Connection) -> None:
    """Make `written` quick. Only who caps how often a person is written to pays for the index."""
    connection.execute(_INDEX_PEOPLE)


def index_open(connection: sqlite3.Connection) -> None:
    """Make `still_open` possible. Only who bounds the open contacts pays for the index."""
    connection.execute(_INDEX_OPEN)


def written(connection: sqlite3.Connection, people: Sequence[bytes], channel: str, since: float, but: int) -> int:
    """Return how many messages may have reached a person over a channel since then, but for one delivery's own.

    `people` are the one or two hashes under which the person may be known.
    """
    values = people[0], people[-1], since, but, channel
    (count,) = connection.execute(_WRITTEN, values).fetchone()
    return int(count)


def still_open(
    connection: sqlite3.Connection, identity: RunIdentity, *, since: float, limit: int, but: int = 0
) -> list[float]:
    """Return when the contacts opened that may be open at a run's instance, over all runs of its channel.

    They are the last `limit` of those that opened after `since`, the oldest first, in Unix seconds; without those of
    the delivery `but`.
    """
    place = identity.channel, identity.endpoint, identity.region, identity.instance
    found = connection.execute(_OPEN, (since, but, *place, limit)).fetchall()
    return [at for (at,) in reversed(found)]


Connection = sqlite3.Connection
"""What a guard asks."""

Guard = Callable[[Connection], Exception | None]
"""Asked in the transaction that announces a call: returns why it must not be announced, or None."""
