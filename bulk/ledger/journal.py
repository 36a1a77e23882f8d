"""One run, to be written: claims, intents, replies, outcomes, and what people decide about unknown rows."""

import enum
import json
import sqlite3
from collections.abc import Callable, Collection, Sequence
from collections.abc import Set as AbstractSet

from bulk.ledger import runs
from bulk.ledger.claims import REOPEN, Claim, claim
from bulk.ledger.matching import Reading, Seen, names_of
from bulk.ledger.privacy import scrub
from bulk.ledger.record import UNDECIDED, RunFacts, RunRecord, Source
from bulk.ledger.writer import Writer
from bulk.model import Outcome, Recipient, Reply, Status


class Decision(enum.StrEnum):
    """What somebody decides about a row that was tried, and nobody can tell whether it was accepted."""

    RESEND = "resend"  # send it again, under a new token
    MARK_SENT = "mark-sent"  # it was accepted
    GIVE_UP = "give-up"  # never send it again


# The last value of every row is the number of the delivery. One that meets no delivery is an error of its group.
_INTEND = """
UPDATE delivery SET state = 'intended', step = column1, token = column2, digest = column3,
    announced = CASE WHEN state = 'intended' AND step = column1 THEN announced + 1 ELSE 1 END,
    intended_at = CASE WHEN state = 'intended' AND step = column1 THEN intended_at ELSE column4 END
FROM (VALUES {rows}) WHERE id = column5
"""
_ANSWER = """
UPDATE delivery SET state = 'pending', announced = 0, intended_at = NULL, attempts = column1,
    replies = json_insert(ifnull(replies, '[]'), '$[#]', json(column2)),
    contact_id = column3, request_id = column4, finished_at = column5
FROM (VALUES {rows}) WHERE state = 'intended' AND step = column6 AND id = column7
"""
_WITHDRAW = """
UPDATE delivery SET attempts = column1, announced = announced - 1,
    state = CASE WHEN announced > 1 THEN 'intended' ELSE 'pending' END,
    intended_at = CASE WHEN announced > 1 THEN intended_at END
FROM (VALUES {rows}) WHERE state = 'intended' AND id = column2
"""
_FINISH = """
UPDATE delivery SET state = CASE WHEN contact_id IS NULL THEN column1 ELSE 'sent' END,
    contact_id = ifnull(contact_id, column2), attempts = column3, error_code = column4, error_message = column5,
    request_id = column6, finished_at = column7
FROM (VALUES {rows}) WHERE id = column8
"""

_UNDECIDED = f"SELECT id, row FROM delivery WHERE run = ? AND {UNDECIDED}"  # noqa: S608 - our own text
_MARK_SENT = """
UPDATE delivery SET state = 'sent', decisions = decisions + 1, error_code = 'marked_sent',
    error_message = 'marked as sent by hand', finished_at = :now
WHERE id = :id
"""
_GIVE_UP = """
UPDATE delivery SET state = 'rejected', decisions = decisions + 1, error_code = 'given_up',
    error_message = 'given up by hand' || ifnull(': ' || error_message, ''), finished_at = :now
WHERE id = :id
"""
_DECIDE = {Decision.RESEND: REOPEN, Decision.MARK_SENT: _MARK_SENT, Decision.GIVE_UP: _GIVE_UP}


class RunLedger(RunRecord):
    """One pass of a run, by its only sender.

    `claim`, `resolve` and `close_pass` wait for the disk, so call them in a thread. The journal (`intend`, `answer`,
    `finish`, `withdraw`, `flush`) belongs to the event loop. Each raises `LedgerError` once anything could not be
    written.
    """

    def __init__(
        self, source: Source, number: int, *, facts: RunFacts, writer: Writer, now: Callable[[], float]
    ) -> None:
        super().__init__(source, number, facts=facts)
        self._writer = writer
        self._now = now
        self._reading = Reading(number, source.hasher, Seen(self._first_delivery()))

    def read_again(self) -> None:
        """Begin another reading of the list: `claim` is given its first batch next. It reopens no row anew."""
        seen = Seen(self._first_delivery())
        fixed = self._reading.fixed
        self._reading = Reading(self._number, self._hasher, seen, self._reading.only, reopens=False, fixed=fixed)

    def fix_places(self) -> None:
        """Say that rows are named by their place in the list.

        `claim` then refuses a list that changed but at its end: a row that moved would be another, and sent twice.
        """
        self._reading.fixed = True

    def only(self, statuses: AbstractSet[Status]) -> None:
        """Claim in this pass just the rows that ended so (and what was reopened so far), and leave the rest alone.

        They are reopened as they are claimed: a pass that is cut short has reopened no more than it met.
        """
        self._reading.only = frozenset(statuses)

    def claim(self, recipients: Sequence[Recipient], names: Sequence[str] | None = None) -> list[Claim]:
        """Claim the next batch of the list (some thousand rows, in its order): what to do with each row.

        `names` are what must not be sent twice, where that is known at less cost than the recipients.
        """
        known = names_of(recipients) if names is None else names
        return self._writer.run(lambda writing: claim(writing, self._reading, recipients, known, now=self._now()))

    async def intend(self, delivery: int, step: int, token: str, *, digest: bytes, at: float) -> None:
        """Announce a call; make it only once this has returned. `at` is in Unix seconds.

        Announcing again what is not answered needs the same token and digest, and keeps the first time.
        """
        await self._writer.durable(_INTEND, (step, token, digest, at, delivery))

    async def answer(self, delivery: int, step: int, reply: Reply, *, attempts: int, settled: bool = False) -> None:
        """Record the answer to a call that is not the last; make the next only once this has returned.

        `settled`: with it the row is sent, and says so from now on; the calls that follow tidy up.
        """
        contact = reply.members.get("ContactId")
        kept = {} if contact is None else {"ContactId": contact}
        end = (contact, reply.request_id, self._now()) if settled else (None, None, None)
        values = attempts, json.dumps([kept, reply.request_id]), *end, step, delivery
        await self._writer.durable(_ANSWER, values)

    async def withdraw(self, delivery: int, *, attempts: int) -> None:
        """Take back the last announcement: the service refused everybody, and has accepted nothing under it.

        The row is pending again, unless an earlier announcement of the same call stands unanswered.
        """
        await self._writer.soon(_WITHDRAW, (attempts, delivery))

    async def finish(self, delivery: int, outcome: Outcome) -> None:
        """Record a row's end, before long; waits only where the disk has fallen behind."""
        at = outcome.finished_at.timestamp() if outcome.finished_at else self._now()
        error = outcome.error_code, scrub(outcome.error_message)
        values = outcome.status, outcome.contact_id, outcome.attempts, *error, outcome.request_id, at, delivery
        await self._writer.soon(_FINISH, values)

    async def flush(self) -> None:
        """Return when all of it is on the disk."""
        await self._writer.flush()

    def close_pass(
        self, *, rows: int | None = None, halted: str | None = None, calls: int = 0, throttled: int = 0
    ) -> None:
        """End this pass. `rows` is the list's length, None where it was not read to its end.

        `calls` and `throttled` are those of this pass; they add up over the passes.
        """
        facts = {"rows": rows, "halted": halted, "calls": calls, "throttled": throttled, "now": self._now()}
        self._writer.run(lambda writing: runs.end(writing, self._number, **facts))

    def resolve(self, decision: Decision, rows: Collection[int] | None = None) -> int:
        """Decide about the unknown rows of these places in the list (None: all of them); tell how many there were."""

        def decide(writing: sqlite3.Connection) -> int:
            undecided = writing.execute(_UNDECIDED, (self._number,)).fetchall()
            now = self._now()
            chosen = [{"id": number, "now": now} for number, row in undecided if rows is None or row in rows]
            writing.executemany(_DECIDE[decision], chosen)
            return len(chosen)

        return self._writer.run(decide)
