"""A connection that answers plain calls at once; other requests are passed, with the connection, to `web`.

Plain is what AWS clients send nearly always: HTTP/1.1, one known operation, each header once, a body of a stated
length. Reading that much is quick and leaves nothing to judge. What is chunked, expects a 100, comes piecemeal, is
wrong, or asks for a page is read by aiohttp, to which the connection then belongs.
"""

import asyncio
import itertools
import re
import time
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple, cast

from bulk.sandbox.account import Answer, Call
from bulk.sandbox.contact import new_id
from bulk.sandbox.effects import Effect
from bulk.sandbox.errors import ServiceError
from bulk.sandbox.guard import Denied

if TYPE_CHECKING:
    from bulk.sandbox.server import Server

_LONGEST_HEAD = 8190
_LONGEST_BODY = 1 << 20
_START = re.compile(rb"(GET|PUT|POST|DELETE|PATCH) (/[!-~]*) HTTP/1\.1\r\n")
_LINES = re.compile(rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[ \t]*[\x20-\x7e]*\r\n)*")
_PROCESS, _ANSWERS = new_id()[:23], itertools.count(1)
_NOT_PLAIN = frozenset({"transfer-encoding", "expect", "upgrade", "content-encoding", "connection"})


class Plain(NamedTuple):
    """A plain request, whole: `end` is where it ends in what was read; 0 where more of its body is to come."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    end: int


def read(data: bytes) -> Plain | None:
    """Read one request; None where it is not plain."""
    split = data.find(b"\r\n\r\n", 0, _LONGEST_HEAD)
    start = _START.match(data, 0, split + 2) if split > 0 else None
    if start is None or _LINES.fullmatch(data, start.end(), split + 2) is None:
        return None
    lines = data[start.end() : split].decode("ascii").split("\r\n")
    headers = {name.lower(): value.strip(" \t") for name, _, value in [line.partition(":") for line in lines]}
    length = _length(headers)
    if length is None or len(headers) < len(lines) or not _is_plain(headers):
        return None
    end = split + 4 + length
    method, target = start.groups()
    body = data[split + 4 : end]
    return Plain(method.decode(), target.decode(), headers, body, end if len(body) == length else 0)


def _length(headers: dict[str, str]) -> int | None:
    text = headers.get("content-length", "0")
    return int(text) if text.isdecimal() and len(text) < 8 and int(text) <= _LONGEST_BODY else None


def _is_plain(headers: dict[str, str]) -> bool:
    odd = _NOT_PLAIN.intersection(headers)
    return "host" in headers and (not odd or (odd == {"connection"} and headers["connection"].lower() == "keep-alive"))


class Connection(asyncio.Protocol):
    """One client's connection, as long as what comes is plain."""

    def __init__(self, server: "Server") -> None:
        self._server = server
        self._read = b""
        self._waiting: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._server.connections.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        self._server.connections.discard(self)
        self.close()

    def close(self) -> None:
        """Break off."""
        if self._waiting is not None:
            self._waiting.cancel()
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._read = self._read + data if self._read else data
        while self._read and self._waiting is None and not self._transport.is_closing():
            request = read(self._read)
            call = self._call(request) if request is not None else None
            if request is None or call is None:
                return self._hand_over()
            if not request.end:
                return None
            self._read = self._read[request.end :]
            self._answer(self._server.answer(call))
        return None

    def _call(self, request: Plain) -> Call | Answer | None:
        """Return the call that a request is; None where it is something else, or not allowed."""
        try:
            self._server.guard.check((request.headers["host"],), _present(request.headers.get("origin")))
            return self._server.call(request.method, request.target, request.headers, request.body)
        except (Denied, ServiceError):
            return None

    def _hand_over(self) -> None:
        """Let aiohttp have the connection, and what was read of it."""
        self._server.connections.discard(self)
        handler = self._server.web.handler()
        self._transport.set_protocol(handler)
        handler.connection_made(self._transport)
        handler.data_received(self._read)

    def _answer(self, answer: Answer) -> None:
        if answer.delay or answer.fate is not Effect.SERVED:
            self._waiting = asyncio.get_running_loop().create_task(self._answer_late(answer))
        else:
            self._server.write(self._transport, _bytes_of(answer))

    async def _answer_late(self, answer: Answer) -> None:
        if not await self._server.wait_for(answer):
            self._transport.abort()
            return
        self._server.write(self._transport, _bytes_of(answer))
        self._waiting = None
        if self._read:
            more, self._read = self._read, b""
            self.data_received(more)


def _present(value: str | None) -> tuple[str, ...]:
    return () if value is None else (value,)


def _bytes_of(answer: Answer) -> bytes:
    return b"%sDate: %s\r\nx-amzn-RequestId: %s\r\nContent-Length: %d\r\n\r\n%s" % (
        _head(answer.status, answer.code, bool(answer.body)),
        _date(int(time.time())),
        _request_id().encode(),
        len(answer.body),
        answer.body,
    )


def _request_id() -> str:
    """Return an id like AWS's, of this process and of this answer."""
    return f"{_PROCESS}-{next(_ANSWERS) % 2**48:012x}"


@lru_cache(maxsize=1)
def _date(second: int) -> bytes:
    return formatdate(second, usegmt=True).encode()


@lru_cache(maxsize=256)
def _head(status: int, code: str | None, has_body: bool) -> bytes:  # noqa: FBT001 - a cache's key
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    kind = "Content-Type: application/json\r\n" if has_body else ""
    error = f"x-amzn-ErrorType: {code}\r\n" if code is not None else ""
    return f"HTTP/1.1 {status} {phrase}\r\n{kind}{error}".encode()
