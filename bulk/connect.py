"""Amazon Connect through aioboto3: the only module that talks to AWS.

The SDK's own retries are off and its own `ClientToken`s never come to be: retrying and naming are decided in one place
each (`calling`, `delivery`), and a call is one request (`line`). What goes wrong becomes ours here, by a table:
`CallFailed` for one call, `Halted` for what no call can get past.
"""

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aioboto3
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore import exceptions as sdk
from botocore import xform_name
from botocore.parsers import ResponseParserError

from bulk import __version__
from bulk.api import MODELS
from bulk.errors import BulkError, CallFailed, CampaignError, Halted
from bulk.line import Line, unburden
from bulk.model import Call, Reply
from bulk.outside import outside_name


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where Amazon Connect is, and how it is reached. Times in seconds."""

    url: str | None = None
    region: str | None = None
    profile: str | None = None
    ca_bundle: Path | None = None
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    credentials: tuple[str, str] | None = None


# What the SDK raises where no answer came: the code we give it, and whether the request may have been seen.
# "Boto3 documentation: Error handling"; the order is from the particular to the general.
LINE_FAILURES: tuple[tuple[type[Exception], str, bool], ...] = (
    (sdk.ConnectTimeoutError, "ConnectTimeout", False),
    (sdk.ReadTimeoutError, "ReadTimeout", True),
    (sdk.ProxyConnectionError, "ProxyConnectionError", False),
    (sdk.SSLError, "SSLError", False),
    (sdk.EndpointConnectionError, "EndpointConnectionError", False),
    (sdk.ConnectionClosedError, "ConnectionClosed", True),
    (sdk.ConnectionError, "ConnectionError", True),
    (sdk.ResponseStreamingError, "ResponseStreamingError", True),
    (sdk.HTTPClientError, "HTTPClientError", True),
)

SDK = (sdk.ClientError, sdk.BotoCoreError)  # what the SDK raises on purpose

# What the SDK's parser trips over where the answer is none of Amazon Connect's: not JSON's letters, or no object.
UNREADABLE: tuple[type[Exception], ...] = (ResponseParserError, AttributeError, KeyError, TypeError, ValueError)

ELSEWHERE = "Check the endpoint (--endpoint-url, AWS_ENDPOINT_URL), and the proxy where there is one"

NO_CREDENTIALS: tuple[type[Exception], ...] = (
    sdk.NoCredentialsError,
    sdk.PartialCredentialsError,
    sdk.CredentialRetrievalError,
    sdk.TokenRetrievalError,
    sdk.SSOError,
    sdk.NoAuthTokenError,
)


class Connect:
    """A client of Amazon Connect; an async context manager."""

    def __init__(self, endpoint: Endpoint, *, at_once: int) -> None:
        self._endpoint = endpoint
        self._at_once = at_once
        self._stack = AsyncExitStack()
        self._client: Any = None
        self.region = ""
        self.url = ""

    async def __aenter__(self) -> Self:
        """Open the client. `CampaignError` for a wrong option, `Halted` where there are no credentials."""
        with _ours("connecting"), _options():
            if self._endpoint.ca_bundle:
                _check_trust(self._endpoint.ca_bundle)
            session = _session(self._endpoint)
            if not self._endpoint.credentials and await session.get_credentials() is None:
                raise sdk.NoCredentialsError
            self._client = await self._stack.enter_async_context(
                session.client(
                    "connect",
                    endpoint_url=self._endpoint.url,
                    verify=str(self._endpoint.ca_bundle) if self._endpoint.ca_bundle else None,
                    config=self._config(),
                )
            )
        unburden(self._client.meta.events)
        self.region = self._client.meta.region_name
        self.url = self._client.meta.endpoint_url
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the client and its connections."""
        await self._stack.aclose()

    def _config(self) -> AioConfig:
        """One attempt a call; no second check of the parameters; a user agent that is not put together anew."""
        return AioConfig(
            http_session_cls=Line,
            retries={"total_max_attempts": 1},
            parameter_validation=False,
            user_agent=f"bulk/{__version__}",
            max_pool_connections=self._at_once,
            connect_timeout=self._endpoint.connect_timeout,
            read_timeout=self._endpoint.read_timeout,
            tcp_keepalive=True,
        )

    async def call(self, call: Call, token: str) -> Reply:
        """Make one request, once. Raises `CallFailed`, or `Halted` where no request can be made at all."""
        named = {"ClientToken": token} if self._takes_token(call.operation) else {}
        request = getattr(self._client, xform_name(call.operation))
        try:
            members = await request(**{**call.parameters, **named})
        except (*SDK, *UNREADABLE) as error:
            raise _failure(call.operation, error) from error
        about = members.pop("ResponseMetadata")
        request_id = outside_name(about.get("RequestId"))
        if self._gives_contact(call.operation) and not outside_name(members.get("ContactId")):
            raise CallFailed(
                call.operation, "NoContactId", "the answer names no contact", request_id=request_id, status=None
            )
        return Reply(members, request_id)

    @cache  # noqa: B019 - a client lives as long as its run
    def _takes_token(self, operation: str) -> bool:
        return "ClientToken" in self._client.meta.service_model.operation_model(operation).input_shape.members

    @cache  # noqa: B019 - a client lives as long as its run
    def _gives_contact(self, operation: str) -> bool:
        return "ContactId" in self._client.meta.service_model.operation_model(operation).output_shape.members


def _session(endpoint: Endpoint) -> aioboto3.Session:
    """Open a session that also reads our additions to botocore's model."""
    core = AioSession(profile=endpoint.profile)
    core.get_component("data_loader").search_paths.append(str(MODELS))
    key, secret = endpoint.credentials or (None, None)
    return aioboto3.Session(
        botocore_session=core, region_name=endpoint.region, aws_access_key_id=key, aws_secret_access_key=secret
    )


@asynccontextmanager
async def client_of(service: str, endpoint: Endpoint) -> AsyncIterator[Any]:
    """Open a client of another AWS service: the same credentials, Region and line, and the SDK's own retries.

    `endpoint.url` is Amazon Connect's and is not followed here; `AWS_ENDPOINT_URL_S3` and its kind are. Raises
    `CampaignError`, `Halted`, and `CallFailed` for what goes wrong inside.
    """
    async with AsyncExitStack() as stack:
        with _ours(service), _options():
            client = _session(endpoint).client(
                service,
                verify=str(endpoint.ca_bundle) if endpoint.ca_bundle else None,
                config=AioConfig(
                    retries={"mode": "standard"},
                    user_agent=f"bulk/{__version__}",
                    connect_timeout=endpoint.connect_timeout,
                    read_timeout=endpoint.read_timeout,
                ),
            )
            opened = await stack.enter_async_context(client)
        with _ours(service):
            yield opened


@contextmanager
def _ours(doing: str) -> Iterator[None]:
    """Turn what the SDK raises into what the rest of the program knows."""
    try:
        yield
    except SDK as error:
        raise _failure(doing, error) from error


def _failure(doing: str, error: Exception) -> BulkError:
    """Put what the SDK raised into our words. What it tripped over in an answer may have been an acceptance."""
    if isinstance(error, sdk.ClientError):
        return _answered(doing, error)
    if isinstance(error, NO_CREDENTIALS):
        return Halted(
            f"no usable AWS credentials: {error}. Set AWS_PROFILE or --profile, or log in again, then run it again"
        )
    if isinstance(error, sdk.BotoCoreError):
        return _unanswered(doing, error)
    return CallFailed(doing, "UnreadableAnswer", f"not an answer of Amazon Connect: {error}")


@contextmanager
def _options() -> Iterator[None]:
    """Turn what a wrong option makes the SDK raise into words about that option."""
    try:
        yield
    except sdk.NoRegionError as error:
        raise CampaignError("no AWS Region is set. Give --region, or set AWS_REGION") from error
    except sdk.ProfileNotFound as error:
        raise CampaignError(f"{error}. See `aws configure list-profiles`, or give another --profile") from error
    except (sdk.ConfigParseError, sdk.ConfigNotFound, sdk.InvalidConfigError) as error:
        raise CampaignError(f"{error}. Mend the AWS configuration file, or name another in AWS_CONFIG_FILE") from error
    except (sdk.InvalidRegionError, ValueError) as error:
        raise CampaignError(f"{error}. Check --region and --endpoint-url") from error


def _check_trust(ca_bundle: Path) -> None:
    """Raise `CampaignError` where the CA bundle cannot be used; the SDK would say so for every call anew."""
    try:
        ssl.create_default_context(cafile=ca_bundle)
    except OSError as error:
        raise CampaignError(
            f"{ca_bundle}: not a CA bundle in PEM form: {error.strerror or error}. Check --ca-bundle"
        ) from error


def _answered(operation: str, error: sdk.ClientError) -> CallFailed:
    about = error.response.get("ResponseMetadata", {})
    told = error.response.get("Error", {})
    status, code = about.get("HTTPStatusCode", 0), str(told.get("Code") or "")
    words = told.get("Message") or error.response.get("message") or "no message"
    if not code or code.isdigit():  # AWS names its errors, but for some of a service that is too busy
        code = str(status)
        words = words if status == 429 or status >= 500 else f"not an answer of AWS (HTTP {status}). {ELSEWHERE}"
    return CallFailed(operation, code, words, status=status, request_id=about.get("RequestId"))


def _unanswered(operation: str, error: Exception) -> CallFailed:
    for kind, code, went_out in LINE_FAILURES:
        if isinstance(error, kind):
            return CallFailed(operation, code, str(error), went_out=went_out)
    return CallFailed(operation, type(error).__name__, str(error))
