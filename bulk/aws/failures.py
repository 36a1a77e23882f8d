"""The SDK's errors for a call, translated: what happened, whose error it is, and what helps.

Whether the request left is not read from the exception: the connection knows (`http_session.watch_sent`).
"""

import math
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ssl import SSLCertVerificationError

from botocore import exceptions as sdk
from botocore.parsers import ResponseParserError

from bulk.errors import BulkError, CallFailed, Halted, SetupError
from bulk.text.plain import plain

# What the SDK raises where no answer came, and the code we give it. "Boto3 documentation: Error handling"; the order is
# from the particular to the general.
LINE_FAILURES: tuple[tuple[type[Exception], str], ...] = (
    (sdk.ConnectTimeoutError, "ConnectTimeout"),
    (sdk.ReadTimeoutError, "ReadTimeout"),
    (sdk.ProxyConnectionError, "ProxyConnectionError"),
    (sdk.SSLError, "SSLError"),
    (sdk.EndpointConnectionError, "EndpointConnectionError"),
    (sdk.ConnectionClosedError, "ConnectionClosed"),
    (sdk.ConnectionError, "ConnectionError"),
    (sdk.ResponseStreamingError, "ResponseStreamingError"),
    (sdk.HTTPClientError, "HTTPClientError"),
)

SDK = (sdk.ClientError, sdk.BotoCoreError)  # what the SDK raises on purpose

# What the SDK's parser trips over where the answer is none of Amazon Connect's (not JSON's letters, or no object), and
# its serializer where a parameter is none of the operation's.
UNREADABLE: tuple[type[Exception], ...] = (ResponseParserError, AttributeError, KeyError, TypeError, ValueError)

ELSEWHERE = "Check the endpoint (--endpoint-url, AWS_ENDPOINT_URL), and the proxy where there is one"
BUNDLE = (
    "Is that the right endpoint, or proxy? Where a proxy of yours signs with its own CA, name that CA's certificates "
    "with --ca-bundle FILE"
)
LONGEST_WORDS = 500  # characters of a message of somebody else's
LONGEST_WAIT = 60.0  # seconds that a `Retry-After` is followed for at most

# The answers that say that the clock of this machine, or the service's, is wrong.
SKEWED = frozenset({"RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"})
SIGNED = frozenset({"InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure"})
SKEW_WORDS = ("signature expired", "not yet current", "time too skewed", "request has expired", "clock")

LOG_IN = "Log in again or renew the credentials, then run it again"
REMEDIES = {
    "ExpiredToken": LOG_IN,
    "ExpiredTokenException": LOG_IN,
    "InvalidToken": LOG_IN,
    "UnrecognizedClientException": f"Are the keys of this account, and still valid? {LOG_IN}",
    "InvalidClientTokenId": f"Are the keys of this account, and still valid? {LOG_IN}",
    "InvalidSignatureException": "Is the secret key whole, and of that key id?",
    "SignatureDoesNotMatch": "Is the secret key whole, and of that key id?",
}


def failure(doing: str, error: Exception, *, left: bool = True) -> BulkError:
    """Return what an exception of the SDK means for the operation `doing`, whose request `left` or did not."""
    if isinstance(error, BulkError):
        return error
    if isinstance(error, sdk.ClientError):
        return _answered(doing, error)
    if is_untrusted(error):
        return SetupError(f"{doing}: {untrusted(error)}")
    code = next((code for kind, code in LINE_FAILURES if isinstance(error, kind)), None)
    if code is not None:
        return _unanswered(doing, code, error, left=left)
    return _unread(doing, error) if left else _unsent(doing, error)


def _unread(doing: str, error: Exception) -> CallFailed:
    """Return what it means that the SDK tripped over an answer: it may have been an acceptance."""
    if isinstance(error, UNREADABLE):
        return CallFailed(doing, "UnreadableAnswer", f"not an answer of Amazon Connect: {error}", foreign=True)
    return CallFailed(doing, type(error).__name__, str(error))


def _unsent(doing: str, error: Exception) -> BulkError:
    """Return what it means that the SDK tripped before anything left: over this row's parameters, or in signing."""
    if isinstance(error, (sdk.ParamValidationError, *UNREADABLE)):
        message = f"the request cannot be written: {type(error).__name__}"
        return CallFailed(doing, "SerializationException", message, went_out=False)
    return Halted(f"{doing}: the request cannot be made: {error}")


def is_untrusted(error: BaseException) -> bool:
    """Whether a connection failed for the certificate of the other side."""
    return isinstance(error, (sdk.ConnectionError, sdk.HTTPClientError)) and _certificate_error(error) is not None


def untrusted(error: Exception) -> str:
    """Return the sentence on a certificate that cannot be trusted."""
    cause = _certificate_error(error)
    host = getattr(error, "kwargs", {}).get("endpoint_url", "the endpoint").partition("?")[0]
    return f"the certificate of {host} cannot be trusted ({getattr(cause, 'verify_message', '') or cause}). {BUNDLE}"


def _certificate_error(error: BaseException) -> SSLCertVerificationError | None:
    """Return what `ssl` says of a certificate, from below the exceptions of the SDK and of aiohttp.

    Inside the TLS of a proxy, asyncio loses it to an exception of its own, whose context it is.
    """
    seen, below = [], [error]
    while below:
        one = below.pop()
        if isinstance(one, SSLCertVerificationError):
            return one
        seen.append(one)
        near = (
            getattr(one, "kwargs", {}).get("error"),
            getattr(one, "certificate_error", None),
            one.__cause__,
            one.__context__,
        )
        below += [other for other in near if isinstance(other, BaseException) and other not in seen]
    return None


_ECHO = re.compile(r"\bAuthorization=|The Canonical String|x-amz-security-token|AWS4-HMAC|Credential=", re.IGNORECASE)


def safe(text: str) -> str:
    """Return words of somebody else's as one short line, without what AWS echoes of a request that it refuses."""
    return plain(" ".join(_ECHO.split(text, maxsplit=1)[0].split()))[:LONGEST_WORDS].rstrip()


def _unanswered(doing: str, code: str, error: Exception, *, left: bool) -> CallFailed:
    status = getattr(getattr(error, "kwargs", {}).get("error"), "status", None)
    if code == "ProxyConnectionError" and status is not None:
        code = "ProxyRefused" if status < 500 else code
        told = f"the proxy answers HTTP {status} instead of connecting. Check HTTPS_PROXY, and its user and password"
        return CallFailed(doing, code, told, went_out=left)
    return CallFailed(doing, code, str(error), went_out=left)


def _answered(operation: str, error: sdk.ClientError) -> BulkError:
    about = error.response.get("ResponseMetadata", {})
    headers = {name.lower(): value for name, value in about.get("HTTPHeaders", {}).items()}
    told = error.response.get("Error", {})
    status, code = about.get("HTTPStatusCode", 0), str(told.get("Code") or "")
    words = str(told.get("Message") or error.response.get("message") or "no message")
    words = safe(words) if _ECHO.search(words) else words
    foreign = False
    if not code or code.isdigit():  # AWS names its errors, but for some of a service that is too busy
        code = str(status)
        foreign = is_foreign(headers) or status not in {429, 500, 502, 503, 504}
        words = f"not an answer of AWS (HTTP {status}). {ELSEWHERE}" if foreign else words
    elif skew := clock_skew(code, words, headers):
        words = skew
    elif remedy := REMEDIES.get(code):
        words = f"{words.rstrip('. ')}. {remedy}"
    return CallFailed(
        operation,
        code,
        words,
        status=status,
        request_id=about.get("RequestId"),
        foreign=foreign,
        retry_after=retry_after(headers),
    )


def is_foreign(headers: Mapping[str, str]) -> bool:
    """Whether an answer is a page of something between: AWS answers in JSON or XML, and numbers its answers."""
    return "html" in headers.get("content-type", "").lower() or not any(
        name in headers for name in ("x-amzn-requestid", "x-amz-request-id", "x-amz-id-2")
    )


def clock_skew(code: str, message: str, headers: Mapping[str, str], now: datetime | None = None) -> str | None:
    """Return the sentence on a wrong clock, where an error is about that; None where it is not."""
    if code not in SKEWED and not (code in SIGNED and any(words in message.lower() for words in SKEW_WORDS)):
        return None
    now = now or datetime.now(UTC)
    with suppress(ValueError, TypeError):
        ahead = round((now - _aware(parsedate_to_datetime(headers.get("date", "")))).total_seconds())
        if ahead:
            by = f"{abs(ahead)} s {'ahead of' if ahead > 0 else 'behind'} AWS's"
            return f"clock skew: this machine's clock is {by}. Set the clock (NTP), then run it again"
    return f"clock skew: this machine's clock differs from AWS's ({message}). Set the clock (NTP), then run it again"


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Return the seconds that an answer asks to wait, between 0 and `LONGEST_WAIT`; None where it asks for nothing.

    RFC 9110, 10.2.3: seconds or a date. `x-amz-retry-after`, in milliseconds, is AWS's own.
    """
    if (own := _number(headers.get("x-amz-retry-after"))) is not None:
        return _bounded(own / 1000)
    told = headers.get("retry-after")
    if told is None or (seconds := _number(told)) is not None:
        return None if told is None else _bounded(seconds)
    try:
        moment = parsedate_to_datetime(told)
        since = parsedate_to_datetime(headers["date"]) if "date" in headers else now or datetime.now(UTC)
        return _bounded((_aware(moment) - _aware(since)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text is not None and text.isascii() else math.nan
    except ValueError:
        return None
    return None if math.isnan(number) else number


def _bounded(seconds: float | None) -> float | None:
    return None if seconds is None else min(max(seconds, 0.0), LONGEST_WAIT)
