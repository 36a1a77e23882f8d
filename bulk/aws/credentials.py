"""Credentials, fetched and renewed before a call, so that no row is charged for a problem with them.

The SDK gets them in the middle of making a request, so that a process that is missing or a token that has expired
would be one row's trouble after the other, with that row in doubt. Here they are a step of its own: whatever goes wrong
is a `SetupError` that says what and what helps, within a minute. They are renewed when a quarter of their life is left
(ten minutes at most), by one caller while the others go on; a renewal that fails is only told while the old ones last.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiobotocore._helpers import resolve_awaitable
from botocore import exceptions as sdk
from botocore.credentials import ReadOnlyCredentials

from bulk.aws.failures import clock_skew, is_untrusted, safe, untrusted
from bulk.errors import BulkError, SetupError

log = logging.getLogger("bulk")

WITHIN = 60.0  # seconds for getting credentials, of whatever kind
EARLY = 600.0  # seconds before their end at which long-lived credentials are renewed
SHARE = 0.75  # of the time that is left, after which short-lived ones are

REMEDY = "Set AWS_PROFILE or --profile, or log in again, then run it again"
REMEDIES = {
    "custom-process": "Run the credential_process of the AWS profile by hand: it must print version 1 of the keys soon",
    "assume-role": "Check role_arn (of the AWS profile with its source, or of [at]), and who may assume the role",
    "assume-role-with-web-identity": "Check AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN, and whom the role trusts",
    "sso": "Run `aws sso login` (with --profile, where you use one), then run it again",
    "container-role": "Check AWS_CONTAINER_CREDENTIALS_FULL_URI (or …_RELATIVE_URI) and the agent that answers there",
    "env": "Log in again and set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and "
    "AWS_CREDENTIAL_EXPIRATION again",
}
MFA = "credentials with MFA cannot be renewed: run it again for a new code, or set a longer duration_seconds"

_OPTIONS = (sdk.ProfileNotFound, sdk.ConfigParseError, sdk.ConfigNotFound, sdk.InvalidConfigError, sdk.NoRegionError)
_SSO = (sdk.SSOError, sdk.TokenRetrievalError, sdk.NoAuthTokenError)


def setup_error(cause: str, method: str = "") -> SetupError:
    """Return the sentence on credentials that cannot be used: the cause, then the remedy for where they come from."""
    return SetupError(f"no usable AWS credentials: {cause.rstrip('. ')}. {REMEDIES.get(method, REMEDY)}")


@contextmanager
def credential_errors(method: Callable[[], str]) -> Iterator[None]:
    """Turn whatever goes wrong in getting credentials into a `SetupError`; what an option did wrong stays as it is."""
    try:
        yield
    except (BulkError, *_OPTIONS):
        raise
    except Exception as error:
        raise _trouble(error, method()) from error


def _trouble(error: Exception, method: str) -> SetupError:
    if is_untrusted(error):
        return SetupError(f"no usable AWS credentials: {untrusted(error)}")
    if isinstance(error, sdk.ClientError):
        return _refused(error, method)
    if isinstance(error, sdk.RefreshWithMFAUnsupportedError):
        return SetupError(f"no usable AWS credentials: {MFA}")
    method = getattr(error, "kwargs", {}).get("provider", method)
    return setup_error(_cause(error), "sso" if isinstance(error, _SSO) else method)


def _cause(error: Exception) -> str:
    match error:
        case TimeoutError():
            return f"they did not come within {WITHIN:g} s"
        case KeyError():
            return f"the answer has no {error.args[0]}"
        case EOFError():
            return "nobody is there to be asked for the MFA code"
        case sdk.BotoCoreError() | OSError() | ValueError():
            return safe(str(error))
    return f"{type(error).__name__}: {safe(str(error))}"


def _refused(error: sdk.ClientError, method: str) -> SetupError:
    """Return the sentence on an error of STS or SSO, of whatever status: it is never that of a row."""
    told = error.response.get("Error", {})
    code, words = str(told.get("Code") or "no code"), safe(str(told.get("Message") or ""))
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    if skew := clock_skew(code, words, headers):
        return SetupError(f"no usable AWS credentials: {error.operation_name}: {skew}")
    method = "sso" if error.operation_name in {"GetRoleCredentials", "CreateToken"} else method
    return setup_error(f"{error.operation_name} was refused ({code}: {words})", method)


@dataclass(frozen=True, slots=True)
class _Held:
    """Keys, and the time to which they last (Unix seconds); None where that is not known."""

    keys: ReadOnlyCredentials
    expires_at: float | None = None

    def left(self, now: float) -> float:
        """Return for how many seconds they last."""
        return float("inf") if self.expires_at is None else self.expires_at - now


class Credentials:
    """What the clients of a session sign with. `source` is the SDK's own object."""

    def __init__(self, source: Any, *, now: Callable[[], float] = time.time) -> None:
        self._source = source
        self._now = now
        self._held: _Held | None = None
        self._due = 0.0
        self._renewing = asyncio.Lock()
        self._trouble: SetupError | None = None
        self._troubles = 0
        self.method: str = source.method

    async def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Return the keys to sign with. Raises `SetupError`."""
        await self.fresh()
        assert self._held is not None  # noqa: S101 - else something was raised
        return self._held.keys

    async def get_account_id(self) -> str | None:
        """Return the account that the keys are of, where that is known."""
        account: str | None = (await self.get_frozen_credentials()).account_id
        return account

    def get_deferred_property(self, name: str) -> Callable[[], Any]:
        """Return what gets a property when it is needed, as the SDK asks for it; `account_id` is the only one."""
        found: Callable[[], Any] = getattr(self, f"get_{name}")
        return found

    async def fresh(self) -> None:
        """See to it that the keys are good for the next moments. Raises `SetupError`."""
        now, troubles = self._now(), self._troubles
        if self._held is not None and (now < self._due or (self._renewing.locked() and self._held.left(now) > 0)):
            return
        async with self._renewing:
            if self._held is not None and self._now() < self._due:
                return
            if self._troubles > troubles:  # whoever waited for the same renewal shares its failure
                raise SetupError(str(self._trouble))
            await self._renew()

    async def _renew(self) -> None:
        try:
            held = await self._fetched()
        except SetupError as trouble:
            left = self._held.left(self._now()) if self._held is not None else 0.0
            if left <= 0:
                self._trouble, self._troubles = trouble, self._troubles + 1
                raise
            log.warning("%s (those at hand last for %.0f s more)", trouble, left)
            self._due = self._now() + min(60.0, left / 4)
            return
        left = held.left(self._now())
        self._held, self._due = held, self._now() + max(left - EARLY, left * SHARE)
        log.debug("credentials from %s%s", self.method, f", good for {left:.0f} s" if held.expires_at else "")

    async def _fetched(self) -> _Held:
        with credential_errors(lambda: self.method):
            async with asyncio.timeout(WITHIN):
                held = await self._asked()
        if held.left(self._now()) <= 0:
            assert held.expires_at is not None  # noqa: S101 - else they last for ever
            ended = datetime.fromtimestamp(held.expires_at, UTC).isoformat(" ", "seconds")
            raise setup_error(f"they expired at {ended}", self.method)
        for name, text in zip(("key id", "secret key", "session token"), held.keys, strict=False):
            _check(name, text, self.method)
        return held

    async def _asked(self) -> _Held:
        """Ask the source: not when it has just been asked for the first time."""
        refresh = getattr(self._source, "_refresh_using", None)
        if refresh is None:
            return _Held(await self._source.get_frozen_credentials())
        if self._held is None and self._source._frozen_credentials is not None:
            return _Held(self._source._frozen_credentials, self._source._expiry_time.timestamp())
        # The SDK's own renewal is not used: it asks at every call for what lives less than ten minutes, and writes
        # tracebacks. What it would ask is asked here.
        told = await resolve_awaitable(refresh())
        keys = ReadOnlyCredentials(told["access_key"], told["secret_key"], told["token"], told.get("account_id"))
        return _Held(keys, _moment(told["expiry_time"]))


def _check(name: str, text: Any, method: str) -> None:
    """Raise `SetupError` where a key cannot be one: it would break the header that it is written into."""
    if text is None and name == "session token":
        return
    if not isinstance(text, str) or not text:
        raise setup_error(f"there is no {name}", method)
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise setup_error(f"the {name} has a space, a line break or another sign in it that no key has", method)


def _moment(told: Any) -> float | None:
    if told is None:
        return None
    moment = told if isinstance(told, datetime) else datetime.fromisoformat(str(told))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
