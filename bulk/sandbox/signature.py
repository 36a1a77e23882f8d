"""Verifies the signature of a request: Signature Version 4, its date, and its content.

Source: IAM User Guide, "Create a signed AWS API request". The path of a request is encoded once more before it is
signed, as for every service but S3. A signature is good for five minutes; AWS's codes and sentences are kept.
"""

import hashlib
import hmac
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, unquote

from bulk.sandbox.errors import ServiceError
from bulk.sandbox.identity import Scope

SECRETS = ("sandbox", "test", "testing", "dummy", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
"""The secrets that are taken where none is set: those that documentation and tests give to keys that are none."""

_FORM = re.compile(r"AWS4-HMAC-SHA256 +Credential=\S+?, *SignedHeaders=([^,\s]+), *Signature=([0-9a-f]{64})")
_GOOD_FOR = 300.0
_STAMP = "%Y%m%dT%H%M%SZ"
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)


@dataclass(frozen=True, slots=True)
class Signed:
    """What of a request is signed: header names in lower case, several values of one joined by commas."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


def verify(request: Signed, scope: Scope, secrets: Collection[str], now: float) -> None:
    """Raise AWS's error where the signature is not by one of the secrets, not of now, or not of this content."""
    form = _FORM.fullmatch(request.headers.get("authorization", "").strip())
    if form is None:
        raise ServiceError("IncompleteSignatureException", "Authorization header requires SignedHeaders and Signature.")
    names = form[1].split(";")
    if "host" not in names or not {"x-amz-date", "date"} & set(names):
        raise ServiceError("InvalidSignatureException", "'Host' and 'X-Amz-Date' must be signed headers.")
    stamp = _check_date(request.headers, scope, now)
    digest = hashlib.sha256(request.body).hexdigest()
    if request.headers.get("x-amz-content-sha256", digest) != digest:
        raise ServiceError("InvalidSignatureException", _MISMATCH)
    text = _string_to_sign(_canonical(request, names, digest), scope, stamp)
    if not any(hmac.compare_digest(_sign(secret, scope, text), form[2]) for secret in secrets):
        raise ServiceError("InvalidSignatureException", _MISMATCH)


def _check_date(headers: Mapping[str, str], scope: Scope, now: float) -> str:
    stamp = headers.get("x-amz-date", "")
    try:
        at = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise ServiceError("IncompleteSignatureException", "Authorization header requires X-Amz-Date.") from None
    if stamp[:8] != scope.day:
        why = f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: {stamp}"
        raise ServiceError("InvalidSignatureException", why)
    if at < now - _GOOD_FOR:
        why = f"Signature expired: {stamp} is now earlier than {_written(now - _GOOD_FOR)} ({_written(now)} - 5 min.)"
        raise ServiceError("InvalidSignatureException", why)
    if at > now + _GOOD_FOR:
        why = f"Signature not yet current: {stamp} is still later than {_written(now + _GOOD_FOR)}"
        raise ServiceError("InvalidSignatureException", f"{why} ({_written(now)} + 5 min.)")
    return stamp


def _written(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime(_STAMP)


def _canonical(request: Signed, names: list[str], digest: str) -> str:
    headers = "".join(f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in names)
    query = _canonical_query(request.query)
    return "\n".join((request.method, quote(request.path, safe="/~"), query, headers, ";".join(names), digest))


def _canonical_query(query: str) -> str:
    pairs = (part.partition("=")[::2] for part in query.split("&") if part)
    encoded = sorted((quote(unquote(name), safe="~"), quote(unquote(value), safe="~")) for name, value in pairs)
    return "&".join(f"{name}={value}" for name, value in encoded)


def _string_to_sign(canonical: str, scope: Scope, stamp: str) -> str:
    place = f"{scope.day}/{scope.region}/{scope.service}/aws4_request"
    hashed = hashlib.sha256(canonical.encode("utf-8", "surrogateescape")).hexdigest()
    return f"AWS4-HMAC-SHA256\n{stamp}\n{place}\n{hashed}"


def _sign(secret: str, scope: Scope, text: str) -> str:
    key = f"AWS4{secret}".encode()
    for part in (scope.day, scope.region, scope.service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
