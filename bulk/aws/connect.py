"""Amazon Connect through aioboto3: the only module that talks to AWS.

The SDK's own retries are off and its own `ClientToken`s never come to be: retrying and naming are decided in one place
each (`call_runner`, `delivery`), and a call is one request (`http_session`). What goes wrong becomes ours (`failures`):
`CallFailed` for one call, `Halted` for what no call can get past, `SetupError` for credentials and certificates.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import aioboto3
from aiobotocore.config import AioConfig
from botocore import exceptions as sdk
from botocore import xform_name
from botocore.loaders import create_loader

from bulk import __version__
from bulk.aws.certificates import is_loopback
from bulk.aws.failures import SDK, UNREADABLE, failure, is_foreign
from bulk.aws.http_session import SingleSendSession, drop_unused_hooks, resolve_endpoint_once, watch_sent
from bulk.aws.session import ClientSettings, Session
from bulk.errors import BulkError, CallFailed, CampaignError
from bulk.model import Call, Reply
from bulk.operations import MODELS
from bulk.pacing.virtual_time import crossing
from bulk.text.outside import outside_name

log = logging.getLogger("bulk")


IDENTIFIED = 5.0  # seconds in which STS is to say whose credentials these are
LOCAL_REGION = "us-east-1"  # of an endpoint on this machine, where none is said
_AWS = ".amazonaws.com", ".amazonaws.com.cn", ".api.aws"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where Amazon Connect is, and how it is reached. Times in seconds.

    `allow_http` lets a client go over plain HTTP to another machine. `role_arn` is a role to be assumed for it.
    """

    url: str | None = None
    region: str | None = None
    profile: str | None = None
    ca_bundle: Path | None = None
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    credentials: tuple[str, str] | None = None
    allow_http: bool = False
    role_arn: str | None = None


class Connect:
    """A client of Amazon Connect; an async context manager."""

    def __init__(self, endpoint: Endpoint, *, at_once: int) -> None:
        self._endpoint = endpoint
        self._at_once = at_once
        self._stack = AsyncExitStack()
        self._client: Any = None
        self._session: Any = None
        self._credentials: Any = None
        self.region = ""
        self.url = ""

    async def __aenter__(self) -> Self:
        """Open the client. Raises `CampaignError` for a wrong option, `SetupError` without usable credentials."""
        with translated("connecting"), options_named():
            core, self._session = session_of(self._endpoint)
            self._credentials = await core.get_credentials()
            self._client = await self._stack.enter_async_context(
                self._session.client("connect", endpoint_url=self._endpoint.url, config=self._config())
            )
        drop_unused_hooks(self._client.meta.events)
        resolve_endpoint_once(self._client)
        self.region = self._client.meta.region_name
        self.url = self._client.meta.endpoint_url
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the client and its connections."""
        await self._stack.aclose()

    def _config(self) -> AioConfig:
        """Return settings for one attempt a call, unchecked parameters, and a user agent that is made once."""
        return AioConfig(
            http_session_cls=SingleSendSession,
            retries={"total_max_attempts": 1},
            parameter_validation=False,
            user_agent=f"bulk/{__version__}",
            max_pool_connections=self._at_once,
            tcp_keepalive=True,
        )

    async def prepare(self) -> None:
        """See to it that the next request can be signed. Raises `SetupError`."""
        await self._credentials.fresh()

    @property
    def credentials_from(self) -> str:
        """Where the credentials come from, in the SDK's words: `env`, `sso`, `assume-role`."""
        return str(self._credentials.method)

    async def account(self) -> str:
        """Return the account that the credentials are of; where nobody tells, their access key stands for it.

        STS is asked where Amazon Connect is AWS's own, which needs no permission ("AWS STS": GetCallerIdentity).
        """
        known: str | None = await self._credentials.get_account_id()
        if known is None and (self._endpoint.url is None or is_aws(self.url)):
            try:
                async with asyncio.timeout(IDENTIFIED), self._session.client("sts") as sts:
                    known = (await sts.get_caller_identity())["Account"]
            except (*SDK, *UNREADABLE, BulkError, TimeoutError) as error:
                log.debug("the account is not known (%s): the access key stands for it", type(error).__name__)
        keys = await self._credentials.get_frozen_credentials()
        return known or str(keys.access_key)

    async def call(self, call: Call, token: str) -> Reply:
        """Make one request, once. Raises `CallFailed`, or `Halted` where no request can be made at all."""
        named = {"ClientToken": token} if self._takes_token(call.operation) else {}
        request = getattr(self._client, xform_name(call.operation))
        begun = perf_counter()
        with crossing(), watch_sent() as gone:
            try:
                members = await request(**{**call.parameters, **named})
            except (*SDK, *UNREADABLE) as error:
                trouble = failure(call.operation, error, left=gone.left)
                log.debug("%s: %s after %.3f s", call.operation, _name(trouble), perf_counter() - begun)
                raise trouble from error
        about = members.pop("ResponseMetadata")
        request_id = outside_name(about.get("RequestId"))
        log.debug("%s: accepted as request %s after %.3f s", call.operation, request_id, perf_counter() - begun)
        self._check(call.operation, members, about)
        return Reply(members, request_id)

    def _check(self, operation: str, members: dict[str, Any], about: dict[str, Any]) -> None:
        """Raise `CallFailed` where a success is none of the operation's: a page of something between, or no contact."""
        contact_id, headers = members.get("ContactId"), about.get("HTTPHeaders", {})
        page = "html" in headers.get("content-type", "").lower()
        if page or (self._gives_contact(operation) and not outside_name(contact_id)):
            raise CallFailed(
                operation,
                "NoContactId",
                "the answer names no contact",
                request_id=outside_name(about.get("RequestId")),
                foreign=is_foreign(headers),
            )

    @cache  # noqa: B019 - a client lives as long as its run
    def _takes_token(self, operation: str) -> bool:
        return "ClientToken" in self._client.meta.service_model.operation_model(operation).input_shape.members

    @cache  # noqa: B019 - a client lives as long as its run
    def _gives_contact(self, operation: str) -> bool:
        return "ContactId" in self._client.meta.service_model.operation_model(operation).output_shape.members


def is_aws(url: str) -> bool:
    """Whether an endpoint is AWS's own, by whatever name: then it is the account that has the rate."""
    return (urlsplit(url).hostname or "").endswith(_AWS)


def _name(trouble: Exception) -> str:
    return trouble.code if isinstance(trouble, CallFailed) else type(trouble).__name__


@cache
def _loader(data_path: str | None) -> Any:
    """Return what reads the SDK's models, and our additions to them: once for all clients, for one is 14 MB."""
    loader = create_loader(data_path)
    loader.search_paths.append(str(MODELS))
    return loader


def session_of(endpoint: Endpoint) -> tuple[Session, aioboto3.Session]:
    """Open a session that also reads our additions to botocore's model."""
    local = endpoint.url is not None and is_loopback(urlsplit(endpoint.url).hostname)
    times = endpoint.connect_timeout, endpoint.read_timeout
    settings = ClientSettings(endpoint.ca_bundle, *times, endpoint.allow_http, dummy=local)
    core = Session(settings, profile=endpoint.profile, role_arn=endpoint.role_arn)
    core.register_component("data_loader", _loader(core.get_config_variable("data_path")))
    key, secret = endpoint.credentials or (None, None)
    region = endpoint.region or core.get_config_variable("region") or (LOCAL_REGION if local else None)
    return core, aioboto3.Session(
        botocore_session=core, region_name=region, aws_access_key_id=key, aws_secret_access_key=secret
    )


def region_of(endpoint: Endpoint) -> str | None:
    """Return the Region that a client would use: as said, else as the environment or the profile has it."""
    try:
        region: str | None = session_of(endpoint)[1].region_name
    except SDK:
        return endpoint.region
    return region


@asynccontextmanager
async def client_of(
    service: str, endpoint: Endpoint, *, url: str | None = None, config: AioConfig | None = None
) -> AsyncIterator[Any]:
    """Open a client of another AWS service: the same credentials, Region and trust, and the SDK's own retries.

    `endpoint.url` is Amazon Connect's and is not followed here; `url`, `AWS_ENDPOINT_URL_S3` and its kind are. Raises
    `CampaignError`, `SetupError`, and `CallFailed` for what goes wrong inside.
    """
    async with AsyncExitStack() as stack:
        with translated(service), options_named():
            client = session_of(endpoint)[1].client(service, endpoint_url=url, config=config)
            opened = await stack.enter_async_context(client)
        with translated(service):
            yield opened


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn what the SDK raises into what the rest of the program knows."""
    try:
        yield
    except SDK as error:
        raise failure(doing, error) from error


@contextmanager
def options_named() -> Iterator[None]:
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
