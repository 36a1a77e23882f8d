"""Finds the operation of an HTTP request."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from bulk.sandbox.account import Account, Call
from bulk.sandbox.api import Operation
from bulk.sandbox.errors import ServiceError
from bulk.sandbox.signature import Signed

_ABSOLUTE = re.compile(r"https?://[^/?]*", re.IGNORECASE)  # RFC 9112, "absolute-form": proxies are asked so
_NO_MEMBERS: Mapping[str, Any] = MappingProxyType({})


class Routes:
    """The routes of an account's operations."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._fixed = {(one.method, one.uri): one for one in account.api.operations.values() if "{" not in one.uri}

    def has(self, method: str, path: str) -> bool:
        """Whether this is the route of an operation that has the same one for every call."""
        return (method, path) in self._fixed

    def call(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Call:
        """Return the call that a request is, or raise `UnknownOperationException`. Header names are in lower case."""
        path, _, query = (target if target[:1] == "/" else _ABSOLUTE.sub("", target)).partition("?")
        members = _NO_MEMBERS
        operation = self._fixed.get((method, path))
        if operation is None:
            operation, members = self._account.api.find(method, path)
        if query:
            members = {**members, **_read_query(operation, query)}
        signed = Signed(method, path, query, headers, body) if self._account.settings.secrets else None
        temporary = "x-amz-security-token" in headers
        return Call(operation, body, members, headers.get("authorization"), temporary=temporary, signed=signed)


def _read_query(operation: Operation, query: str) -> dict[str, Any]:
    try:
        return operation.read_query(query)
    except ValueError as trouble:
        raise ServiceError("SerializationException", f"The query cannot be read: {trouble}") from None
