"""The runs of a ledger: begun, found again, ended."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from bulk.errors import LedgerError
from bulk.ledger.record import RunFacts, RunIdentity, moment

_COLUMNS = """id, campaign, name, channel, endpoint, region, instance, digests, passes, rows, started_at, ended_at,
halted, calls, throttled"""
_ALL = f"SELECT {_COLUMNS} FROM run ORDER BY started_at, id"  # noqa: S608 - the columns are our own text
_ONE = f"SELECT {_COLUMNS} FROM run WHERE campaign = ? AND name = ?"  # noqa: S608
_NEW = """
INSERT INTO run (campaign, name, channel, endpoint, region, instance, digests, passes, first_delivery, started_at)
VALUES (?, ?, ?, ?, ?, ?, ?, 1, (SELECT ifnull(max(id), 0) + 1 FROM delivery), ?)
"""
_NAMES_ROWS = {"list.key", "list.dedupe"}
_TRIED = "SELECT 1 FROM delivery WHERE run = ? AND token IS NOT NULL LIMIT 1"
_MOVE = """
UPDATE run SET campaign = ?, name = ?, channel = ?, endpoint = ?, region = ?, instance = ? WHERE id = ?
"""
_AGAIN = "UPDATE run SET passes = passes + 1, digests = ?, rows = NULL, ended_at = NULL, halted = NULL WHERE id = ?"
_END = """
UPDATE run SET rows = ifnull(?, rows), halted = ?, calls = calls + ?, throttled = throttled + ?, ended_at = ?
WHERE id = ?
"""
_UNLIST = "UPDATE delivery SET row = NULL WHERE run = ? AND row >= ?"
_UNREPEAT = "DELETE FROM duplicate WHERE run = ? AND row >= ?"


def every(connection: sqlite3.Connection) -> list[RunFacts]:
    """Give all runs, the oldest first."""
    return [_facts(row) for row in connection.execute(_ALL).fetchall()]


def find(connection: sqlite3.Connection, campaign: str, run: str) -> tuple[int, RunFacts] | None:
    """Give a run and its id, or None."""
    row = connection.execute(_ONE, (campaign, run)).fetchone()
    return None if row is None else (row[0], _facts(row))


def begin(
    connection: sqlite3.Connection,
    identity: RunIdentity,
    *,
    digests: Mapping[str, str],
    accept_changes: bool,
    now: float,
) -> tuple[int, RunFacts]:
    """Begin a run, or another pass of it: of one in which nothing was tried yet, wherever it goes now.

    `LedgerError` where it belongs elsewhere, or its campaign has changed.
    """
    known = find(connection, identity.campaign, identity.run)
    kept = json.dumps(dict(digests), sort_keys=True)
    if known is None:
        connection.execute(_NEW, (*asdict(identity).values(), kept, now))
    else:
        if connection.execute(_TRIED, (known[0],)).fetchone():
            _same_place(known[1].identity, identity)
            _same_rows(known[1], digests)
        else:
            connection.execute(_MOVE, (*asdict(identity).values(), known[0]))
        if not accept_changes:
            _same_campaign(known[1], digests)
        connection.execute(_AGAIN, (kept, known[0]))
    begun = find(connection, identity.campaign, identity.run)
    assert begun is not None  # noqa: S101 - it has just been written, in this transaction
    return begun


def end(connection: sqlite3.Connection, run: int, **facts: Any) -> None:
    """End a pass: `rows` (None where the list was not read to its end), `halted`, `calls`, `throttled`, `now`."""
    rows = facts["rows"]
    if rows is not None:  # what stood beyond the list's end was not met in it
        connection.execute(_UNLIST, (run, rows))
        connection.execute(_UNREPEAT, (run, rows))
    connection.execute(_END, (rows, facts["halted"], facts["calls"], facts["throttled"], facts["now"], run))


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


def _same_rows(known: RunFacts, digests: Mapping[str, str]) -> None:
    """Raise `LedgerError` where what was tried would not be known again: that is no change to be accepted."""
    if changed := sorted(_NAMES_ROWS & _changed(known, digests)):
        raise LedgerError(
            f"{', '.join(changed)} has changed since run {known.identity.run!r} of campaign "
            f"{known.identity.campaign!r} began, and by it a row is known: who was written to would be written to "
            "again. Change it back, or send to all of them as another run with --run NEW"
        )


def _changed(known: RunFacts, digests: Mapping[str, str]) -> set[str]:
    paths = known.digests.keys() | digests.keys()
    return {path for path in paths if known.digests.get(path) != digests.get(path)}


def _same_campaign(known: RunFacts, digests: Mapping[str, str]) -> None:
    changed = sorted(_changed(known, digests))
    if changed:
        raise LedgerError(
            f"campaign {known.identity.campaign!r} has changed since run {known.identity.run!r} began: "
            f"{', '.join(changed)}. Send it as another run with --run NEW, or let the rows not yet sent "
            "take the change with --accept-changes"
        )


def _facts(row: tuple[Any, ...]) -> RunFacts:
    _, *identity, digests, passes, rows, started_at, ended_at, halted, calls, throttled = row
    started = moment(started_at)
    assert started is not None  # noqa: S101 - the column is NOT NULL
    return RunFacts(
        RunIdentity(*identity), json.loads(digests), passes, rows, started, moment(ended_at), halted, calls, throttled
    )
