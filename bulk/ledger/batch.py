"""One batch of the list claimed: what the ledger knows of each row, what follows from it, and what is written of it."""

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

from bulk.errors import LedgerError
from bulk.ledger import statements
from bulk.ledger.claims import Claim, ClaimKind, Content
from bulk.ledger.database import write
from bulk.ledger.lookup import HALF, ID, MAY_HAVE_REACHED, PLACE, STATE, LedgerRow, Lookup, Reading
from bulk.ledger.redaction import scrub
from bulk.ledger.run_reader import OTHER_PERSON
from bulk.model import Progress, Recipient, Refusal, Reply, Status, mask

_UNTRIED = Progress()

_LOOKUP = Lookup(", content")
_MORE = """
SELECT decisions, person, contact_id, step, attempts, replies, intended_at, digest, error_code FROM delivery
WHERE id = ?
"""  # what is asked only of rows that are not done
_CONTENT = 4
_DECISIONS, _PERSON, _CONTACT, _STEP, _ATTEMPTS, _REPLIES, _INTENDED_AT, _DIGEST, _CODE = range(5, 14)

_DONE = {status.value: Claim(ClaimKind.FINAL, status=status) for status in Status}
_DONE["intended"] = _DONE[Status.UNKNOWN]
_RECORDED = {status: Claim(ClaimKind.FINAL, status=status, fresh=True) for status in Status}

_MOVED = """the list has changed in {place} since it was last read, and where `dedupe = "none"` a row is known by \
its place alone: rows would be sent twice. Restore the list (it may grow at its end), or send it with --run NEW"""


def claim(
    connection: sqlite3.Connection,
    reading: Reading,
    recipients: Sequence[Recipient],
    names: Sequence[str],
    contents: Callable[[], Sequence[Content]] | None = None,
    *,
    now: float,
) -> list[Claim]:
    """Claim the next batch of a reading, inside a transaction. `now` is in Unix seconds.

    Rows that are done are known by their `names` alone; only of the others is the recipient asked for.
    """
    if not recipients:
        return []
    first, last = reading.next, reading.next + len(recipients) - 1
    keys, occurrences = reading.naming.keys(names, first)
    found, displaced = _LOOKUP(connection, reading.run, first, keys)
    if reading.fixed and displaced:
        moved = recipients[min(known[PLACE] for known in displaced) - first]
        raise LedgerError(_MOVED.format(place=moved.place))
    repeats = dict(connection.execute(statements.REPEATS, (reading.run, first, last)))
    hashes = [reading.hasher.content(*one) for one in contents()] if contents else [None] * len(keys)
    batch = _Batch(connection, reading, recipients, now, _next_id(connection), repeats, occurrences, hashes)
    claims = [batch.claim(*row) for row in zip(count(first), keys, found, strict=False)]
    batch.write(displaced)
    reading.next = last + 1
    return claims


@dataclass(slots=True)
class _Batch:
    """One batch being claimed, and the writes that come of it."""

    connection: sqlite3.Connection
    reading: Reading
    recipients: Sequence[Recipient]
    now: float
    next_id: int
    repeats: dict[int, int]
    occurrences: Sequence[int]
    contents: Sequence[bytes | None]
    places: dict[int, int] = field(default_factory=dict)
    fresh: dict[bytes, LedgerRow] = field(default_factory=dict)
    entered: list[tuple[object, ...]] = field(default_factory=list)
    moved: list[tuple[int, int]] = field(default_factory=list)
    redirected: list[tuple[object, ...]] = field(default_factory=list)
    reopened: list[tuple[int]] = field(default_factory=list)
    withdrawn: list[tuple[object, ...]] = field(default_factory=list)
    refused: list[tuple[object, ...]] = field(default_factory=list)
    repeated: list[tuple[int, int, int, float, str]] = field(default_factory=list)
    unlisted: list[tuple[int]] = field(default_factory=list)

    def claim(self, row: int, key: bytes, known: LedgerRow | None) -> Claim:
        known = known or self.fresh.get(key)
        if known is None:
            return self._enter(self._recipient(row), key)
        if known[ID] in self.reading.seen:
            return self._repeat(row, known)
        content = self.contents[row - self.reading.next]
        if self._is_another(row, known, content):
            return self._stranger(row, known)
        self.reading.seen.mark(known[ID])
        if known[PLACE] != row:
            self.places[known[ID]] = row
            self.moved.append((row, known[ID]))
        if known[STATE] == "sent":
            self.reading.sent_before += 1
            self.reading.differs += content != known[_CONTENT] is not None
        return self._go_on(row, known)

    def _recipient(self, row: int) -> Recipient:
        return self.recipients[row - self.reading.next]

    def _is_another(self, row: int, known: LedgerRow, content: bytes | None) -> bool:
        """Whether the list has another person now beside a name that may have reached one."""
        if content is None or known[STATE] not in MAY_HAVE_REACHED:
            return False
        if known[_CONTENT] is not None and known[_CONTENT][:HALF] == content[:HALF]:
            return False  # the usual case: the destination is spelt as it was
        person, replies = self.connection.execute(statements.WHO, (known[ID],)).fetchone()
        return self.reading.hasher.is_another(known[STATE], person, replies, self._recipient(row).destination)

    def _stranger(self, row: int, known: LedgerRow) -> Claim:
        if known[PLACE] == row:
            self.unlisted.append((known[ID],))
        return self._note(row, known, OTHER_PERSON, ClaimKind.STRANGER, Status.REFUSED)

    def _repeat(self, row: int, known: LedgerRow) -> Claim:
        return self._note(row, known, "duplicate", ClaimKind.DUPLICATE, Status.SKIPPED)

    def _note(self, row: int, known: LedgerRow, reason: str, kind: ClaimKind, status: Status) -> Claim:
        """Note that this place of the list holds no delivery of its own, and why."""
        fresh = self.repeats.pop(row, None) != known[ID]
        if fresh:
            self.repeated.append((self.reading.run, row, known[ID], self.now, reason))
        return Claim(kind, status=status, fresh=fresh, first_row=self.places.get(known[ID], known[PLACE]))

    def _enter(self, recipient: Recipient, key: bytes) -> Claim:
        id_, self.next_id = self.next_id, self.next_id + 1
        self.reading.seen.mark(id_)
        refusal = recipient.refusal
        state = refusal.status if refusal else Status.PENDING
        content = self.contents[recipient.row - self.reading.next]
        self.fresh[key] = (id_, key, recipient.row, state.value, None)
        end = self._end(refusal, recipient) if refusal else (None, None, None)
        self.entered.append((id_, self.reading.run, key, recipient.row, state, *self._person(recipient), content, *end))
        if refusal:
            return _RECORDED[state]
        occurrence = self.occurrences[recipient.row - self.reading.next]
        return _DONE[Status.PENDING] if self.reading.only else Claim(ClaimKind.NEW, id_, occurrence=occurrence)

    def _go_on(self, row: int, known: LedgerRow) -> Claim:
        state, only = known[STATE], self.reading.only
        is_open = state in {"intended", "pending"}
        if not is_open and (state not in only or known[ID] in self.reading.resent):
            return _DONE[state]
        known = (*known, *self.connection.execute(_MORE, (known[ID],)).fetchone())
        if is_open:
            return self._go_on_with_an_open_one(self._recipient(row), known)
        if known[_CODE] == "given_up":  # decided by hand, for good
            return _DONE[state]
        if state != "unknown":  # what was answered ended with it
            known = (*known[:_REPLIES], None, *known[_REPLIES + 1 :])
        return self._go(self._recipient(row), (*known[:_INTENDED_AT], None, None), reopens=True)

    def _go_on_with_an_open_one(self, recipient: Recipient, known: LedgerRow) -> Claim:
        state, only = known[STATE], self.reading.only
        if known[_CONTACT] is None and (state == "pending" or _only_tidies_up(known)):
            if only and not known[_DECISIONS]:
                return _DONE[state]
            if state == "intended":
                self.withdrawn.append((known[ID],))
                known = (*known[:_INTENDED_AT], None, None)
            return self._go(recipient, known)
        if (only and Status.UNKNOWN not in only) or (recipient.refusal and known[_CONTACT] is not None):
            return _DONE[state if known[_CONTACT] is None else Status.SENT]
        return self._claim(ClaimKind.UNSETTLED, recipient, known, Status.UNKNOWN)

    def _go(self, recipient: Recipient, known: LedgerRow, *, reopens: bool = False) -> Claim:
        """Claim a row of which nothing is in doubt. One with an open draft is told its refusal where it is sent."""
        if recipient.refusal and known[_REPLIES] is None:
            return self._refuse(recipient, recipient.refusal, known, reopens=reopens)
        person = self._person(recipient)
        content = self.contents[recipient.row - self.reading.next]
        if person[1] != known[_PERSON] or content != known[_CONTENT]:
            self.redirected.append((*person, content, known[ID]))
        return self._claim(ClaimKind.NEW, recipient, known, Status.PENDING, reopens=reopens)

    def _refuse(self, recipient: Recipient, refusal: Refusal, known: LedgerRow, *, reopens: bool) -> Claim:
        if known[STATE] == "unknown":  # it may have been accepted, and stays so
            return _DONE["unknown"]
        if reopens:
            self.reopened.append((known[ID],))
        self.refused.append((refusal.status, *self._end(refusal, recipient), known[ID]))
        return _RECORDED[refusal.status]

    def _claim(
        self, kind: ClaimKind, recipient: Recipient, known: LedgerRow, status: Status, *, reopens: bool = False
    ) -> Claim:
        progress = _progress(known)
        occurrence = self.occurrences[recipient.row - self.reading.next]
        decisions, ended = known[_DECISIONS] + reopens, Status(known[STATE]) if reopens else None
        return Claim(kind, known[ID], progress, status, decisions=decisions, reopens=ended, occurrence=occurrence)

    def _person(self, recipient: Recipient) -> tuple[str | None, bytes | None]:
        to = recipient.destination
        return (None, None) if to is None else (mask(to), self.reading.hasher.person(to))

    def _end(self, refusal: Refusal, recipient: Recipient) -> tuple[str, str | None, float]:
        return refusal.code, scrub(refusal.message, recipient.destination), self.now

    def write(self, displaced: Sequence[LedgerRow]) -> None:
        """Write what is new. Places are given up before they are taken, and opened rows come before refused ones."""
        run = self.reading.run
        away = [known[ID] for known in displaced] + [id_ for _, id_ in self.moved] + [id_ for (id_,) in self.unlisted]
        self._execute(statements.DISPLACE, [(id_,) for id_ in away])
        self._execute(statements.MOVE, self.moved)
        self._execute(statements.FORGET_TIDYING, self.withdrawn)
        self._execute(statements.REDIRECT, self.redirected)
        write(self.connection, statements.REOPEN, self.reopened)
        self._execute(statements.REFUSE, self.refused)
        gone = [*self.repeats, *(row for _, row, *_ in self.repeated)]
        self._execute(statements.FORGET_REPEAT, [(run, row) for row in gone])
        write(self.connection, statements.ENTER, self.entered)
        write(self.connection, statements.REPEAT, self.repeated)

    def _execute(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        if rows:
            self.connection.executemany(statement, rows)


def _only_tidies_up(known: LedgerRow) -> bool:
    """Whether the call last announced comes after a no: then nothing of the row is in doubt."""
    return bool(known[_STEP] > len(json.loads(known[_REPLIES] or "[]")))


def _progress(known: LedgerRow) -> Progress:
    if not known[_ATTEMPTS] and known[_INTENDED_AT] is None and known[_REPLIES] is None:
        return _UNTRIED
    replies = tuple(Reply(members, request) for members, request in json.loads(known[_REPLIES] or "[]"))
    return Progress(known[_ATTEMPTS], replies, known[_INTENDED_AT], known[_DIGEST] or b"")


def _next_id(connection: sqlite3.Connection) -> int:
    (last,) = connection.execute("SELECT max(id) FROM delivery").fetchone()
    return (last or 0) + 1
