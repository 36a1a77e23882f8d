"""The client of Amazon Connect against a server that misbehaves, over real HTTP: it …"""

import asyncio
import json
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from botocore import exceptions as sdk

from bulk.aws.connect import Connect, Endpoint
from bulk.aws.failures import LINE_FAILURES
from bulk.errors import CallFailed, CampaignError, Halted
from bulk.model import Call, Reply, Verdict
from bulk.operations.verdicts import verdict

CHAT = Call("StartOutboundChatContact", {"InstanceId": "i", "ContactFlowId": "f"})
SECRETS = ("AKIDEXAMPLE", "dummy")

Conduct = Callable[[asyncio.StreamWriter], Coroutine[Any, Any, None]]


def http(status: int, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Words", f"Content-Length: {len(body)}", "Content-Type: application/json", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def answer(content: bytes) -> Conduct:
    async def conduct(writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()

    return conduct


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()


async def reset(writer: asyncio.StreamWriter) -> None:
    line = writer.get_extra_info("socket")
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def stay_silent(writer: asyncio.StreamWriter) -> None:
    pass


async def break_off(writer: asyncio.StreamWriter) -> None:
    writer.write(http(200, b'{"ContactId": "c-1"}')[:-5])
    await writer.drain()
    writer.close()


ACCEPTED = answer(http(200, b'{"ContactId": "c-1"}', "x-amzn-RequestId: r-1"))


@dataclass
class Server:
    """Conducts itself as told, and keeps every request that it read."""

    conduct: list[Conduct] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    lines: dict[asyncio.StreamWriter, Any] = field(default_factory=dict)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.lines[writer] = asyncio.current_task()
        with suppress(asyncio.IncompleteReadError, ConnectionError), closing(writer):
            while (first := await reader.readexactly(1)) != TLS:
                head = (first + await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = dict(line.split(": ", 1) for line in head[1:] if line)
                body = await reader.readexactly(int(headers.get("Content-Length", 0)))
                self.requests.append((head[0], headers, json.loads(body or "null")))
                await self.conduct[min(len(self.requests), len(self.conduct)) - 1](writer)
            writer.write(http(400))

    async def hang_up(self) -> None:
        for line in self.lines:
            line.transport.abort()
        await asyncio.gather(*self.lines.values())


TLS = b"\x16"  # the first byte of a handshake


@asynccontextmanager
async def serving(*conduct: Conduct) -> AsyncIterator[Server]:
    """Run a server that conducts itself so: the first request as the first, the last and all after it as the last."""
    server = Server([*conduct])
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listening.close()
        await server.hang_up()
        await listening.wait_closed()


def at(url: str, **more: Any) -> Endpoint:
    return Endpoint(**{"url": url, "region": "us-west-2", "credentials": SECRETS, "read_timeout": 5.0, **more})


async def called(url: str, call: Call = CHAT, **more: Any) -> Reply:
    async with Connect(at(url, **more), at_once=4) as connect:
        return await connect.call(call, "token-1")


async def failed(url: str, **more: Any) -> CallFailed:
    with pytest.raises(CallFailed) as raised:
        await called(url, **more)
    return raised.value


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def standing() -> AsyncIterator[tuple[Server, Connect]]:
    """A server and a client of it that last for the module: a client costs more than the calls of a test."""
    async with serving(ACCEPTED) as server, Connect(at(server.url), at_once=4) as connect:
        yield server, connect


on_a_standing_line = pytest.mark.asyncio(loop_scope="module")

Standing = tuple[Server, Connect]


async def failing(standing: Standing, conduct: Conduct) -> CallFailed:
    """Make a call that the server meets so; it must fail, having gone out once."""
    server, connect = standing
    server.requests.clear()
    server.conduct = [conduct]
    with pytest.raises(CallFailed) as raised:
        await connect.call(CHAT, "token-1")
    assert len(server.requests) == 1
    return raised.value


async def test_a_reply_has_the_members_and_the_request_id() -> None:
    async with serving(ACCEPTED) as server:
        assert await called(server.url) == Reply({"ContactId": "c-1"}, "r-1")


async def test_a_call_is_the_request_that_aws_documents_under_our_token() -> None:
    async with serving(ACCEPTED) as server:
        await called(server.url)
    line, headers, body = server.requests[0]
    assert line == "PUT /contact/outbound-chat HTTP/1.1"
    assert body == {**CHAT.parameters, "ClientToken": "token-1"}
    assert "us-west-2/connect/aws4_request" in headers["Authorization"]
    assert headers["User-Agent"].startswith("bulk/")


async def test_an_operation_that_takes_no_token_is_given_none() -> None:
    async with serving(answer(http(200, b"{}"))) as server:
        reply = await called(server.url, Call("StopContact", {"InstanceId": "i", "ContactId": "c"}))
    assert (reply.members, server.requests[0][2]) == ({}, {"InstanceId": "i", "ContactId": "c"})


async def test_a_member_that_the_installed_sdk_does_not_know_is_sent() -> None:
    template = {
        "InitialTemplatedSystemMessage": {"MessageTemplateId": "t", "KnowledgeBaseId": "k", "TemplateAttributes": {}}
    }
    async with serving(ACCEPTED) as server:
        await called(server.url, Call(CHAT.operation, {**CHAT.parameters, **template}))
    assert server.requests[0][2]["InitialTemplatedSystemMessage"] == template["InitialTemplatedSystemMessage"]


async def test_it_says_where_it_is_connected() -> None:
    async with Connect(at("http://127.0.0.1:9"), at_once=1) as connect:
        assert (connect.url, connect.region) == ("http://127.0.0.1:9", "us-west-2")
    async with Connect(Endpoint(region="eu-west-2", credentials=SECRETS), at_once=1) as connect:
        assert connect.url == "https://connect.eu-west-2.amazonaws.com"


# What goes wrong with an answer

ERROR = http(400, b'{"message": "no"}', "x-amzn-ErrorType: InvalidRequestException:http://x/", "x-amzn-RequestId: r-2")


@on_a_standing_line
async def test_an_error_has_the_services_code_words_and_request_id(standing: Standing) -> None:
    failure = await failing(standing, answer(ERROR))
    assert (failure.code, failure.message, failure.status, failure.request_id) == (
        "InvalidRequestException",
        "no",
        400,
        "r-2",
    )
    assert failure.went_out


@pytest.mark.parametrize(
    "content, code, status",
    [
        (http(429, b'{"message": "slow down"}'), "429", 429),
        (http(429), "429", 429),
        (http(503), "503", 503),
        (http(502, b"<html>bad gateway</html>"), "502", 502),
        (http(403, b"<html>who are you</html>"), "403", 403),
        (http(500, b'{"__type": "InternalServiceException"}'), "InternalServiceException", 500),
        (http(200, b"{}"), "NoContactId", None),
        (http(200), "NoContactId", None),
        (http(200, b'{"ContactId": ""}'), "NoContactId", None),
        (http(200, b'{"ContactId": 5}'), "NoContactId", None),
        (http(200, b'{"Conta'), "NoContactId", None),
        (http(200, b"\xff\xfe{"), "UnreadableAnswer", None),
        (http(200, b"[]"), "UnreadableAnswer", None),
        (http(200, b"null"), "UnreadableAnswer", None),
        (http(200, b'"words"'), "UnreadableAnswer", None),
        (http(500, b"null"), "UnreadableAnswer", None),
        (http(429, b"[]"), "UnreadableAnswer", None),
        (b"\x00\x01 garbage\r\n\r\n", "HTTPClientError", None),
        (b"220 mail.example ESMTP\r\n\r\n", "HTTPClientError", None),
    ],
)
@on_a_standing_line
async def test_an_answer_that_is_no_reply_fails_the_call_alone(
    standing: Standing, content: bytes, code: str, status: int | None
) -> None:
    failure = await failing(standing, answer(content))
    assert (failure.code, failure.status, failure.went_out) == (code, status, True)


@pytest.mark.parametrize("status", [401, 403, 404, 405])
@pytest.mark.parametrize(
    "content",
    [b"", b"<html>+12065550100 is nowhere</html>", b'{"message": "no route"}', b'{"code": 7, "Message": "x"}'],
)
@on_a_standing_line
async def test_a_no_without_a_code_is_not_the_services_word_on_a_row_and_halts(
    standing: Standing, status: int, content: bytes
) -> None:
    failure = await failing(standing, answer(http(status, content)))
    assert (failure.code, failure.status) == (str(status), status)
    assert failure.message.startswith(f"not an answer of AWS (HTTP {status}). Check the endpoint (--endpoint-url")
    assert "1206" not in str(failure)
    assert verdict(failure) is Verdict.HALT


@pytest.mark.parametrize("content", [b"null", b"[]", b"\xff", b"{}"])
@on_a_standing_line
async def test_a_success_that_cannot_be_read_may_have_been_accepted(standing: Standing, content: bytes) -> None:
    assert verdict(await failing(standing, answer(http(200, content)))) is Verdict.RETRY


# What goes wrong with the line


@pytest.mark.parametrize("conduct", [hang_up, reset, break_off], ids=["closed", "reset", "broken-off"])
@on_a_standing_line
async def test_a_line_that_breaks_under_way_may_have_carried_the_request(standing: Standing, conduct: Conduct) -> None:
    failure = await failing(standing, conduct)
    assert (failure.code, failure.status, failure.went_out) == ("ConnectionClosed", None, True)


@pytest.mark.parametrize("conduct", [hang_up, reset, break_off], ids=["closed", "reset", "broken-off"])
@pytest.mark.parametrize("before", [0, 1], ids=["a-fresh-line", "a-kept-line"])
async def test_a_line_that_breaks_has_seen_one_request(conduct: Conduct, before: int) -> None:
    async with serving(*[ACCEPTED] * before, conduct) as server, Connect(at(server.url), at_once=4) as connect:
        for _ in range(before):
            await connect.call(CHAT, "token-0")
        with pytest.raises(CallFailed):
            await connect.call(CHAT, "token-1")
    tokens = [body["ClientToken"] for _, _, body in server.requests]
    assert tokens == ["token-0"] * before + ["token-1"]
    assert len(server.lines) == 1


@pytest.mark.parametrize("status", [500, 503, 429])
@on_a_standing_line
async def test_the_sdk_makes_no_retry_of_its_own(standing: Standing, status: int) -> None:
    await failing(standing, answer(http(status)))
    assert len(standing[0].requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@on_a_standing_line
async def test_a_redirect_is_not_followed_and_halts(standing: Standing, status: int) -> None:
    failure = await failing(standing, answer(http(status, b"", "Location: /contact/outbound-chat")))
    assert (failure.status, len(standing[0].requests)) == (status, 1)
    assert verdict(failure) is Verdict.HALT


async def test_silence_ends_after_the_read_timeout() -> None:
    async with serving(stay_silent) as server:
        failure = await failed(server.url, read_timeout=0.2)
    assert (failure.code, failure.went_out, len(server.requests)) == ("ReadTimeout", True, 1)


async def test_a_port_where_nobody_listens_has_seen_nothing() -> None:
    async with serving() as server:
        pass
    failure = await failed(server.url)
    assert (failure.code, failure.went_out) == ("EndpointConnectionError", False)


async def test_a_host_that_does_not_exist_has_seen_nothing() -> None:
    failure = await failed("http://nowhere.invalid", allow_http=True)
    assert (failure.code, failure.went_out) == ("EndpointConnectionError", False)


async def test_a_server_without_tls_has_seen_nothing() -> None:
    async with serving(ACCEPTED) as server:
        failure = await failed(server.url.replace("http", "https"))
    assert (failure.code, failure.went_out, server.requests) == ("SSLError", False, [])


async def test_lines_are_kept_and_no_more_than_allowed() -> None:
    async with serving(ACCEPTED) as server, Connect(at(server.url), at_once=3) as connect:
        await asyncio.gather(*[connect.call(CHAT, str(number)) for number in range(30)])
    assert (len(server.requests), len(server.lines)) == (30, 3)


def test_no_failure_of_the_line_hides_a_more_particular_one() -> None:
    kinds = [kind for kind, _ in LINE_FAILURES]
    assert [(above, below) for above, below in combinations(kinds, 2) if issubclass(below, above)] == []


def test_every_failure_of_the_line_is_in_the_table() -> None:
    families = (sdk.ConnectionError, sdk.HTTPClientError)
    known = [kind for kind in vars(sdk).values() if isinstance(kind, type) and issubclass(kind, families)]
    assert len(known) >= 9
    assert [kind for kind in known if not issubclass(kind, tuple(kind for kind, _ in LINE_FAILURES))] == []


# What is wrong before any call


async def test_no_credentials_halt_with_the_remedy() -> None:
    with pytest.raises(Halted, match=r"no usable AWS credentials: .* Set AWS_PROFILE or --profile"):
        await called("https://connect.invalid", credentials=None)  # one on this machine needs none


async def test_half_of_the_credentials_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    with pytest.raises(Halted, match="no usable AWS credentials"):
        await called("http://127.0.0.1:9", credentials=None)


async def test_credentials_of_the_environment_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDOTHER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "dummy")
    async with serving(ACCEPTED) as server:
        await called(server.url, credentials=None)
    assert "Credential=AKIDOTHER/" in server.requests[0][1]["Authorization"]


@pytest.mark.parametrize(
    "wrong, said",
    [
        (
            {"url": "https://connect.invalid", "region": None},
            r"no AWS Region is set\. Give --region, or set AWS_REGION",
        ),
        ({"region": "us west 2"}, r"us west 2.*Check --region and --endpoint-url"),
        ({"url": "somewhere"}, r"Invalid endpoint: somewhere\. Check --region and --endpoint-url"),
        ({"profile": "nobody"}, r"nobody.*`aws configure list-profiles`"),
        ({"ca_bundle": Path("/nowhere/ca.pem")}, r"/nowhere/ca\.pem: not a CA bundle in PEM form: No such file"),
    ],
)
async def test_a_wrong_option_is_named_with_the_remedy(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(CampaignError, match=said):
        await called(**{"url": "http://127.0.0.1:9", **wrong})


async def test_a_ca_bundle_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(CampaignError, match=r"ca\.pem: not a CA bundle in PEM form"):
        await called("http://127.0.0.1:9", ca_bundle=tmp_path / "ca.pem")


async def test_a_broken_configuration_file_of_aws_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[profile")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.fspath(tmp_path / "config"))
    with pytest.raises(CampaignError, match=r"config\. Mend the AWS configuration file"):
        await called("http://127.0.0.1:9")


# Where calls go


async def test_where_the_calls_of_an_operation_go_hangs_on_nothing_that_a_row_says() -> None:
    """So it is asked for once: the rules of the installed SDK take no parameter of a call."""
    async with Connect(at("http://127.0.0.1:9"), at_once=1) as connect:
        resolver, model = connect._client._ruleset_resolver, connect._client.meta.service_model
        rules = resolver._param_definitions
        assert set(rules) == {"Region", "UseDualStack", "UseFIPS", "Endpoint"}
        assert all(rule.builtin for rule in rules.values())
        first = await resolver.construct_endpoint(model.operation_model("CreateContact"), {"InstanceId": "a"}, {})
        again = await resolver.construct_endpoint(model.operation_model("CreateContact"), {"InstanceId": "b"}, {})
    assert again is first
    assert first.url == "http://127.0.0.1:9"
