"""The line below the SDK, on which one call is one request.

aiohttp sends a PUT again by itself when its line breaks, and follows redirects: requests that no pacer has seen and no
ledger has counted, the latter to a place that nobody named. And the SDK takes a line that is reset under way for an
endpoint that was never reached, which is the difference between a doubtful try and none.
"""

from functools import partial
from types import SimpleNamespace
from typing import Any

from aiobotocore.httpsession import AIOHTTPSession
from aiohttp import (
    ClientConnectorError,
    ClientHandlerType,
    ClientOSError,
    ClientPayloadError,
    ClientRequest,
    ClientResponse,
    ServerDisconnectedError,
)
from botocore import handlers

# What the SDK does at every call for retries and tokens, which are not its business here, and for AWS Lambda alone.
NEEDLESS = (
    ("before-parameter-build", "generate_idempotent_uuid"),
    ("request-created", "add_retry_headers"),
    ("before-call", "add_recursion_detection_header"),
)
RETRYING = "retry-config-connect"  # the id under which the SDK asks whether to make a call again


def unburden(events: Any) -> None:
    """Take a client's needless handlers off ("Boto3 Developer Guide", Extensibility guide), where they are there."""
    events.unregister("needs-retry.connect", unique_id=RETRYING)
    for event, name in NEEDLESS:
        events.unregister(event, getattr(handlers, name, None))


class Line(AIOHTTPSession):  # type: ignore[misc]  # aiobotocore publishes no types
    """The SDK's own (`AioConfig(http_session_cls=…)`), but each request is sent once, to where it was addressed."""

    _opened: tuple[Any, SimpleNamespace] | None = None

    async def _get_session(self, proxy_url: str | None) -> SimpleNamespace:
        session = await super()._get_session(proxy_url)
        if self._opened is None or self._opened[0] is not session:
            request = partial(session.request, middlewares=(_once,), allow_redirects=False)
            self._opened = session, SimpleNamespace(request=request)
        return self._opened[1]


async def _once(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Call a line that breaks a broken payload: aiohttp sends nothing again for it, the SDK says "closed"."""
    try:
        return await handler(request)
    except ClientConnectorError:  # nothing went out
        raise
    except (ClientOSError, ServerDisconnectedError) as error:
        raise ClientPayloadError(str(error)) from error
