"""The port: plain calls answered at once by `Connection`, everything else by `Web`, and both by one `Account`."""

import asyncio
import functools
import sqlite3
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from bulk.sandbox.account import Account, Answer, Call, error_body
from bulk.sandbox.connection import Connection
from bulk.sandbox.effects import Effect
from bulk.sandbox.errors import ServiceError
from bulk.sandbox.guard import Guard
from bulk.sandbox.routes import Routes
from bulk.sandbox.wire import Request, Told

if TYPE_CHECKING:
    from bulk.sandbox.web import Web


class Server:
    """The sandbox on a port of the loopback interface."""

    def __init__(self, account: Account, clock: Callable[[], float]) -> None:
        self.account = account
        self.clock = clock
        self.connections: set[Connection] = set()
        self._routes = Routes(account)
        self._is_due = False
        self._unsent: list[tuple[asyncio.Transport, bytes]] = []

    async def start(self, *, port: int, bind: str = "127.0.0.1", **guarded: Any) -> None:
        """Bind an address at `port`; 0 takes a free one. Raises `OSError` where it is taken."""
        self.closing = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._server = await self._loop.create_server(lambda: Connection(self), bind, port, backlog=1024)
        self.guard = Guard(self.port, **guarded)

    @property
    def port(self) -> int:
        return int(self._server.sockets[0].getsockname()[1])

    @functools.cached_property
    def web(self) -> "Web":
        """What answers the rest; imported when it is first needed, for it takes a third of a second."""
        from bulk.sandbox.web import Web  # noqa: PLC0415 - see above

        return Web(self)

    async def close(self) -> None:
        """Stop listening, and break off what hangs."""
        self.closing.set()
        self._server.close()
        self._keep()
        for connection in list(self.connections):
            connection.close()
        if "web" in self.__dict__:
            await self.web.close()

    def call(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Call | Answer:
        """Return the call that a request is, with its headers in small letters. Raises `ServiceError`.

        What only reads of the account is answered at once.
        """
        told = None if self._routes.has(method, target) else self._told(method, target, headers, body)
        if told is not None:
            return Answer(told.status, told.body, told.code)
        return self._routes.call(method, target, headers, body)

    def _told(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Told | None:
        """Return what a service other than that of the contacts answers; None where it is none of theirs."""
        account, (path, _, query) = self.account, target.partition("?")
        if account.serves_templates(path):
            return None
        asked = Request(method, path, query, body, headers)
        return account.services.answer(asked, account.settings.quotas.rate, self.clock())

    def answer(self, call: Call | Answer) -> Answer:
        """Serve one call. What it does is kept in a moment, together with what others do; `write` waits for that."""
        if isinstance(call, Answer):
            return call
        if self.account.contacts.storage.lasting and not self._is_due:
            self._is_due = True
            self._loop.call_soon(self._keep)
        try:
            return self.account.answer(call, self.clock())
        except Exception as trouble:  # noqa: BLE001 - a full disk, or a fault of ours: the client is told, nobody else
            error = ServiceError("InternalFailure", f"The sandbox cannot serve this: {type(trouble).__name__}")
            return Answer(500, error_body(error), error.code)

    async def wait_for(self, answer: Answer) -> bool:
        """Wait as long as an answer is to be late, and return whether it is to be sent at all."""
        if answer.delay:
            await asyncio.sleep(answer.delay)
        if answer.fate is Effect.HANG:
            await self.closing.wait()
        return answer.fate is Effect.SERVED

    def write(self, transport: asyncio.Transport, answer: bytes) -> None:
        """Send an answer once what was done is kept."""
        if self._is_due:
            self._unsent.append((transport, answer))
        else:
            transport.write(answer)

    def _keep(self) -> None:
        self._is_due, unsent, self._unsent = False, self._unsent, []
        try:
            self.account.contacts.keep()
        except sqlite3.Error:  # a full disk: what is not kept is shown to nobody
            for transport, _ in unsent:
                transport.abort()
        for transport, answer in unsent:
            transport.write(answer)
