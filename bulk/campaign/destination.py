"""`[at]`: where a campaign is sent, as far as the campaign file says it."""

from typing import Annotated

from pydantic import StringConstraints

from bulk.campaign.types import Table

Text = Annotated[str, StringConstraints(min_length=1)]


class AtTable(Table):
    """The Region, profile and role that a campaign is sent with, and where Amazon Connect is; options win."""

    region: Text | None = None
    profile: Text | None = None
    role_arn: Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/\S+$")] | None = None
    endpoint_url: Text | None = None
