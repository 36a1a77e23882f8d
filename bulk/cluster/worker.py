"""The worker: bytes in, bytes out. It never raises, because an engine may log the arguments of a call that raised."""

import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field

import anyio

from bulk import __version__
from bulk.cluster.lease import Lease
from bulk.cluster.message import Body, Site, call_of, decode, encode
from bulk.cluster.session import Client, Session
from bulk.errors import BulkError, SetupError

log = logging.getLogger("bulk")

IDLE = 600.0  # seconds after which a run that asks for nothing is taken for ended

Connects = Callable[[Site, int], AbstractAsyncContextManager[Client]]
"""Opens a client of a site, with so many connections at most."""


@dataclass(slots=True)
class Worker:
    """Answers the messages of drivers. `clock` gives Unix seconds that do not jump."""

    connect: Connects
    clock: Callable[[], float]
    _sessions: dict[str, Session] = field(default_factory=dict)

    async def answer(self, kind: str, payload: bytes) -> bytes:
        """Answer a message, whatever it is."""
        try:
            return encode(await self._answered(kind, decode(payload)))
        except BulkError as error:
            return encode({"refused": str(error), "setup": isinstance(error, SetupError)})
        except Exception as error:  # noqa: BLE001 - what is wrong is told without what was passed
            return encode({"refused": f"the worker tripped over a message ({kind}): {type(error).__name__}"})

    async def _answered(self, kind: str, body: Body) -> Body:
        match kind:
            case "hello":
                return await self._hello(body)
            case "clock":
                return {"at": self.clock()}
            case "lot":
                return await self._lot(body)
            case "stop":
                self._stop(body["session"])
            case "bye":
                await self._leave(body["session"])
        return {}

    async def _hello(self, body: Body) -> Body:
        """Open the client of a run, and have it ready: the first call of a lot finds it warm."""
        if body["version"] != __version__:
            return {"version": __version__}
        await self._forget_idle()
        stack = AsyncExitStack()
        client = await stack.enter_async_context(self.connect(Site(**body["site"]), body["at_once"]))
        try:
            await client.prepare()
            account = await client.account()
        except BaseException:
            await stack.aclose()
            raise
        slots = anyio.Semaphore(body["at_once"], fast_acquire=True)
        session = Session(client, stack, body["varies"], slots, self.clock, used_at=self.clock())
        self._sessions[body["session"]] = session
        known = account if account.isdigit() else ""  # an access key is nobody's business
        return {"version": __version__, "region": client.region, "url": client.url, "account": known}

    async def _lot(self, body: Body) -> Body:
        session, operation = self._sessions.get(body["session"]), body["operation"]
        if session is None:  # of a process that was here before
            return {"unknown": True}
        calls = [call_of(operation, call) for call in body["calls"]]
        answers, tail = await session.make(operation, Lease.of(body["lease"]), calls)
        return {"answers": answers, "tail": tail if answers else 0.0, "at": self.clock()}

    def _stop(self, name: str) -> None:
        if name in self._sessions:
            self._sessions[name].stop.ask("the driver stops", 0)

    async def _leave(self, name: str) -> None:
        session = self._sessions.pop(name, None)
        if session is not None:
            await session.close()

    async def _forget_idle(self) -> None:
        """Close what drivers that are gone have left behind."""
        for name, session in list(self._sessions.items()):
            if not session.lots and self.clock() - session.used_at > IDLE:
                await self._leave(name)

    def stop(self) -> None:
        """Let no run of any driver begin another call."""
        for name in self._sessions:
            self._stop(name)

    async def close(self) -> None:
        """Stop and close all runs."""
        for name in list(self._sessions):
            await self._leave(name)
