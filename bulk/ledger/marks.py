"""The marks by which contacts of calls can be found again, and the results of such a search.

A mark is written in the transaction that announces the call which carries it. What was announced without one cannot be
looked for: its absence means nothing.
"""

import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from bulk.ledger import queries, statements
from bulk.ledger.facts import RunIdentity

TABLE = """
CREATE TABLE mark (
    delivery INTEGER NOT NULL REFERENCES delivery,
    token TEXT NOT NULL,            -- of the call; what the attribute holds follows from it
    attribute TEXT NOT NULL,        -- the contact attribute that carries the mark
    first_at REAL NOT NULL,         -- Unix seconds of the first try that carried it
    PRIMARY KEY (delivery, token)
) STRICT, WITHOUT ROWID
"""

# The delivery is the last value of each row, and the token the one before it.
RECORD = """
INSERT INTO mark (attribute, first_at, token, delivery)
SELECT column1, column2, column3, column4 FROM (VALUES {rows}) WHERE true
ON CONFLICT (delivery, token) DO UPDATE SET attribute = excluded.attribute
"""

# The dispatches of undecided rows that may have been accepted, each with its mark.
_DOUBTS = f"""
SELECT delivery.id, state = 'intended', delivery.doubted_at IS NULL, delivery.intended_at, delivery.finished_at,
    dispatch.last_at, dispatch.token, mark.attribute, mark.first_at
FROM delivery JOIN dispatch ON dispatch.delivery = delivery.id AND dispatch.announced > 0
    LEFT JOIN mark ON mark.delivery = dispatch.delivery AND mark.token = dispatch.token
WHERE run = ? AND {queries.UNDECIDED} ORDER BY delivery.id, dispatch.last_at
"""  # noqa: S608 - our own text

# A contact of the same instance that is known to be there, marked by this attribute: at best before a time, lately.
_KNOWN = """
SELECT mark.token, mark.attribute, mark.first_at, dispatch.last_at FROM mark
    JOIN delivery ON delivery.id = mark.delivery AND delivery.token = mark.token
    JOIN dispatch ON dispatch.delivery = mark.delivery AND dispatch.token = mark.token
    JOIN run ON run.id = delivery.run
WHERE state = 'sent' AND contact_id IS NOT NULL AND attribute = ? AND endpoint = ? AND region = ? AND instance = ?
ORDER BY mark.first_at > ?, abs(mark.first_at - ?) LIMIT 1
"""

# Records that the contact of an undecided row was found.
_FOUND = f"""
UPDATE delivery SET state = 'sent', decisions = decisions + 1, contact_id = :contact, error_code = NULL,
    error_message = NULL, finished_at = :now
WHERE id = :id AND {queries.UNDECIDED}
"""  # noqa: S608 - likewise

_STILL = f"SELECT id FROM delivery WHERE run = ? AND {queries.UNDECIDED}"  # noqa: S608 - likewise


class Mark(NamedTuple):
    """The mark of a call that may have been accepted: between which times (Unix seconds) it was tried."""

    token: str
    attribute: str
    first_at: float
    last_at: float


@dataclass(frozen=True, slots=True)
class Doubt:
    """A row of which nobody can tell whether it was accepted, and how it can be looked for.

    `in_doubt`: the next pass asks again under the token of before, `intended_at` is since when (Unix seconds). `whole`:
    each call that may have been accepted is known here and has a mark. `tried_at` is when the last of them was tried.
    """

    id: int
    in_doubt: bool
    intended_at: float | None
    tried_at: float
    marks: tuple[Mark, ...]
    whole: bool


def doubts(connection: sqlite3.Connection, run: int) -> list[Doubt]:
    """Return the undecided rows of a run that were dispatched."""
    found: dict[int, Doubt] = {}
    for row in connection.execute(_DOUBTS, (run,)):
        id_, in_doubt, here_alone, since, ended_at, last_at, token, attribute, first_at = row
        before = found.get(id_)
        marks = before.marks if before else ()
        if attribute is not None:
            marks = (*marks, Mark(token, attribute, first_at, last_at))
        whole = bool(here_alone) and attribute is not None and (before is None or before.whole)
        found[id_] = Doubt(id_, bool(in_doubt), since, _tried(last_at, ended_at), marks, whole)
    return list(found.values())


def _tried(last_at: float, ended_at: float | None) -> float:
    """Return when a row was tried last: an announcement is renewed each half minute, and an end follows its try."""
    return last_at if ended_at is None else max(last_at, min(ended_at, last_at + 60.0))


def known_mark(connection: sqlite3.Connection, place: RunIdentity, attribute: str, *, before: float) -> Mark | None:
    """Return the mark of a contact that is certainly at an instance, over all runs; None where there is none."""
    values = attribute, place.endpoint, place.region, place.instance, before, before
    row = connection.execute(_KNOWN, values).fetchone()
    return None if row is None else Mark(*row)


def settle(
    writing: sqlite3.Connection, run: int, found: Mapping[int, str], absent: Collection[int], *, now: float
) -> None:
    """Record which undecided rows have a contact, and which have none and are sent again; leave all others alone."""
    undecided = {number for (number,) in writing.execute(_STILL, (run,))}
    there = [{"id": id_, "contact": contact, "now": now} for id_, contact in found.items() if id_ in undecided]
    writing.executemany(_FOUND, there)
    writing.executemany(statements.REOPEN_ONE, [{"id": id_} for id_ in absent if id_ in undecided])
