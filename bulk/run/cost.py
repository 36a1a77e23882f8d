"""The cost of a run: planned, and so far, and whether it is within the budget.

What counts is what may have been accepted, over all passes: the ledger's dispatches that send a message.
"""

import os
from pathlib import Path

from bulk.account import ANY, References
from bulk.account.prices import Cost, Price, PriceTable, load
from bulk.errors import CampaignError
from bulk.ledger import RunRecord
from bulk.run.context import RunRef

EPSILON = 1e-9  # of a sum of prices: what comes to exactly the budget is within it


def cost_of(ref: RunRef, messages: int, segments: int, *, region: str | None = None) -> Cost:
    """Return what so many messages come to. Raises `CampaignError` where the campaign's own prices cannot be read."""
    table, place = prices_of(ref), region or region_of(ref)
    channel = ref.campaign.channel
    return Cost(table, table.price(channel, place), channel, place, messages, max(messages, segments))


def prices_of(ref: RunRef) -> PriceTable:
    """Read the prices of a campaign: those of the option, else its own, else those that are shipped."""
    if ref.options.prices is not None:
        return load(Path(ref.options.prices))
    own = ref.campaign.budget.prices
    return load(ref.campaign.folder / own if own else None)


def region_of(ref: RunRef) -> str | None:
    """Return where a run goes, as far as options, campaign, environment and the ARNs in the request tell."""
    named = References(ref.campaign).arn_region
    said = ref.options.region or ref.campaign.at.region
    around = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return said or around or (None if named == ANY else named)


def so_far(ref: RunRef, record: RunRecord) -> Cost:
    """Return what a run came to so far, at today's prices: all of it that may have been accepted."""
    return cost_of(ref, *record.written(), region=went_to(ref, record))


def went_to(ref: RunRef, record: RunRecord) -> str | None:
    """Return the Region of a run; a rehearsal has none of its own."""
    return None if ref.options.sandbox else record.facts.identity.region or None


def excess(ref: RunRef, record: RunRecord, planned: Cost) -> str | None:
    """Return by what a plan would exceed the budget, with what may have been sent before; None where it does not.

    Raises `CampaignError` where there is a budget, and no price to calculate with.
    """
    at_most = ref.campaign.budget.at_most
    if at_most is None:
        return None
    price = known_price(planned)
    before, money = price.of(*counted(record)), planned.table.currency
    total = before + price.of(planned.messages, planned.segments)
    if total <= at_most + EPSILON:
        return None
    earlier = f", {before:,.2f} of it spent before" if before else ""
    return (
        f"[budget] at_most: it comes to {total:,.2f} {money}{earlier}, and at most {at_most:,.2f} is allowed. "
        "Raise it, or send to fewer; with --yes the run stops before it is exceeded"
    )


def counted(record: RunRecord) -> tuple[int, int]:
    """Return how many messages of a run may have been accepted, and of how many segments."""
    messages, segments = record.written()
    return messages, max(messages, segments)


def known_price(cost: Cost) -> Price:
    """Return the price of a cost. Raises `CampaignError` where none is known, for then no budget can be kept."""
    if cost.price is None:
        raise CampaignError(f"[budget] at_most: {cost.sentences()[0]}")
    return cost.price
