"""The steps before each attempt of a call: whether it may still be made, and its record in the ledger.

Much may lie between two tries, or between the last run and this: a full service, a throttled hour, a night, a crash. So
nothing that was found good once is taken for good again: the rules are asked before every try of a call that reaches a
person, and the ledger is told when the try goes out.

    the rules say      nothing of the row is in doubt        a try may have been accepted
    go                 announced, and made                   made under the same token, while the service knows it
    not now            taken back; the row waits             it waits, if the token lives that long; else unknown
    no                 taken back; the row is left out       unknown, and the code says why it is not tried again
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from bulk.delivery.attempts import AttemptState
from bulk.errors import CallUnsettled, CallWithheld
from bulk.model import CLOCK_STEP, Announcement, Call, Delivery, Recipient, Refusal

RENEW = 30.0  # seconds after which an announcement is made again: caps and open contacts count from the last try
FAR = 1e11  # seconds; no time that a clock tells
SLOW = 1.0  # seconds an announcement may take before the rules are asked once more

Guard = Callable[[Any], Exception | None]
"""Asked by the journal in the transaction that announces a call; returns why it must not be announced."""


class Deferred(Exception):
    """The recipient may not be written to yet, or not at all: `why` is the time (Unix seconds), or the refusal."""

    def __init__(self, why: float | Refusal) -> None:
        self.why = why

    @property
    def until(self) -> float:
        """The time (Unix seconds) to which a recipient waits; infinite after a refusal."""
        return math.inf if isinstance(self.why, Refusal) else self.why


class Announces(Protocol):
    """What remembers that a call is about to be made."""

    async def intend(self, announcement: Announcement, guard: Guard | None = None) -> Exception | None:
        """Announce a call; return when that is durable, or what the guard has against it."""

    async def note(self) -> None:
        """Take note that a call announced before is made again."""


@dataclass(frozen=True, slots=True)
class Admission:
    """Who says whether a call may be made: `ask` at every try, `guard` where others must not say yes meanwhile.

    `ask` raises `Deferred`. `guard` is None for calls that nothing bounds across processes. `counts_open`: open
    contacts are bounded, so the time of each try counts, and that of the answer.
    """

    ask: Callable[[Delivery], None] = lambda _: None
    guard: Callable[[Delivery, Call], Guard | None] = lambda *_: None
    counts_open: bool = False
    segments_of: Callable[[Call], int] = lambda _: 1
    consent_of: Callable[[Recipient], tuple[str | None, ...]] = lambda _: ()


@dataclass(slots=True)
class Announcer:
    """Prepares the tries of one call. `limit` is for how many seconds its token may be used again."""

    delivery: Delivery
    call: Call
    step: int
    token: str
    digest: bytes
    tries: AttemptState
    journal: Announces
    admission: Admission
    limit: float
    now: Callable[[], float]
    doubtful_since: float | None = None
    attribute: str | None = None
    _announced_at: float | None = field(default=None, init=False)

    async def __call__(self) -> None:
        """Prepare one try. Raises `Deferred`, `CallWithheld`, `CallUnsettled`, the guard's objection, `LedgerError`."""
        self.check_age()
        self._ask()
        now = self.now()
        renew = 0.0 if self.call.opens and self.admission.counts_open else RENEW
        if self._announced_at is not None and now - self._announced_at < renew:
            await self.journal.note()
            return
        await self._announce(now)
        if self.now() - now > SLOW:
            self._ask()

    async def _announce(self, now: float) -> None:
        call, tries = self.call, self.tries
        announcement = Announcement(
            self.delivery.id,
            self.step,
            self.token,
            self.digest,
            now,
            attempts=tries.made,
            opens=call.opens,
            writes=call.writes,
            reopens=tries.reopens,
            renews=tries.announced,
            doubtful=tries.in_doubt,
            attribute=self.attribute if call.reaches else None,
            segments=self.admission.segments_of(call) if call.writes else 1,
            consent=self.admission.consent_of(self.delivery.recipient) if call.writes else (),
        )
        guard = self.admission.guard(self.delivery, call) if call.reaches else None
        objection = await self.journal.intend(announcement, guard)
        if isinstance(objection, Deferred):
            self._object(objection)
        if objection is not None:
            raise objection
        self._announced_at, tries.announced, tries.reopens = now, True, False

    def _ask(self) -> None:
        if not self.call.reaches:
            return
        if self.delivery.refusal is not None:
            self._object(Deferred(self.delivery.refusal))
        try:
            self.admission.ask(self.delivery)
        except Deferred as not_now:
            self._object(not_now)

    def _object(self, not_now: Deferred) -> None:
        """Raise what follows from a refusal, or from a closed window."""
        why, operation = not_now.why, self.call.operation
        if isinstance(why, Refusal):
            if self.tries.in_doubt:
                message = f"{self._tried()} without an answer, and not tried again: {why.message}"
                raise CallUnsettled(operation, why.code, message) from None
            raise CallWithheld(operation, why) from None
        if self.tries.in_doubt and why - self._since > self.limit:
            message = f"{self._tried()} without an answer; its window opens at {_said(why)}, too late to ask again"
            raise CallUnsettled(operation, "closed_hours", message) from None
        raise not_now

    @property
    def _since(self) -> float:
        """When the first try that may have been accepted was made, as far as is known."""
        if self.tries.in_doubt and self.doubtful_since is None:
            self.doubtful_since = self._announced_at
        return self.now() if self.doubtful_since is None else self.doubtful_since

    def _tried(self) -> str:
        since = self._since
        return f"tried at {_said(since)}" if abs(since) < FAR else "tried before"

    def check_age(self) -> None:
        """Raise `CallUnsettled` where the service may have forgotten a token under which it may have accepted."""
        if not self.tries.in_doubt or not self.call.reaches:  # what only tidies up is done again at any age
            return
        age = self.now() - self._since
        if age < -CLOCK_STEP:
            message = "tried before without an answer; the clock was set back since, so nobody knows how long ago"
            raise CallUnsettled(self.call.operation, "clock_went_back", message)
        if age > self.limit:
            message = (
                f"tried {age / 60:.0f} minutes ago without an answer; "
                f"a token is reused within {self.limit / 60:.0f} minutes"
            )
            raise CallUnsettled(self.call.operation, "token_expired", message)


def _said(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"
