"""One row of the list on its way to its outcome: judged, built, sent, or left out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from bulk.delivery.announcements import Deferred
from bulk.delivery.attempts import CallCounts
from bulk.ledger import Claim, ClaimKind, RunLedger
from bulk.model import Delivery, Outcome, Parameters, Recipient, Refusal, Status
from bulk.rules import CAPPED, Wait
from bulk.run.eligibility import Judge
from bulk.run.rotation import Rotation
from bulk.text.outside import row_text


class Executor(Protocol):
    """What drives a delivery to its outcome, or, in a dry run, looks at it."""

    @property
    def call_counts(self) -> CallCounts:
        """What went over the wire."""

    @property
    def full(self) -> tuple[str, ...]:
        """The operations that wait until the service has room again."""

    def probes_in(self) -> dict[str, float]:
        """Return when each of those is tried again: in so many seconds."""

    async def deliver(self, delivery: Delivery) -> Outcome:
        """Drive one delivery to its outcome."""


@dataclass(frozen=True, slots=True)
class Row:
    """What drives each row of a run. `tables` are the campaign's, as they stand there."""

    rotation: Rotation
    tables: Mapping[str, Parameters]
    ledger: RunLedger
    deliverer: Executor
    judge: Judge

    async def outcome(self, recipient: Recipient, claim: Claim) -> Outcome:
        """Drive one row to its outcome. Raises `Deferred` with the time (Unix seconds) to which it has to wait."""
        settling = claim.kind is ClaimKind.UNSETTLED
        refusal = recipient.refusal or (None if settling else await self._refused(recipient, claim))
        built = refusal or self.rotation.build(recipient, claim.progress)
        if isinstance(built, Refusal):
            if settling or not claim.progress.replies:
                return await self._leave_out(recipient, claim, built)
            refusal, built = built, self.tables  # to end a draft takes no more than these
        delivery = Delivery(
            claim.id,
            recipient,
            built,
            claim.progress,
            claim.decisions,
            reopens=claim.reopens,
            occurrence=claim.occurrence,
            refusal=refusal,
        )
        return await self.deliverer.deliver(delivery)

    async def _leave_out(self, recipient: Recipient, claim: Claim, why: Refusal) -> Outcome:
        """Record why nothing is sent. What may have been accepted before stays unknown, and says why it is left."""
        attempts, said = claim.progress.attempts, row_text(why.message, recipient)
        if claim.reopens is Status.UNKNOWN:
            return Outcome(Status.UNKNOWN, attempts=attempts, error_code=why.code, error_message=said)
        if claim.kind is ClaimKind.UNSETTLED:
            message = f"tried before without an answer, and not tried again: {said}"
            outcome = Outcome(Status.UNKNOWN, attempts=attempts, error_code=why.code, error_message=message)
        else:
            outcome = Outcome(why.status, attempts=attempts, error_code=why.code, error_message=said)
        await self.ledger.finish(claim.id, outcome, reopens=claim.reopens is not None)
        return outcome

    async def _refused(self, recipient: Recipient, claim: Claim) -> Refusal | None:
        """Ask the rules before anything is built: a row whose window is closed, or that is capped, costs no turn."""
        judged = self.judge(recipient, delivery=claim.id)
        if isinstance(judged, Refusal) and judged.code == CAPPED:
            await self.ledger.flush()  # the last row of this person may have been rejected this very moment
            judged = self.judge(recipient, delivery=claim.id)
        if isinstance(judged, Wait):
            raise Deferred(judged.until)
        return judged
