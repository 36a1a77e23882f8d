"""A row that is sent in a second pass, from its delivery to a real ledger: what was kept of it before is met again."""

from dataclasses import replace

import pytest
from fakes import CREATE, MAIL, STOP, Answer, caller, no, ok, timeout, wire
from ledgers import IDENTITY, begin, outcomes, tables

from bulk.channels import CHANNELS
from bulk.delivery.announcements import Admission
from bulk.delivery.call_runner import Policy
from bulk.delivery.delivery import Deliverer
from bulk.errors import Halted
from bulk.ledger import Claim, Decision, Ledger, RunLedger
from bulk.model import Delivery, Outcome, Parameters, Recipient, Status

NOW = 1.8e9
ROWS = [Recipient(0, "ann", "ann@example.com", {})]
MAILED: dict[str, Parameters] = {
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
        admission=Admission(consent_of=lambda _: ("yes", "fair", None)),
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


async def test_a_message_that_was_taken_back_goes_out_in_the_next_pass_with_the_consent_that_was_kept(
    ledger: Ledger,
) -> None:
    with pytest.raises(Halted):
        await deliver(begin(ledger), ok("draft"), no("AccessDeniedException", 403))
    run = begin(ledger)
    _, outcome = await deliver(run, ok("mail"), ok("stopped"))
    assert (outcome.status, outcome.contact_id) == (Status.SENT, "mail")
    (kept,) = [row for name, row in tables(run).items() if name.startswith("consent")]
    assert (kept["said"], kept["source"], kept["at"]) == ("yes", "fair", None)
