"""`/_sandbox/…`: inspect and control the sandbox. Needs no signature; answers JSON.

| Request | Does |
|---|---|
| `GET /_sandbox/contacts` | what was accepted, oldest first; `?state=open`, `?destination=…`, the newest `?limit=N` |
| `GET /_sandbox/messages` | what people would have received, newest first: a page of it; `?q=…&kind=…&state=…` |
| `GET /_sandbox/messages/N` | one of them, whole |
| `GET /_sandbox/status` | counts, quotas and refusals at the moment |
| `GET /_sandbox/events` | the same, whenever it changes, as server-sent events |
| `GET /_sandbox/calls` | counts by operation, and when each call was received (Unix seconds) |
| `GET`, `PUT`, `DELETE /_sandbox/faults` | the faults declared; a PUT replaces them, a DELETE clears them |
| `GET`, `PUT /_sandbox/quotas` | rates, bursts and limits; a PUT changes what it names |
| `GET`, `PUT /_sandbox/account` | the account declared; a PUT replaces it |
| `GET`, `POST /_sandbox/clock` | the time there; with `--virtual-time`, a POST moves it ahead |
| `POST /_sandbox/reset` | forgets contacts, tokens and calls; quotas and faults stay, and start over |
"""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from bulk.sandbox.account import Account
from bulk.sandbox.clock import VirtualClock, said
from bulk.sandbox.contact import Contact
from bulk.sandbox.listing import STATES, Listing, Query
from bulk.sandbox.live import status


class Wrong(Exception):
    """A control request that cannot be met; `status` is HTTP's."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class Control:
    """The requests under `/_sandbox`."""

    def __init__(self, account: Account, clock: Callable[[], float]) -> None:
        self._account = account
        self._clock = clock
        self.listing = Listing(account.contacts, account.settings.templates)
        self._routes: Mapping[str, Mapping[str, Callable[[str, bytes], Any]]] = {
            "/contacts": {"GET": lambda query, _: {"contacts": self._contacts(query)}},
            "/status": {"GET": lambda *_: status(self._account, self._clock())},
            "/calls": {"GET": lambda *_: calls(self._account)},
            "/faults": {
                "GET": lambda *_: self._faults(),
                "PUT": self._put_faults,
                "DELETE": self._clear_faults,
            },
            "/quotas": {"GET": lambda *_: self._account.quotas(), "PUT": self._put_quotas},
            "/account": {"GET": lambda *_: self._declared(), "PUT": self._declare},
            "/clock": {"GET": lambda *_: said(self._clock), "POST": self._move},
            "/reset": {"POST": self._reset},
        }

    def answer(self, method: str, path: str, *, query: str, body: bytes) -> Any:
        """Do what is asked and give the answer's JSON value, or raise `Wrong`."""
        if path not in self._routes:
            known = (*self._routes, "/messages", "/events")
            raise Wrong(f"there are {', '.join(f'/_sandbox{one}' for one in known)}", 404)
        methods = self._routes[path]
        if method not in methods:
            raise Wrong(f"/_sandbox{path} takes {', '.join(methods)}", 405)
        return methods[method](query, body)

    async def look(self, path: str, query: str) -> Any:
        """Return a page of the messages, or one of them, or raise `Wrong`."""
        number = path.removeprefix("/messages").removeprefix("/")
        if not number:
            return await self.listing.page(self._query(query), self._clock())
        found = self.listing.detail(_number(number), self._clock())
        if found is None:
            raise Wrong(f"/_sandbox{path}: there is no contact {number}", 404)
        return found

    def _query(self, text: str) -> Query:
        try:
            return Query.read(text)
        except ValueError as trouble:
            raise Wrong(str(trouble)) from None

    def _contacts(self, query: str) -> list[dict[str, Any]]:
        asked = {name: values[-1] for name, values in parse_qs(query).items() if name != "token"}
        if unknown := set(asked) - {"state", "destination", "limit"}:
            raise Wrong(f"{min(unknown)}: there are state, destination and limit")
        if "state" in asked and asked["state"] not in STATES:
            raise Wrong(f"state: there are {', '.join(STATES)}")
        limit = asked.pop("limit", None)
        if limit is not None and not (limit.isascii() and limit.isdecimal() and len(limit) < 20):
            raise Wrong(f"limit: must be a whole number, is {limit!r}")
        newest = None if limit is None else int(limit)
        return contacts(self._account, self._clock(), wanted=asked, newest=newest)

    def _faults(self) -> Any:
        return self._account.settings.faults.given

    def _put_faults(self, _: str, body: bytes) -> Any:
        self._try(self._account.set_faults, body)
        return self._faults()

    def _clear_faults(self, *_: Any) -> Any:
        self._account.set_faults({}, self._clock())
        return self._faults()

    def _put_quotas(self, _: str, body: bytes) -> Any:
        self._try(self._account.set_quotas, body)
        return self._account.quotas()

    def _declared(self) -> Any:
        return self._account.services.directory.given

    def _declare(self, _: str, body: bytes) -> Any:
        self._try(lambda given, _now: self._account.services.declare(given), body)
        return self._declared()

    def _move(self, _: str, body: bytes) -> Any:
        clock = self._clock
        if not isinstance(clock, VirtualClock):
            raise Wrong("the clock of this sandbox cannot be moved: start it with --virtual-time", 409)
        self._try(lambda given, _now: clock.move(given), body)
        return said(clock)

    def _reset(self, *_: Any) -> Any:
        self._account.reset(self._clock())
        return {}

    def _try(self, change: Callable[[Mapping[str, Any], float], None], body: bytes) -> None:
        try:
            given = json.loads(body)
        except (ValueError, RecursionError) as trouble:
            raise Wrong(f"the body is not JSON: {trouble}") from None
        if not isinstance(given, dict):
            raise Wrong("the body must be a JSON object")
        try:
            change(given, self._clock())
        except (ValueError, OverflowError) as trouble:
            raise Wrong(str(trouble)) from None


def _number(text: str) -> int:
    """Read the number of a contact; 0, which none has, for what is no number."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def contacts(
    account: Account, now: float, *, wanted: Mapping[str, str] | None = None, newest: int | None = None
) -> list[dict[str, Any]]:
    """Return the accepted contacts as plain data, oldest first: the newest of those that are as `wanted`."""
    state, destination = (wanted or {}).get("state"), (wanted or {}).get("destination")
    found = [
        contact
        for contact in account.contacts
        if (state is None or contact.state(now) == state)
        and (destination is None or contact.destination == destination)
    ]
    start = 0 if newest is None else max(0, len(found) - newest)
    return [shown(account, contact, now) for contact in found[start:]]


def shown(account: Account, contact: Contact, now: float) -> dict[str, Any]:
    """Return a contact as plain data; `Rendered` is what its template made, None where it has none."""
    templates = account.settings.templates
    return contact.as_dict(now) | {"Rendered": None if templates is None else templates.received(contact)}


def calls(account: Account) -> dict[str, Any]:
    """Return the counts of calls by operation."""
    return {name: count.as_dict() for name, count in account.calls.items()}
