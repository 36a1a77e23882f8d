"""The service as it stands in the net, in front of the sandbox: whom it lets in, and what may come between."""

import asyncio
import json
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

HOST = "connect.chaos.invalid"  # a name that leads nowhere but through the proxy
SKEW = 300.0  # seconds by which the date of a signature may differ from the service's


def _answer(status: str, text: str, kind: str = "text/html") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()


STATUSES = "502 Bad Gateway", "403 Forbidden", "200 OK", "503 Service Unavailable"
PAGES = [_answer(status, f"<html><h1>{status}</h1></html>") for status in STATUSES]


@dataclass
class Edge:
    """The service as it stands in the net: TLS, and before anything else a look at the signature's date and key.

    With a `page`, something in between answers with that instead.
    """

    port: int
    requests: int = 0
    turned_away: int = 0
    page: bytes | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(asyncio.IncompleteReadError, OSError):
            there, back = await asyncio.open_connection("127.0.0.1", self.port)
            with closing(back):
                while True:
                    request = await _message(reader)
                    self.requests += 1
                    answer = self.page or self._denied(request)
                    if answer is None:
                        back.write(request)
                        answer = await _message(there)
                    else:
                        self.turned_away += 1
                    writer.write(answer)
                    await writer.drain()

    @staticmethod
    def _denied(request: bytes) -> bytes | None:
        headers = _headers(request)
        signed = datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
        key = headers["authorization"].partition("Credential=AKID")[2].partition("/")[0]
        if abs(signed - time.time()) > SKEW:
            words = f"Signature expired: {headers['x-amz-date']} is not within 5 minutes of the service's time"
            return _refusal("InvalidSignatureException", words)
        if float(key) < time.time():
            return _refusal("ExpiredTokenException", "The security token included in the request is expired")
        return None


def _refusal(code: str, words: str) -> bytes:
    text = json.dumps({"message": words})
    head = (
        f"HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nx-amzn-RequestId: e\r\nx-amzn-ErrorType: {code}"
    )
    return f"{head}\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()


async def _message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    return head + await reader.readexactly(int(_headers(head).get("content-length", 0)))


def _headers(message: bytes) -> dict[str, str]:
    lines = message.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
