"""A request to one of the services as it came over HTTP, and its answer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_SIGNED = re.compile(r"AWS4-\S+ +Credential=([^/\s]+)/[0-9]{8}/([^/\s]+)/([^/\s]+)/aws4_request\b")


@dataclass(frozen=True, slots=True)
class Signature:
    """Whom a request says it is from, and for which Region and service."""

    key: str
    region: str
    service: str


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request to any of the services."""

    method: str
    path: str
    query: str = ""
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def header(self, name: str) -> str | None:
        """Return a header, whether or not the names of the headers are in lower case."""
        return self.headers.get(name) or self.headers.get(name.lower())


@dataclass(frozen=True, slots=True)
class Told:
    """What is answered: status, body, what that is, and the error's code where it is one."""

    status: int
    body: bytes
    kind: str = "application/json"
    code: str | None = None


def signature(authorization: str | None) -> Signature | None:
    """Read whom a request is signed by and for; None where it is not signed."""
    found = _SIGNED.match(authorization or "")
    return Signature(*found.groups()) if found else None
