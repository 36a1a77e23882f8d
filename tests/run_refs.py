"""A run of a small campaign that has been opened by nobody yet, and where it would go."""

from typing import Any

import polars as pl
from sandbox_runs import SMS

from bulk.campaign import Campaign
from bulk.run.context import RunRef
from bulk.run.options import Options

ROLE = "arn:aws:iam::123456789012:role/Sender"
AT = {
    "endpoint_url": "https://campaign.example",
    "region": "eu-west-2",
    "profile": "campaign",
    "role_arn": ROLE,
}
FRAME = pl.DataFrame({"phone": ["+12065550100"], "key": ["1"], "name": ["Ann"]})


def ref(tables: dict[str, Any] | None = None, **options: Any) -> RunRef:
    """Return the run of a campaign with these tables besides, under these options."""
    return RunRef(
        Campaign(**{"name": "spring", "channel": "sms", "request": SMS, **(tables or {})}), Options(**options)
    )
