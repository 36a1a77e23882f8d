"""Where events at AWS come from: the messages of an SQS queue, and the objects under a prefix in S3.

A message stays in the queue until it is deleted: what is received is hidden from other readers for a while, and comes
back by itself where nobody deletes it. "Amazon SQS API Reference": ReceiveMessage, DeleteMessageBatch.
"""

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientPayloadError

from bulk.aws.connect import Endpoint, client_of, is_aws
from bulk.aws.lookups import fetch_one, listed
from bulk.errors import CallFailed, CampaignError

HIDDEN = 60  # seconds for which a message that was received is hidden
TOGETHER = 10  # messages of one request, at most
WAIT = 1  # seconds for which an empty queue is listened to

_ARN = re.compile(r"arn:[a-z-]+:sqs:([a-z0-9-]+):(\d{12}):([\w.-]+)")
_HOST = re.compile(r"(?:[\w-]+\.)?sqs\.([a-z0-9-]+)\.(?:vpce\.)?amazonaws\.com(?:\.cn)?")
_QUEUE_NEEDS = "sqs:ReceiveMessage, sqs:DeleteMessage and sqs:ChangeMessageVisibility"


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it was received: its id, its text, and by what it is deleted."""

    id: str
    body: str
    receipt: str


class EventQueue:
    """The messages of a queue. Each of these raises `CallFailed`."""

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self.url = url

    async def receive(self) -> list[Message]:
        """Return some messages; none where the queue is empty, or all of it is with other readers."""
        asked = {"MaxNumberOfMessages": TOGETHER, "WaitTimeSeconds": WAIT, "VisibilityTimeout": HIDDEN}
        answer = await self._sqs.receive_message(QueueUrl=self.url, **asked)
        found = answer.get("Messages") or ()
        return [Message(str(one["MessageId"]), str(one["Body"]), str(one["ReceiptHandle"])) for one in found]

    async def delete(self, messages: Sequence[Message]) -> None:
        """Delete messages. What is not deleted comes again, which does no harm."""
        for entries in _entries(messages):
            await self._sqs.delete_message_batch(QueueUrl=self.url, Entries=entries)

    async def give_back(self, messages: Sequence[Message]) -> None:
        """Let others receive messages at once."""
        for entries in _entries(messages):
            shown = [{**one, "VisibilityTimeout": 0} for one in entries]
            await self._sqs.change_message_visibility_batch(QueueUrl=self.url, Entries=shown)


def _entries(messages: Sequence[Message]) -> Iterator[list[dict[str, Any]]]:
    for first in range(0, len(messages), TOGETHER):
        some = messages[first : first + TOGETHER]
        yield [{"Id": str(number), "ReceiptHandle": one.receipt} for number, one in enumerate(some)]


def is_queue(source: str) -> bool:
    """Whether a source of events is a queue: by its URL, or its ARN."""
    return source.startswith(("https://", "http://")) or bool(_ARN.fullmatch(source))


@asynccontextmanager
async def queue_of(source: str, endpoint: Endpoint) -> AsyncIterator[EventQueue]:
    """Open a queue by its URL or ARN, in the Region that this tells. Raises `CampaignError` and `SetupError`."""
    arn, parts = _ARN.fullmatch(source), urlsplit(source)
    host = _HOST.fullmatch(parts.hostname or "")
    region = arn[1] if arn else host[1] if host else endpoint.region
    here = None if arn or (is_aws(source) and ".vpce." not in source) else f"{parts.scheme}://{parts.netloc}"
    with _named(source, _QUEUE_NEEDS):
        async with client_of("sqs", replace(endpoint, region=region), url=here) as sqs:
            if arn:
                found = await sqs.get_queue_url(QueueName=arn[3], QueueOwnerAWSAccountId=arn[2])
                source = str(found["QueueUrl"])
            yield EventQueue(sqs, source)


class EventObjects:
    """The objects under `s3://bucket/prefix`. Each of these raises `CallFailed`."""

    def __init__(self, s3: Any, url: str) -> None:
        self._s3 = s3
        self._bucket, _, self._prefix = url.removeprefix("s3://").partition("/")

    async def names(self) -> AsyncIterator[tuple[str, str]]:
        """Yield the URL and the ETag of each object, in the order of their names."""
        async for key, etag in listed(self._s3, self._bucket, self._prefix):
            if not key.endswith("/"):
                yield f"s3://{self._bucket}/{key}", etag

    async def fetch(self, name: str, path: Path) -> None:
        """Fetch an object, by its URL, into a new file."""
        await fetch_one(self._s3, self._bucket, name.removeprefix(f"s3://{self._bucket}/"), path)


@asynccontextmanager
async def objects_under(url: str, endpoint: Endpoint) -> AsyncIterator[EventObjects]:
    """Open the objects under a URL. Raises `CampaignError` and `SetupError`."""
    if not re.fullmatch(r"s3://[^/]+/.*", url):
        raise CampaignError(f"{url} names no events in S3: write it as s3://BUCKET/PREFIX/")
    with _named(url, "s3:ListBucket and s3:GetObject"):
        async with client_of("s3", endpoint) as s3:
            yield EventObjects(s3, url)


@contextmanager
def _named(source: str, permissions: str) -> Iterator[None]:
    """Turn what goes wrong into words about the source."""
    try:
        yield
    except CallFailed as error:
        remedy = f"check its name, the Region, and that these credentials may do {permissions}"
        raise CampaignError(f"{source}: the events cannot be read ({error.code}: {error.message}): {remedy}") from error
    except ClientPayloadError as error:
        raise CampaignError(f"{source}: the line broke while events were read: try again") from error
    except OSError as error:
        raise CampaignError(f"the events cannot be kept here ({error.strerror or error}): make room") from error
