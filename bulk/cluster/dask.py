"""The engine for a Dask cluster with a running scheduler. The only module that imports `distributed`.

Messages go through `Client.run`, outside of Dask's task system, so that Dask never repeats one by itself ("Dask
documentation", Distributed: API, Client.run). What is run there never raises, because a worker logs the arguments of a
function that does; and an argument's own text says nothing but its length. At its debug level Dask logs messages as
they are, so what they carry is compressed: nobody reads it in passing, but it is no secret there.
"""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Self
from urllib.parse import urlsplit

from distributed import Client

from bulk.cluster.engine import EngineLost, WorkerLost
from bulk.errors import CampaignError

REACHED = 10.0  # seconds in which the scheduler is to answer

Answers = Callable[[str, bytes], Awaitable[bytes]]
"""What a worker runs. It is named, not sent: the worker has bulk installed."""


class Sealed:
    """Bytes whose text says nothing of them, neither here nor on their way."""

    def __init__(self, payload: bytes) -> None:
        self._packed = zlib.compress(payload, 1)

    @property
    def payload(self) -> bytes:
        """The bytes."""
        return zlib.decompress(self._packed)

    def __repr__(self) -> str:
        return f"<{len(self._packed)} bytes>"


async def _answered(answer: Answers, kind: str, sealed: Sealed) -> Sealed:
    """Answer a message, on a worker."""
    return Sealed(await answer(kind, sealed.payload))


class Dask:
    """The engine; an async context manager."""

    def __init__(self, scheduler: str, answer: Answers) -> None:
        self._scheduler = scheduler
        self._answer = answer
        self._client: Any = None

    async def __aenter__(self) -> Self:
        """Connect to the scheduler. Raises `CampaignError` where there is none."""
        settings = {"asynchronous": True, "timeout": REACHED, "set_as_default": False}
        try:
            await self._knock()
            self._client = await Client(self._scheduler, **settings)  # type: ignore[no-untyped-call]  # distributed publishes no types for it
        except (OSError, ValueError, ImportError, TypeError) as error:
            raise CampaignError(
                f"--cluster {self._scheduler}: no scheduler answers there ({type(error).__name__}). Is it running?"
            ) from error
        return self

    async def _knock(self) -> None:
        """See whether anybody listens there: Dask itself would ask for as long as it may."""
        parts = urlsplit(self._scheduler)
        async with asyncio.timeout(REACHED):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.close()

    async def __aexit__(self, *_: object) -> None:
        """Leave the cluster."""
        await self.close()

    async def workers(self) -> Sequence[str]:
        """Return the addresses of the workers. Raises `EngineLost`."""
        try:
            async with asyncio.timeout(REACHED):
                told = await self._client.scheduler.identity(n_workers=-1)
                return sorted(told["workers"])
        except (OSError, TimeoutError) as error:
            raise self._gone() from error

    async def post(self, worker: str, kind: str, payload: bytes) -> bytes:
        """Have a worker answer. Raises `WorkerLost` and `EngineLost`."""
        try:
            told = await self._client.run(_answered, self._answer, kind, Sealed(payload), workers=[worker])
            answer: bytes = told[worker].payload
        except (OSError, KeyError, ValueError) as error:
            if self._client.status != "running":
                raise self._gone() from error
            raise WorkerLost(worker) from error
        return answer

    def _gone(self) -> EngineLost:
        return EngineLost(f"the scheduler at {self._scheduler} is gone: the run can be resumed, with or without it")

    async def close(self) -> None:
        """Leave the cluster; its workers stay."""
        if self._client is not None:
            await self._client.close()
