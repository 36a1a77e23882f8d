"""Who may ask the sandbox: programs on this machine, and no web page, whatever name it calls it by."""

import asyncio
import io
import json
import logging
import math
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cli_runs import Service, bulk, campaign, started
from sandbox_requests import CHAT, SIGNED

from bulk.sandbox import Sandbox
from bulk.sandbox.guard import Denied, Guard

JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(rate=math.inf, allow_hosts=["sandbox.test", "Other.Test:9000"]) as running:
        yield running


class Reply:
    def __init__(self, status: int, headers: Any, text: str) -> None:
        self.status, self.headers, self.text = status, headers, text

    @property
    def json(self) -> Any:
        return json.loads(self.text)


async def ask(sandbox: Sandbox, asked: str, **options: Any) -> Reply:
    method, path = asked.split()
    async with aiohttp.ClientSession() as http, http.request(method, sandbox.url + path, **options) as reply:
        return Reply(reply.status, reply.headers, await reply.text())


def port(sandbox: Sandbox) -> str:
    return sandbox.url.rpartition(":")[2]


FOREIGN = ["evil.example", "evil.example:PORT", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil.example:PORT", "localhost"]
FOREIGN += ["localhost.evil.example:PORT", "0.0.0.0:PORT", "", "other.test", "other.test:PORT", "[::2]:PORT"]


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize("asked", ["GET /_sandbox/contacts", "POST /_sandbox/reset", "PUT /contact/outbound-chat"])
async def test_a_foreign_host_is_refused(sandbox: Sandbox, asked: str, host: str) -> None:
    headers = {"Host": host.replace("PORT", port(sandbox)), "Authorization": SIGNED, **JSON}
    reply = await ask(sandbox, asked, headers=headers, data=json.dumps(CHAT))
    assert reply.status == 403
    assert "--allow-host" in reply.json["message"]
    assert (reply.headers.get("x-amzn-ErrorType") == "AccessDeniedException") == ("_sandbox" not in asked)
    assert sandbox.contacts == []


OWN = ["127.0.0.1:PORT", "localhost:PORT", "LOCALHOST:PORT", "[::1]:PORT", "sandbox.test", "sandbox.test:77"]


@pytest.mark.parametrize("host", [*OWN, "other.test:9000"])
async def test_its_own_names_and_those_that_were_allowed_are_taken(sandbox: Sandbox, host: str) -> None:
    host = host.replace("PORT", port(sandbox))
    for headers in {"Host": host}, {"Host": host, "Origin": f"http://{host}"}:
        assert (await ask(sandbox, "GET /_sandbox/contacts", headers=headers)).status == 200


ORIGINS = ["http://evil.example", "https://evil.example:PORT", "null", "http://127.0.0.1:1", "http://localhost"]
ORIGINS += ["file://", "http://127.0.0.1:PORT.evil.example", "chrome-extension://127.0.0.1:PORT", ""]


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("asked", ["GET /_sandbox/contacts", "POST /_sandbox/reset", "PUT /contact/outbound-chat"])
async def test_a_foreign_origin_is_refused(sandbox: Sandbox, asked: str, origin: str) -> None:
    headers = {"Origin": origin.replace("PORT", port(sandbox)), "Authorization": SIGNED, **JSON}
    reply = await ask(sandbox, asked, headers=headers, data=json.dumps(CHAT))
    assert (reply.status, "Origin" in reply.json["message"]) == (403, True)
    assert "Access-Control-Allow-Origin" not in reply.headers
    assert sandbox.contacts == []


async def test_a_page_is_not_asked_whether_it_may(sandbox: Sandbox) -> None:
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    assert (await ask(sandbox, "OPTIONS /_sandbox/reset", headers=headers)).status == 403


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
@pytest.mark.parametrize("body", ["", '{"rules": []}'])
async def test_what_a_form_can_send_changes_nothing(sandbox: Sandbox, kind: str, body: str) -> None:
    await ask(sandbox, "PUT /contact/outbound-chat", headers={"Authorization": SIGNED}, json=CHAT)
    for asked in "POST /_sandbox/reset", "PUT /_sandbox/faults":
        reply = await ask(sandbox, asked, data=body, headers={"Content-Type": kind})
        assert (reply.status, "application/json" in reply.json["message"]) == (415, True)
    assert len(sandbox.contacts) == 1


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8"])
async def test_json_is_taken(sandbox: Sandbox, kind: str) -> None:
    assert (await ask(sandbox, "POST /_sandbox/reset", data="{}", headers={"Content-Type": kind})).status == 200
    assert (await ask(sandbox, "PUT /_sandbox/faults", data="{}", headers={"Content-Type": kind})).status == 200


async def test_no_page_takes_an_answer_for_anything_else(sandbox: Sandbox) -> None:
    reply = await ask(sandbox, "GET /_sandbox/contacts")
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Cross-Origin-Resource-Policy"] == "same-origin"


async def test_a_token_that_was_set_is_wanted_by_the_control_api_alone() -> None:
    async with Sandbox(rate=math.inf, control_token="sësame") as sandbox:
        for headers in {}, {"Authorization": "Bearer other"}, {"Authorization": "sesame"}, {"Authorization": SIGNED}:
            for asked in "GET /_sandbox/contacts", "POST /_sandbox/reset", "GET /_sandbox/nothing", "GET /_sandbox":
                assert (await ask(sandbox, asked, headers=headers)).status == 401
        assert (await ask(sandbox, "GET /_sandbox/contacts", headers={"Authorization": "Bearer sësame"})).status == 200
        assert (await ask(sandbox, "GET /_sandbox/contacts?token=s%C3%ABsame&limit=1")).status == 200
        assert (await ask(sandbox, "GET /_sandbox/contacts?token=x&token=y")).status == 401
        sent = await ask(sandbox, "PUT /contact/outbound-chat", headers={"Authorization": SIGNED}, json=CHAT)
        assert sent.status == 200
        assert len(sandbox.contacts) == 1


def test_a_token_is_compared_whole() -> None:
    guard = Guard(1, token="secret")
    for token in "", "s", "secre", "secrets":
        with pytest.raises(Denied):
            guard.check_control({"Authorization": f"Bearer {token}"}, "", b"")
    guard.check_control({"Authorization": "bearer secret"}, "", b"")


async def test_the_sandbox_of_a_run_keeps_its_contacts_to_itself(tmp_path: Any) -> None:
    """Its port is found as anybody on the machine finds it, and asked while the run waits for a slow rate."""
    path = campaign(tmp_path, rows=50)
    with started("send", path, "--sandbox", "--rate", "2", "--burst", "1", cwd=tmp_path) as process:
        for _ in range(200):
            ports = _listening(process.pid)
            if ports:
                break
            await asyncio.sleep(0.05)
        (number,) = ports
        async with aiohttp.ClientSession() as http:
            for asked in "GET /_sandbox/contacts", "POST /_sandbox/reset", "GET /_sandbox/calls":
                method, place = asked.split()
                async with http.request(method, f"http://127.0.0.1:{number}{place}") as reply:
                    assert reply.status == 401


def _listening(pid: int) -> set[int]:
    """Return the TCP ports on which a process listens (proc(5))."""
    sockets = set()
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            sockets.add(str(path.readlink()))
    rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text("ascii").splitlines()[1:]]
    return {int(row[1].split(":")[1], 16) for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets}


def test_a_further_name_is_allowed_on_the_command_line(tmp_path: Any) -> None:
    with started("sandbox", "--port", "0", "--allow-host", "connect.test", cwd=tmp_path) as process:
        assert process.stdout is not None
        service = Service(process.stdout.readline().strip())
        assert service.ask("contacts") == {"contacts": []}
        service.reset()


# Bodies that are no request


DEEP = 100_000
BODIES = {
    "arrays": "[" * DEEP,
    "closed arrays": "[" * DEEP + "]" * DEEP,
    "objects": '{"a":' * DEEP + "1" + "}" * DEEP,
    "in a member": '{"Attributes": ' + "[" * DEEP + "]" * DEEP + "}",
    "not so deep": '{"Attributes": ' + '{"a":' * 500 + "1" + "}" * 500 + "}",
    "deeper than any shape": '{"Attributes": ' + "[" * 70 + "]" * 70 + "}",
    "a long number": '{"Attributes": ' + "9" * 5000 + "}",
    "no JSON": "\x00\xff",
    "half": '{"a": ',
}
ROUTES = [
    "PUT /contact/outbound-chat",
    "PUT /contact/email",
    "PUT /contact/outbound-email",
    "PUT /contact/create-contact",
    "POST /contact/stop",
]


@pytest.mark.parametrize("asked", ROUTES)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_a_body_that_is_too_deep_or_no_json_is_a_serialization_exception(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, asked: str, body: str
) -> None:
    with caplog.at_level(logging.DEBUG):
        reply = await ask(sandbox, asked, data=body.encode(), headers={"Authorization": SIGNED, **JSON})
    if reply.status == 404:
        pytest.skip("no such route in this model")
    assert (reply.status, reply.headers["x-amzn-ErrorType"]) == (400, "SerializationException")
    assert reply.json["message"]
    assert [record for record in caplog.records if record.exc_info or record.levelno > logging.INFO] == []


@pytest.mark.parametrize("path", ["faults", "quotas"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_so_it_is_with_the_control_api(sandbox: Sandbox, path: str, body: str) -> None:
    reply = await ask(sandbox, f"PUT /_sandbox/{path}", data=body.encode(), headers=JSON)
    assert reply.status == 400
    assert reply.json["message"]


async def test_a_body_beyond_all_bounds_is_answered_as_aws_does(sandbox: Sandbox) -> None:
    body = io.BytesIO(b"x" * (64 * 2**20 + 2))
    reply = await ask(sandbox, "PUT /contact/outbound-chat", data=body, headers={"Authorization": SIGNED, **JSON})
    assert (reply.status, reply.headers["x-amzn-ErrorType"]) == (413, "RequestEntityTooLargeException")


@pytest.mark.parametrize("number", ["+1٢٠٦٥٥٥٠١٠٠", "+１２０６５５５０１００", "+1206555०१००"])
async def test_only_ascii_digits_make_a_number(sandbox: Sandbox, number: str) -> None:
    chat = CHAT | {"DestinationEndpoint": {"Type": "TELEPHONE_NUMBER", "Address": number}}
    reply = await ask(sandbox, "PUT /contact/outbound-chat", json=chat, headers={"Authorization": SIGNED})
    assert (reply.status, reply.headers["x-amzn-ErrorType"]) == (400, "InvalidRequestException")


async def test_only_ascii_digits_make_an_account(sandbox: Sandbox) -> None:
    arn = "arn:aws:connect:us-west-2:١٢٣٤٥٦٧٨٩٠١٢:phone-number/0b1c"
    chat = CHAT | {"SourceEndpoint": {"Type": "CONNECT_PHONENUMBER_ARN", "Address": arn}}
    reply = await ask(sandbox, "PUT /contact/outbound-chat", json=chat, headers={"Authorization": SIGNED})
    assert reply.status == 400


MAIL = "PUT /contact/email HTTP/1.1", "Host: HOST"
NONSENSE: dict[str, tuple[str, ...]] = {
    "two lengths": (*MAIL, "Content-Length: 5", "Transfer-Encoding: chunked", "", "0", ""),
    "no length": (*MAIL, "Content-Length: x", ""),
    "a chunk of no length": (*MAIL, "Transfer-Encoding: chunked", "", "zz"),
    "no method": ("B@D /contact/email HTTP/1.1", "Host: HOST", ""),
    "another method": ("PATCH /contact/email HTTP/1.1", "Host: HOST", ""),
    "TLS": ("\x16\x03\x01 hello", ""),
    "a long header": ("GET / HTTP/1.1", "Host: HOST", f"X: {'x' * 100_000}", ""),
    "a long line": (f"GET /{'x' * 100_000} HTTP/1.1", "Host: HOST", ""),
    "two hosts": ("GET /_sandbox/contacts HTTP/1.1", "Host: HOST", "Host: evil.example", ""),
    "another encoding": (*MAIL, "Content-Encoding: gzip", "Content-Length: 3", "", "abc"),
}


def test_what_is_no_request_is_answered_as_aws_does_and_nothing_is_printed(tmp_path: Any) -> None:
    with started("sandbox", "--port", "0", cwd=tmp_path) as process:
        assert process.stdout is not None
        host = process.stdout.readline().strip().removeprefix("http://")
        for name, lines in NONSENSE.items():
            raw = "\r\n".join((*lines, "")).replace("HOST", host)
            with socket.create_connection(("127.0.0.1", int(host.rpartition(":")[2])), timeout=10) as line:
                line.sendall(raw.encode("latin-1"))
                head, _, body = line.recv(65536).decode("utf-8").partition("\r\n\r\n")
            assert head.split()[1] in {"400", "404"}, name
            assert "x-amzn-errortype" in head.lower(), name
            assert json.loads(body)["message"], name
        process.terminate()
        _, told = process.communicate()
    assert len(told.splitlines()) == 1, told


def test_a_rehearsal_through_it_all_is_as_before(tmp_path: Any) -> None:
    assert bulk("send", campaign(tmp_path), "--sandbox", cwd=tmp_path).code == 0
