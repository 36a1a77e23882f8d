"""The program of a worker, for local processes and for Dask workers.

It has the client's way out, and the credentials of the environment that it was started in.
"""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

import anyio

from bulk.aws.connect import Connect, Endpoint
from bulk.cluster.message import Site
from bulk.cluster.pipe import serve
from bulk.cluster.session import Client
from bulk.cluster.worker import Worker
from bulk.pacing.shared import steady_clock
from bulk.run.environment import DUMMY


@asynccontextmanager
async def _connect(site: Site, at_once: int) -> AsyncIterator[Client]:
    endpoint = Endpoint(
        site.url,
        site.region,
        connect_timeout=site.connect_timeout,
        read_timeout=site.read_timeout,
        credentials=DUMMY if site.rehearsal else None,
        allow_http=site.allow_http,
        role_arn=site.role_arn,
    )
    async with Connect(endpoint, at_once=at_once) as client:
        yield client


@cache
def _here() -> Worker:
    """Return the worker of this process."""
    return Worker(_connect, steady_clock())


async def answer(kind: str, payload: bytes) -> bytes:
    """Answer a message of a driver; never raise."""
    return await _here().answer(kind, payload)


def main() -> None:
    """Answer what comes in on stdin."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)  # as the command line does: what lives briefly is the work itself
    anyio.run(serve, _here())


if __name__ == "__main__":
    main()
