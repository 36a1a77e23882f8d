"""One accepted contact, and one request before it is accepted."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

ACCOUNT = "123456789012"
"""The account of whoever does not name another by an access key of its own."""


@dataclass(frozen=True)
class Request:
    """One checked request: its parameters, and the body they were read from."""

    operation: str
    parameters: Mapping[str, Any]
    body: bytes = b""
    region: str = "us-east-1"
    account: str = ACCOUNT

    @property
    def place(self) -> str:
        """Where it belongs: contacts, tokens and quotas of another account, Region or instance are apart."""
        return f"{self.account}/{self.region}/{self.instance}"

    @property
    def instance(self) -> str:
        return str(self.parameters["InstanceId"])

    @property
    def token(self) -> str | None:
        return self.parameters.get("ClientToken")

    @property
    def token_digest(self) -> bytes:
        """Name the token with its operation, account, Region and instance, by 16 bytes."""
        known: bytes | None = self.__dict__.get("_token_digest")  # a `cached_property` of Python 3.11 takes a lock
        if known is None:
            text = f"{self.operation}\0{self.place}\0{self.token}"
            known = hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()
            self.__dict__["_token_digest"] = known
        return known


@dataclass(slots=True, eq=False)
class Contact:
    """One accepted contact.

    `body` is the request that made it, `mail` the StartOutboundEmailContact that a draft was sent with. The fields
    are the columns of the table `contacts`, in this order; `Storage` numbers them by `seq`, from 1. `attributes` and
    `tags` are JSON, None until a call changed them.
    """

    seq: int
    id: str
    operation: str
    channel: str
    method: str
    instance: str
    started_at: float
    ends_at: float
    token: str | None = None
    destination: str | None = None
    mailed: int = 0
    open: int = 1
    reason: str = "EXPIRED"
    account: str = ACCOUNT
    region: str = "us-east-1"
    attributes: str | None = None
    tags: str | None = None
    body: bytes | None = None
    mail: bytes | None = None

    @property
    def place(self) -> str:
        """Where it belongs, as `Request.place`."""
        return f"{self.account}/{self.region}/{self.instance}"

    @property
    def arn(self) -> str:
        return f"arn:aws:connect:{self.region}:{self.account}:instance/{self.instance}/contact/{self.id}"

    @property
    def parameters(self) -> dict[str, Any]:
        """The request that made it."""
        return dict(_read(self.body) or {})

    def ended(self, now: float) -> bool:
        return now >= self.ends_at

    def state(self, now: float) -> str:
        return "ended" if self.ended(now) else "open"

    def as_dict(self, now: float) -> dict[str, Any]:
        """Return the contact as plain data."""
        return {
            "ContactId": self.id,
            "Account": self.account,
            "Region": self.region,
            "Operation": self.operation,
            "Channel": self.channel,
            "InitiationMethod": self.method,
            "InstanceId": self.instance,
            "Destination": self.destination,
            "ClientToken": self.token,
            "Parameters": _read(self.body),
            "Message": _read(self.mail),
            "Attributes": attributes_of(self),
            "Tags": json.loads(self.tags or "{}"),
            "Mailed": bool(self.mailed),
            "State": self.state(now),
            "StartedAt": self.started_at,
            "EndedAt": self.ends_at if self.ended(now) else None,
            "DisconnectReason": self.reason if self.ended(now) else None,
        }


COLUMNS = tuple(Contact.__dataclass_fields__)
"""The columns of the table `contacts`."""

row_of = attrgetter(*COLUMNS)
"""Return the values of the columns."""


def attributes_of(contact: Contact) -> dict[str, str]:
    """Return the attributes as they are now: those of the request, until UpdateContactAttributes changed them."""
    if contact.attributes is not None:
        return dict(json.loads(contact.attributes))
    return dict(contact.parameters.get("Attributes") or {})


def new_id() -> str:
    """Return a random UUID (RFC 9562, version 4)."""
    drawn = bytearray(os.urandom(16))
    drawn[6], drawn[8] = drawn[6] & 0x0F | 0x40, drawn[8] & 0x3F | 0x80
    text = drawn.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _read(body: bytes | None) -> Any:
    return None if body is None else json.loads(body)
