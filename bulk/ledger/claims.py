"""Each batch of the list is claimed before it is sent: what is to be done with each of its rows.

    NEW          not tried, or tried and known not to be accepted: to be sent
    UNSETTLED    tried, and not at its end: a call that nothing answered is to be settled under the same token
    FINAL        nothing to do in this pass
    DUPLICATE    its key stands further up in this list

One reading of the list is one `Reading`. What it has met is known by a byte per row, so the ledger is only written
where something is new, moved, or refused: a list that did not change is claimed without a write.
"""

import enum
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

from bulk.errors import LedgerError
from bulk.ledger.database import write
from bulk.ledger.matching import ID, PLACE, STATE, Known, Lookup, Reading
from bulk.ledger.privacy import scrub
from bulk.model import Progress, Recipient, Refusal, Reply, Status, mask

_UNTRIED = Progress()


class ClaimKind(enum.Enum):
    """What is to be done with a row."""

    NEW = "new"
    UNSETTLED = "unsettled"
    FINAL = "final"
    DUPLICATE = "duplicate"


class Claim(NamedTuple):
    """One row of the list, as the ledger knows it.

    `id` is its row in the ledger (0 where there is nothing to send). `status` is what the ledger holds now, `fresh`
    tells whether this claim recorded it. `first_row` is the row that a duplicate repeats. `decisions` counts how
    often somebody had the row sent again: a call after a decision needs a token of its own.
    """

    kind: ClaimKind
    id: int = 0
    progress: Progress = _UNTRIED
    status: Status = Status.PENDING
    fresh: bool = False
    first_row: int | None = None
    decisions: int = 0


_LOOKUP = Lookup()
_MORE = """
SELECT decisions, person, contact_id, step, attempts, replies, intended_at, digest FROM delivery WHERE id = ?
"""  # what is asked only of rows that are not done
_DECISIONS, _PERSON, _CONTACT, _STEP, _ATTEMPTS, _REPLIES, _INTENDED_AT, _DIGEST = range(4, 12)

_DONE = {status.value: Claim(ClaimKind.FINAL, status=status) for status in Status}
_DONE["intended"] = _DONE[Status.UNKNOWN]
_RECORDED = {status: Claim(ClaimKind.FINAL, status=status, fresh=True) for status in Status}

_DISPLACE = "UPDATE delivery SET row = NULL WHERE id = ?"
_MOVE = "UPDATE delivery SET row = ? WHERE id = ?"
_ENTER = """
INSERT INTO delivery (id, run, key, row, state, destination, person, error_code, error_message, finished_at)
VALUES {rows}
"""
_REDIRECT = "UPDATE delivery SET destination = ?, person = ? WHERE id = ?"
_REFUSE = "UPDATE delivery SET state = ?, error_code = ?, error_message = ?, finished_at = ? WHERE id = ?"
REOPEN = """
UPDATE delivery SET state = 'pending', decisions = decisions + 1, announced = 0, intended_at = NULL, digest = NULL,
    replies = CASE WHEN state <> 'rejected' THEN replies END,
    contact_id = NULL, error_code = NULL, error_message = NULL, request_id = NULL, finished_at = NULL
WHERE id = :id
"""
_MOVED = """the list has changed in row {row} since it was last read, and where `dedupe = "none"` a row is known by \
its place alone: rows would be sent twice. Restore the list (it may grow at its end), or send it with --run NEW"""
_WITHDRAW = "UPDATE delivery SET state = 'pending', announced = 0, intended_at = NULL WHERE id = ?"
_REPEATS = "SELECT row, delivery FROM duplicate WHERE run = ? AND row BETWEEN ? AND ?"
_FORGET_REPEAT = "DELETE FROM duplicate WHERE run = ? AND row = ?"
_REPEAT = "INSERT INTO duplicate VALUES {rows}"


def claim(
    connection: sqlite3.Connection,
    reading: Reading,
    recipients: Sequence[Recipient],
    names: Sequence[str],
    *,
    now: float,
) -> list[Claim]:
    """Claim the next batch of a reading, inside a transaction. `now` is in Unix seconds.

    Rows that are done are known by their `names` alone; only of the others is the recipient asked for.
    """
    if not recipients:
        return []
    first, last = reading.next, reading.next + len(recipients) - 1
    keys = reading.hasher.keys(names, first)
    found, displaced = _LOOKUP(connection, reading.run, first, keys)
    if reading.fixed and displaced:
        raise LedgerError(_MOVED.format(row=min(known[PLACE] for known in displaced)))
    repeats = dict(connection.execute(_REPEATS, (reading.run, first, last)))
    batch = _Batch(connection, reading, recipients, now, _next_id(connection), repeats)
    claims = [batch.claim(*row) for row in zip(count(first), keys, found, strict=False)]
    batch.write(displaced)
    reading.next = last + 1
    return claims


def _next_id(connection: sqlite3.Connection) -> int:
    (last,) = connection.execute("SELECT max(id) FROM delivery").fetchone()
    return (last or 0) + 1


@dataclass(slots=True)
class _Batch:
    """One batch being claimed, and the writes that come of it."""

    connection: sqlite3.Connection
    reading: Reading
    recipients: Sequence[Recipient]
    now: float
    next_id: int
    repeats: dict[int, int]
    places: dict[int, int] = field(default_factory=dict)
    fresh: dict[bytes, Known] = field(default_factory=dict)
    entered: list[tuple[object, ...]] = field(default_factory=list)
    moved: list[tuple[object, ...]] = field(default_factory=list)
    redirected: list[tuple[object, ...]] = field(default_factory=list)
    reopened: list[dict[str, int]] = field(default_factory=list)
    withdrawn: list[tuple[object, ...]] = field(default_factory=list)
    refused: list[tuple[object, ...]] = field(default_factory=list)
    repeated: list[tuple[object, ...]] = field(default_factory=list)

    def claim(self, row: int, key: bytes, known: Known | None) -> Claim:
        known = known or self.fresh.get(key)
        if known is None:
            return self._enter(self._recipient(row), key)
        if not self.reading.seen.first_time(known[ID]):
            return self._repeat(row, known)
        if known[PLACE] != row:
            self.places[known[ID]] = row
            self.moved.append((row, known[ID]))
        return self._go_on(row, known)

    def _recipient(self, row: int) -> Recipient:
        return self.recipients[row - self.reading.next]

    def _enter(self, recipient: Recipient, key: bytes) -> Claim:
        id_, self.next_id = self.next_id, self.next_id + 1
        self.reading.seen.first_time(id_)
        self.fresh[key] = (id_, key, recipient.row)
        refusal = recipient.refusal
        state = refusal.status if refusal else Status.PENDING
        person = self._person(recipient)
        end = self._end(refusal, recipient) if refusal else (None, None, None)
        self.entered.append((id_, self.reading.run, key, recipient.row, state, *person, *end))
        if refusal:
            return _RECORDED[state]
        return _DONE[Status.PENDING] if self.reading.only else Claim(ClaimKind.NEW, id_, _UNTRIED)

    def _repeat(self, row: int, known: Known) -> Claim:
        fresh = self.repeats.pop(row, None) != known[ID]
        if fresh:
            self.repeated.append((self.reading.run, row, known[ID], self.now))
        first = self.places.get(known[ID], known[PLACE])
        return Claim(ClaimKind.DUPLICATE, status=Status.SKIPPED, fresh=fresh, first_row=first)

    def _go_on(self, row: int, known: Known) -> Claim:
        state, only = known[STATE], self.reading.only
        is_open = state in {"intended", "pending"}
        if not is_open and (state not in only or not self.reading.reopens):
            return _DONE[state]
        known = (*known, *self.connection.execute(_MORE, (known[ID],)).fetchone())
        if is_open:
            return self._go_on_with_an_open_one(self._recipient(row), known)
        self.reopened.append({"id": known[ID]})
        kept = known if state != "rejected" else (*known[:_REPLIES], None, *known[_REPLIES + 1 :])
        return self._go(self._recipient(row), (*kept[:_INTENDED_AT], None, None), known[_DECISIONS] + 1)

    def _go_on_with_an_open_one(self, recipient: Recipient, known: Known) -> Claim:
        state, only, decisions = known[STATE], self.reading.only, known[_DECISIONS]
        if known[_CONTACT] is None and (state == "pending" or _refused(known)):
            if only and not decisions:
                return _DONE[state]
            if state == "intended":
                self.withdrawn.append((known[ID],))
                known = (*known[:_INTENDED_AT], None, None)
            return self._go(recipient, known, decisions)
        if recipient.refusal or (only and Status.UNKNOWN not in only):
            return _DONE[state if known[_CONTACT] is None else Status.SENT]
        return Claim(ClaimKind.UNSETTLED, known[ID], _progress(known), Status.UNKNOWN, decisions=decisions)

    def _go(self, recipient: Recipient, known: Known, decisions: int) -> Claim:
        """Claim a row that is pending now."""
        if recipient.refusal:
            end = self._end(recipient.refusal, recipient)
            self.refused.append((recipient.refusal.status, *end, known[ID]))
            return _RECORDED[recipient.refusal.status]
        person = self._person(recipient)
        if person[1] != known[_PERSON]:
            self.redirected.append((*person, known[ID]))
        return Claim(ClaimKind.NEW, known[ID], _progress(known), decisions=decisions)

    def _person(self, recipient: Recipient) -> tuple[str | None, bytes | None]:
        to = recipient.destination
        return (None, None) if to is None else (mask(to), self.reading.hasher.person(to))

    def _end(self, refusal: Refusal, recipient: Recipient) -> tuple[str, str | None, float]:
        return refusal.code, scrub(refusal.message, recipient.destination), self.now

    def write(self, displaced: Sequence[Known]) -> None:
        """Write what is new. Places are given up before they are taken, and opened rows come before refused ones."""
        run = self.reading.run
        for statement, rows in (
            (_DISPLACE, [(known[ID],) for known in displaced] + [(id_,) for _, id_ in self.moved]),
            (_MOVE, self.moved),
            (REOPEN, self.reopened),
            (_WITHDRAW, self.withdrawn),
            (_REDIRECT, self.redirected),
            (_REFUSE, self.refused),
            (_FORGET_REPEAT, [(run, row) for row in self.repeats]),
            (_FORGET_REPEAT, [(run, row) for _, row, _, _ in self.repeated]),
        ):
            if rows:
                self.connection.executemany(statement, rows)
        write(self.connection, _ENTER, self.entered)
        write(self.connection, _REPEAT, self.repeated)


def _refused(known: Known) -> bool:
    """Tell whether the call last announced only tidied up after a no: then nothing of the row is in doubt."""
    return bool(known[_STEP] > len(json.loads(known[_REPLIES] or "[]")))


def _progress(known: Known) -> Progress:
    if not known[_ATTEMPTS] and known[_INTENDED_AT] is None and known[_REPLIES] is None:
        return _UNTRIED
    replies = tuple(Reply(members, request) for members, request in json.loads(known[_REPLIES] or "[]"))
    return Progress(known[_ATTEMPTS], replies, known[_INTENDED_AT], known[_DIGEST] or b"")
