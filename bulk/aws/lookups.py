"""What a run reads from AWS before it sends: lists, opt-outs, and the quotas of the account."""

import logging
import os
from collections.abc import AsyncIterator
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientPayloadError

from bulk.aws.connect import Endpoint, client_of
from bulk.aws.objects import save
from bulk.errors import CallFailed, CampaignError, ListError

log = logging.getLogger("bulk")

_PATTERN = frozenset("*?[")


async def fetch(url: str, endpoint: Endpoint, folder: Path) -> Path:
    """Fetch `s3://bucket/key` into a folder, which should be private, and give the path of the list there.

    A URL that ends with `/`, or whose last part is a pattern such as `*.parquet`, names several files: they are fetched
    under their names into a folder of that one. Needs s3:GetObject, and s3:ListBucket for several. Raises `ListError`,
    `Halted` without credentials ("Amazon S3 API Reference": GetObject, ListObjectsV2).
    """
    bucket, key = _place(url)
    try:
        async with client_of("s3", endpoint) as s3:
            if key.endswith("/") or _PATTERN & set(PurePosixPath(key).name):
                return await _several(s3, bucket, key, folder / "lists")
            path = folder / PurePosixPath(key).name
            await fetch_one(s3, bucket, key, path)
            return path
    except CallFailed as error:
        remedy = "check its name, the Region, and that these credentials may read it (s3:GetObject, s3:ListBucket)"
        raise ListError(f"{url} cannot be fetched ({error.code}: {error.message}): {remedy}") from error
    except ClientPayloadError as error:
        raise ListError(f"{url} cannot be fetched: the line broke on the way: try again") from error
    except OSError as error:
        raise ListError(f"{url} cannot be kept in {folder} ({error.strerror or error}): make room there") from error


async def opted_out(name: str, endpoint: Endpoint) -> list[str]:
    """Ask AWS End User Messaging for the numbers of an opt-out list, in E.164.

    Needs sms-voice:DescribeOptedOutNumbers. Raises `CampaignError`, `Halted` without credentials ("AWS End User
    Messaging SMS API Reference": DescribeOptedOutNumbers; 100 numbers a page).
    """
    try:
        async with client_of("pinpoint-sms-voice-v2", endpoint) as messaging:
            pages = messaging.get_paginator("describe_opted_out_numbers").paginate(OptOutListName=name)
            return [number["OptedOutNumber"] async for page in pages for number in page["OptedOutNumbers"]]
    except CallFailed as error:
        trouble = f"({error.code}: {error.message})"
        remedy = "check its name, and that these credentials may read it (sms-voice:DescribeOptedOutNumbers)"
        raise CampaignError(f"the opt-out list {name!r} cannot be read {trouble}: {remedy}") from error


# "Service Quotas", Amazon Connect: the codes of the rates of operations that are known by code.
QUOTA_CODES = {"StartOutboundChatContact": "L-408DD6C6", "StopContact": "L-650BD10F"}


async def applied_rate(operation: str, endpoint: Endpoint) -> float | None:
    """Ask Service Quotas for the account's rate of an operation, in calls per second; None where it does not tell.

    Needs servicequotas:GetServiceQuota, and does without ("Service Quotas API Reference": GetServiceQuota).
    """
    code = QUOTA_CODES.get(operation)
    if code is None:
        return None
    try:
        async with client_of("service-quotas", endpoint) as quotas:
            answer = await quotas.get_service_quota(ServiceCode="connect", QuotaCode=code)
    except CallFailed as error:
        log.info("Service Quotas does not tell the rate of %s (%s): it is learned", operation, error.code)
        return None
    value = answer["Quota"].get("Value")
    return float(value) if value else None


def _place(url: str) -> tuple[str, str]:
    """Take a URL apart into bucket and key. What follows a ? or # is part of the key."""
    rest = url.partition("://")[2]
    bucket, _, key = rest.partition("/")
    if urlsplit(url).scheme != "s3" or not bucket or not key:
        raise ListError(f"{url} is no list in S3: write it as s3://BUCKET/KEY")
    return bucket, key


async def _several(s3: Any, bucket: str, key: str, root: Path) -> Path:
    """Fetch what a prefix or a pattern names, under the names that follow the prefix."""
    prefix = key[: key.rindex("/") + 1] if "/" in key else ""
    found = [name async for name, _ in listed(s3, bucket, prefix) if _fits(name, key)]
    for name in found:
        path = root.joinpath(*(part for part in name[len(prefix) :].split("/") if part not in {"", ".", ".."}))
        path.parent.mkdir(parents=True, exist_ok=True)
        await fetch_one(s3, bucket, name, path)
    if not found:
        raise ListError(f"there is no list in s3://{bucket}/{key}: check the name")
    return root


def _fits(name: str, key: str) -> bool:
    """Return whether a name is meant: of folders all files in them, of patterns what is in that folder alone."""
    if name.endswith("/"):
        return False
    return key.endswith("/") or (fnmatchcase(name, key) and name.count("/") == key.count("/"))


async def listed(s3: Any, bucket: str, prefix: str) -> AsyncIterator[tuple[str, str]]:
    """Yield key and ETag of each object under a prefix."""
    async for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for found in page.get("Contents", ()):
            yield found["Key"], str(found.get("ETag", ""))


async def fetch_one(s3: Any, bucket: str, key: str, path: Path) -> None:
    """Fetch an object into a new file, which its owner alone can read."""
    await save((await s3.get_object(Bucket=bucket, Key=key))["Body"], partial(_private, path))


def _private(path: Path) -> int:
    """Open a new file that its owner alone can read."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
