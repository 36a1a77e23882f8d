"""A worker as a process: messages on stdin, answers on stdout, log messages on stderr."""

import asyncio
import contextlib
import os
import sys

import anyio
from anyio.abc import ByteReceiveStream

from bulk.cluster.frames import Frame, FrameReader
from bulk.cluster.worker import Worker

FLIGHT = 2.0  # seconds that calls under way have to end when the driver is gone
PIECE = 1 << 18  # bytes read at once


class _Incoming(ByteReceiveStream):
    """A pipe that is read."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def receive(self, max_bytes: int = PIECE) -> bytes:
        data = await self._reader.read(max_bytes)
        if not data:
            raise anyio.EndOfStream
        return data

    async def aclose(self) -> None:
        """Leave the pipe to the process's end."""


async def serve(worker: Worker) -> None:
    """Answer what comes in, until the other side closes the pipe, or dies. No call begins after that."""
    incoming, outgoing = await _pipes()

    async def answer(frame: Frame) -> None:
        told = await worker.answer(frame.kind, frame.payload)
        outgoing.write(Frame(frame.number, "", told).whole)  # whole, however much of it the pipe takes at once

    async with anyio.create_task_group() as group:
        frames = FrameReader(incoming)
        with contextlib.suppress(anyio.EndOfStream, anyio.IncompleteRead, OSError):
            while True:
                group.start_soon(answer, await frames.next())
        worker.stop()
        group.cancel_scope.deadline = anyio.current_time() + FLIGHT
    await worker.close()
    outgoing.close()


async def _pipes() -> tuple[_Incoming, asyncio.WriteTransport]:
    """Return stdin and stdout. Both become our own: what a library prints goes to stderr."""
    loop = asyncio.get_running_loop()
    source, sink = os.fdopen(os.dup(0), "rb", 0), os.fdopen(os.dup(1), "wb", 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    reader = asyncio.StreamReader(PIECE)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), source)
    transport, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, sink)
    return _Incoming(reader), transport
