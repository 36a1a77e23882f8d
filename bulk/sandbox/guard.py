"""Who may send requests: programs on this machine, and no web page.

A page of another origin can send requests to a port of the loopback interface, and with a name of its own that resolves
to 127.0.0.1 (DNS rebinding) it can read the answers. Such requests carry that name in `Host`, or the page's `Origin`,
and neither can be forged by a page. So both must be the sandbox's own. What changes something must be declared as JSON,
which no form of a page can send unasked (WHATWG, Fetch: CORS-safelisted request-header).
"""

import hmac
from collections.abc import Collection, Iterable, Mapping
from urllib.parse import parse_qs

_OWN = ("127.0.0.1", "localhost", "[::1]")
_FORMS = frozenset({"text/plain", "application/x-www-form-urlencoded", "multipart/form-data"})


class Denied(Exception):
    """A request that is not let in; `status` is HTTP's."""

    def __init__(self, message: str, status: int = 403) -> None:
        super().__init__(message)
        self.status = status


class Guard:
    """Lets requests in. `hosts` are further names, with a port or for any; a `token` is wanted by the control API."""

    def __init__(self, port: int, *, hosts: Collection[str] = (), token: str | None = None) -> None:
        self._hosts = {f"{name}:{port}" for name in _OWN} | ({*_OWN} if port == 80 else set())
        self._others = {name.lower() for name in hosts}
        self._token = token

    def check(self, hosts: Iterable[str], origins: Iterable[str]) -> None:
        """Raise `Denied` for a foreign `Host` or `Origin`."""
        for host in hosts:
            if not self._knows(host.lower()):
                raise Denied(f"Host {host[:100]!r} is not this sandbox's; --allow-host lets it in")
        for origin in origins:
            scheme, _, host = origin.lower().partition("://")
            if scheme not in {"http", "https"} or not self._knows(host):
                raise Denied(f"Origin {origin[:100]!r} is not this sandbox's own; no other page may ask it")

    def check_control(self, headers: Mapping[str, str], query: str, body: bytes) -> None:
        """Raise `Denied` for a control request without the token, or with a body that is not declared as JSON."""
        if self._token is not None and not hmac.compare_digest(_token(headers, query).encode(), self._token.encode()):
            raise Denied("this sandbox belongs to one run: its control API wants the token of that run", 401)
        kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if (body and kind != "application/json") or kind in _FORMS:
            raise Denied("the control API wants Content-Type: application/json", 415)

    def _knows(self, host: str) -> bool:
        return host in self._hosts or host in self._others or _name(host) in self._others


def _name(host: str) -> str:
    """Return a host without its port."""
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() else host


def _token(headers: Mapping[str, str], query: str) -> str:
    """Return the token of a request: `Authorization: Bearer …`, or `?token=…`, which a link can carry."""
    scheme, _, given = headers.get("Authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else parse_qs(query).get("token", [""])[-1]
