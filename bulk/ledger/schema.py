"""The tables of the ledger, with the rules that the database enforces (see `docs/internals/ledger.md`).

A migration is a function that changes the tables by one step. It runs once per ledger and is recorded by its name;
one that has been released is never edited, only followed by another.

The rules are written with OR: SQLite builds an index for every `IN (…)` of a constraint each time it checks one, which
doubles the cost of a write.
"""

import secrets
import sqlite3
import time
from pathlib import Path

from bulk.errors import LedgerError
from bulk.ledger import consents, dispatches, ends, feedback, marks, passes
from bulk.ledger.database import transaction


def first_tables(connection: sqlite3.Connection) -> None:
    """Make the tables of the first version."""
    for statement in _SETTINGS, _RUN, _DELIVERY, _PLACE, _DUPLICATE, _BEGINS, _MOVES, _STAYS:
        connection.execute(statement)
    connection.execute("INSERT INTO setting VALUES ('salt', ?)", (secrets.token_bytes(16),))


def dispatches_of_their_own(connection: sqlite3.Connection) -> None:
    """Keep what may have reached a person in a table of its own, and how rows are named beside each run."""
    for statement in (
        "DROP INDEX IF EXISTS delivery_person",
        "DROP INDEX IF EXISTS delivery_opened",
        "ALTER TABLE delivery ADD COLUMN content BLOB",  # keyed hash of what the row would get
        "ALTER TABLE run ADD COLUMN latest_at REAL",  # the clock's latest time in any pass: it may be set back
        "ALTER TABLE run ADD COLUMN naming INTEGER NOT NULL DEFAULT 1",  # how rows are named: see `matching`
        "ALTER TABLE duplicate ADD COLUMN reason TEXT NOT NULL DEFAULT 'duplicate'",
        dispatches.TABLE,
        dispatches.FROM_DELIVERIES,
        "DROP TRIGGER delivery_moves",
        _MOVES_WITH_A_DRAFT,
    ):
        connection.execute(statement)


def segments_of_dispatches(connection: sqlite3.Connection) -> None:
    """Keep how many segments each message has: what it costs follows from that."""
    connection.execute(dispatches.SEGMENTS)


def passes_of_their_own(connection: sqlite3.Connection) -> None:
    """Keep who began each pass, and what went over the wire in it: of passes before, nobody knows."""
    passes.make_tables(connection)


def marks_and_ends(connection: sqlite3.Connection) -> None:
    """Keep by which mark a contact can be found again, and how contacts ended: of rows before, nobody knows."""
    connection.execute(marks.TABLE)
    connection.execute(ends.TABLE)


def feedback_of_people(connection: sqlite3.Connection) -> None:
    """Keep what came back about people, and which objects it was read from."""
    connection.execute(feedback.TABLE)
    connection.execute(feedback.OBJECTS)


def consents_of_people(connection: sqlite3.Connection) -> None:
    """Keep why each person was written to: of messages before, the ledger does not know."""
    connection.execute(consents.TABLE)


def doubts_of_copies(connection: sqlite3.Connection) -> None:
    """Keep which runs are being sent, and since when calls may have been made that a copy elsewhere does not have."""
    for statement in (
        "ALTER TABLE run ADD COLUMN under_way TEXT",  # while a pass is open: the states that it sends again; else NULL
        "ALTER TABLE delivery ADD COLUMN doubted_at REAL",
        "DROP TRIGGER delivery_moves",
        _MOVES_WITHOUT_A_TOKEN,
    ):
        connection.execute(statement)


MIGRATIONS = [
    first_tables,
    dispatches_of_their_own,
    passes_of_their_own,
    doubts_of_copies,
    segments_of_dispatches,
    marks_and_ends,
    feedback_of_people,
    consents_of_people,
]

_SETTINGS = "CREATE TABLE setting (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT"

_RUN = """
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    campaign TEXT NOT NULL,
    name TEXT NOT NULL,
    channel TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    region TEXT NOT NULL,
    instance TEXT NOT NULL,
    digests TEXT NOT NULL,          -- JSON: path in the campaign -> short digest
    passes INTEGER NOT NULL,        -- how often it was sent or resumed
    rows INTEGER,                   -- length of the list, once it has been read to its end in this pass
    first_delivery INTEGER NOT NULL,
    started_at REAL NOT NULL,
    ended_at REAL,
    halted TEXT,
    calls INTEGER NOT NULL DEFAULT 0,
    throttled INTEGER NOT NULL DEFAULT 0,
    UNIQUE (campaign, name)
) STRICT
"""

_DELIVERY = """
CREATE TABLE delivery (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run,
    key BLOB NOT NULL,              -- keyed hash of the row's key
    row INTEGER,                    -- its place in the list as last read; NULL where it was not met there
    state TEXT NOT NULL,
    decisions INTEGER NOT NULL DEFAULT 0,   -- how often somebody reopened or decided it
    destination TEXT,               -- masked
    person BLOB,                    -- keyed hash of the destination
    step INTEGER,                   -- of the call last announced
    token TEXT,
    digest BLOB,                    -- of that call's parameters
    announced INTEGER NOT NULL DEFAULT 0,   -- announcements of that call which nothing has answered
    intended_at REAL,               -- of the first of them
    replies TEXT,                   -- JSON: the answers of earlier steps, contact ids alone
    attempts INTEGER NOT NULL DEFAULT 0,
    contact_id TEXT,
    error_code TEXT,
    error_message TEXT,
    request_id TEXT,
    finished_at REAL,
    UNIQUE (run, key),
    CHECK (state = 'pending' OR state = 'intended' OR state = 'sent' OR state = 'rejected' OR state = 'unknown'
        OR state = 'refused' OR state = 'skipped'),
    CHECK (token IS NOT NULL OR state = 'pending' OR state = 'refused' OR state = 'skipped'),
    CHECK (contact_id IS NOT NULL OR state <> 'sent' OR decisions > 0)
) STRICT
"""

_PLACE = "CREATE UNIQUE INDEX delivery_place ON delivery (run, row)"

_DUPLICATE = """
CREATE TABLE duplicate (
    run INTEGER NOT NULL REFERENCES run,
    row INTEGER NOT NULL,
    delivery INTEGER NOT NULL REFERENCES delivery,  -- whose key this place of the list repeats
    found_at REAL NOT NULL,
    PRIMARY KEY (run, row)
) STRICT, WITHOUT ROWID
"""

_BEGINS = """
CREATE TRIGGER delivery_begins BEFORE INSERT ON delivery
WHEN NOT (NEW.state = 'pending' OR NEW.state = 'refused' OR NEW.state = 'skipped')
BEGIN SELECT RAISE(ABORT, 'a delivery begins pending, refused or skipped'); END
"""

_MOVES = """
CREATE TRIGGER delivery_moves BEFORE UPDATE OF state ON delivery
WHEN NOT CASE OLD.state
    WHEN 'pending' THEN
        NEW.state = 'pending' OR NEW.state = 'intended' OR NEW.state = 'refused' OR NEW.state = 'skipped'
        OR OLD.replies IS NOT NULL
    WHEN 'intended' THEN CASE NEW.state
        WHEN 'intended' THEN
            NEW.digest = OLD.digest AND (NEW.token = OLD.token OR NEW.step <> OLD.step)
        WHEN 'pending' THEN NEW.announced = 0
        ELSE NEW.state = 'sent' OR NEW.state = 'rejected' OR NEW.state = 'unknown' END
    ELSE
        NEW.decisions > OLD.decisions AND (NEW.state = 'pending'
            OR (OLD.state = 'unknown' AND (NEW.state = 'sent' OR NEW.state = 'rejected'))) END
BEGIN SELECT RAISE(ABORT, 'a delivery cannot go from its state to that one'); END
"""

_MOVES_WITH_A_DRAFT = _MOVES.replace(
    "ELSE NEW.state = 'sent' OR NEW.state = 'rejected' OR NEW.state = 'unknown' END",
    """WHEN 'refused' THEN OLD.step > json_array_length(ifnull(OLD.replies, '[]'))
        WHEN 'skipped' THEN OLD.step > json_array_length(ifnull(OLD.replies, '[]'))
        ELSE NEW.state = 'sent' OR NEW.state = 'rejected' OR NEW.state = 'unknown' END""",
)  # a call announced beyond the one that was withheld only tidies up: nothing of the row is in doubt

_MOVES_WITHOUT_A_TOKEN = _MOVES_WITH_A_DRAFT.replace(
    "NEW.digest = OLD.digest AND (NEW.token = OLD.token OR NEW.step <> OLD.step)",
    "OLD.token = '' OR (NEW.digest = OLD.digest AND (NEW.token = OLD.token OR NEW.step <> OLD.step))",
)  # a call that a dead sender may have announced elsewhere: see `copies`

_STAYS = """
CREATE TRIGGER delivery_stays BEFORE DELETE ON delivery
BEGIN SELECT RAISE(ABORT, 'what was sent is not forgotten'); END
"""


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the tables up to date. `LedgerError` where a newer version made them, or they are somebody else's."""
    if len(_applied(connection, path)) == len(MIGRATIONS):
        return
    with transaction(connection):  # another process may have been first: look again, alone
        done = _applied(connection, path)
        connection.execute("CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY, applied_at REAL) STRICT")
        for migration in MIGRATIONS:
            if migration.__name__ not in done:
                migration(connection)
                connection.execute("INSERT INTO migration VALUES (?, ?)", (migration.__name__, time.time()))


def up_to_date(reader: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    """Return what a ledger is read by: of an older version, a copy with the tables of this one, gone when it is closed.

    The file itself is left to the next sending. Raises `LedgerError` as `prepare` does.
    """
    if len(_applied(reader, path)) == len(MIGRATIONS):
        return reader
    copy = sqlite3.connect("", isolation_level=None, check_same_thread=False)  # SQLite's own temporary file
    try:
        reader.backup(copy)
        prepare(copy, path)
        copy.execute("PRAGMA query_only = ON")
    except BaseException:
        copy.close()
        raise
    reader.close()
    return copy


def _applied(connection: sqlite3.Connection, path: Path) -> set[str]:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if tables and "migration" not in tables:
        raise LedgerError(f"{path}: a database, but no ledger; name another folder with --state-dir")
    names = {name for (name,) in connection.execute("SELECT name FROM migration")} if tables else set()
    if newer := names - {migration.__name__ for migration in MIGRATIONS}:
        raise LedgerError(f"{path}: made by a newer version of this program ({', '.join(sorted(newer))}); use that one")
    return names
