"""Requests that are not plain calls, over aiohttp: calls in other forms, `/_sandbox/…`, and invalid HTTP."""

import asyncio
import functools
import json
import logging
import re
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from aiohttp import web

from bulk.sandbox import assets
from bulk.sandbox.account import Answer, error_body
from bulk.sandbox.control import Control, Wrong
from bulk.sandbox.errors import ServiceError
from bulk.sandbox.guard import Denied
from bulk.sandbox.live import events

if TYPE_CHECKING:
    from bulk.sandbox.server import Server

_LARGEST = 64 * 2**20  # an email's 5 MB, each character as \\uXXXX, and room
_SILENT = logging.getLogger("bulk.sandbox.http")
_SILENT.disabled = True  # whoever sends nonsense is told, and nobody else
_INSIDE = "/_sandbox"
_MAIL = re.compile(r"/messages/([0-9]{1,18})/html")
_KEPT_APART = {"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin"}


class _Handler(web.RequestHandler):
    """A connection on which what is no HTTP is answered as AWS does, and nothing is printed of it."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun, and cannot become another")
        error = ServiceError("SerializationException", (message or "The request cannot be read.").splitlines()[0])
        if status >= 500:
            error = ServiceError("InternalFailure", f"The sandbox cannot serve this: {type(exc).__name__}")
        answer = _refused(error, status)
        answer.force_close()
        return answer


class _Listener(web.Server):
    def __call__(self) -> _Handler:
        return _Handler(self, loop=self._loop, **self._kwargs)


class Web:
    """Answers the requests of the connections that it is given."""

    def __init__(self, server: "Server") -> None:
        self._server = server
        self._control = Control(server.account, server.clock)
        factory = functools.partial(web.BaseRequest, loop=asyncio.get_running_loop(), client_max_size=_LARGEST)
        # A handler is cancelled when its client leaves: that is how a hanging call ends.
        self._listener = _Listener(
            self._respond, request_factory=factory, handler_cancellation=True, access_log=None, logger=_SILENT
        )

    def handler(self) -> asyncio.Protocol:
        """Return a protocol for one connection."""
        return self._listener()

    async def close(self) -> None:
        """Break off what is left."""
        await self._listener.shutdown(0.1)

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        inside = path == _INSIDE or path.startswith(f"{_INSIDE}/")
        try:
            self._server.guard.check(request.headers.getall("Host", []), request.headers.getall("Origin", []))
        except Denied as no:
            denied = ServiceError("AccessDeniedException", str(no))
            return _told(no.status, str(no)) if inside else _refused(denied, no.status)
        if request.method in {"GET", "HEAD"} and path in assets.FILES:
            body, kind = assets.read(path)
            return web.Response(body=body, content_type=kind, charset="utf-8", headers=assets.PAGE_HEADERS)
        if request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            body = await _read(request)
        except web.HTTPRequestEntityTooLarge:
            too_large = ServiceError("RequestEntityTooLargeException", f"The body is over {_LARGEST:,} bytes.")
            answer = _told(413, too_large.message) if inside else _refused(too_large, 413)
            answer.force_close()
            return answer
        except web.RequestPayloadError:
            broken = ServiceError("SerializationException", "The body cannot be read: it is not encoded as it says.")
            return _told(400, broken.message) if inside else _refused(broken, 400)
        if inside:
            return await self._inside(request, path, query=query, body=body)
        return await self._serve(request, body)

    async def _serve(self, request: web.BaseRequest, body: bytes) -> web.Response:
        headers: dict[str, str] = {}
        for name, value in request.headers.items():
            known = headers.get(name.lower())
            headers[name.lower()] = value if known is None else f"{known},{value}"
        try:
            call = self._server.call(request.method, request.raw_path, headers, body)
        except ServiceError as error:
            return _refused(error, self._server.account.api.statuses[error.code])
        answer = self._server.answer(call)
        self._server.account.contacts.keep()
        if not await self._server.wait_for(answer) and request.transport is not None:
            request.transport.abort()
        return _response(answer)

    async def _inside(self, request: web.BaseRequest, path: str, *, query: str, body: bytes) -> web.StreamResponse:
        path = path.removeprefix(_INSIDE)
        if mail := _MAIL.fullmatch(path):
            return self._mail(int(mail[1]), query)
        try:
            self._server.guard.check_control(request.headers, query, body)
            if request.method == "GET" and path == "/events":
                return await self._stream(request)
            if request.method == "GET" and (path == "/messages" or path.startswith("/messages/")):
                return _json(200, await self._control.look(path, query))
            return _json(200, self._control.answer(request.method, path, query=query, body=body))
        except (Denied, Wrong) as no:
            return _told(no.status, str(no))

    def _mail(self, number: int, query: str) -> web.Response:
        """Answer with a mail's HTML, for a frame of the page: the key in its address opens this one alone."""
        html = self._control.listing.html(number, parse_qs(query).get("key", [""])[-1])
        if html is None:
            return _told(404, "there is no such mail, or this key does not open it")
        body = html.encode(errors="replace")
        return web.Response(body=body, content_type="text/html", charset="utf-8", headers=assets.MAIL_HEADERS)

    async def _stream(self, request: web.BaseRequest) -> web.StreamResponse:
        """Send events until the client leaves or the sandbox ends."""
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", **_KEPT_APART}
        stream = web.StreamResponse(headers=headers)
        await stream.prepare(request)
        async for event in events(self._server.account, self._server.clock):
            if self._server.closing.is_set():
                break
            await stream.write(event)
        return stream


async def _read(request: web.BaseRequest) -> bytes:
    """Read a body; one that says it is too large is not waited for."""
    announced = request.content_length or 0
    if announced > _LARGEST:
        raise web.HTTPRequestEntityTooLarge(_LARGEST, announced)
    return await request.read()


def _told(status: int, message: str) -> web.Response:
    return _json(status, {"message": message})


def _json(status: int, answer: Any) -> web.Response:
    """Answer a control request; no page may take it for anything else, or into itself."""
    body = (json.dumps(answer) + "\n").encode()
    return web.Response(status=status, body=body, content_type="application/json", headers=_KEPT_APART)


def _refused(error: ServiceError, status: int) -> web.Response:
    return _response(Answer(status, error_body(error), error.code))


def _response(answer: Answer) -> web.Response:
    headers = {"x-amzn-RequestId": str(uuid.uuid4())}
    if answer.body:
        headers["Content-Type"] = "application/json"
    if answer.code is not None:
        headers["x-amzn-ErrorType"] = answer.code
    return web.Response(status=answer.status, body=answer.body, headers=headers)
