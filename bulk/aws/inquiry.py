"""Questions to the services of an account: one client for each service, opened on first use, with its own rate.

Where the campaign's endpoint is none of AWS's (a sandbox), all services are asked there.
"""

import asyncio
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

from aiobotocore.config import AioConfig
from botocore import xform_name

from bulk.aws.connect import Endpoint, is_aws, options_named, session_of
from bulk.aws.failures import SDK, UNREADABLE, failure
from bulk.errors import CallFailed

RATE = 2.0  # a second: "Amazon Connect service quotas", what each operation has that is not named there
RATES: Mapping[str, float] = {"ListIntegrationAssociations": 25.0, "GetMessageTemplate": 10.0}  # likewise
BURST = 3  # of the 5 that may go at once after a pause, so that there is room for others
ATTEMPTS = 3  # of a question that was throttled, or met a fault


class Inquiry:
    """Asks the services of an account; an async context manager."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._stack = AsyncExitStack()
        self._session: Any = None
        self._clients: dict[str, Any] = {}
        self._next: dict[str, float] = {}
        self._unreachable: dict[str, CallFailed] = {}
        self.region = ""

    async def __aenter__(self) -> Self:
        """Find the credentials. Raises `CampaignError` for a wrong option, `SetupError` without credentials."""
        with options_named():
            core, self._session = session_of(self._endpoint)
            await core.get_credentials()
            self.region = str((await self._client("connect")).meta.region_name)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the clients."""
        await self._stack.aclose()

    async def ask(self, service: str, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """Ask a service (by the SDK's name) an operation, all pages of it. Raises `CallFailed`, `SetupError`.

        A service that could not be reached is not asked again.
        """
        if service in self._unreachable:
            raise self._unreachable[service]
        await self._turn(operation)
        try:
            return await self._asked(service, xform_name(operation), parameters)
        except (*SDK, *UNREADABLE) as error:
            trouble = failure(operation, error)
            if isinstance(trouble, CallFailed) and trouble.status is None:
                self._unreachable[service] = trouble
            raise trouble from error

    async def _asked(self, service: str, method: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        client = await self._client(service)
        if client.can_paginate(method):
            pages = client.get_paginator(method).paginate(**parameters)
            members: dict[str, Any] = await pages.build_full_result()
            return members
        members = await getattr(client, method)(**parameters)
        members.pop("ResponseMetadata", None)
        return members

    async def _client(self, service: str) -> Any:
        if service not in self._clients:
            url = self._endpoint.url if service == "connect" or not self._is_aws else None
            config = AioConfig(retries={"total_max_attempts": ATTEMPTS, "mode": "standard"})
            opening = self._session.client(service, endpoint_url=url, config=config)
            self._clients[service] = await self._stack.enter_async_context(opening)
        return self._clients[service]

    @property
    def _is_aws(self) -> bool:
        return self._endpoint.url is None or is_aws(self._endpoint.url)

    async def _turn(self, operation: str) -> None:
        """Wait until the operation may be asked again."""
        now, every = time.monotonic(), 1 / RATES.get(operation, RATE)
        full = max(now, self._next.get(operation, now)) + every
        self._next[operation] = full
        await asyncio.sleep(max(0.0, full - now - BURST * every))
