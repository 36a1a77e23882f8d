"""Writes a run: claims, intents, replies, outcomes, and people's decisions about unknown rows."""

import enum
import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeVar

from bulk.ledger import dispatches, passes, queries, runs, statements
from bulk.ledger.batch import claim
from bulk.ledger.claims import Claim, Content
from bulk.ledger.database import Values
from bulk.ledger.dispatches import Guard
from bulk.ledger.facts import RunFacts
from bulk.ledger.intents import announcing, taking_back
from bulk.ledger.lookup import Naming, Reading, SeenRows, names_of
from bulk.ledger.redaction import redact
from bulk.ledger.run_reader import RunRecord, Source
from bulk.ledger.writer import Writer
from bulk.model import Announcement, Outcome, Recipient, Reply, Status

T = TypeVar("T")

COUNT = 2.0  # seconds between two notes of the calls so far, where nothing else is written


class Decision(enum.StrEnum):
    """What somebody decides about a row that was tried, and nobody can tell whether it was accepted."""

    RESEND = "resend"  # send it again, under a new token
    MARK_SENT = "mark-sent"  # it was accepted
    GIVE_UP = "give-up"  # never send it again


_DECIDE = {
    Decision.RESEND: statements.REOPEN_ONE,
    Decision.MARK_SENT: statements.MARK_SENT,
    Decision.GIVE_UP: statements.GIVE_UP,
}


class RunLedger(RunRecord):
    """One pass of a run, by its only sender.

    `claim`, `resolve` and `close_pass` wait for the disk, so call them in a thread. The journal (`intend`, `answer`,
    `finish`, `withdraw`, `end`, `flush`) belongs to the event loop. Each raises `LedgerError` once anything could not
    be written.
    """

    def __init__(
        self, source: Source, number: int, *, facts: RunFacts, writer: Writer, now: Callable[[], float]
    ) -> None:
        super().__init__(source, number, facts=facts)
        self._writer = writer
        self._now = now
        self._only: AbstractSet[Status] = frozenset()
        self._resent: set[int] = set()
        self._noted_at = now()
        self._counted: Callable[[], tuple[str, Values] | None] = lambda: None
        self._rest: Callable[[], Iterable[Values]] = tuple
        self._reading = self._first = self._new_reading()

    def keep_repeats(self) -> None:
        """Take rows of one name for rows of their own; see `RunRecord.keep_repeats`. Said again, it changes nothing."""
        if not (self.counted or self.fixed):
            super().keep_repeats()
            self._reading = self._first = self._new_reading()

    def _new_reading(self) -> Reading:
        seen, naming = SeenRows(self._first_delivery()), Naming(self._hasher, counted=self.counted)
        return Reading(self._number, self._hasher, seen, naming, self._only, self._resent, self.fixed)

    def read_again(self) -> None:
        """Begin another reading of the list: `claim` is given its first batch next. It reopens no row that was sent."""
        self._reading = self._new_reading()

    def only(self, statuses: AbstractSet[Status]) -> None:
        """Claim in this pass just the rows that ended so (and what was reopened so far), and leave the rest alone.

        A row is reopened when its first call is announced: a pass that is cut short has reopened no more than it sent.
        """
        self._only = frozenset(statuses)
        told = " ".join(sorted(map(str, statuses)))
        self._writer.run(lambda writing: writing.execute(runs.RESENDS, (told, self._number)))
        self._reading = self._first = self._new_reading()

    def count(self, call_counts: Callable[[], tuple[int, int]]) -> None:
        """Keep calls and throttles of this pass (`call_counts` returns both) in the ledger, with each commit."""
        noted = 0, 0

        def counted() -> tuple[str, Values] | None:
            nonlocal noted
            calls, throttled = now = call_counts()
            if now == noted:
                return None
            noted = now
            before = self.facts
            return statements.COUNT, (before.calls + calls, before.throttled + throttled, self._now(), self._number)

        self._counted = counted
        self._writer.beside.append(counted)

    def measure(self, due: Callable[[], Values | None], rest: Callable[[], Iterable[Values]]) -> None:
        """Keep what goes over the wire: with each commit a window that is `due`, and the `rest` when the pass ends."""
        self._rest = rest
        whose = self._number, self.facts.passes
        self._writer.beside.append(lambda: (passes.RECORD, (*whose, *window)) if (window := due()) else None)

    async def note(self) -> None:
        """Keep these counts near the truth also while calls are only made again, and nothing else is written."""
        now = self._now()
        if abs(now - self._noted_at) >= COUNT and (note := self._counted()):
            self._noted_at = now
            await self._writer.soon(note)

    @property
    def sent_before(self) -> tuple[int, int]:
        """How many rows of the list had been sent before this pass, and how many of them would differ now.

        As its first reading found them: the next ones meet rows that this pass has sent.
        """
        return self._first.sent_before, self._first.differs

    def claim(
        self,
        recipients: Sequence[Recipient],
        names: Sequence[str] | None = None,
        contents: Callable[[], Sequence[Content]] | None = None,
    ) -> list[Claim]:
        """Claim the next batch of the list (some thousand rows, in its order): what to do with each row.

        `names` are what must not be sent twice, where that is known at less cost than the recipients. `contents`
        returns for each row how its destination is spelled and what else it needs, so that a change is noticed.
        """
        known = names_of(recipients) if names is None else names
        batch = recipients, known, contents
        return self._writer.run(lambda writing: claim(writing, self._reading, *batch, now=self._now()))

    async def intend(self, announcement: Announcement, guard: Guard | None = None) -> Exception | None:
        """Announce a call; make it only once this has returned None.

        Announcing again what is not answered needs the same token and digest, and keeps the first time. The `guard` is
        asked in the same transaction: where it objects nothing is announced, and its objection is returned.
        """
        writes = announcing(announcement)
        if guard is not None:
            return await self._writer.guarded(guard, *writes)
        await self._writer.durable(*writes)
        return None

    async def answer(self, delivery: int, step: int, reply: Reply, *, attempts: int, settled: bool = False) -> None:
        """Record the answer to a call that is not the last; make the next only once this has returned.

        `settled`: with it the row is sent, and says so from now on; the calls that follow tidy up.
        """
        contact = reply.members.get("ContactId")
        kept = {} if contact is None else {"ContactId": contact}
        end = (contact, reply.request_id, self._now()) if settled else (None, None, None)
        values = attempts, json.dumps([kept, reply.request_id]), *end, step, delivery
        await self._writer.durable((statements.ANSWER, values))

    async def withdraw(self, delivery: int, *, attempts: int, token: str | None = None) -> None:
        """Take back the last announcement: the service has certainly accepted nothing under it.

        The row is pending again, unless an earlier announcement of the same call stands unanswered. `token` is that of
        the call where it would have reached a person.
        """
        await self._writer.soon((statements.WITHDRAW, (attempts, delivery)), *taking_back(token, delivery))

    async def opened(self, delivery: int, token: str, at: float) -> None:
        """Record when a contact opened, at the latest: it is counted as open from then on. `at` is in Unix seconds."""
        await self._writer.soon((dispatches.RENEW, (at, token, delivery)))

    async def end(self, delivery: int, token: str, at: float) -> None:
        """Record that the contact which was opened under this token was ended by us. `at` is in Unix seconds.

        Where the row was sent again and kept its draft, the call that opened it had a token of before.
        """
        await self._writer.soon((dispatches.END, (at, token, delivery)))

    async def finish(self, delivery: int, outcome: Outcome, *, token: str | None = None, reopens: bool = False) -> None:
        """Record a row's end, before long; waits only where the disk has fallen behind.

        `token` is that of a last call which was certainly not accepted, and would have reached a person. `reopens`: a
        decision sent the row again, and it ended without a call.
        """
        at = outcome.finished_at.timestamp() if outcome.finished_at else self._now()
        error = outcome.error_code, redact(outcome.error_message)
        values = outcome.status, outcome.contact_id, outcome.attempts, *error, outcome.request_id, at, delivery
        reopening = [(statements.REOPEN, (delivery,))] if reopens else []
        if self._only:
            self._resent.add(delivery)
        await self._writer.soon(*reopening, (statements.FINISH, values), *taking_back(token, delivery))

    async def flush(self) -> None:
        """Wait until all of it is on the disk."""
        if not self._writer.idle:
            await self._writer.flush()

    def close_pass(
        self, *, rows: int | None = None, halted: str | None = None, calls: int = 0, throttled: int = 0
    ) -> None:
        """End this pass. `rows` is the list's length, None where it was not read to its end.

        `calls` and `throttled` are those of this pass; they add up over the passes.
        """
        counts = {"calls": self.facts.calls + calls, "throttled": self.facts.throttled + throttled}
        now = self._now()
        facts = {"rows": rows, "halted": halted, **counts, "now": now}

        def end(writing: sqlite3.Connection) -> None:
            passes.end(writing, self._number, self.facts.passes, rest=self._rest(), ended=(now, halted))
            runs.end(writing, self._number, **facts)

        self._writer.run(end)

    def write(self, act: Callable[[sqlite3.Connection, int], T]) -> T:
        """Change something of this run, by its number, in a transaction of its own, and wait for the disk."""
        return self._writer.run(lambda writing: act(writing, self._number))

    def resolve(self, decision: Decision, deliveries: Collection[int] | None = None) -> int:
        """Decide about undecided rows, by their number in the ledger (None: all of them); return how many there were.

        A row in doubt is sent again by the next pass anyway, under the token of before: to resend it under a new one
        would make two of it, so for `RESEND` it is left as it is.
        """

        def decide(writing: sqlite3.Connection) -> int:
            undecided = writing.execute(queries.UNDECIDED_ROWS, (self._number,)).fetchall()
            now = self._now()
            chosen = [
                {"id": number, "now": now}
                for number, state in undecided
                if (deliveries is None or number in deliveries)
                and not (decision is Decision.RESEND and state == "intended")
            ]
            writing.executemany(_DECIDE[decision], chosen)
            return len(chosen)

        return self._writer.run(decide)
