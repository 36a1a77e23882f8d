"""What the pretend Amazon Connect remembers: contacts, the tokens it has seen, how many contacts are open.

Pure given *now* (Unix seconds, never running backwards). A contact ends when it is stopped, when its duration
is over, or `ends_after` seconds after its message, as with a flow that disconnects. A contact's request is
kept as the bytes that came; of the oldest ones only the summary stays once `keep_bytes` are reached, so that
memory is bounded by it.

A `ClientToken` belongs to an operation and an instance and is remembered for seven days, which is what
"StartOutboundChatContact" promises; what the email operations promise is not documented, so they do the same.
"""

import hashlib
import heapq
import json
import uuid
from collections import Counter, deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bulk.sandbox.errors import ServiceError

TOKEN_LIFE = 7 * 24 * 3600.0

_KINDS = ("chat", "email", "task", "voice")


@dataclass(frozen=True, slots=True)
class Request:
    """One checked request: its parameters, and the body they were read from."""

    operation: str
    parameters: Mapping[str, Any]
    body: bytes = b""
    region: str = "us-east-1"

    @property
    def instance(self) -> str:
        return str(self.parameters["InstanceId"])

    @property
    def token(self) -> str | None:
        return self.parameters.get("ClientToken")

    def digest(self) -> bytes:
        """Name the parameters without their token, whatever their order, by 16 bytes."""
        rest = {name: value for name, value in self.parameters.items() if name != "ClientToken"}
        text = json.dumps(rest, sort_keys=True, separators=(",", ":"))
        return hashlib.blake2b(text.encode(), digest_size=16).digest()


@dataclass(slots=True, eq=False)
class Contact:
    """One accepted contact. `mail` is the StartOutboundEmailContact that a draft was sent with."""

    operation: str
    channel: str
    method: str
    instance: str
    started_at: float
    ends_at: float
    token: str | None = None
    destination: str | None = None
    body: bytes | None = None
    mail: bytes | None = None
    mailed: bool = False
    open: bool = True
    reason: str = "EXPIRED"
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def ended(self, now: float) -> bool:
        return now >= self.ends_at

    def state(self, now: float) -> str:
        return "ended" if self.ended(now) else "open"

    def as_dict(self, now: float) -> dict[str, Any]:
        """Return the contact as plain data; `Parameters`, `Message` are None where they are no longer kept."""
        return {
            "ContactId": self.id,
            "Operation": self.operation,
            "Channel": self.channel,
            "InitiationMethod": self.method,
            "InstanceId": self.instance,
            "Destination": self.destination,
            "ClientToken": self.token,
            "Parameters": _read(self.body),
            "Message": _read(self.mail),
            "Mailed": self.mailed,
            "State": self.state(now),
            "StartedAt": self.started_at,
            "EndedAt": self.ends_at if self.ended(now) else None,
            "DisconnectReason": self.reason if self.ended(now) else None,
        }


def _read(body: bytes | None) -> Any:
    return None if body is None else json.loads(body)


@dataclass(slots=True)
class Limits:
    """Settings of the pretend account that can change at run time.

    `open_contacts`: how many contacts may be open at once, by `chat`, `email`, `task`, `voice`, per instance.
    `ends_after`: seconds after which a flow ends every contact. `instances`: the ones there are; None = any.
    """

    open_contacts: Mapping[str, int] = field(default_factory=dict)
    ends_after: float | None = None
    instances: Collection[str] | None = None
    keep_bytes: int = 256 * 2**20

    def __post_init__(self) -> None:
        if not isinstance(self.open_contacts, Mapping):
            raise ValueError(f"open_contacts: must be an object of numbers, is {self.open_contacts!r}")  # noqa: TRY004 - a setting
        for kind, limit in self.open_contacts.items():
            if kind not in _KINDS:
                raise ValueError(f"open_contacts.{kind}: there are {', '.join(_KINDS)}")
            if type(limit) is not int or limit < 0:
                raise ValueError(f"open_contacts.{kind}: must be a whole number, 0 or more, is {limit!r}")
        if self.ends_after is not None and not (type(self.ends_after) in {int, float} and self.ends_after >= 0):
            raise ValueError(f"ends_after: must be seconds, 0 or more, is {self.ends_after!r}")


class Contacts:
    """All contacts of the account."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._by_id: dict[str, Contact] = {}
        self._tokens: dict[tuple[str, str], dict[str, tuple[Contact, bytes, float]]] = {}
        self._open: Counter[tuple[str, str]] = Counter()
        self._ends: list[tuple[float, int, Contact]] = []
        self._kept: deque[tuple[Contact, int]] = deque()
        self._kept_bytes = 0
        self._serial = 0

    def __iter__(self) -> Iterator[Contact]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def recall(self, request: Request, *, conflict: str, now: float) -> Contact | None:
        """Return the contact that this token was accepted for; raise `conflict` where the parameters differ."""
        known = self._tokens.get((request.operation, request.instance), {})
        seen = known.get(request.token) if request.token is not None else None
        if seen is None or now - seen[2] > TOKEN_LIFE:
            return None
        if seen[1] != request.digest():
            raise ServiceError(conflict, "This ClientToken was used before with other parameters.")
        return seen[0]

    def remember(self, request: Request, contact: Contact, now: float) -> None:
        """Bind the request's token to the contact."""
        if request.token is not None:
            known = self._tokens.setdefault((request.operation, request.instance), {})
            known[request.token] = (contact, request.digest(), now)

    def admit(self, contact: Contact, *, full: str, now: float) -> None:
        """Take in a new contact, or raise `full` where too many of its kind are open."""
        kind = contact.channel.lower()
        self._close(now)
        limit = self.limits.open_contacts.get(kind)
        if limit is not None and self.open(kind, contact.instance, now=now) >= limit:
            raise ServiceError(full, f"{limit} {kind} contacts are open in this instance, which is its quota.")
        self._by_id[contact.id] = contact
        self._open[kind, contact.instance] += 1
        self._schedule(contact)
        self._keep(contact, len(contact.body or b""))

    def find(self, instance: str, contact_id: str) -> Contact:
        """Return a contact of an instance, or raise `ResourceNotFoundException`."""
        contact = self._by_id.get(contact_id)
        if contact is None or contact.instance != instance:
            raise ServiceError("ResourceNotFoundException", "There is no contact with this ContactId.")
        return contact

    def require_instance(self, instance: str) -> None:
        """Raise `ResourceNotFoundException` for an instance that the account does not have."""
        if self.limits.instances is not None and instance not in self.limits.instances:
            raise ServiceError("ResourceNotFoundException", "Resource not found of Type: INSTANCE")

    def send(self, contact: Contact, request: Request, now: float) -> None:
        """Add the message to a draft: its flow begins."""
        contact.mailed, contact.mail = True, request.body
        self._keep(contact, len(request.body))
        self.run_flow(contact, now)

    def run_flow(self, contact: Contact, now: float) -> None:
        """Let the flow begin, and so end the contact where flows do."""
        if self.limits.ends_after is not None:
            self.end(contact, now + self.limits.ends_after, "CONTACT_FLOW_DISCONNECT")

    def end(self, contact: Contact, at: float, reason: str) -> None:
        """End a contact at a time, unless it ends sooner."""
        if at < contact.ends_at:
            contact.ends_at, contact.reason = at, reason
            self._schedule(contact)

    def open(self, kind: str, instance: str, *, now: float) -> int:
        """Count the contacts of a kind that are open in an instance."""
        self._close(now)
        return self._open[kind, instance]

    def _close(self, now: float) -> None:
        while self._ends and self._ends[0][0] <= now:
            contact = heapq.heappop(self._ends)[2]
            if contact.open:
                contact.open = False
                self._open[contact.channel.lower(), contact.instance] -= 1

    def _schedule(self, contact: Contact) -> None:
        self._serial += 1
        heapq.heappush(self._ends, (contact.ends_at, self._serial, contact))

    def _keep(self, contact: Contact, size: int) -> None:
        self._kept.append((contact, size))
        self._kept_bytes += size
        while self._kept_bytes > self.limits.keep_bytes and self._kept:
            oldest, size = self._kept.popleft()
            oldest.body = oldest.mail = None
            self._kept_bytes -= size
