"""Pretend services of AWS on loopback: Connect, STS, SSO, a container's agent, by who asks for what."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from aiohttp.web import BaseRequest, Response

ACCEPTED = {"ContactId": "c-1"}
Answer = Callable[[BaseRequest, str], Response]


def stamp(seconds: float) -> str:
    """Write the moment that is so many seconds from now, as AWS does."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def accepted(_request: BaseRequest, _body: str) -> Response:
    return web.json_response(ACCEPTED, headers={"x-amzn-RequestId": "r-1"})


def refused(code: str, status: int, message: str = "no", **headers: str) -> Answer:
    """Return what answers in Amazon Connect's form."""
    said = {"x-amzn-ErrorType": code, "x-amzn-RequestId": "r-1", **headers}
    return lambda _request, _body: web.json_response({"message": message}, status=status, headers=said)


def assumed(kind: str, seconds: float, number: int) -> str:
    """Write STS's answer to an AssumeRole of either kind."""
    keys = f"<AccessKeyId>AKIDROLE{number}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
    keys += f"<SessionToken>t{number}</SessionToken><Expiration>{stamp(seconds)}</Expiration>"
    user = "<Arn>arn:aws:sts::123456789012:assumed-role/r/s</Arn><AssumedRoleId>A:s</AssumedRoleId>"
    inner = f"<Credentials>{keys}</Credentials><AssumedRoleUser>{user}</AssumedRoleUser>"
    return f"<{kind}Result>{inner}</{kind}Result>"


def xml(kind: str, inner: str, status: int = 200) -> Response:
    space = "https://sts.amazonaws.com/doc/2011-06-15/"
    text = f'<{kind} xmlns="{space}">{inner}<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></{kind}>'
    return Response(text=text, status=status, content_type="text/xml", headers={"x-amzn-RequestId": "r"})


def sts(seconds: float) -> Answer:
    """Return an STS that grants roles for so many seconds, each time another key."""
    granted = 0

    def answer(_request: BaseRequest, body: str) -> Response:
        nonlocal granted
        granted += 1
        kind = "AssumeRoleWithWebIdentity" if "WithWebIdentity" in body else "AssumeRole"
        return xml(f"{kind}Response", assumed(kind, seconds, granted))

    return answer


def sts_refuses(code: str, status: int = 400, message: str = "no") -> Answer:
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    return lambda _request, _body: xml("ErrorResponse", error, status)


@dataclass
class Pretended:
    """Answers as told, and keeps every request: method, path, headers, body."""

    answer: Answer
    requests: list[tuple[str, str, dict[str, str], str]] = field(default_factory=list)
    port: int = 0
    url: str = ""

    async def serve(self, request: BaseRequest) -> Response:
        body = await request.text()
        self.requests.append((request.method, request.path, dict(request.headers), body))
        return self.answer(request, body)

    @property
    def keys(self) -> list[str]:
        """The key ids that the requests were signed with."""
        signed = [headers.get("Authorization", "") for _, _, headers, _ in self.requests]
        return [words.partition("Credential=")[2].partition("/")[0] for words in signed]


@asynccontextmanager
async def pretending(answer: Answer = accepted, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Pretended]:
    """Run a service that answers so; over TLS where a context is given."""
    service = Pretended(answer)
    runner = web.ServerRunner(web.Server(service.serve, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    service.port = runner.addresses[0][1]
    service.url = f"{'https' if tls else 'http'}://127.0.0.1:{service.port}"
    try:
        yield service
    finally:
        await runner.cleanup()


def profile(**settings: Any) -> str:
    """Write the default profile of an AWS configuration file."""
    return "[default]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items())
