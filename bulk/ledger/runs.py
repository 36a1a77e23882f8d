"""The runs of a ledger: how they begin, continue, and end."""

import json
import sqlite3
import unicodedata
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import asdict
from typing import Any

from bulk.errors import LedgerError
from bulk.ledger.facts import RunFacts, RunIdentity, moment
from bulk.model import CLOCK_STEP

_COLUMNS = """id, campaign, name, channel, endpoint, region, instance, digests, passes, rows, started_at, ended_at,
halted, calls, throttled, latest_at, naming, under_way"""

# All runs, the oldest first.
_ALL = f"SELECT {_COLUMNS} FROM run ORDER BY started_at, id"  # noqa: S608 - the columns are our own text

# One run, by its names.
_ONE = f"SELECT {_COLUMNS} FROM run WHERE campaign = ? AND name = ?"  # noqa: S608 - the columns are our own text

# Begins a run: its deliveries are numbered after all others.
_NEW = """
INSERT INTO run (campaign, name, channel, endpoint, region, instance, digests, passes, first_delivery, started_at,
    naming, under_way)
VALUES (?, ?, ?, ?, ?, ?, ?, 1, (SELECT ifnull(max(id), 0) + 1 FROM delivery), ?, 2, '')
"""

# Whether anything of a run was tried.
_TRIED = "SELECT 1 FROM delivery WHERE run = ? AND token IS NOT NULL LIMIT 1"

# Has a run of which nothing was tried go elsewhere.
_MOVE = """
UPDATE run SET campaign = ?, name = ?, channel = ?, endpoint = ?, region = ?, instance = ? WHERE id = ?
"""

# Begins another pass of a run.
_AGAIN = """
UPDATE run SET passes = passes + 1, digests = ?, rows = NULL, ended_at = NULL, halted = NULL, under_way = ''
WHERE id = ?
"""

# Notes which states of rows a pass sends again.
RESENDS = "UPDATE run SET under_way = ? WHERE id = ?"

# Forgets for how long rows have been in doubt: 9e999 is infinity.
_AGE_UNKNOWN = "UPDATE delivery SET intended_at = 9e999 WHERE run = ? AND state = 'intended'"

# Notes the time of a clock that was set back.
_SET_BACK = "UPDATE run SET latest_at = ? WHERE id = ?"

# Ends a pass.
_END = """
UPDATE run SET rows = ifnull(:rows, rows), halted = :halted, calls = :calls, throttled = :throttled, ended_at = :now,
    latest_at = max(ifnull(latest_at, 0.0), :now), under_way = NULL
WHERE id = :run
"""

# Takes the rows beyond the end of the list out of it.
_UNLIST = "UPDATE delivery SET row = NULL WHERE run = ? AND row >= ?"

# Forgets the repeats beyond the end of the list.
_UNREPEAT = "DELETE FROM duplicate WHERE run = ? AND row >= ?"


def every(connection: sqlite3.Connection) -> list[RunFacts]:
    """Return all runs, the oldest first."""
    return [_facts(row) for row in connection.execute(_ALL).fetchall()]


def find(connection: sqlite3.Connection, campaign: str, run: str) -> tuple[int, RunFacts] | None:
    """Return a run and its id, or None."""
    row = connection.execute(_ONE, (campaign, run)).fetchone()
    if row is None:
        return None
    number, *_ = row
    return number, _facts(row)


def _alike(connection: sqlite3.Connection, identity: RunIdentity) -> None:
    """Raise `LedgerError` where a run of nearly this name exists: who means that one would write to everybody again."""
    for facts in every(connection):
        known = facts.identity
        if known.campaign == identity.campaign and _plain(known.run) == _plain(identity.run):
            raise LedgerError(
                f"run {identity.run!r} of campaign {known.campaign!r} would be a new one, and there is {known.run!r}: "
                f"go on with that one by --run {known.run}, or choose a name that differs in more than its spelling"
            )


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def begin(
    connection: sqlite3.Connection,
    identity: RunIdentity,
    *,
    digests: Mapping[str, str],
    fixed: AbstractSet[str],
    accept_changes: bool,
    now: float,
) -> tuple[int, RunFacts]:
    """Begin a run, or another pass of it: of one in which nothing was tried yet, wherever it goes now.

    `fixed` are the paths in `digests` that no decision may change. Raises `LedgerError` where the run belongs
    elsewhere, or its campaign has changed.
    """
    known = find(connection, identity.campaign, identity.run)
    kept = json.dumps(dict(digests))
    if known is None:
        _alike(connection, identity)
        connection.execute(_NEW, (*asdict(identity).values(), kept, now))
    else:
        number, facts = known
        if connection.execute(_TRIED, (number,)).fetchone():
            _same_place(facts.identity, identity)
            _same_rows(facts, digests, fixed)
        else:
            connection.execute(_MOVE, (*asdict(identity).values(), number))
        if not accept_changes:
            _same_campaign(facts, digests)
        connection.execute(_AGAIN, (kept, number))
        _allow_for_the_clock(connection, number, facts, now)
    begun = find(connection, identity.campaign, identity.run)
    assert begun is not None  # noqa: S101 - it has just been written, in this transaction
    return begun


def _allow_for_the_clock(connection: sqlite3.Connection, run: int, facts: RunFacts, now: float) -> None:
    """Forget for how long rows have been in doubt, where the clock was set back since."""
    if facts.latest_at is not None and facts.latest_at > now + CLOCK_STEP:
        connection.execute(_AGE_UNKNOWN, (run,))
        connection.execute(_SET_BACK, (now, run))


def end(connection: sqlite3.Connection, run: int, **facts: Any) -> None:
    """End a pass.

    `facts` are `rows` (None where the list was not read to its end), `halted`, `now`, and the run's `calls` and
    `throttled` so far.
    """
    rows = facts["rows"]
    if rows is not None:  # what stood beyond the list's end was not met in it
        connection.execute(_UNLIST, (run, rows))
        connection.execute(_UNREPEAT, (run, rows))
    connection.execute(_END, {**facts, "run": run})


def _same_place(known: RunIdentity, wanted: RunIdentity) -> None:
    differing = [
        f"{name} {was!r}, not {asdict(wanted)[name]!r}"
        for name, was in asdict(known).items()
        if was != asdict(wanted)[name]
    ]
    if differing:
        raise LedgerError(
            f"run {known.run!r} of campaign {known.campaign!r} belongs to {', '.join(differing)}. "
            "Send there again, or send it as another run with --run NEW"
        )


def _same_rows(known: RunFacts, digests: Mapping[str, str], fixed: AbstractSet[str]) -> None:
    """Raise `LedgerError` where what was tried would not be known again: that is no change to be accepted."""
    if changed := sorted(fixed & set(known.changed(digests))):
        raise LedgerError(
            f"{', '.join(changed)} has changed since run {known.identity.run!r} of campaign "
            f"{known.identity.campaign!r} began, and it says who is reached or how a row is known: who was written to "
            "would be written to again. Change it back, or send to all of them as another run with --run NEW"
        )


def _same_campaign(known: RunFacts, digests: Mapping[str, str]) -> None:
    if changed := known.changed(digests):
        raise LedgerError(
            f"campaign {known.identity.campaign!r} has changed since run {known.identity.run!r} began: "
            f"{', '.join(changed)}. Send it as another run with --run NEW, or let the rows not yet sent "
            "take the change with --accept-changes"
        )


def _facts(row: tuple[Any, ...]) -> RunFacts:
    identity, (digests, passes, rows, started_at, ended_at, *others) = row[1:7], row[7:]
    started = moment(started_at)
    assert started is not None  # noqa: S101 - the column is NOT NULL
    place, kept, ended = RunIdentity(*identity), json.loads(digests), moment(ended_at)
    return RunFacts(place, kept, passes, rows, started, ended, *others)
