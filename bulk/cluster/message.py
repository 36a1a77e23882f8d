"""The messages between driver and worker, as bytes.

JSON, so that neither side ever runs what the other one sent. A lot holds calls: operation, parameters, token, segments.
No recipient, cell, credential, profile or path is part of any message.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from bulk.errors import BulkError, CallFailed, CallNotMade, Halted, SetupError
from bulk.model import Call, Reply

Body = dict[str, Any]

_TAG = "$bulk"


@dataclass(frozen=True, slots=True)
class Site:
    """Where Amazon Connect is, for a worker: what it signs with is its own. Times in seconds.

    `rehearsal`: it is the sandbox of a run, which takes any credentials.
    """

    url: str | None
    region: str
    connect_timeout: float
    read_timeout: float
    allow_http: bool = False
    role_arn: str | None = None
    rehearsal: bool = False


@dataclass(frozen=True, slots=True)
class SentCall:
    """A call of a lot."""

    call: Call
    token: str
    parts: int = 1


def encode(body: Mapping[str, Any]) -> bytes:
    """Write a message."""
    return json.dumps(body, separators=(",", ":"), default=_tagged).encode("ascii")


def decode(payload: bytes) -> Body:
    """Read a message. Raises `ValueError` where it is none."""
    body = json.loads(payload, object_hook=_untagged)
    if not isinstance(body, dict):
        raise ValueError("a message is an object")  # noqa: TRY004 - one kind of trouble
    return body


def _tagged(value: Any) -> Body:
    if isinstance(value, datetime):
        return {_TAG: "time", "value": value.isoformat()}
    if isinstance(value, bytes | bytearray):
        return {_TAG: "bytes", "value": b64encode(value).decode("ascii")}
    raise TypeError(f"a {type(value).__name__} is no part of a message")


def _untagged(value: Body) -> Any:
    if value.keys() != {_TAG, "value"}:
        return value
    return datetime.fromisoformat(value["value"]) if value[_TAG] == "time" else b64decode(value["value"])


def site_body(site: Site) -> Body:
    """Return a site as part of a message."""
    return asdict(site)


def call_body(sent: SentCall) -> list[Any]:
    """Return a call as part of a message."""
    call = sent.call
    return [dict(call.parameters), sent.token, sent.parts, call.optional]


def call_of(operation: str, body: list[Any]) -> SentCall:
    """Return a call that came in a message."""
    parameters, token, parts, optional = body
    return SentCall(Call(operation, parameters, optional=optional), token, parts)


def result_body(result: Reply | BulkError) -> Body:
    """Return what became of a call, as part of a message."""
    match result:
        case Reply():
            return {"members": dict(result.members), "request_id": result.request_id}
        case CallFailed():
            return {
                "code": result.code,
                "message": result.message,
                "status": result.status,
                "request_id": result.request_id,
                "went_out": result.went_out,
                "foreign": result.foreign,
                "retry_after": result.retry_after,
            }
    return {"halted": str(result), "setup": isinstance(result, SetupError)}


def result_of(operation: str, body: Body) -> Reply | BulkError:
    """Return what became of a call, from a message."""
    if "members" in body:
        return Reply(body["members"], body["request_id"])
    if "halted" in body:
        return (SetupError if body["setup"] else Halted)(body["halted"])
    return CallFailed(operation, body.pop("code"), body.pop("message"), **body)


def not_made(operation: str) -> CallNotMade:
    """Return what says that a call was certainly never sent."""
    return CallNotMade(operation, "NotMade", "no worker made it", went_out=False)


def lost(operation: str) -> CallFailed:
    """Return what says that nobody knows whether a call was sent: its worker is gone."""
    return CallFailed(operation, "WorkerLost", "the worker that was to make it gives no answer")
