"""The account and the Region of a call, as its signature names them.

A signature's scope holds an access key, a Region and a service ("Signing AWS API requests"). Accounts and Regions have
nothing in common: neither contacts nor tokens nor quotas. An access key means an account as follows, in this order:

1. the account that the sandbox was told (`accounts`; `*` is every other key);
2. a key that is itself twelve digits: that account;
3. the account that was declared (`account` of an account file), which all other keys are of;
4. a key that AWS made (`AKIA…`, `ASIA…` and 16 letters or digits) carries its account inside;
5. a temporary key (one that comes with a session token) of none of these kinds: `ACCOUNT`, because such keys change
   while the account stays;
6. any other: an account of its own, made from the key.
"""

import base64
import functools
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from bulk.sandbox.contact import ACCOUNT
from bulk.sandbox.errors import ServiceError

_CREDENTIAL = re.compile(r"(AWS4-\S+) +Credential=([^/\s,]+)/([0-9]{8})/([^/\s,]+)/([^/\s,]+)/aws4_request\b")
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}")
_NUMBER = re.compile(r"[0-9]{12}")
_MADE_BY_AWS = re.compile(r"A[KS]IA[A-Z2-7]{16}")
_CALLED = {"wisdom": "qconnect"}


@dataclass(frozen=True, slots=True)
class Scope:
    """What an `Authorization` header says: who signed, on which day, for which Region and service."""

    algorithm: str
    key: str
    day: str
    region: str
    service: str


def read_scope(authorization: str | None, service: str) -> Scope:
    """Read the scope of a request's signature, or raise where it is not signed, or for another service."""
    if not authorization:
        raise ServiceError("MissingAuthenticationTokenException", "Missing Authentication Token")
    scope = _read(authorization.partition("SignedHeaders")[0])
    if scope is None:
        raise ServiceError("IncompleteSignatureException", "The Authorization header is not a Signature Version 4.")
    if service not in {scope.service, _CALLED.get(scope.service)}:
        raise ServiceError("InvalidSignatureException", f"Credential should be scoped to correct service: '{service}'.")
    if not _REGION.fullmatch(scope.region):
        raise ServiceError("InvalidSignatureException", "Credential should be scoped to a valid region.")
    return scope


@functools.lru_cache(256)
def _read(credential: str) -> Scope | None:
    found = _CREDENTIAL.match(credential)
    return None if found is None else Scope(*found.groups())


def account_of(key: str, named: Mapping[str, str], *, declared: str | None = None, temporary: bool = False) -> str:
    """Return the account of an access key."""
    if key in named or "*" in named:
        return named.get(key) or named["*"]
    if _NUMBER.fullmatch(key):
        return key
    if declared is not None:
        return declared
    if _MADE_BY_AWS.fullmatch(key):
        bits = int.from_bytes(base64.b32decode(key[4:])[:6])
        return f"{(bits & 0x7FFFFFFFFF80) >> 7:012}"  # "A short note on AWS KEY ID", T. Be'ery
    return ACCOUNT if temporary else _made_from(key)


@functools.lru_cache(1024)
def _made_from(key: str) -> str:
    drawn = int.from_bytes(hashlib.blake2b(key.encode(errors="surrogatepass"), digest_size=8).digest())
    return f"{drawn % 10**12:012}"


def is_account(number: object) -> bool:
    """Whether it is the number of an account."""
    return isinstance(number, str) and _NUMBER.fullmatch(number) is not None


def check_accounts(named: Mapping[str, str]) -> dict[str, str]:
    """Return the accounts of access keys, or raise `ValueError` where one is none."""
    for key, number in named.items():
        if not is_account(number):
            raise ValueError(f"accounts.{key}: an account is 12 digits, {number!r} is not")
    return dict(named)
