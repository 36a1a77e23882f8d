"""May this person be written to? Checked before each attempt: rules, caps, and open contacts."""

from collections.abc import Callable

from bulk.delivery.announcements import Admission, Deferred, Guard
from bulk.delivery.attempts import Full
from bulk.ledger import Connection, RunIdentity, still_open
from bulk.model import Call, Delivery, Recipient
from bulk.rules import Wait
from bulk.run.eligibility import Judge
from bulk.run.rates import Rates


def admission(
    rates: Rates,
    judge: Judge,
    identity: RunIdentity,
    segments_of: Callable[[Call], int],
    consent_of: Callable[[Recipient], tuple[str | None, ...]],
) -> Admission:
    """Return what asks the rules of a run, and guards its announcements.

    Counting and announcing are one transaction of the ledger, so runs that share it keep caps and bounds together.
    """
    bounds = {name: rates.room(name) for name in rates.operations}
    lasts, capped = rates.open_for(), bool(judge.eligibility.rules.limits)

    def ask(delivery: Delivery) -> None:
        judged = judge(delivery.recipient, caps=False)
        if judged is not None:
            raise Deferred(judged.until if isinstance(judged, Wait) else judged)

    def guard(delivery: Delivery, call: Call) -> Guard | None:
        bound = bounds.get(call.operation) if call.opens else None
        if not capped and bound is None:
            return None

        now = judge.now()  # the guard is asked in the ledger's thread, where no event loop tells the time

        def objection(connection: Connection) -> Exception | None:
            if capped and (refusal := judge.capped(delivery.recipient, delivery.id, connection, now)):
                return Deferred(refusal)
            if bound is None:
                return None
            opened = still_open(connection, identity, since=now - lasts, limit=bound, but=delivery.id)
            return Full(opened) if len(opened) >= bound else None

        return objection

    return Admission(ask, guard, counts_open=any(bounds.values()), segments_of=segments_of, consent_of=consent_of)
