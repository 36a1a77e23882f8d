"""A row that is sent again by a decision, from its delivery to a real ledger: its calls have tokens of their own."""

from dataclasses import replace

from fakes import CREATE, MAIL, STOP, Answer, caller, ok, timeout, wire
from ledgers import IDENTITY, begin, outcomes

from bulk.channels import CHANNELS
from bulk.delivery.call_runner import Policy
from bulk.delivery.delivery import Deliverer
from bulk.ledger import Claim, Decision, Ledger, RunLedger
from bulk.model import Delivery, Outcome, Recipient, Status

NOW = 1.8e9
ROWS = [Recipient(0, "ann", "ann@example.com", {})]
MAILED = {
    "create_contact": {"InstanceId": "i"},
    "request": {"InstanceId": "i", "EmailMessage": {}},
    "stop_contact": {"InstanceId": "i"},
}


async def deliver(run: RunLedger, *script: Answer) -> tuple[Claim, Outcome]:
    """Claim the row, and deliver its mail over a line that answers so."""
    (claim,) = run.claim(ROWS)
    deliverer = Deliverer(
        caller(wire(*script), policy=Policy(attempts=1)),
        run,
        CHANNELS["email"].exchange,
        token_of=lambda operation, step, delivery: f"{operation}/{step}/{delivery.decisions}",
        replay_within=dict.fromkeys((CREATE, MAIL, STOP), 3600.0),
        now=lambda: NOW,
    )
    delivery = Delivery(claim.id, ROWS[0], MAILED, claim.progress, claim.decisions, claim.reopens)
    outcome = await deliverer.deliver(delivery)
    await run.flush()
    return claim, outcome


async def test_the_contact_of_a_draft_that_was_kept_is_ended_under_the_token_that_opened_it(ledger: Ledger) -> None:
    run = begin(ledger)
    _, outcome = await deliver(run, ok("draft"), timeout())
    assert outcome.status is Status.UNKNOWN
    run.resolve(Decision.RESEND)
    claim, outcome = await deliver(begin(ledger), ok("mail"), ok("stopped"))
    assert (claim.decisions, len(claim.progress.replies), outcome.contact_id) == (1, 1, "mail")
    ledger.index_open()
    assert ledger.still_open(IDENTITY, since=0.0, limit=9) == []
    assert replace(outcomes(run, ROWS)[0], finished_at=None) == replace(outcome, finished_at=None)
