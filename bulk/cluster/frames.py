"""Messages over a pipe: a length, a number that matches question and answer, a kind, and bytes."""

import struct
from typing import NamedTuple

from anyio.abc import ByteReceiveStream
from anyio.streams.buffered import BufferedByteReceiveStream

_HEAD = struct.Struct(">IQB")


class Frame(NamedTuple):
    """A message: its number, its kind, and what it says."""

    number: int
    kind: str
    payload: bytes

    @property
    def whole(self) -> bytes:
        """All that goes over the pipe."""
        kind = self.kind.encode("ascii")
        return _HEAD.pack(len(self.payload), self.number, len(kind)) + kind + self.payload


class FrameReader:
    """Reads frames from a pipe."""

    def __init__(self, pipe: ByteReceiveStream) -> None:
        self._pipe = BufferedByteReceiveStream(pipe)

    async def next(self) -> Frame:
        """Return the next frame. Raises `anyio.EndOfStream` and `anyio.IncompleteRead` where the other side is gone."""
        length, number, kind = _HEAD.unpack(await self._pipe.receive_exactly(_HEAD.size))
        name = (await self._pipe.receive_exactly(kind)).decode("ascii") if kind else ""
        return Frame(number, name, await self._pipe.receive_exactly(length) if length else b"")
