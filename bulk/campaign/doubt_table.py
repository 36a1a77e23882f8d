"""`[doubt]`: the contact attribute by which Amazon Connect can be asked about calls without an answer."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from bulk.campaign.types import Duration, Table
from bulk.channels import Channel


class DoubtTable(Table):
    """What `bulk resolve --ask` may use.

    `attribute` is a contact attribute that each contact gets, with a value that names the row's call. Absence counts
    when the last try is at least `wait` (seconds) ago: how soon a new contact is found is not documented.
    """

    attribute: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$", max_length=100)] | None = None
    wait: Duration = 3600.0


def check_doubt(doubt: DoubtTable, channel: Channel, request: Mapping[str, Any]) -> None:
    """Raise `ValueError` where a contact that is found would not say that its message went, or two marks clash."""
    if doubt.attribute is None:
        return
    if len(channel.OPERATIONS) > 1:
        raise ValueError(
            f"[doubt] attribute is not for {channel.NAME}: its contact is made before its message is sent, so a "
            "contact that is found says nothing about the message. Leave it out"
        )
    own = request.get("Attributes")
    if isinstance(own, Mapping) and doubt.attribute in own:
        raise ValueError(
            f"[doubt] attribute {doubt.attribute!r} is one of [request] Attributes too; choose another name for it"
        )
