"""Reads a run from the ledger, even while another process sends it."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from bulk.ledger import dispatches, passes, queries
from bulk.ledger.database import ledger_errors
from bulk.ledger.facts import RunFacts, Tried, Unknown, moment
from bulk.ledger.lookup import Hasher, Lookup, Naming, SeenRows
from bulk.ledger.passes import PassFacts, TrafficRow
from bulk.ledger.rows import EndedRow
from bulk.model import Outcome, Recorded, Status

OTHER_PERSON = "key_of_another"
"""The code of a row whose name is that of a row which may have reached somebody else."""

Place = Callable[[int], str | None]
"""Where a row of the list stands, in words; None where the reading has not met it yet."""

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Recorder(Protocol[T_co]):
    """One reading of the list, batch by batch: what the ledger knows of each row."""

    def __call__(self, names: Sequence[str], destinations: Sequence[str | None] | None = None) -> Sequence[T_co]:
        """Return it for the next rows, by what names them; `destinations` are where they are written to now."""


_LOOKUP: Lookup[EndedRow] = Lookup(f", {queries.RECORDED}, person, replies")

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
        self.counted = self.fixed = False
        self._number = number
        self._reader = source.reader
        self._path = source.path
        self._hasher = source.hasher

    def keep_repeats(self) -> None:
        """Take rows of one name for rows of their own, as with `dedupe = "none"`: call this before the list is read.

        In a run of the first version they are known by their places; a list that changed but at its end is refused.
        """
        self.fixed = self.facts.naming < 2
        self.counted = not self.fixed

    def counts(self) -> dict[Status, int]:
        """Count the rows by status. Together they are the list's rows, once it has been read to its end.

        Rows that are on their way, or were when a process died, count as `UNKNOWN`; `unanswered` tells their number.
        """
        counts = dict.fromkeys(Status, 0)
        with ledger_errors(self._path):
            (rows,) = self._reader.execute(queries.ROWS, (self._number,)).fetchone()
            states = queries.EVERYWHERE if rows is None else queries.LISTED
            for state, count in self._reader.execute(states, (self._number,)):
                counts[_STATUS[state]] += count
            for is_duplicate, count in self._reader.execute(queries.REPEATS, (self._number,)):
                counts[Status.SKIPPED if is_duplicate else Status.REFUSED] += count
        counts[Status.PENDING] += max(0, (rows or 0) - sum(counts.values()))
        return counts

    def passes(self) -> list[PassFacts]:
        """Return the passes of which it is known who began them, the oldest first."""
        with ledger_errors(self._path):
            return passes.passes(self._reader, self._number)

    def traffic(self) -> list[TrafficRow]:
        """Return what went over the wire, window by window, as far as it was kept."""
        with ledger_errors(self._path):
            return passes.traffic(self._reader, self._number)

    def unanswered(self) -> int:
        """Count the rows whose call was announced and not answered: on their way, or left by a process that died."""
        with ledger_errors(self._path):
            states: dict[str, int] = dict(self._reader.execute(queries.EVERYWHERE, (self._number,)))
        return states.get("intended", 0)

    def read(self, ask: Callable[[sqlite3.Connection, int], T]) -> T:
        """Ask the ledger something about this run, by its number there."""
        with ledger_errors(self._path):
            return ask(self._reader, self._number)

    def people(self, destination: str) -> tuple[bytes, bytes]:
        """Return the hashes under which the ledger may know the person behind a destination."""
        return self._hasher.people(destination)

    def unknown(self) -> list[Unknown]:
        """List the rows that `resolve` decides about, in the list's order."""
        with ledger_errors(self._path):
            found = self._reader.execute(queries.UNKNOWN, (self._number,)).fetchall()
        return [
            Unknown(id_, bool(in_doubt), row, destination, _outcome(recorded), moment(at))
            for id_, in_doubt, row, destination, at, *recorded in found
        ]

    def tried(self) -> Iterator[Tried]:
        """Yield the rows of which a call was announced, in the order in which they were first met."""
        with ledger_errors(self._path):
            for row, state, contact_id, destination, tokens in self._reader.execute(queries.TRIED, (self._number,)):
                yield Tried(row, state, contact_id, destination, frozenset(tokens.split(",") if tokens else ()))

    def lost(self) -> int:
        """Return how many rows of which nobody can tell whether they were accepted are not in the list any more."""
        with ledger_errors(self._path):
            (count,) = self._reader.execute(queries.LOST, (self._number,)).fetchone()
        return int(count)

    def written(self) -> tuple[int, int]:
        """Return how many messages may have been accepted, over all passes, and how many segments they have."""
        with ledger_errors(self._path):
            messages, segments = self._reader.execute(dispatches.WRITTEN, (self._number,)).fetchone()
        return int(messages), int(segments)

    def wrote(self, delivery: int) -> bool:
        """Whether a message of this delivery may have been accepted."""
        with ledger_errors(self._path):
            (found,) = self._reader.execute(dispatches.WROTE, (delivery,)).fetchone()
        return bool(found)

    def sent(self) -> tuple[int, datetime | None]:
        """Return how many rows were sent, in the list or not, and when the last of them was."""
        with ledger_errors(self._path):
            count, last = self._reader.execute(queries.SENT, (self._number,)).fetchone()
        return int(count), moment(last)

    def recorded(self, place: Place = "row {}".format) -> Recorder[Recorded]:
        """Return a function for one reading of the list: batches of its rows, in order, to what the ledger has of them.

        It takes what names each row, and where the row is written to now (None: that is not asked). A row is found by
        its name, wherever it stands; one that the ledger does not know is pending. `place` says where a row stands.
        """
        return self._read_by(partial(self._of, place))

    def numbers(self) -> Recorder[int]:
        """Return the same for each row's number in the ledger: 0 where it has none, or is not the one of its name."""

        def number(known: EndedRow | None, to: str | None, seen: SeenRows, _found_at: float | None) -> int:
            if known is None:
                return 0
            id_, _, _, state, *_, person, replies = known
            if id_ in seen or self._hasher.is_another(state, person, replies, to):
                return 0
            seen.mark(id_)
            return id_

        return self._read_by(number)

    def _read_by(self, of: Callable[[EndedRow | None, str | None, SeenRows, float | None], T]) -> Recorder[T]:
        seen, first = SeenRows(self._first_delivery()), 0
        naming = Naming(self._hasher, counted=self.counted)

        def read(names: Sequence[str], destinations: Sequence[str | None] | None = None) -> list[T]:
            nonlocal first
            start, first = first, first + len(names)
            keys, _ = naming.keys(names, start)
            with ledger_errors(self._path):
                found, _ = _LOOKUP(self._reader, self._number, start, keys)
                repeats = dict(self._reader.execute(queries.REPEATS_FOUND, (self._number, start, first - 1)))
            rows = zip(found, destinations or [None] * len(keys), strict=True)
            return [of(known, to, seen, repeats.get(row)) for row, (known, to) in enumerate(rows, start)]

        return read

    def _first_delivery(self) -> int:
        with ledger_errors(self._path):
            (first,) = self._reader.execute(queries.FIRST, (self._number,)).fetchone()
        return int(first)

    def _of(
        self, place: Place, known: EndedRow | None, destination: str | None, seen: SeenRows, found_at: float | None
    ) -> Recorded:
        if known is None:
            return _UNTRIED
        id_, _, row, state, status, contact_id, attempts, code, message, request_id, ended_at, person, replies = known
        if id_ in seen:
            return "skipped", None, 0, "duplicate", duplicate_of(None if row is None else place(row)), None, found_at
        if self._hasher.is_another(state, person, replies, destination):
            there = "not in the list any more" if row is None else place(row) or "further down in the list"
            return "refused", None, 0, OTHER_PERSON, _of_another(there), None, found_at
        seen.mark(id_)
        return status, contact_id, attempts, code, message, request_id, ended_at


def _outcome(recorded: Sequence[Any]) -> Outcome:
    status, contact_id, attempts, code, message, request_id, finished_at = recorded
    return Outcome(Status(status), contact_id, attempts, code, message, request_id, moment(finished_at))


def duplicate_of(place: str | None) -> str:
    """Return which row a row repeats, by where that stands; None where this is not known."""
    return "the key stands further up in the list" if place is None else f"the key is that of {place}"


def _of_another(place: str) -> str:
    return (
        f"the key is that of a row which may have reached somebody else ({place}); nobody was written to here: give "
        "this row a key of its own, or send the list as another run with --run NEW"
    )
