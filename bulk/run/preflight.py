"""The examination of the account before anything is sent, with the credentials and endpoint of the run."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from bulk.account import ANY, Examination, Finding, References, State, Wanted
from bulk.aws.connect import Endpoint
from bulk.aws.inquiry import Inquiry
from bulk.errors import SetupError
from bulk.run.context import RunRef
from bulk.run.environment import endpoint_of
from bulk.sandbox import Sandbox


async def preflight(ref: RunRef) -> list[Finding]:
    """Ask the account for all that a run names and needs, and judge it; no call starts a contact.

    Raises `CampaignError` where an option is wrong.
    """
    try:
        async with _endpoint(ref) as endpoint, Inquiry(endpoint) as inquiry:
            return await Examination(references(ref, inquiry.region), wanted(ref), inquiry.ask).run()
    except SetupError as error:
        return [Finding("credentials", State.WRONG, str(error), "fix that first: nothing else was asked")]


def references(ref: RunRef, region: str | None = None) -> References:
    """Return what a campaign names; the Region is where it goes, as far as that is known."""
    return References(ref.campaign, region or endpoint_of(ref).region or ANY)


def wanted(ref: RunRef) -> Wanted:
    """Return what a run wants of the account."""
    rates, named = ref.rates, References(ref.campaign).operations.values()
    asked = {name: None if rates.is_auto(name) else rates.quota(name)[0] for name in named}
    return Wanted(asked, ref.campaign.hold.open_contacts, rates.open_for(), contacts_of(ref))


def contacts_of(ref: RunRef) -> str | None:
    """Return where the list is, where that is a URL."""
    given = ref.options.contacts if ref.options.contacts is not None else ref.campaign.contacts
    return given if isinstance(given, str) and "://" in given else None


@asynccontextmanager
async def _endpoint(ref: RunRef) -> AsyncIterator[Endpoint]:
    """Yield where the account is: in a rehearsal, a sandbox that has whatever is asked for."""
    endpoint = endpoint_of(ref)
    if not ref.options.sandbox:
        yield endpoint
        return
    quotas = {name: ref.rates.quota(name) for name in ref.rates.operations}
    async with Sandbox(quotas=quotas, control_token=secrets.token_urlsafe(32)) as sandbox:
        named = References(ref.campaign).arn_region
        region = endpoint.region or (named if named != ANY else "us-east-1")
        yield replace(endpoint, url=sandbox.url, region=region, credentials=("sandbox", "sandbox"))
