"""What the ledger knows of a run: read at any time, also while another process sends it."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bulk.ledger.database import troubles_of
from bulk.ledger.matching import ID, PLACE, STATE, Hasher, Known, Lookup, Seen
from bulk.model import Outcome, Recipient, Status


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


_COLUMNS = "contact_id, attempts, error_code, error_message, request_id, finished_at"
_LOOKUP = Lookup(f", {_COLUMNS}")
_OUTCOME = slice(4, 10)

_OPEN = "(state = 'pending' OR state = 'intended')"
_END = f"CASE WHEN {_OPEN} AND contact_id IS NOT NULL THEN 'sent' ELSE state END"  # a draft's mail is out: it is sent
UNDECIDED = "(state = 'unknown' OR state = 'intended' AND contact_id IS NULL)"
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
SELECT row, destination, state, {_COLUMNS}, intended_at FROM delivery INDEXED BY delivery_place
WHERE run = ? AND {UNDECIDED} ORDER BY row
"""  # noqa: S608 - the columns are our own text

_STATUS = {status.value: status for status in Status} | {"intended": Status.UNKNOWN}
_UNTRIED = Outcome(Status.PENDING)
_UNANSWERED = "a call was announced and no answer is recorded; `bulk send` settles it"


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
        return [
            Unknown(row, destination, _outcome(state, rest), moment(at)) for row, destination, state, *rest, at in found
        ]

    def outcomes(self) -> Callable[[Sequence[Recipient]], list[Outcome]]:
        """Give a function for one reading of the list: batches of recipients, in order, to their outcomes.

        A row is found by its key, wherever it stands now. One that the ledger does not know is `PENDING`.
        """
        seen = Seen(self._first_delivery())

        def outcomes(recipients: Sequence[Recipient]) -> list[Outcome]:
            return self._outcomes(recipients, seen) if recipients else []

        return outcomes

    def _first_delivery(self) -> int:
        with troubles_of(self._path):
            (first,) = self._reader.execute("SELECT first_delivery FROM run WHERE id = ?", (self._number,)).fetchone()
        return int(first)

    def _outcomes(self, recipients: Sequence[Recipient], seen: Seen) -> list[Outcome]:
        places = recipients[0].row, recipients[-1].row
        wanted = zip((r.row for r in recipients), self._hasher.keys(recipients), strict=True)
        with troubles_of(self._path):
            found, _ = _LOOKUP(self._reader, self._number, places, wanted)
            repeats = dict(self._reader.execute(_REPEATS_FOUND, (self._number, *places)))
        return [
            _UNTRIED
            if known is None
            else _outcome(known[STATE], known[_OUTCOME])
            if seen.first_time(known[ID])
            else _duplicate(known, repeats.get(recipient.row))
            for recipient, known in zip(recipients, found, strict=True)
        ]


def _outcome(state: str, known: Sequence[Any]) -> Outcome:
    contact_id, attempts, code, message, request_id, finished_at = known
    if contact_id is not None and state in {"pending", "intended"}:
        state = Status.SENT
    if state == "intended":
        code, message = "unanswered", _UNANSWERED
    return Outcome(_STATUS[state], contact_id, attempts, code, message, request_id, moment(finished_at))


def _duplicate(known: Known, found_at: float | None) -> Outcome:
    message = (
        "the key stands further up in the list" if known[PLACE] is None else f"the key is that of row {known[PLACE]}"
    )
    return Outcome(Status.SKIPPED, error_code="duplicate", error_message=message, finished_at=moment(found_at))
