"""The passes of a run: who sent, with which version, and the traffic by windows of time."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from bulk.ledger.database import Values, write
from bulk.ledger.facts import moment

TABLES = (
    """
CREATE TABLE pass (
    run INTEGER NOT NULL REFERENCES run,
    number INTEGER NOT NULL,
    started_at REAL NOT NULL,
    ended_at REAL,
    sender TEXT NOT NULL,           -- user@host
    version TEXT NOT NULL,          -- of this program
    halted TEXT,
    PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID
""",
    """
CREATE TABLE traffic (
    run INTEGER NOT NULL REFERENCES run,
    pass INTEGER NOT NULL,
    operation TEXT NOT NULL,
    at REAL NOT NULL,               -- when the window begins, and how long it is
    seconds REAL NOT NULL,
    permitted REAL NOT NULL,        -- calls a second
    calls INTEGER NOT NULL,
    throttled INTEGER NOT NULL,
    segments INTEGER NOT NULL,      -- of the SMS accepted in it
    latencies TEXT NOT NULL,        -- JSON: bucket -> calls
    PRIMARY KEY (run, pass, operation, at)
) STRICT, WITHOUT ROWID
""",
)

# Begins a pass.
_BEGIN = "INSERT INTO pass VALUES (?, ?, ?, NULL, ?, ?, NULL)"

# Ends it.
_END = "UPDATE pass SET ended_at = ?, halted = ? WHERE run = ? AND number = ?"

# Notes what went over the wire in a window, as far as it is over.
RECORD = """
INSERT INTO traffic (run, pass, operation, seconds, permitted, calls, throttled, segments, latencies, at)
VALUES {rows}
ON CONFLICT DO UPDATE SET permitted = excluded.permitted, calls = excluded.calls, throttled = excluded.throttled,
    segments = excluded.segments, latencies = excluded.latencies
"""

_PASSES = "SELECT number, started_at, ended_at, sender, version, halted FROM pass WHERE run = ? ORDER BY number"
_TRAFFIC = """
SELECT operation, at, seconds, permitted, calls, throttled, segments, latencies FROM traffic WHERE run = ?
ORDER BY at, operation
"""


class Origin(NamedTuple):
    """Who sends: `user@host`, and the version of this program."""

    sender: str
    version: str


@dataclass(frozen=True, slots=True)
class PassFacts:
    """A pass as the ledger keeps it. `ended_at` is None while it lasts, and where it was killed."""

    number: int
    started_at: datetime
    ended_at: datetime | None
    sender: str
    version: str
    halted: str | None


class TrafficRow(NamedTuple):
    """What went over the wire in one window; `latencies` is JSON, as `delivery.traffic` writes it."""

    operation: str
    at: float
    seconds: float
    permitted: float
    calls: int
    throttled: int
    segments: int
    latencies: str


def make_tables(connection: sqlite3.Connection) -> None:
    """Make the tables."""
    for table in TABLES:
        connection.execute(table)


def begin(connection: sqlite3.Connection, run: int, number: int, *, origin: Origin, now: float) -> None:
    """Note who begins a pass."""
    connection.execute(_BEGIN, (run, number, now, *origin))


def end(connection: sqlite3.Connection, run: int, number: int, *, rest: Iterable[Values], ended: Values) -> None:
    """Note that a pass has ended (`ended`: when, and what halted it), with the `rest` of what went over the wire."""
    write(connection, RECORD, [(run, number, *window) for window in rest])
    connection.execute(_END, (*ended, run, number))


def passes(connection: sqlite3.Connection, run: int) -> list[PassFacts]:
    """Return the passes of a run of which it is known who began them, the oldest first."""
    return [
        PassFacts(number, datetime.fromtimestamp(started, UTC), moment(ended), *rest)
        for number, started, ended, *rest in connection.execute(_PASSES, (run,)).fetchall()
    ]


def traffic(connection: sqlite3.Connection, run: int) -> list[TrafficRow]:
    """Return what went over the wire in a run, as far as it was kept, the oldest first."""
    return [TrafficRow(*row) for row in connection.execute(_TRAFFIC, (run,)).fetchall()]
