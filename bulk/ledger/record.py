"""What the ledger knows of a run: read at any time, also while another process sends it."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bulk.ledger.database import troubles_of
from bulk.ledger.matching import ID, PLACE, Hasher, Known, Lookup, Seen, names_of
from bulk.model import Outcome, Recipient, Recorded, Status


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """Which run, and where it is sent to. A run never changes its channel, endpoint, Region or instance."""

    campaign: str
    run: str
    channel: str
    endpoint: str
    region: str
    instance: str


@dataclass(frozen=True, slots=True)
class RunFacts:
    """A run as the ledger keeps it. `rows` is the list's length, None until it has been read to its end."""

    identity: RunIdentity
    digests: Mapping[str, str]
    passes: int
    rows: int | None
    started_at: datetime
    ended_at: datetime | None
    halted: str | None
    calls: int
    throttled: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """A row that was tried, and nobody can tell whether it was accepted. `row` is None where the list lost it."""

    row: int | None
    destination: str | None
    outcome: Outcome
    intended_at: datetime | None


def moment(seconds: float | None) -> datetime | None:
    """Give Unix seconds as a time in UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


_OPEN = "(state = 'pending' OR state = 'intended')"
_END = f"CASE WHEN {_OPEN} AND contact_id IS NOT NULL THEN 'sent' ELSE state END"  # a draft's mail is out: it is sent
_UNANSWERED = "state = 'intended' AND contact_id IS NULL"
_SETTLE = "a call was announced and no answer is recorded; `bulk send` settles it"
_COLUMNS = f"""
CASE WHEN {_UNANSWERED} THEN 'unknown' ELSE {_END} END, contact_id, attempts,
CASE WHEN {_UNANSWERED} THEN 'unanswered' ELSE error_code END,
CASE WHEN {_UNANSWERED} THEN '{_SETTLE}' ELSE error_message END, request_id, finished_at
"""
_LOOKUP = Lookup(f", {_COLUMNS}")
_RECORDED = slice(4, 11)
UNDECIDED = f"(state = 'unknown' OR {_UNANSWERED})"
"""SQL: nobody can tell whether the row was accepted."""

_STATES = f"""
SELECT {_END} AS end, count(*) FROM delivery INDEXED BY delivery_place WHERE run = ? AND {{}} GROUP BY end
"""  # noqa: S608 - our own text
_EVERYWHERE = _STATES.format("true")
_LISTED = _STATES.format("row IS NOT NULL")
_REPEATS = "SELECT count(*) FROM duplicate WHERE run = ?"
_REPEATS_FOUND = "SELECT row, found_at FROM duplicate WHERE run = ? AND row BETWEEN ? AND ?"
_ROWS = "SELECT rows FROM run WHERE id = ?"
_UNKNOWN = f"""
SELECT row, destination, intended_at, {_COLUMNS} FROM delivery INDEXED BY delivery_place
WHERE run = ? AND {UNDECIDED} ORDER BY row
"""  # noqa: S608 - the columns are our own text

_STATUS = {status.value: status for status in Status} | {"intended": Status.UNKNOWN}
_UNTRIED: Recorded = ("pending", None, 0, None, None, None, None)


@dataclass(frozen=True, slots=True)
class Source:
    """Where runs are read: a connection of its own, the file it is on, and the ledger's way to name keys."""

    reader: sqlite3.Connection
    path: Path
    hasher: Hasher


class RunRecord:
    """One run, to be read. `facts` are those of the moment it was found."""

    def __init__(self, source: Source, number: int, *, facts: RunFacts) -> None:
        self.facts = facts
        self._number = number
        self._reader = source.reader
        self._path = source.path
        self._hasher = source.hasher

    def counts(self) -> dict[Status, int]:
        """Count the rows by status. Together they are the list's rows, once it has been read to its end.

        Rows that are on their way, or were when a process died, count as `UNKNOWN`; `unanswered` tells their number.
        """
        counts = dict.fromkeys(Status, 0)
        with troubles_of(self._path):
            (rows,) = self._reader.execute(_ROWS, (self._number,)).fetchone()
            for state, count in self._reader.execute(_EVERYWHERE if rows is None else _LISTED, (self._number,)):
                counts[_STATUS[state]] += count
            counts[Status.SKIPPED] += self._reader.execute(_REPEATS, (self._number,)).fetchone()[0]
        counts[Status.PENDING] += max(0, (rows or 0) - sum(counts.values()))
        return counts

    def unanswered(self) -> int:
        """Count the rows whose call was announced and not answered: on their way, or left by a process that died."""
        with troubles_of(self._path):
            states: dict[str, int] = dict(self._reader.execute(_EVERYWHERE, (self._number,)))
        return states.get("intended", 0)

    def unknown(self) -> list[Unknown]:
        """List the rows that `resolve` decides about, in the list's order."""
        with troubles_of(self._path):
            found = self._reader.execute(_UNKNOWN, (self._number,)).fetchall()
        return [Unknown(row, destination, _outcome(recorded), moment(at)) for row, destination, at, *recorded in found]

    def outcomes(self) -> Callable[[Sequence[Recipient]], list[Outcome]]:
        """Give a function for one reading of the list: batches of recipients, in order, to their outcomes.

        A row is found by its key, wherever it stands now. One that the ledger does not know is `PENDING`.
        """
        recorded = self.recorded()
        return lambda recipients: [_outcome(one) for one in recorded(names_of(recipients))]

    def recorded(self) -> Callable[[Sequence[str]], list[Recorded]]:
        """Give the same for what names each row, and as the ledger has it: made for long lists."""
        seen, first = Seen(self._first_delivery()), 0

        def recorded(names: Sequence[str]) -> list[Recorded]:
            nonlocal first
            start, first = first, first + len(names)
            return self._recorded(names, start, seen)

        return recorded

    def _first_delivery(self) -> int:
        with troubles_of(self._path):
            (first,) = self._reader.execute("SELECT first_delivery FROM run WHERE id = ?", (self._number,)).fetchone()
        return int(first)

    def _recorded(self, names: Sequence[str], first: int, seen: Seen) -> list[Recorded]:
        with troubles_of(self._path):
            found, _ = _LOOKUP(self._reader, self._number, first, self._hasher.keys(names, first))
            last = first + len(names) - 1
            repeats = dict(self._reader.execute(_REPEATS_FOUND, (self._number, first, last)))
        return [
            _UNTRIED
            if known is None
            else known[_RECORDED]
            if seen.first_time(known[ID])
            else _duplicate(known, repeats.get(row))
            for row, known in enumerate(found, first)
        ]


def _outcome(recorded: Sequence[Any]) -> Outcome:
    status, contact_id, attempts, code, message, request_id, finished_at = recorded
    return Outcome(Status(status), contact_id, attempts, code, message, request_id, moment(finished_at))


def _duplicate(known: Known, found_at: float | None) -> Recorded:
    message = (
        "the key stands further up in the list" if known[PLACE] is None else f"the key is that of row {known[PLACE]}"
    )
    return "skipped", None, 0, "duplicate", message, None, found_at
