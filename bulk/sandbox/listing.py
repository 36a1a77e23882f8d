"""The list of accepted contacts for a person: in pages, newest first, searched and filtered.

Contacts are looked at in steps of a few thousand, and others are served between two steps. A request looks for a
while at most and then says where the next one goes on, so that a hundred thousand contacts keep nobody waiting.
"""

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from bulk.sandbox.contact import Contact
from bulk.sandbox.letter_case import folded
from bulk.sandbox.messages import Received, receive
from bulk.sandbox.state import Contacts
from bulk.sandbox.templates import Templates

STEP, LONGEST = 4000, 0.25  # contacts looked at without a pause; seconds for one request
MOST = 200  # contacts of one page

_KINDS: Mapping[str, str] = {
    "sms": "channel = 'CHAT' AND CAST(body AS TEXT) LIKE '%connect:SMS%'",
    "whatsapp": "channel = 'CHAT' AND CAST(body AS TEXT) LIKE '%connect:WhatsApp%'",
    "email": "channel = 'EMAIL' AND method != 'INBOUND'",
    "inbound-email": "channel = 'EMAIL' AND method = 'INBOUND'",
}
STATES = {"open": "ends_at > :now", "ended": "ends_at <= :now"}
_HOLDS = """
CASE WHEN instr({0}, x'5c75') OR length(CAST({0} AS TEXT)) < length({0}) THEN holds({0}, :folded)
ELSE CAST({0} AS TEXT) LIKE :text ESCAPE '!' END
"""  # LIKE knows the case of ASCII's letters alone: what has others, escaped or not, is compared by Python
_SEARCH = f"(id = :whole OR destination LIKE :text ESCAPE '!' OR {_HOLDS.format('body')} OR {_HOLDS.format('mail')})"


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for: contacts before `before`, after `after`, of a kind, in a state, with a text anywhere."""

    before: int | None = None
    after: int = 0
    limit: int = 50
    kind: str = ""
    state: str = ""
    q: str = ""

    @classmethod
    def read(cls, text: str) -> "Query":
        """Read the query of a URL. Raises `ValueError` that names the key."""
        given: dict[str, Any] = {name: value for name, value in parse_qsl(text) if name != "token"}
        if unknown := set(given) - set(cls.__slots__):
            raise ValueError(f"{min(unknown)}: there are {', '.join(cls.__slots__)}")
        for name in {"before", "after", "limit"} & set(given):
            if not (given[name].isascii() and given[name].isdecimal() and len(given[name]) < 19):
                raise ValueError(f"{name}: must be a whole number, is {given[name]!r}")
            given[name] = int(given[name])
        for name, known in (("kind", _KINDS), ("state", STATES)):
            if given.get(name, "") not in {"", *known}:
                raise ValueError(f"{name}: there are {', '.join(known)}")
        return cls(**given)

    @property
    def condition(self) -> str:
        """The condition in SQL, with `:now` and the values of `values`."""
        parts = [_KINDS.get(self.kind, ""), STATES.get(self.state, ""), _SEARCH if self.q else ""]
        return " AND ".join(part for part in parts if part) or "1"

    def values(self, now: float) -> dict[str, Any]:
        written = json.dumps(self.q, ensure_ascii=False)[1:-1]
        return {"now": now, "whole": _known(self.q), "text": _like(written), "folded": folded(_known(written))}


def _like(text: str) -> str:
    for sign in "!%_":
        text = text.replace(sign, f"!{sign}")
    return f"%{_known(text)}%"


def _known(text: str) -> str:
    """Write half a character, which no text on disk can have, as a question mark."""
    return text.encode(errors="replace").decode()


class Listing:
    """The contacts of an account, to be looked through."""

    def __init__(self, contacts: Contacts, templates: Templates | None = None) -> None:
        self._contacts = contacts
        self._templates = templates
        self._secret = secrets.token_bytes(32)

    async def page(self, query: Query, now: float) -> dict[str, Any]:
        """Return a page: the `Messages` found, and `Next`, before which to go on; None where there is no more."""
        storage, values, limit = self._contacts.storage, query.values(now), max(1, min(query.limit, MOST))
        before = storage.last + 1 if query.before is None else min(query.before, storage.last + 1)
        found: list[Contact] = []
        until = time.monotonic() + LONGEST
        while before > query.after + 1 and len(found) < limit and time.monotonic() < until:
            low = max(query.after, before - 1 - STEP)
            some = storage.newest(query.condition, values, low=low, before=before, limit=limit - len(found))
            found += some
            before = some[-1].seq if len(found) == limit else low + 1
            await asyncio.sleep(0)
        rows = [self._row(contact, now) for contact in found]
        return {"Messages": rows, "Next": before if before > query.after + 1 else None, "Last": storage.last}

    def detail(self, seq: int, now: float) -> dict[str, Any] | None:
        """Return all of one contact; None where there is none of that number."""
        contact = self._contacts.storage.at(seq)
        if contact is None:
            return None
        shown = contact.as_dict(now)
        received = self._received(contact, shown)
        frame = f"/_sandbox/messages/{seq}/html?key={self.key(contact)}" if received.html is not None else None
        return shown | {"Seq": seq, "Received": received.as_dict(), "HtmlUrl": frame}

    def html(self, seq: int, key: str) -> str | None:
        """Return the HTML of a mail to who has the key that `detail` gave; None to others and where there is none."""
        contact = self._contacts.storage.at(seq)
        if contact is None or not hmac.compare_digest(key.encode(errors="replace"), self.key(contact).encode()):
            return None
        return self._received(contact).html

    def key(self, contact: Contact) -> str:
        """Return what opens one mail and nothing else: an address in a frame cannot carry a header."""
        return hmac.new(self._secret, contact.id.encode(), hashlib.sha256).hexdigest()

    def _row(self, contact: Contact, now: float) -> dict[str, Any]:
        received = self._received(contact)
        return {
            "Seq": contact.seq,
            "Kind": received.kind,
            "Destination": contact.destination,
            "State": contact.state(now),
            "StartedAt": contact.started_at,
            "Preview": received.preview,
        }

    def _received(self, contact: Contact, shown: dict[str, Any] | None = None) -> Received:
        """Return what the person of a contact got, by its template where it has one."""
        shown = shown or contact.as_dict(contact.started_at)
        made = None if self._templates is None else self._templates.received(contact)
        return receive(contact, shown["Parameters"], shown["Message"], made)
