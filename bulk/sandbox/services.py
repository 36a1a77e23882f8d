"""The other services beside Amazon Connect's contacts, each in its own protocol, at the sandbox's one address.

Which service is meant is what a request is signed for.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from bulk.sandbox import objects, policies
from bulk.sandbox.directory import Directory
from bulk.sandbox.errors import ServiceError
from bulk.sandbox.identity import account_of
from bulk.sandbox.inquiry import Asked
from bulk.sandbox.protocols import find, refused, told
from bulk.sandbox.quotas import Bucket
from bulk.sandbox.reads import Read
from bulk.sandbox.wire import Request, Signature, Told, signature

_RATES = {"ListIntegrationAssociations": (25.0, 50), "GetMessageTemplate": (10.0, 15)}
_KEY_TROUBLES = {
    "expired": ("ExpiredTokenException", "The security token included in the request is expired", 403),
    "unknown": ("UnrecognizedClientException", "The security token included in the request is invalid.", 403),
}


class Services:
    """The services of a declared account. `asked` counts their operations."""

    def __init__(self, accounts: Mapping[str, str]) -> None:
        self._accounts = accounts
        self.directory = Directory()
        self.asked: Counter[str] = Counter()
        self._buckets: dict[str, Bucket] = {}

    def declare(self, given: Mapping[str, Any]) -> None:
        """Declare the account anew. Raises `ValueError`."""
        self.directory = Directory(given)

    def account_of(self, key: str, *, temporary: bool) -> str:
        """Return the account of an access key."""
        return account_of(key, self._accounts, declared=self.directory.account, temporary=temporary)

    def ask(self, signed: Signature, parameters: Mapping[str, Any]) -> Asked:
        """Return what is asked under a signature; a key of which no account is known asks for `ACCOUNT`."""
        account = self.account_of(signed.key, temporary=True)
        return Asked(self.directory, parameters, signed.region, signed.key, account)

    def authorize(
        self, authorization: str | None, action: str, resources: list[str], context: Mapping[str, str]
    ) -> None:
        """Raise `ServiceError` where the key that a request is signed with may not do this, or is no good."""
        signed = signature(authorization)
        if signed is None:
            return
        key = self.directory.key(signed.key)
        if key["status"] in _KEY_TROUBLES:
            code, message, status = _KEY_TROUBLES[key["status"]]
            raise ServiceError(code, message, status=status)
        decision = policies.allows(key["policy"], action, resources, context)
        if decision != "allowed":
            raise policies.denial(self.ask(signed, {}).who, action, resources, decision)

    def answer(self, request: Request, rate: float | None, now: float) -> Told | None:
        """Answer a request to one of the services, or return None where it is none of theirs.

        `rate` is that of every operation, where one was given; else AWS's own hold.
        """
        signed = signature(request.header("Authorization"))
        if signed is None:
            return None
        if signed.service == "s3":
            self.asked["GetObject"] += 1
            return objects.answer(self.directory, request, self.authorize)
        found = find(signed.service, request)
        if found is None:
            return None
        name, read, parameters = found
        asked = self.ask(signed, parameters)
        self.asked[name] += 1
        try:
            self._take(name, rate, now)
            self._let_in(request, read, asked)
            return told(signed.service, name, read.answer(asked))
        except ServiceError as error:
            return refused(signed.service, error)

    def _take(self, name: str, rate: float | None, now: float) -> None:
        usual = _RATES.get(name, (2.0, 5))
        bucket = self._buckets.setdefault(name, Bucket(*usual, now))
        if rate is None and not bucket.take(now):
            raise ServiceError("ThrottlingException", "Rate exceeded", status=429)

    def _let_in(self, request: Request, read: Read, asked: Asked) -> None:
        action, authorization = read.action, request.header("Authorization")
        if action is None:
            key = self.directory.key(asked.key)
            if key["status"] in _KEY_TROUBLES:
                code, message, status = _KEY_TROUBLES[key["status"]]
                raise ServiceError(code.removesuffix("Exception"), message, status=status)
            return
        self.authorize(authorization, action, read.resources(asked), {})
