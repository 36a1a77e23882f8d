"""A test message: what one row would get, sent to somebody else, outside any run."""

import uuid
from dataclasses import dataclass, replace
from typing import Unpack

from bulk.campaign import Campaign
from bulk.delivery.announcements import Guard
from bulk.delivery.call_runner import CallRunner, Policy
from bulk.delivery.delivery import Deliverer
from bulk.delivery.ports import Transport
from bulk.errors import CampaignError, Halted, SetupError
from bulk.loader import ContactList, ReadSpec, alpha_2, email, phone
from bulk.model import Announcement, Delivery, Outcome, Recipient, Refusal, Reply
from bulk.pacing.queue import LocalStore, RateLimitQueue
from bulk.run.context import RunContext, Source
from bulk.run.environment import destination, open_from
from bulk.run.options import Options
from bulk.run.rates import Rates
from bulk.run.send_options import SendOptions, public
from bulk.run.wiring import replay_within
from bulk.stop import Stop
from bulk.threads import in_thread


@dataclass(frozen=True, slots=True)
class Trial:
    """A test message that was sent: of which campaign, what row of its list as it was sent, and its end."""

    campaign: Campaign
    recipient: Recipient
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class SampleRow:
    """Whose message: the row, counted from 0, or the line of the list in which that begins."""

    row: int | None = None
    line: int | None = None

    def __post_init__(self) -> None:
        if (self.row is None) == (self.line is None):
            raise CampaignError("whose message is it? Give a row, counted from 0, or a line as the list shows it")


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """A journal that keeps nothing: a test message belongs to no run."""

    async def intend(self, announcement: Announcement, guard: Guard | None = None) -> Exception | None:
        """Keep nothing."""

    async def note(self) -> None:
        """Keep nothing."""

    async def answer(self, delivery: int, step: int, reply: Reply, *, attempts: int, settled: bool) -> None:
        """Keep nothing."""

    async def withdraw(self, delivery: int, *, attempts: int, token: str | None = None) -> None:
        """Keep nothing."""

    async def opened(self, delivery: int, token: str, at: float) -> None:
        """Keep nothing."""

    async def end(self, delivery: int, token: str, at: float) -> None:
        """Keep nothing."""

    async def finish(self, delivery: int, outcome: Outcome, *, token: str | None = None, reopens: bool = False) -> None:
        """Keep nothing."""


@public
async def test(
    campaign: Source,
    *,
    to: str,
    row: int | None = None,  # noqa: PT028 - no test of pytest's
    line: int | None = None,  # noqa: PT028 - likewise
    **options: Unpack[SendOptions],
) -> Outcome:
    """Send to somebody else (`to`) exactly what a row would get, outside any run: nothing is recorded.

    The row is the one at this place of the list, from 0, or the one that begins in this line, as the list shows it.

    Raises `CampaignError` and `ListError` where that cannot be sent, `Halted` where Amazon Connect refuses everybody.
    """
    return (await tried(campaign, SampleRow(row, line), to, Options.of(options))).outcome


async def tried(campaign: Source, sample: SampleRow, to: str, options: Options) -> Trial:
    """Send what a row would get to somebody else. Raises what `bulk.test` does."""
    context = await open_from(campaign, options)
    delivery = await in_thread(delivery_for, context, sample, to)
    async with destination(context) as (transport, _):
        if transport is None:
            raise CampaignError("a test message is sent for real: leave --dry-run out, or use --sandbox")
        deliverer = test_deliverer(context.campaign, context.rates, transport)
        try:
            outcome = await deliverer.deliver(delivery)
        except SetupError as error:  # after the first call of two, it is no longer true that nothing was sent
            raise Halted(str(error)) if deliverer.call_counts.calls else error from None
    return Trial(context.campaign, delivery.recipient, outcome)


def delivery_for(context: RunContext, sample: SampleRow, to: str) -> Delivery:
    """Return the delivery of a row, to another destination. Raise `CampaignError` where that cannot be sent."""
    spec = context.wanted
    country = spec.country
    codes = frozenset(filter(None, map(alpha_2, spec.allow_countries))) if spec.allow_countries else None
    code = alpha_2(country) if country else None
    read = email(to) if spec.kind == "email" else phone(to, code, codes, landlines=spec.landlines)
    if isinstance(read, Refusal):
        raise CampaignError(f"--to: {read.message}")
    if suppressed := context.eligibility.suppression.refusal(read):
        raise CampaignError(f"--to: {suppressed.message}, so nothing is sent to it, not even a test message")
    built = context.request.build(recipient := replace(_recipient(context.contacts, spec, sample), destination=read))
    if isinstance(built, Refusal):
        raise CampaignError(f"{recipient.place} cannot be sent: {built.message}")
    return Delivery(0, recipient, built)


def _recipient(contacts: ContactList, spec: ReadSpec, sample: SampleRow) -> Recipient:
    row = sample.row
    if row is None:
        assert sample.line is not None  # noqa: S101 - one of them is there
        row = contacts.rows_at([sample.line])[sample.line]
    for batch in contacts.batches(spec):
        if batch.recipients[-1].row >= row >= batch.recipients[0].row:
            return next(recipient for recipient in batch.recipients if recipient.row == row)
    raise CampaignError(f"--row {row}: the list has no such row; rows count from 0")


def test_deliverer(campaign: Campaign, rates: Rates, transport: Transport) -> Deliverer:
    """Return what carries one test message, under tokens that no run has."""
    stop, once = Stop(), uuid.uuid4().hex
    queues = {operation: RateLimitQueue(LocalStore(rates.limiter(operation)), stop) for operation in rates.operations}
    return Deliverer(
        caller=CallRunner(transport, queues, stop, policy=Policy(campaign.retry.attempts)),
        journal=Unrecorded(),
        exchange=campaign.channel_facts.exchange,
        token_of=lambda operation, step, _: f"test-{once}-{operation}-{step}",
        replay_within=replay_within(campaign),
    )
