"""Claims one batch of the list: what the ledger knows of each row, what follows, and what is written."""

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

from bulk.errors import LedgerError
from bulk.ledger import queries, statements
from bulk.ledger.claims import Claim, ClaimKind, Content
from bulk.ledger.database import write
from bulk.ledger.lookup import HALF, MAY_HAVE_REACHED, Lookup, Reading
from bulk.ledger.redaction import redact
from bulk.ledger.rows import KnownRow, OpenRow
from bulk.ledger.run_reader import OTHER_PERSON
from bulk.model import Progress, Recipient, Refusal, Reply, Status, mask

_UNTRIED = Progress()
_CHANGED = b"changed"  # the digest of no parameters

_LOOKUP: Lookup[KnownRow] = Lookup(", content")

_DONE = {status.value: Claim(ClaimKind.FINAL, status=status) for status in Status}
_DONE["intended"] = _DONE[Status.UNKNOWN]
_NO_DELIVERY = {
    ClaimKind.DUPLICATE: ("duplicate", Status.SKIPPED),
    ClaimKind.STRANGER: (OTHER_PERSON, Status.REFUSED),
}
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
        moved = recipients[min(place for _, _, place, _, _ in displaced if place is not None) - first]
        raise LedgerError(_MOVED.format(place=moved.place))
    repeats = dict(connection.execute(queries.REPEATED, (reading.run, first, last)))
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
    fresh: dict[bytes, KnownRow] = field(default_factory=dict)
    entered: list[tuple[object, ...]] = field(default_factory=list)
    moved: list[tuple[int, int]] = field(default_factory=list)
    redirected: list[tuple[object, ...]] = field(default_factory=list)
    reopened: list[tuple[int]] = field(default_factory=list)
    withdrawn: list[tuple[object, ...]] = field(default_factory=list)
    refused: list[tuple[object, ...]] = field(default_factory=list)
    repeated: list[tuple[int, int, int, float, str]] = field(default_factory=list)
    unlisted: list[tuple[int]] = field(default_factory=list)

    def claim(self, row: int, key: bytes, known: KnownRow | None) -> Claim:
        known = known or self.fresh.get(key)
        if known is None:
            return self._enter(self._recipient(row), key)
        id_, _, place, state, before = known
        if id_ in self.reading.seen:
            return self._note(row, id_, place, ClaimKind.DUPLICATE)
        content = self.contents[row - self.reading.next]
        if content is not None and state in MAY_HAVE_REACHED and self._is_another(row, known, content):
            return self._stranger(row, id_, place)
        self.reading.seen.mark(id_)
        if place != row:
            self.places[id_] = row
            self.moved.append((row, id_))
        if state == "sent":
            self.reading.sent_before += 1
            self.reading.differs += content != before is not None
        return self._go_on(row, known)

    def _recipient(self, row: int) -> Recipient:
        return self.recipients[row - self.reading.next]

    def _is_another(self, row: int, known: KnownRow, content: bytes) -> bool:
        """Whether the list has another person now beside a name that may have reached one."""
        id_, _, _, state, before = known
        if before is not None and before[:HALF] == content[:HALF]:
            return False  # the usual case: the destination is spelled as it was
        person, replies = self.connection.execute(queries.WHO, (id_,)).fetchone()
        return self.reading.hasher.is_another(state, person, replies, self._recipient(row).destination)

    def _stranger(self, row: int, id_: int, place: int | None) -> Claim:
        if place == row:
            self.unlisted.append((id_,))
        return self._note(row, id_, place, ClaimKind.STRANGER)

    def _note(self, row: int, id_: int, place: int | None, kind: ClaimKind) -> Claim:
        """Note that this place of the list holds no delivery of its own, and why."""
        fresh = self.repeats.pop(row, None) != id_
        reason, status = _NO_DELIVERY[kind]
        if fresh:
            self.repeated.append((self.reading.run, row, id_, self.now, reason))
        return Claim(kind, status=status, fresh=fresh, first_row=self.places.get(id_, place))

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

    def _go_on(self, row: int, known: KnownRow) -> Claim:
        id_, _, _, state, _ = known
        only = self.reading.only
        is_open = state in {"intended", "pending"}
        if not is_open and (state not in only or id_ in self.reading.resent):
            return _DONE[state]
        opened = OpenRow(*known, *self.connection.execute(queries.FURTHER, (id_,)).fetchone())
        if is_open:
            return self._go_on_with_an_open_one(self._recipient(row), opened)
        if opened.error_code == "given_up":  # decided by hand, for good
            return _DONE[state]
        if state != "unknown":  # what was answered ended with it
            opened = opened._replace(replies=None)
        opened = opened._replace(intended_at=None, digest=None, doubted_at=None)
        return self._go(self._recipient(row), opened, reopens=True)

    def _go_on_with_an_open_one(self, recipient: Recipient, known: OpenRow) -> Claim:
        state, only = known.state, self.reading.only
        if known.contact_id is None and (state == "pending" or _only_tidies_up(known)):
            if only and not known.decisions:
                return _DONE[state]
            if state == "intended":
                self.withdrawn.append((known.id,))
                known = known._replace(intended_at=None, digest=None)
            return self._go(recipient, known)
        if (only and Status.UNKNOWN not in only) or (recipient.refusal and known.contact_id is not None):
            return _DONE[state if known.contact_id is None else Status.SENT]
        content = self.contents[recipient.row - self.reading.next]
        if known.digest == b"" and content not in {None, known.content}:
            known = known._replace(digest=_CHANGED)  # the parameters are not known, but the row was another
        return self._claim(ClaimKind.UNSETTLED, recipient, known, Status.UNKNOWN)

    def _go(self, recipient: Recipient, known: OpenRow, *, reopens: bool = False) -> Claim:
        """Claim a row of which nothing is in doubt. One with an open draft is told its refusal where it is sent."""
        if recipient.refusal and known.replies is None:
            return self._refuse(recipient, recipient.refusal, known, reopens=reopens)
        person = self._person(recipient)
        content = self.contents[recipient.row - self.reading.next]
        if person[1] != known.person or content != known.content:
            self.redirected.append((*person, content, known.id))
        return self._claim(ClaimKind.NEW, recipient, known, Status.PENDING, reopens=reopens)

    def _refuse(self, recipient: Recipient, refusal: Refusal, known: OpenRow, *, reopens: bool) -> Claim:
        if known.state == "unknown":  # it may have been accepted, and stays so
            return _DONE["unknown"]
        if reopens:
            self.reopened.append((known.id,))
            self.reading.resent.add(known.id)
        self.refused.append((refusal.status, *self._end(refusal, recipient), known.id))
        return _RECORDED[refusal.status]

    def _claim(
        self, kind: ClaimKind, recipient: Recipient, known: OpenRow, status: Status, *, reopens: bool = False
    ) -> Claim:
        progress = _progress(known)
        occurrence = self.occurrences[recipient.row - self.reading.next]
        decisions, ended = known.decisions + reopens, Status(known.state) if reopens else None
        return Claim(kind, known.id, progress, status, decisions=decisions, reopens=ended, occurrence=occurrence)

    def _person(self, recipient: Recipient) -> tuple[str | None, bytes | None]:
        to = recipient.destination
        return (None, None) if to is None else (mask(to), self.reading.hasher.person(to))

    def _end(self, refusal: Refusal, recipient: Recipient) -> tuple[str, str | None, float]:
        return refusal.code, redact(refusal.message, recipient.destination), self.now

    def write(self, displaced: Sequence[KnownRow]) -> None:
        """Write what is new. Places are given up before they are taken, and opened rows come before refused ones."""
        run = self.reading.run
        away = [id_ for id_, *_ in displaced] + [id_ for _, id_ in self.moved] + [id_ for (id_,) in self.unlisted]
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


def _only_tidies_up(known: OpenRow) -> bool:
    """Whether the call last announced follows a rejection: then nothing of the row is in doubt."""
    return known.step > len(json.loads(known.replies or "[]"))


def _progress(known: OpenRow) -> Progress:
    if not known.attempts and known.intended_at is None and known.replies is None and not known.doubted_at:
        return _UNTRIED
    replies = tuple(Reply(members, request) for members, request in json.loads(known.replies or "[]"))
    return Progress(known.attempts, replies, known.intended_at, known.digest or b"", known.doubted_at)


def _next_id(connection: sqlite3.Connection) -> int:
    (last,) = connection.execute(queries.LAST).fetchone()
    return (last or 0) + 1
