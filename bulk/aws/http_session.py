"""The HTTP session below the SDK. One call is one request, and it is known whether the request left.

aiohttp sends a PUT again by itself when its connection breaks, and follows redirects: requests that no pacer has seen
and no ledger has counted, the latter to a place that nobody named. And the SDK takes a connection that is reset under
way for an endpoint that was never reached, which is the difference between a doubtful try and none: so the moment in
which a request begins to leave is noted here, and nothing else decides it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from types import SimpleNamespace
from typing import Any, ClassVar
from urllib.parse import urlsplit

from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.utils import _RefCountedSession
from aiohttp import (
    ClientConnectorError,
    ClientHandlerType,
    ClientMiddlewareType,
    ClientOSError,
    ClientPayloadError,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    ServerDisconnectedError,
    TCPConnector,
)
from aiohttp.connector import Connection
from botocore import handlers
from botocore.httpsession import ProxyConfiguration

from bulk.aws import certificates

# What the SDK does at every call for retries and tokens, which are not its business here, and for AWS Lambda alone.
NEEDLESS = (
    ("before-parameter-build", "generate_idempotent_uuid"),
    ("request-created", "add_retry_headers"),
    ("before-call", "add_recursion_detection_header"),
)
RETRYING = "retry-config-connect"  # the id under which the SDK asks whether to make a call again


def drop_unused_hooks(events: Any) -> None:
    """Take a client's needless handlers off ("Boto3 Developer Guide", Extensibility guide), where they are there."""
    events.unregister("needs-retry.connect", unique_id=RETRYING)
    for event, name in NEEDLESS:
        events.unregister(event, getattr(handlers, name, None))


def resolve_endpoint_once(client: Any) -> None:
    """Let a client ask once for each operation where its calls go: its rules know Region and options, no parameters."""
    resolver, found = client._ruleset_resolver, {}  # noqa: SLF001 - the SDK has no other place for it
    if resolver is None:
        return
    resolve = resolver.construct_endpoint

    async def construct_endpoint(operation_model: Any, call_args: Any, request_context: Any) -> Any:
        name = operation_model.name
        if name not in found:
            found[name] = await resolve(operation_model, call_args, request_context)
        return found[name]

    resolver.construct_endpoint = construct_endpoint


class SentMark:
    """Whether the request of one call has begun to leave."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = False


_SENT_MARK: ContextVar[SentMark | None] = ContextVar("sent_mark", default=None)


@contextmanager
def watch_sent() -> Iterator[SentMark]:
    """Yield what knows, of the call that is made inside, whether its request has begun to leave."""
    noted = SentMark()
    token = _SENT_MARK.set(noted)
    try:
        yield noted
    finally:
        _SENT_MARK.reset(token)


class _Noted(ClientRequest):
    """A request that notes the moment before its first byte is written. A proxy's CONNECT is another's request."""

    async def send(self, conn: Connection) -> ClientResponse:
        noted = _SENT_MARK.get()
        if noted is not None:
            noted.left = True
        return await super().send(conn)


class _Proxies(ProxyConfiguration):  # type: ignore[misc]  # botocore publishes no types
    """The proxies of the environment, but none to this machine: a rehearsal goes nowhere else."""

    def proxy_url_for(self, url: str) -> Any:
        return None if certificates.is_direct(url) else super().proxy_url_for(url)


class Verified(AIOHTTPSession):  # type: ignore[misc]  # aiobotocore publishes no types
    """The SDK's session (`AioConfig(http_session_cls=…)`), but it verifies whom it talks to, and is led nowhere else.

    Neither redirects nor cookies are followed, and the wait for a proxy's answer ends.
    """

    REQUEST: ClassVar[type[ClientRequest]] = ClientRequest
    MIDDLEWARES: ClassVar[tuple[ClientMiddlewareType, ...]] = ()

    def __init__(self, *args: Any, proxies: dict[str, str] | None = None, **settings: Any) -> None:
        super().__init__(*args, proxies=proxies, **settings)
        self._proxy_config = _Proxies(proxies, settings.get("proxies_config"))

    def check(self, url: str) -> None:
        """Raise `CampaignError` where the proxy to a URL cannot be used."""
        scheme = urlsplit(url).scheme
        proxy = self._proxy_config._proxies.get(scheme)  # noqa: SLF001 - as it was written
        if proxy and not certificates.is_direct(url):
            certificates.check_proxy(proxy, scheme)

    def _create_connector(self, _proxy_url: str | None) -> TCPConnector:
        bundle = self._verify if isinstance(self._verify, str) else None
        if self._cert_file:
            context = certificates.own_context(bundle)
            context.load_cert_chain(self._cert_file, self._key_file)
        else:
            context = certificates.context(bundle)
        return TCPConnector(limit=self._max_pool_connections, ssl=context, **self._connector_args)

    async def _get_session(self, proxy_url: str | None) -> SimpleNamespace:
        opened: SimpleNamespace | None = self._sessions.get(proxy_url)
        if opened is None:
            session = ClientSession(
                connector=self._create_connector(proxy_url),
                timeout=self._bounded(self._timeout),
                skip_auto_headers={"CONTENT-TYPE"},
                auto_decompress=False,
                cookie_jar=DummyCookieJar(),
                request_class=self.REQUEST,
                middlewares=self.MIDDLEWARES,
            )
            await self._exit_stack.enter_async_context(session)
            opened = SimpleNamespace(request=partial(session.request, allow_redirects=False))
            self._sessions[proxy_url] = opened
        return opened

    @staticmethod
    def _bounded(timeout: ClientTimeout) -> ClientTimeout:
        """Return the time-outs with one for a connection as a whole: a proxy may take a CONNECT and fall silent."""
        parts = timeout.sock_connect, timeout.sock_read
        whole = None if None in parts else sum(part or 0.0 for part in parts)
        return ClientTimeout(connect=whole, sock_connect=timeout.sock_connect, sock_read=timeout.sock_read)


async def _once(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Call a connection that breaks a broken payload: aiohttp sends nothing again for it, the SDK says "closed"."""
    try:
        return await handler(request)
    except ClientConnectorError:  # nothing went out
        raise
    except (ClientOSError, ServerDisconnectedError) as error:
        raise ClientPayloadError(str(error)) from error


class SingleSendSession(Verified):
    """The session of Amazon Connect's client: each request is sent once, and notes when it leaves."""

    REQUEST = _Noted
    MIDDLEWARES = (_once,)


class HostSession(Verified, _RefCountedSession):  # type: ignore[misc]  # likewise
    """The session that asks the services of a host for credentials: of a container, of an instance."""
