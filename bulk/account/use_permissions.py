"""The permissions of other commands than `send`: to track, to ask about rows in doubt, to keep state in S3.

Source: Service Authorization Reference, "Actions, resources, and condition keys" for Amazon Connect, Amazon SQS and
Amazon S3. What resources SearchContacts takes is not certain: the instance and its contacts are both named.
"""

import re
from collections.abc import Iterator

from bulk.account.permissions import Permission, reading_list
from bulk.account.references import ANY, References

_QUEUE_URL = re.compile(r"https://(?:[\w-]+\.)?sqs\.([a-z0-9-]+)\.[a-z.]*amazonaws\.com(?:\.cn)?/(\d{12})/([\w.-]+)")
_RECEIVING = "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"


def to_track(named: References, events: str | None, contacts: str | None) -> list[Permission]:
    """Return what tracking takes: asking about contacts, or reading `events`. `contacts` is where the list is."""
    if events is None:
        return [Permission("DescribeContact", ("connect:DescribeContact",), (_contacts(named),))]
    found = [*_queue(named, events), *_objects(events)]
    return [*found, *(reading_list(contacts) if named.campaign.track.suppress else ())]


def to_ask(named: References, contacts: str | None) -> list[Permission]:
    """Return what `resolve --ask` takes: nothing of Amazon Connect where the campaign gives contacts no mark."""
    if named.campaign.doubt.attribute is None:
        return list(reading_list(contacts))
    instance = named.arn("connect", f"instance/{named.instance}")
    return [
        Permission("SearchContacts", ("connect:SearchContacts",), (instance, _contacts(named))),
        Permission("GetContactAttributes", ("connect:GetContactAttributes",), (_contacts(named),)),
        *reading_list(contacts),
    ]


def to_keep(state: str | None) -> list[Permission]:
    """Return what a state directory in S3 takes. Without s3:ListBucket, S3 does not say that an object is missing."""
    if state is None:
        return []
    bucket, _, prefix = state.removeprefix("s3://").rstrip("/").partition("/")
    objects = f"arn:aws:s3:::{bucket}/{prefix}/{ANY}" if prefix else f"arn:aws:s3:::{bucket}/{ANY}"
    return [
        Permission("KeepState", ("s3:GetObject", "s3:PutObject"), (objects,)),
        Permission("FindState", ("s3:ListBucket",), (f"arn:aws:s3:::{bucket}",)),
    ]


def _contacts(named: References) -> str:
    return named.arn("connect", f"instance/{named.instance}/contact/{ANY}")


def _queue(named: References, events: str) -> Iterator[Permission]:
    """Yield what reading a queue takes; its URL is asked for where the campaign has its ARN."""
    if events.startswith("arn:"):
        yield Permission("ReceiveEvents", ("sqs:GetQueueUrl", *_RECEIVING), (events,))
    elif events.startswith(("https://", "http://")):
        found = _QUEUE_URL.fullmatch(events)
        region, account, name = found.groups() if found else (ANY, ANY, events.rpartition("/")[2] or ANY)
        yield Permission("ReceiveEvents", _RECEIVING, (f"arn:{named.partition}:sqs:{region}:{account}:{name}",))


def _objects(events: str) -> Iterator[Permission]:
    if not events.startswith("s3://"):
        return
    bucket, _, prefix = events.removeprefix("s3://").partition("/")
    conditions = {"StringEquals": {"s3:prefix": prefix}} if prefix else {}
    yield Permission("ReadEvents", ("s3:GetObject",), (f"arn:aws:s3:::{bucket}/{prefix}{ANY}",))
    yield Permission("FindEvents", ("s3:ListBucket",), (f"arn:aws:s3:::{bucket}",), conditions)
