"""Opt-outs that AWS stores: the opt-out list of the sending number, and the suppression list of Amazon SES.

They are read when a run begins, and again while it lasts. A list that is named must be there; what is to be found, or
is the account's, is warned of where it cannot be read, with the permission that is missing.
"""

import logging
from collections.abc import AsyncIterator
from typing import Any

import anyio

from bulk.account.references import References, is_template, last_part
from bulk.aws.inquiry import Inquiry
from bulk.aws.lookups import opted_out
from bulk.errors import BulkError, CallFailed
from bulk.loader.suppression import Suppression
from bulk.run.context import RunContext, RunRef
from bulk.run.environment import endpoint_of

log = logging.getLogger("bulk")

AUTO = "auto"  # the opt-out list is that of the sending number
AGAIN = 300.0  # seconds between two readings
PAGE = 1000  # "Amazon SES API v2 Reference": ListSuppressedDestinations, the most of a page
SES = "the suppression list of Amazon SES"
_SMS = "pinpoint-sms-voice-v2"
_ACTIONS = {
    "DescribePhoneNumber": "connect:DescribePhoneNumber",
    "DescribePhoneNumbers": "sms-voice:DescribePhoneNumbers",
    "DescribeOptedOutNumbers": "sms-voice:DescribeOptedOutNumbers",
    "ListSuppressedDestinations": "ses:ListSuppressedDestinations",
}


def are_asked(ref: RunRef) -> bool:
    """Whether a campaign wants to know who said no at AWS. A rehearsal never asks."""
    table = ref.campaign.contact_list
    return not ref.options.sandbox and (table.opt_out_list is not None or table.ses_suppression)


async def put_in(ref: RunRef, suppression: Suppression) -> list[str]:
    """Read who said no at AWS into a suppression, and return warnings.

    Raises `CampaignError` where a list that is named cannot be read, and `Halted` without credentials.
    """
    if not are_asked(ref):
        return []
    table, endpoint = ref.campaign.contact_list, endpoint_of(ref)
    name, said = table.opt_out_list, []
    if name is not None and name != AUTO:
        suppression.put(f"the opt-out list {name!r}", await opted_out(name, endpoint))
    if name == AUTO or table.ses_suppression:
        async with Inquiry(endpoint) as inquiry:
            said += await _number(ref, inquiry, suppression) if name == AUTO else []
            said += await _addresses(inquiry, suppression) if table.ses_suppression else []
    return said


async def follow(context: RunContext) -> None:
    """Read the lists again while a run lasts. What was read before holds where they cannot be."""
    while True:
        await anyio.sleep(AGAIN)
        try:
            said = await put_in(context, context.eligibility.suppression)
        except BulkError as error:
            said = [str(error)]
        for warning in said:
            log.warning(warning)


async def _number(ref: RunRef, inquiry: Inquiry, suppression: Suppression) -> list[str]:
    """Put in who opted out of the sending number; return why that is not known."""
    named = References(ref.campaign)
    if named.subtype != "connect:SMS" or not named.sender or is_template(named.sender):
        return ['[list] opt_out_list = "auto" finds nothing: the campaign names no number that its texts come from']
    try:
        name = await _list_of(named.sender, inquiry)
        if name is None:
            return [
                "the opt-out list of the sending number is not known: AWS End User Messaging does not have the number"
            ]
        told = await inquiry.ask(_SMS, "DescribeOptedOutNumbers", {"OptOutListName": name})
    except CallFailed as error:
        return [_unread("the opt-out list of the sending number", error)]
    numbers = [str(one["OptedOutNumber"]) for one in told.get("OptedOutNumbers", ())]
    suppression.put("the opt-out list of the sending number", numbers)
    log.info("the opt-out list of the sending number is %r: %d numbers", name, len(numbers))
    return []


async def _list_of(sender: str, inquiry: Inquiry) -> str | None:
    """Return the opt-out list of a number: an ARN of Amazon Connect or of AWS End User Messaging, or the number."""
    source: str | None = sender
    if ":connect:" in sender:
        found = await inquiry.ask("connect", "DescribePhoneNumber", {"PhoneNumberId": last_part(sender)})
        source = found.get("ClaimedPhoneNumberSummary", {}).get("SourcePhoneNumberArn")
    if not source:
        return None
    asked = {} if source.startswith("+") else {"PhoneNumberIds": [last_part(source)]}
    told = await inquiry.ask(_SMS, "DescribePhoneNumbers", asked)
    names = [one.get("OptOutListName") for one in told.get("PhoneNumbers", ()) if _is(one, source)]
    return str(names[0]) if names and names[0] else None


def _is(number: dict[str, Any], source: str) -> bool:
    return not source.startswith("+") or number.get("PhoneNumber") == source


async def _addresses(inquiry: Inquiry, suppression: Suppression) -> list[str]:
    """Put in the account's suppressed addresses; return why they are not known."""
    try:
        found = [address async for address in _suppressed(inquiry)]
    except CallFailed as error:
        return [_unread(SES, error)]
    suppression.put(SES, found)
    log.info("%s: %d addresses", SES, len(found))
    return []


async def _suppressed(inquiry: Inquiry) -> AsyncIterator[str]:
    asked: dict[str, Any] = {"PageSize": PAGE}
    while True:
        told = await inquiry.ask("sesv2", "ListSuppressedDestinations", asked)
        for one in told.get("SuppressedDestinationSummaries", ()):
            yield str(one["EmailAddress"])
        if not told.get("NextToken"):
            return
        asked = {**asked, "NextToken": told["NextToken"]}


def _unread(what: str, error: CallFailed) -> str:
    action = _ACTIONS.get(error.operation, error.operation)
    return (
        f"{what} cannot be read ({error.code}: {error.message}), so nobody on it is left out by it: check that these "
        f"credentials may use {action}"
    )
