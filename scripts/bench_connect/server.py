"""A lean Amazon Connect: a token bucket per operation, a latency, an answer. It shares none of bulk's code.

It speaks just enough HTTP/1.1, as one `asyncio.Protocol`, to cost little of the machine it shares with the client
that is measured. `/bench` belongs to whoever measures:

    PUT /bench     {"rate": 50, "burst": 50, "latency": 0.1, "changes": [[1000, 25]]}: begin anew under these settings,
                   with full buckets and nothing seen. Latency in seconds; a rate of null means no limit; `changes` are
                   the rates that hold once an operation has accepted so many calls
    GET /bench     what each operation has seen, see `Operation.seen`

A bucket's `permitted` is what a client that never waits could have had accepted: the burst it found, and what flowed in
from its first call to its last accepted one.
"""

import argparse
import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

OPERATIONS = {
    b"PUT /contact/outbound-chat": "StartOutboundChatContact",
    b"PUT /contact/create-contact": "CreateContact",
    b"PUT /contact/outbound-email": "StartOutboundEmailContact",
}
THROTTLED = b'{"message":"Rate exceeded"}'


@dataclass(frozen=True, slots=True)
class Settings:
    """What the service grants: calls a second and at once, per operation, and the seconds an answer takes."""

    rate: float | None = None
    burst: float = 50
    latency: float = 0.0
    changes: Sequence[tuple[int, float]] = ()


@dataclass(slots=True)
class Operation:
    """One operation: its bucket, and what it has seen. Times are those of the machine's monotonic clock."""

    rate: float | None
    burst: float
    changes: list[tuple[int, float]]
    tokens: float
    at: float = 0.0
    flowed: float = 0.0
    permitted: float = 0.0
    accepted: int = 0
    throttled: int = 0
    first: float | None = None
    last: float | None = None

    def refill(self, now: float) -> None:
        """Let flow in what came since the last look."""
        if self.first is not None and self.rate is not None:
            flow = (now - self.at) * self.rate
            self.flowed += flow
            self.tokens = min(self.burst, self.tokens + flow)
        self.at = now

    def take(self, now: float) -> bool:
        """Take a token, if there is one."""
        self.refill(now)
        if self.first is None:
            self.first = now
        if self.rate is not None and self.tokens < 1:
            self.throttled += 1
            return False
        self.tokens -= 1
        self.accepted += 1
        self.last, self.permitted = now, self.burst + self.flowed
        if self.changes and self.accepted >= self.changes[0][0]:
            _, self.rate = self.changes.pop(0)
        return True

    def seen(self) -> dict[str, Any]:
        """Return what was accepted, throttled and permitted, and when the first call and the last accepted one came."""
        return {name: getattr(self, name) for name in ("accepted", "throttled", "permitted", "first", "last")}


class Service:
    """All operations under one setting."""

    def __init__(self) -> None:
        self.settings = Settings()
        self._operations: dict[str, Operation] = {}
        self.contacts = 0

    def answer(self, name: str, now: float) -> tuple[bytes, bytes]:
        """Answer a call: the head's particular lines, and the body."""
        operation = self._operations.get(name)
        if operation is None:
            s = self.settings
            operation = self._operations[name] = Operation(s.rate, s.burst, list(s.changes), tokens=s.burst)
        if not operation.take(now):
            return b"429 Too Many Requests\r\nx-amzn-ErrorType: TooManyRequestsException", THROTTLED
        self.contacts += 1
        contact = b"%08x-0000-4000-8000-000000000000" % self.contacts
        return b"200 OK", b'{"ContactId":"%b"}' % contact

    def control(self, method: bytes, body: bytes) -> dict[str, Any]:
        """Do what `/bench` is asked for."""
        if method == b"PUT":
            self.settings = Settings(**json.loads(body))
            self._operations.clear()
        return {name: operation.seen() for name, operation in self._operations.items()}


class Connection(asyncio.Protocol):
    """One client's connection: requests in, each answered after the latency."""

    def __init__(self, service: Service, loop: asyncio.AbstractEventLoop) -> None:
        self._service = service
        self._loop = loop
        self._transport: asyncio.Transport
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take whole requests off what has come."""
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end]
            end += 4 + _length(head)
            if len(self._received) < end:
                return
            body, self._received = self._received[len(head) + 4 : end], self._received[end:]
            self._serve(head, body)

    def _serve(self, head: bytes, body: bytes) -> None:
        now = self._loop.time()
        line = head[: head.index(b" HTTP/")]
        if operation := OPERATIONS.get(line):
            status, answer = self._service.answer(operation, now)
            latency = self._service.settings.latency
        elif line.endswith(b" /bench"):
            status, latency = b"200 OK", 0.0
            answer = json.dumps(self._service.control(line.split()[0], body)).encode()
        else:
            status, answer, latency = b"404 Not Found", b"{}", 0.0
        written = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n" % (status, len(answer))
        written += b"x-amzn-RequestId: 00000000-0000-4000-8000-%012d\r\n\r\n%b" % (self._service.contacts, answer)
        if latency:
            self._loop.call_later(latency, self._transport.write, written)
        else:
            self._transport.write(written)


def _length(head: bytes) -> int:
    at = head.lower().find(b"\r\ncontent-length:")
    return 0 if at < 0 else int(head[at + 17 :].split(b"\r\n", 1)[0])


async def serve(port: int) -> None:
    """Serve on loopback, and print the port."""
    loop, service = asyncio.get_running_loop(), Service()
    server = await loop.create_server(lambda: Connection(service, loop), "127.0.0.1", port, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    """Read the options, and serve until killed."""
    options = argparse.ArgumentParser(description="A lean Amazon Connect on loopback.")
    options.add_argument("--port", type=int, default=0)
    asyncio.run(serve(options.parse_args().port))


if __name__ == "__main__":
    main()
