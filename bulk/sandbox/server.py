"""HTTP in and out: requests to `Account`, answers as AWS writes them, and `/_sandbox/…` to look inside."""

import asyncio
import functools
import json
import logging
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from bulk.sandbox.account import Account, Answer, Call, error_body
from bulk.sandbox.control import Control, Wrong
from bulk.sandbox.effects import Effect
from bulk.sandbox.errors import ServiceError
from bulk.sandbox.guard import Denied, Guard
from bulk.sandbox.wire import Request

_LARGEST = 64 * 2**20  # an email's 5 MB, each character as \\uXXXX, and room
_SILENT = logging.getLogger("bulk.sandbox.http")
_SILENT.disabled = True  # whoever sends nonsense is told, and nobody else
_INSIDE = "/_sandbox"
_KEPT_APART = {"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin"}

Respond = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


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


class Server:
    """The sandbox on a port of the loopback interface."""

    def __init__(self, account: Account, clock: Callable[[], float]) -> None:
        self.account = account
        self._clock = clock
        self._control = Control(account, clock)
        self._routes = {(one.method, one.uri): one for one in account.api.operations.values() if "{" not in one.uri}
        self._closing = asyncio.Event()

    async def start(self, port: int, **guarded: Any) -> None:
        """Bind 127.0.0.1 at `port`; 0 takes a free one. Raises `OSError` where it is taken."""
        loop = asyncio.get_running_loop()
        factory = functools.partial(web.BaseRequest, loop=loop, client_max_size=_LARGEST)
        # A handler is cancelled when its client leaves: that is how a hanging call ends.
        server = _Listener(
            self._respond, request_factory=factory, handler_cancellation=True, access_log=None, logger=_SILENT
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await self._runner.setup()
        self._site = web.TCPSite(self._runner, "127.0.0.1", port, backlog=1024)
        try:
            await self._site.start()
            self._guard = Guard(self.port, **guarded)
        except OSError:
            await self._runner.cleanup()
            raise

    @property
    def port(self) -> int:
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Stop listening, and break off what hangs."""
        self._closing.set()
        await self._runner.cleanup()

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        inside = path == _INSIDE or path.startswith(f"{_INSIDE}/")
        try:
            self._guard.check(request.headers.getall("Host", []), request.headers.getall("Origin", []))
        except Denied as no:
            denied = ServiceError("AccessDeniedException", str(no))
            return _told(no.status, str(no)) if inside else _refused(denied, no.status)
        if request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            too_large = ServiceError("RequestEntityTooLargeException", f"The body is over {_LARGEST:,} bytes.")
            return _told(413, too_large.message) if inside else _refused(too_large, 413)
        except web.RequestPayloadError:
            broken = ServiceError("SerializationException", "The body cannot be read: it is not encoded as it says.")
            return _told(400, broken.message) if inside else _refused(broken, 400)
        if inside:
            return self._inside(request, path, query=query, body=body)
        return await self._served(request, path, query=query, body=body)

    async def _served(self, request: web.BaseRequest, path: str, *, query: str, body: bytes) -> web.StreamResponse:
        account, now = self.account, self._clock()
        asked = Request(request.method, path, query, body, request.headers)
        if (told := account.services.answer(asked, account.settings.quotas.rate, now)) is not None:
            return _response(Answer(told.status, told.body, told.code), told.kind)
        try:
            call = self._call(request, path, body)
        except ServiceError as error:
            return _refused(error, account.api.statuses[error.code])
        answer = account.answer(call, self._clock())
        if answer.delay:
            await asyncio.sleep(answer.delay)
        return await self._give(request, answer)

    def _call(self, request: web.BaseRequest, path: str, body: bytes) -> Call:
        members: dict[str, str] = {}
        operation = self._routes.get((request.method, path))
        if operation is None:
            operation, members = self.account.api.find(request.method, path)
        return Call(operation, body, members, request.headers.get("Authorization"))

    async def _give(self, request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
        if answer.fate is Effect.HANG:
            await self._closing.wait()
        if answer.fate is not Effect.SERVED and request.transport is not None:
            request.transport.abort()
        return _response(answer)

    def _inside(self, request: web.BaseRequest, path: str, *, query: str, body: bytes) -> web.Response:
        try:
            self._guard.check_control(request.headers, query, body)
            return _json(200, self._control.answer(request.method, path.removeprefix(_INSIDE), query=query, body=body))
        except (Denied, Wrong) as no:
            return _told(no.status, str(no))


def _told(status: int, message: str) -> web.Response:
    return _json(status, {"message": message})


def _json(status: int, answer: Any) -> web.Response:
    """Answer a control request; no page may take it for anything else, or into itself."""
    body = (json.dumps(answer) + "\n").encode()
    return web.Response(status=status, body=body, content_type="application/json", headers=_KEPT_APART)


def _refused(error: ServiceError, status: int) -> web.Response:
    return _response(Answer(status, error_body(error), error.code))


def _response(answer: Answer, kind: str = "application/json") -> web.Response:
    headers = {"x-amzn-RequestId": str(uuid.uuid4())}
    if answer.body:
        headers["Content-Type"] = kind
    if answer.code is not None:
        headers["x-amzn-ErrorType"] = answer.code
    return web.Response(status=answer.status, body=answer.body, headers=headers)
