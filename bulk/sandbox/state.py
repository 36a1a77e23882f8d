"""The state of the pretend Amazon Connect: contacts, tokens, and counts of open contacts.

A function of *now* (Unix seconds, never running backwards) and of what is in the storage. A contact ends when it is
stopped, when its duration is over, or `ends_after` seconds after its message, as with a flow that disconnects.

A `ClientToken` belongs to an operation and an instance, and so to an account and a Region, and is remembered for seven
days, which is what "StartOutboundChatContact" promises; what the email operations promise is not documented, so they
do the same.
"""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bulk.sandbox.contact import Contact, Request
from bulk.sandbox.errors import ServiceError
from bulk.sandbox.storage import Storage

TOKEN_LIFE = 7 * 24 * 3600.0

_HOUR = 3600.0
LIVES: Mapping[str, float] = {"chat": 25 * _HOUR, "email": 14 * 24 * _HOUR, "task": 7 * 24 * _HOUR, "voice": 25 * _HOUR}
"""How long a contact stays open by default (seconds): "StartOutboundChatContact", "Amazon Connect service quotas"."""


@dataclass(slots=True)
class Limits:
    """Settings of the pretend account that can change at run time.

    `open_contacts`: how many contacts may be open at once, by `chat`, `email`, `task`, `voice`, per instance.
    `ends_after`: seconds after which a flow ends every contact. `instances`: the ones there are; None = any.
    `search_delay`: seconds until SearchContacts finds a new contact. `expires_after`: seconds for which a contact stays
    open where nothing else ends it, by the same kinds, instead of `LIVES`. `answers`: the part of the people who answer
    a chat, from 0 to 1: who answers one, answers all.
    """

    open_contacts: Mapping[str, int] = field(default_factory=dict)
    ends_after: float | None = None
    instances: Collection[str] | None = None
    search_delay: float = 0.0
    expires_after: Mapping[str, float] = field(default_factory=dict)
    answers: float = 0.0

    def __post_init__(self) -> None:
        _require_by_kind("open_contacts", self.open_contacts)
        for kind, limit in self.open_contacts.items():
            if type(limit) is not int or limit < 0:
                raise ValueError(f"open_contacts.{kind}: must be a whole number, 0 or more, is {limit!r}")
        _require_by_kind("expires_after", self.expires_after)
        for kind, seconds in self.expires_after.items():
            _require_seconds(f"expires_after.{kind}", seconds)
        if self.ends_after is not None:
            _require_seconds("ends_after", self.ends_after)
        _require_seconds("search_delay", self.search_delay)
        _require_instances(self.instances)
        if type(self.answers) not in {int, float} or not 0 <= self.answers <= 1:
            raise ValueError(f"answers: must be a part of the whole, from 0 to 1, is {self.answers!r}")

    def answered(self, destination: str | None) -> bool:
        """Whether this person answers."""
        drawn = hashlib.blake2b((destination or "").encode(errors="surrogatepass"), digest_size=4).digest()
        return int.from_bytes(drawn) < self.answers * 2**32

    def life(self, kind: str) -> float:
        """Return how long a contact stays open where neither its request nor its flow says so (seconds)."""
        return self.expires_after.get(kind, LIVES[kind])


def _require_by_kind(name: str, given: Any) -> None:
    if not isinstance(given, Mapping):
        raise ValueError(f"{name}: must be an object of numbers, is {given!r}")  # noqa: TRY004 - a setting
    for kind in given:
        if kind not in LIVES:
            raise ValueError(f"{name}.{kind}: there are {', '.join(LIVES)}")


def _require_seconds(name: str, value: Any) -> None:
    if not (type(value) in {int, float} and 0 <= value < math.inf):
        raise ValueError(f"{name}: must be seconds, 0 or more, is {value!r}")


def _require_instances(given: Any) -> None:
    fits = given is None or (isinstance(given, Collection) and not isinstance(given, str | Mapping))
    if not fits or not all(isinstance(one, str) for one in given or ()):
        raise ValueError(f"instances: must be a list of instance ids, or null for any, is {given!r}")


class Contacts:
    """All contacts of the account. A contact that is changed is written at once."""

    def __init__(self, limits: Limits, storage: Storage | None = None) -> None:
        self.limits = limits
        self.storage = Storage() if storage is None else storage
        self._open = Counter[tuple[str, str]]()
        self._next_end = math.inf
        self.count_open()

    def __iter__(self) -> Iterator[Contact]:
        return iter(self.storage)

    def __len__(self) -> int:
        return len(self.storage)

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Do all of the block, or, where it raises, nothing of it; what is done outlives the process from `keep` on."""
        self.storage.begin()
        try:
            yield
        except BaseException:
            self.storage.roll_back()
            raise
        self.storage.end()

    def keep(self) -> None:
        """Keep what was done, if it is to outlive the process."""
        self.storage.commit()

    def clear(self) -> None:
        """Forget everything."""
        with self.whole():
            self.storage.clear()
        self.keep()
        self.count_open()

    def recall(self, request: Request, *, conflict: str, now: float) -> Contact | None:
        """Return the contact that this token was accepted for; raise `conflict` where the parameters differ."""
        if request.token is None:
            return None
        contact = self.storage.find_by_token(request.token_digest, now - TOKEN_LIFE)
        if contact is None:
            return None
        asked = contact.body if contact.operation == request.operation else contact.mail
        if _without_token(json.loads(asked or b"{}")) != _without_token(request.parameters):
            raise ServiceError(conflict, "This ClientToken was used before with other parameters.")
        return contact

    def remember(self, request: Request, contact: Contact, now: float) -> None:
        """Bind the request's token to the contact."""
        if request.token is not None:
            self.storage.bind(request.token_digest, contact, now)

    def admit(self, contact: Contact, *, full: str, now: float) -> None:
        """Take in a new contact, or raise `full` where too many of its kind are open."""
        kind, place = contact.channel.lower(), contact.place
        limit = self.limits.open_contacts.get(kind)
        if self.open(kind, place, now=now) >= (math.inf if limit is None else limit):
            raise ServiceError(full, f"{limit} {kind} contacts are open in this instance, which is its quota.")
        self.storage.add(contact)
        self._open[kind, place] += 1
        self._next_end = min(self._next_end, contact.ends_at)

    def find(self, place: str, contact_id: str) -> Contact:
        """Return a contact of a place, or raise `ResourceNotFoundException`."""
        contact = self.storage.find(contact_id)
        if contact is None or contact.place != place:
            raise ServiceError("ResourceNotFoundException", "There is no contact with this ContactId.")
        return contact

    def require_instance(self, instance: str) -> None:
        """Raise `ResourceNotFoundException` for an instance that the account does not have."""
        if self.limits.instances is not None and instance not in self.limits.instances:
            raise ServiceError("ResourceNotFoundException", "Resource not found of Type: INSTANCE")

    def send(self, contact: Contact, request: Request, now: float) -> None:
        """Add the message to a draft: its flow begins."""
        contact.mailed, contact.mail = True, request.body
        self.storage.save(contact)
        self.run_flow(contact, now)

    def run_flow(self, contact: Contact, now: float) -> None:
        """Let the flow begin, and so end the contact where flows do."""
        if self.limits.ends_after is not None:
            self.end(contact, now + self.limits.ends_after, "CONTACT_FLOW_DISCONNECT")

    def end(self, contact: Contact, at: float, reason: str) -> None:
        """End a contact at a time, unless it ends sooner."""
        if at < contact.ends_at:
            contact.ends_at, contact.reason = at, reason
            self.storage.save(contact)
            self._next_end = min(self._next_end, at)

    def open(self, kind: str, place: str, *, now: float) -> int:
        """Count the contacts of a kind that are open in an instance of an account and Region."""
        self.close(now)
        return self._open[kind, place]

    def fullest(self, now: float) -> dict[str, int]:
        """Return how many contacts of each kind are open in the instance that has most of them."""
        self.close(now)
        return {
            kind: max((count for (one, _), count in self._open.items() if one == kind), default=0) for kind in LIVES
        }

    def close(self, now: float) -> None:
        if now >= self._next_end:
            for channel, place, count in self.storage.close_until(now):
                self._open[channel.lower(), place] -= count
            self._next_end = self.storage.next_end()

    def count_open(self) -> None:
        """Read from the storage how many contacts are open."""
        counts = {(channel.lower(), place): count for channel, place, count in self.storage.count_open()}
        self._open = Counter(counts)
        self._next_end = self.storage.next_end()


def _without_token(parameters: Mapping[str, Any]) -> str:
    """Write the parameters without their token, whatever their order."""
    rest = {name: value for name, value in parameters.items() if name != "ClientToken"}
    return json.dumps(rest, sort_keys=True, separators=(",", ":"))
