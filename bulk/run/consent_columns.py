"""The columns of the list about consent, and the values of a row."""

from collections.abc import Callable

from bulk.campaign import Campaign
from bulk.ledger.consents import kept
from bulk.loader import ContactList
from bulk.model import Recipient
from bulk.run.context import RunContext
from bulk.text.cells import text_of

MEMBERS = "column", "source", "at"


def columns_of(campaign: Campaign, contacts: ContactList) -> dict[str, str]:
    """Return the columns that tell of consent, by what they tell. Raises `ListError` where the list lacks one."""
    named = {member: getattr(campaign.consent, member) for member in MEMBERS}
    return {member: contacts.resolve(name) for member, name in named.items() if name is not None}


def consent_reader(context: RunContext) -> Callable[[Recipient], tuple[str | None, ...]]:
    """Return what reads a row's consent as the ledger keeps it; nothing where the campaign says nothing of it."""
    columns = columns_of(context.campaign, context.contacts)
    if not columns:
        return lambda _: ()
    names = [columns.get(member) for member in MEMBERS]

    def read(recipient: Recipient) -> tuple[str | None, ...]:
        return kept(tuple(None if name is None else text_of(recipient.cells.get(name)) for name in names))

    return read
