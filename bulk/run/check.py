"""A campaign gone over without a call: every row judged, built and looked at, as a sending would, and none of it kept.

A run of which the ledger has nothing yet needs none to tell which rows are new: all are, but those that repeat one
further up. Then there are no tasks and no transactions, and the list is read once.
"""

from dataclasses import replace
from time import time
from typing import Any

from bulk.errors import unwrapped
from bulk.ledger import duplicate_of
from bulk.ledger.redaction import scrub
from bulk.model import Recipient, Refusal, Status
from bulk.reports import EXAMPLES, Example, Reasons
from bulk.run.changes import changes
from bulk.run.context import RunContext, Source
from bulk.run.eligibility import Judge
from bulk.run.environment import in_scratch, open_from
from bulk.run.options import Options
from bulk.run.plan import DryRun, Plan
from bulk.run.repeats import Repeats
from bulk.run.results import read_results
from bulk.run.wiring import opened_pass
from bulk.stop import Stop
from bulk.text.outside import row_text
from bulk.threads import in_thread

BATCH = 10_000  # rows that are looked up together


async def check(campaign: Source, **options: Any) -> Plan:
    """Read everything and send nothing: what would be sent, what would not and why, and how long it takes.

    Raises `CampaignError` and `ListError`.
    """
    opened = in_scratch(await open_from(campaign, Options.of({**options, "dry_run": True})))
    survey = DryRun(opened)
    survey.plan.notes += await in_thread(changes, opened)
    async with opened_pass(opened, Stop(), survey) as sending:
        if not opened.options.only and not any(sending.book.counts().values()):
            return await in_thread(examine, sending.opened, sending.judge, survey)
        with unwrapped():
            await sending.go(None, 0.0)
        return await in_thread(survey.finish, sending.rows, read_results(opened, sending.book))


def examine(opened: RunContext, judge: Judge, survey: DryRun) -> Plan:
    """Return the plan of a run of which nothing is recorded. Raise `ListError`."""
    judge = replace(judge, now=time)  # there is no event loop in this thread, and nobody waits
    judges, unique = judge.terms.active, opened.campaign.contact_list.dedupe != "none"
    request, repeats, reasons, rows, turn = opened.request, Repeats(), Reasons(), 0, 0
    for batch in opened.contacts.batches(opened.wanted, size=BATCH):
        recipients, pending = batch.recipients, 0
        repeated = repeats.of(recipients.names, rows) if unique else {}
        for place, recipient in enumerate(recipients, rows):
            if place in repeated:
                repeats_it = duplicate_of(opened.contacts.place(repeated[place]))
                _note(reasons, recipient, Refusal("duplicate", repeats_it, Status.SKIPPED))
                continue
            judged = recipient.refusal or (judge(recipient) if judges else None)
            built = judged if isinstance(judged, Refusal) else request.build(recipient, turn=turn)
            if isinstance(built, Refusal):
                _note(reasons, recipient, built)
            else:
                turn += 1
                survey.look(recipient, built)
                pending += 1
        if pending:
            reasons.count(Status.PENDING, None, pending)
        rows += len(recipients)
    return survey.add_up(rows, reasons)


def _note(reasons: Reasons, recipient: Recipient, why: Refusal) -> None:
    reason = reasons.count(why.status, why.code)
    if len(reason.examples) < EXAMPLES:
        ours = why is not recipient.refusal  # the list's reader shows what is wrong with a cell, as in the ledger
        said = row_text(why.message, recipient) if ours else scrub(why.message, recipient.destination)
        reason.examples.append(Example(recipient.row, recipient.key, said, recipient.line, recipient.file))
