"""HTTP in and out: requests to `World`, answers as AWS writes them, and `/_sandbox/…` to look inside."""

import asyncio
import functools
import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from bulk.sandbox.control import Control, Wrong
from bulk.sandbox.plan import Fate
from bulk.sandbox.refusal import ServiceError
from bulk.sandbox.world import Answer, Call, World, error_body

_LARGEST = 64 * 2**20  # an email's 5 MB, each character as \\uXXXX, and room
_INSIDE = "/_sandbox"

Respond = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Server:
    """The sandbox on a port of the loopback interface."""

    def __init__(self, world: World, clock: Callable[[], float]) -> None:
        self.world = world
        self._clock = clock
        self._control = Control(world, clock)
        self._routes = {(one.method, one.uri): one for one in world.api.operations.values() if "{" not in one.uri}
        self._closing = asyncio.Event()

    async def start(self, port: int) -> None:
        """Bind 127.0.0.1 at `port`; 0 takes a free one. Raises `OSError` where it is taken."""
        loop = asyncio.get_running_loop()
        factory = functools.partial(web.BaseRequest, loop=loop, client_max_size=_LARGEST)
        # A handler is cancelled when its client leaves: that is how a hanging call ends.
        server = web.Server(self._respond, request_factory=factory, handler_cancellation=True, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await self._runner.setup()
        self._site = web.TCPSite(self._runner, "127.0.0.1", port, backlog=1024)
        try:
            await self._site.start()
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
        if request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await request.read()
        if path == _INSIDE or path.startswith(f"{_INSIDE}/"):
            return self._inside(request.method, path, query=query, body=body)
        try:
            call = self._call(request, path, body)
        except ServiceError as error:
            return _response(Answer(self.world.api.statuses[error.code], error_body(error), error.code))
        answer = self.world.answer(call, self._clock())
        if answer.delay:
            await asyncio.sleep(answer.delay)
        return await self._give(request, answer)

    def _call(self, request: web.BaseRequest, path: str, body: bytes) -> Call:
        members: dict[str, str] = {}
        operation = self._routes.get((request.method, path))
        if operation is None:
            operation, members = self.world.api.find(request.method, path)
        return Call(operation, body, members, request.headers.get("Authorization"))

    async def _give(self, request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
        if answer.fate is Fate.HANG:
            await self._closing.wait()
        if answer.fate is not Fate.SERVED and request.transport is not None:
            request.transport.abort()
        return _response(answer)

    def _inside(self, method: str, path: str, *, query: str, body: bytes) -> web.Response:
        try:
            status, answer = (
                200,
                self._control.answer(method, path.removeprefix(_INSIDE), query=query, body=body),
            )
        except Wrong as wrong:
            status, answer = wrong.status, {"message": str(wrong)}
        return web.Response(status=status, body=_dump(answer), content_type="application/json")


def _dump(answer: Any) -> bytes:
    return (json.dumps(answer) + "\n").encode()


def _response(answer: Answer) -> web.Response:
    headers = {"x-amzn-RequestId": str(uuid.uuid4())}
    if answer.body:
        headers["Content-Type"] = "application/json"
    if answer.code is not None:
        headers["x-amzn-ErrorType"] = answer.code
    return web.Response(status=answer.status, body=answer.body, headers=headers)
