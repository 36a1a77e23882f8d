"""Amazon Connect through aioboto3: the only module that talks to AWS.

The SDK's own retries are off and its own `ClientToken`s never come to be: retrying and naming are decided in one place
each (`calling`, `delivery`). What goes wrong becomes ours here, by a table: `CallFailed` for one call, `Halted` for
what no call can get past.
"""

from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
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

from bulk import __version__
from bulk.api import MODELS
from bulk.errors import CallFailed, CampaignError, Halted
from bulk.model import Call, Reply


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
    (sdk.HTTPClientError, "HTTPClientError", True),
    (sdk.ResponseStreamingError, "ResponseStreamingError", True),
)

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
        with _ours("connecting"):
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
        with _ours(call.operation):
            members = await getattr(self._client, xform_name(call.operation))(**{**call.parameters, **named})
        about = members.pop("ResponseMetadata")
        request_id = about.get("RequestId")
        if self._gives_contact(call.operation) and not members.get("ContactId"):
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


@contextmanager
def _ours(doing: str) -> Iterator[None]:
    """Turn what the SDK raises into what the rest of the program knows."""
    try:
        yield
    except sdk.ClientError as error:
        raise _answered(doing, error) from error
    except NO_CREDENTIALS as error:
        raise Halted(
            f"no usable AWS credentials: {error}. Set AWS_PROFILE or --profile, or log in again, then run it again"
        ) from error
    except sdk.NoRegionError as error:
        raise CampaignError("no AWS Region is set. Give --region, or set AWS_REGION") from error
    except sdk.ProfileNotFound as error:
        raise CampaignError(f"{error}. See `aws configure list-profiles`, or give another --profile") from error
    except (sdk.InvalidRegionError, ValueError) as error:
        raise CampaignError(f"{error}. Check --region and --endpoint-url") from error
    except sdk.BotoCoreError as error:
        raise _unanswered(doing, error) from error


def _answered(operation: str, error: sdk.ClientError) -> CallFailed:
    about = error.response.get("ResponseMetadata", {})
    told = error.response.get("Error", {})
    return CallFailed(
        operation,
        told.get("Code") or str(about.get("HTTPStatusCode")),
        told.get("Message") or error.response.get("message") or "no message",
        status=about.get("HTTPStatusCode"),
        request_id=about.get("RequestId"),
    )


def _unanswered(operation: str, error: Exception) -> CallFailed:
    for kind, code, went_out in LINE_FAILURES:
        if isinstance(error, kind):
            return CallFailed(operation, code, str(error), went_out=went_out)
    return CallFailed(operation, type(error).__name__, str(error))
