"""Checks a campaign without a call: every row is judged and built as for sending, and nothing is stored.

A run of which the ledger has nothing yet needs none to tell which rows are new: all are, but those that repeat one
further up. Then there are no tasks and no transactions, and the list is read once.
"""

from typing import Unpack

from bulk.errors import unwrapped
from bulk.ledger import duplicate_of
from bulk.ledger.redaction import redact
from bulk.model import Recipient, Refusal, Status
from bulk.reports import EXAMPLES, Example, Reasons
from bulk.request import Request
from bulk.run.changes import changes
from bulk.run.context import RunContext, Source, choose
from bulk.run.cost import excess
from bulk.run.eligibility import Judge
from bulk.run.environment import in_scratch, open_from
from bulk.run.list_reader import ListReader
from bulk.run.options import Options
from bulk.run.plan import DryRun, Plan
from bulk.run.preflight import preflight
from bulk.run.repeats import Repeats
from bulk.run.results import read_results
from bulk.run.send_options import SendOptions, public
from bulk.run.send_pass import SendPass
from bulk.run.state_place import looked_at
from bulk.run.target import identified, warnings_of
from bulk.run.templates import wanted
from bulk.run.wiring import opened_pass
from bulk.stop import Stop
from bulk.text.outside import row_text
from bulk.threads import in_thread

BATCH = 10_000  # rows that are looked up together


@public
async def check(campaign: Source, *, account: bool = False, **options: Unpack[SendOptions]) -> Plan:
    """Read everything and send nothing: what would be sent, what would not and why, and how long it takes.

    `account`: ask the AWS account too whether it has all that the campaign names and needs; what is found stands in
    the plan's `account`. Raises `CampaignError` and `ListError`.
    """
    found = await preflight(await in_thread(choose, campaign, Options.of(options))) if account else []
    async with looked_at(campaign, Options.of({**options, "dry_run": True})) as place:
        plan = await _plan(in_scratch(await open_from(campaign, place.options)))
    plan.account = found
    return plan


async def _plan(context: RunContext) -> Plan:
    dry_run = DryRun(context)
    dry_run.plan.notes += await in_thread(changes, context, context.digests)
    plan = await _looked_at(context, dry_run)
    plan.lacking, notes = await wanted(context, dry_run.templates)
    plan.notes += notes
    return plan


async def _looked_at(context: RunContext, dry_run: DryRun) -> Plan:
    async with opened_pass(context, Stop(), dry_run) as sending:
        plan = await _surveyed(sending, dry_run)
        plan.over_budget = await in_thread(excess, context, sending.ledger, plan.cost) if plan.cost else None
        return plan


async def _surveyed(sending: SendPass, dry_run: DryRun) -> Plan:
    context = sending.context
    if not context.options.only and not any(sending.ledger.counts().values()):
        return await in_thread(plan_of, context.reader, context.request, sending.judge, dry_run)
    with unwrapped():
        await sending.go(None, 0.0)
    return await in_thread(dry_run.finish, sending.rows, read_results(context.reader, sending.ledger))


async def known(campaign: Source, plan: Plan, **options: Unpack[SendOptions]) -> Plan:
    """Complete a plan by what the account tells: whose it is, and its quotas.

    Raises `CampaignError` and `SetupError` where no client can be opened.
    """
    if plan.target is None or options.get("sandbox"):
        return plan
    asked = Options.of({name: value for name, value in options.items() if name != "only"})
    ref = await in_thread(choose, campaign, asked)
    plan.target = await identified(ref, plan.target)
    told = [*warnings_of(plan.target, ref.campaign.tables)]
    plan.warnings = [*told, *(one for one in plan.warnings if one not in told)]
    return plan


def plan_of(reader: ListReader, request: Request, judge: Judge, dry_run: DryRun) -> Plan:
    """Return the plan of a run of which nothing is recorded. Raise `ListError`."""
    judges, unique = judge.eligibility.active, reader.spec.dedupe != "none"
    repeats, reasons, rows, turn = Repeats(), Reasons(), 0, 0
    for batch in reader.batches(size=BATCH):
        recipients, pending = batch.recipients, 0
        repeated = repeats.of(recipients.names, rows) if unique else {}
        for place, recipient in enumerate(recipients, rows):
            if place in repeated:
                repeats_it = duplicate_of(reader.contacts.place(repeated[place]))
                _note(reasons, recipient, Refusal("duplicate", repeats_it, Status.SKIPPED))
                continue
            judged = recipient.refusal or (judge(recipient) if judges else None)
            built = judged if isinstance(judged, Refusal) else request.build(recipient, turn=turn)
            if isinstance(built, Refusal):
                _note(reasons, recipient, built)
            else:
                turn += 1
                dry_run.look(recipient, built)
                pending += 1
        if pending:
            reasons.count(Status.PENDING, None, pending)
        rows += len(recipients)
    return dry_run.add_up(rows, reasons)


def _note(reasons: Reasons, recipient: Recipient, why: Refusal) -> None:
    reason = reasons.count(why.status, why.code)
    if len(reason.examples) < EXAMPLES:
        ours = why is not recipient.refusal  # the list's reader shows what is wrong with a cell, as in the ledger
        said = row_text(why.message, recipient) if ours else redact(why.message, recipient.destination)
        reason.examples.append(Example(recipient.row, recipient.key, said, recipient.line, recipient.file))
