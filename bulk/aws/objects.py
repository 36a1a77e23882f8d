"""Objects in S3 with conditional writes: each write names the version that it replaces.

"Amazon S3 User Guide", Conditional requests: `If-None-Match: *` writes only where there is no object, `If-Match` only
over the version that has this ETag. S3 decides about two writers itself, one after the other.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import IO, Any, Self

from aiobotocore.config import AioConfig
from aiohttp import ClientError

from bulk.aws.connect import Endpoint, client_of
from bulk.aws.failures import SDK, failure
from bulk.errors import BulkError, CallFailed, LedgerError, SetupError
from bulk.files import open_private

log = logging.getLogger("bulk")

_BLOCK = 1 << 20  # bytes in memory at once
_GONE = frozenset({"NoSuchKey", "404", "NotFound"})
_OTHER = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409", *_GONE})
_PASSING = frozenset({"ExpiredToken", "SlowDown", "RequestTimeout", "429"})
_NEEDS = "check its name, the Region, and that these credentials may do s3:GetObject, s3:PutObject and s3:ListBucket"
_HOLDER = "holder"


class Replaced(Exception):  # a course of things, not an error
    """Another version stands there than the one that was to be replaced."""


class Unreachable(Exception):  # likewise: it may pass
    """S3 gave no answer that would last: the same request may succeed later."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an object: its ETag, who wrote it, and how many seconds ago by S3's own clock."""

    etag: str
    holder: str
    age: float


async def save(body: Any, opened: Callable[[], int]) -> None:
    """Write the body of an object to a file, whose descriptor `opened` returns.

    The connection is given back, also where the line breaks, or the file cannot be opened or written.
    """
    async with body:
        with os.fdopen(opened(), "wb") as file:
            async for block in body.iter_chunks(_BLOCK):
                file.write(block)


class Objects:
    """The objects under a URL of the form `s3://bucket/prefix`.

    Each of them raises `Unreachable` for what may pass, `LedgerError` for what does not, with the remedy.
    """

    def __init__(self, s3: Any, url: str) -> None:
        self.url = url
        self._s3 = s3
        self._bucket, _, prefix = url.removeprefix("s3://").partition("/")
        self._prefix = f"{prefix}/" if prefix else ""

    def under(self, name: str) -> Self:
        """Return the objects under a name of these."""
        return type(self)(self._s3, f"{self.url}/{name}")

    async def read(self, name: str) -> tuple[bytes, Version] | None:
        """Return a small object, None where there is none."""
        with self._asked(name):
            if (answer := await self._got(name)) is None:
                return None
            body = answer["Body"]
            async with body:
                return await body.read(), _version(answer)

    async def fetch(self, name: str, path: Path) -> Version | None:
        """Write an object to a file, which is its owner's alone; None where there is none."""
        with self._asked(name):
            if (answer := await self._got(name)) is None:
                return None
            await save(answer["Body"], partial(open_private, path))
            return _version(answer)

    async def look(self, name: str) -> Version | None:
        """Return which version is there, None where there is none."""
        with self._asked(name):
            try:
                return _version(await self._s3.head_object(Bucket=self._bucket, Key=self._prefix + name))
            except SDK as error:
                if _code(error) in _GONE:
                    return None
                raise

    async def write(self, name: str, body: bytes | IO[bytes], *, over: str | None, holder: str) -> str:
        """Write an object over the version with this ETag (None: where there is none); return the new one's ETag.

        Raises `Replaced` where another version is there.
        """
        condition = {"IfNoneMatch": "*"} if over is None else {"IfMatch": over}
        about = {"Metadata": {_HOLDER: holder}, **condition}
        with self._asked(name):
            try:
                answer = await self._s3.put_object(Bucket=self._bucket, Key=self._prefix + name, Body=body, **about)
            except SDK as error:
                if _code(error) in _OTHER:
                    raise Replaced(name) from error
                raise
            return str(answer["ETag"])

    async def _got(self, name: str) -> Any:
        try:
            return await self._s3.get_object(Bucket=self._bucket, Key=self._prefix + name)
        except SDK as error:
            if _code(error) in _GONE:
                return None
            raise

    @contextmanager
    def _asked(self, name: str) -> Iterator[None]:
        try:
            yield
        except (*SDK, BulkError) as error:
            trouble = failure("s3", error)
            if isinstance(trouble, SetupError) or _passes(trouble):
                raise Unreachable(str(trouble)) from error
            raise LedgerError(f"{self.url}/{name} cannot be used ({trouble}): {_NEEDS}") from error
        except (ClientError, TimeoutError, asyncio.IncompleteReadError, ConnectionError) as error:
            raise Unreachable(f"s3: the line broke ({type(error).__name__})") from error


@asynccontextmanager
async def objects_of(url: str, endpoint: Endpoint) -> AsyncIterator[Objects]:
    """Open the objects under a URL. Raises `CampaignError`, and `SetupError` without credentials."""
    lean = AioConfig(
        retries={"mode": "standard", "total_max_attempts": 2},  # who holds a claim has no time for more
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    async with client_of("s3", endpoint, config=lean) as s3:
        yield Objects(s3, url)


def _code(error: Exception) -> str:
    answer = getattr(error, "response", {})
    return str(answer.get("Error", {}).get("Code", ""))


def _passes(trouble: BulkError) -> bool:
    """Whether the same request may succeed later."""
    if not isinstance(trouble, CallFailed):
        return False
    return trouble.status is None or trouble.status >= 500 or trouble.code in _PASSING


def _version(answer: Any) -> Version:
    """Read the answer's own clock: two clocks need not agree then."""
    told = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    now = parsedate_to_datetime(told) if told else datetime.now(UTC)
    age = max(0.0, (now - answer["LastModified"]).total_seconds())
    return Version(str(answer["ETag"]), str(answer.get("Metadata", {}).get(_HOLDER, "")), age)
