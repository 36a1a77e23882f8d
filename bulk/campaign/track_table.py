"""`[track]`: where events of contacts and mail come from, and which of them suppress a person."""

from typing import Annotated, Literal

from pydantic import Field

from bulk.campaign.types import Table

Cause = Literal["stop", "bounce", "complaint"]


class TrackTable(Table):
    """What `bulk track` reads and does.

    `events` is a file, a folder, `s3://bucket/prefix/`, or the URL or ARN of an SQS queue. `suppress` names what puts a
    person on the state directory's suppression list; `stop_words` are words that mean stop besides the usual ones.
    """

    events: Annotated[str, Field(min_length=1)] | None = None
    suppress: tuple[Cause, ...] = ("stop",)
    stop_words: tuple[Annotated[str, Field(min_length=1)], ...] = ()
