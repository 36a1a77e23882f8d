"""The sandbox as AWS clients see it: real HTTP, real aioboto3 and boto3."""

import asyncio
import io
import json
import math
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aioboto3
import aiohttp
import boto3
import pytest
from aiobotocore.session import AioSession
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from sandbox_requests import CHAT, DRAFT, INBOUND, INSTANCE, MAIL, SIGNED, TEMPLATE, token

from bulk.sandbox import Sandbox, api, serve

TWICE = {"first": 2}  # aiohttp, the client below aioboto3, sends a PUT again by itself when its line breaks once
SECRETS = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "dummy", "region_name": "us-west-2"}
ONCE = {"retries": {"total_max_attempts": 1}}


@pytest.fixture(autouse=True)
def _no_aws_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def session() -> aioboto3.Session:
    core = AioSession()
    core.get_component("data_loader").search_paths.append(str(api.MODELS))
    return aioboto3.Session(botocore_session=core, **SECRETS)


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(rate=math.inf) as running:
        yield running


@asynccontextmanager
async def client_of(session: aioboto3.Session, sandbox: Sandbox, **config: Any) -> AsyncIterator[Any]:
    settings = Config(**(ONCE | config))
    async with session.client("connect", endpoint_url=sandbox.url, config=settings) as client:
        yield client


@pytest.fixture
async def client(session: aioboto3.Session, sandbox: Sandbox) -> AsyncIterator[Any]:
    async with client_of(session, sandbox) as connected:
        yield connected


async def ask(sandbox: Sandbox, method: str, path: str, **options: Any) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as http, http.request(method, sandbox.url + path, **options) as reply:
        return reply.status, await reply.json()


async def test_an_sms_is_accepted_and_shown(sandbox: Sandbox, client: Any) -> None:
    reply = await client.start_outbound_chat_contact(**CHAT, ClientToken="t")
    (contact,) = sandbox.contacts
    assert reply["ContactId"] == contact["ContactId"]
    assert contact["Parameters"] == CHAT | {"ClientToken": "t"}
    assert reply["ResponseMetadata"]["RequestId"]


async def test_an_sms_may_begin_with_a_template(sandbox: Sandbox, client: Any) -> None:
    first = {name: value for name, value in CHAT.items() if name != "InitialSystemMessage"}
    await client.start_outbound_chat_contact(**first, InitialTemplatedSystemMessage=TEMPLATE)
    assert sandbox.contacts[0]["Parameters"]["InitialTemplatedSystemMessage"] == TEMPLATE


async def test_a_mail_takes_two_calls_and_a_third_ends_it(sandbox: Sandbox, client: Any) -> None:
    draft = await client.create_contact(**DRAFT)
    assert draft["ContactArn"].startswith("arn:aws:connect:us-west-2:")
    mail = await client.start_outbound_email_contact(**MAIL, ContactId=draft["ContactId"])
    await client.stop_contact(InstanceId=INSTANCE, ContactId=mail["ContactId"])
    (contact,) = sandbox.contacts
    assert (contact["Mailed"], contact["State"]) == (True, "ended")
    assert contact["ContactId"] == draft["ContactId"] == mail["ContactId"]


async def test_a_contact_can_be_described(client: Any) -> None:
    started = await client.start_email_contact(**INBOUND, Name="Order 17", Attributes={"k": "v"})
    found = (await client.describe_contact(InstanceId=INSTANCE, ContactId=started["ContactId"]))["Contact"]
    assert (found["Id"], found["Channel"], found["InitiationMethod"]) == (started["ContactId"], "EMAIL", "INBOUND")
    assert (found["Name"], found["Attributes"]) == ("Order 17", {"k": "v"})
    assert found["CustomerEndpoint"] == {"Type": "EMAIL_ADDRESS", "Address": "ann@example.com"}
    assert found["InitiationTimestamp"].astimezone(UTC).date() == datetime.now(UTC).date()
    assert "DisconnectTimestamp" not in found


async def test_a_large_mail_arrives_whole(sandbox: Sandbox) -> None:
    raw = {"Subject": "s", "Body": "ü" * 5_242_880, "ContentType": "text/plain"}
    mail = INBOUND | {"EmailMessage": {"MessageSourceType": "RAW", "RawMessage": raw}}
    body = io.BytesIO(json.dumps(mail).encode())
    signed = {"Authorization": SIGNED}
    async with (
        aiohttp.ClientSession(headers=signed) as http,
        http.put(f"{sandbox.url}/contact/email", data=body, expect100=True) as reply,
    ):
        assert reply.status == 200
    assert sandbox.contacts[0]["Parameters"] == mail


async def test_every_error_of_the_model_is_raised_as_its_own_class(sandbox: Sandbox, client: Any) -> None:
    modelled = {shape.error_code: shape for shape in client.meta.service_model.error_shapes}
    for code, shape in modelled.items():
        sandbox.set_faults({"rules": [{"fault": "error", "code": code, "message": f"about {code}"}]})
        with pytest.raises(client.exceptions.from_code(code)) as caught:
            await client.create_contact(**DRAFT)
        reply: Mapping[str, Any] = caught.value.response
        assert reply["Error"] == {"Code": code, "Message": f"about {code}"}
        assert reply["ResponseMetadata"]["HTTPStatusCode"] == shape.metadata["error"]["httpStatusCode"]
        assert reply["ResponseMetadata"]["RequestId"]


async def test_the_reason_of_an_error_arrives_as_modelled(client: Any) -> None:
    attachments = [{"FileName": "tool.exe", "S3Url": "https://files.example/tool.exe"}]
    with pytest.raises(client.exceptions.InvalidRequestException) as caught:
        await client.start_email_contact(**INBOUND, Attachments=attachments)
    assert caught.value.response["Reason"] == {"AttachedFileInvalidRequestExceptionReason": "INVALID_FILE_TYPE"}


async def test_a_status_without_a_body_is_an_error_all_the_same(sandbox: Sandbox, client: Any) -> None:
    sandbox.set_faults({"rules": [{"fault": "error", "status": 503}]})
    with pytest.raises(ClientError) as caught:
        await client.create_contact(**DRAFT)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503


async def test_throttling_is_raised_by_operations_that_do_not_declare_it(session: aioboto3.Session) -> None:
    async with Sandbox(quotas={"StopContact": (0, 1)}) as sandbox, client_of(session, sandbox) as client:
        for error in (client.exceptions.ResourceNotFoundException, client.exceptions.ThrottlingException):
            with pytest.raises(error):
                await client.stop_contact(InstanceId=INSTANCE, ContactId="nobody")


async def test_many_calls_at_once_are_each_accepted_once(sandbox: Sandbox, client: Any) -> None:
    replies = await asyncio.gather(*(client.create_contact(**DRAFT, ClientToken=token()) for _ in range(100)))
    assert {reply["ContactId"] for reply in replies} == {contact["ContactId"] for contact in sandbox.contacts}
    assert len(sandbox.contacts) == 100


async def test_an_answer_that_was_dropped_is_replayed_on_a_retry(sandbox: Sandbox, client: Any) -> None:
    sandbox.set_faults({"rules": [{"fault": "drop_after"} | TWICE]})
    with pytest.raises(ConnectionClosedError):
        await client.start_outbound_chat_contact(**CHAT, ClientToken="t")
    (contact,) = sandbox.contacts
    reply = await client.start_outbound_chat_contact(**CHAT, ClientToken="t")
    assert reply["ContactId"] == contact["ContactId"]
    assert len(sandbox.contacts) == 1


async def test_a_client_that_retries_by_itself_never_notices_a_dropped_answer(
    session: aioboto3.Session, sandbox: Sandbox
) -> None:
    sandbox.set_faults({"rules": [{"fault": "drop_after", "first": 1}]})
    async with client_of(session, sandbox, retries={"mode": "standard", "total_max_attempts": 2}) as client:
        reply = await client.start_outbound_chat_contact(**CHAT)
    assert [contact["ContactId"] for contact in sandbox.contacts] == [reply["ContactId"]]


async def test_a_line_that_breaks_before_the_call_is_seen_leaves_nothing(sandbox: Sandbox, client: Any) -> None:
    sandbox.set_faults({"rules": [{"fault": "drop_before"} | TWICE]})
    with pytest.raises(ConnectionClosedError):
        await client.create_contact(**DRAFT)
    assert sandbox.contacts == []


async def test_a_call_that_hangs_is_accepted_and_ends_when_the_client_leaves(
    session: aioboto3.Session, sandbox: Sandbox
) -> None:
    sandbox.set_faults({"rules": [{"fault": "hang"}]})
    async with client_of(session, sandbox, read_timeout=0.05) as client:
        with pytest.raises(ReadTimeoutError):
            await client.start_outbound_chat_contact(**CHAT)
    assert len(sandbox.contacts) == 1


async def test_closing_breaks_off_what_hangs(session: aioboto3.Session) -> None:
    async with AsyncExitStack() as stack:
        sandbox = Sandbox(faults={"rules": [{"fault": "hang"}]})
        running = await stack.enter_async_context(sandbox)
        client = await stack.enter_async_context(client_of(session, running))
        call = asyncio.create_task(client.create_contact(**DRAFT))
        while not sandbox.contacts:  # noqa: ASYNC110 - nothing tells when the call has arrived
            await asyncio.sleep(0)
        await sandbox.__aexit__(None, None, None)
        with pytest.raises((ConnectionClosedError, EndpointConnectionError)):
            await call


async def test_boto3_in_a_thread_is_served_too(sandbox: Sandbox) -> None:
    def start() -> str:
        connect = boto3.client("connect", endpoint_url=sandbox.url, config=Config(**ONCE), **SECRETS)
        try:
            return str(connect.start_outbound_chat_contact(**CHAT)["ContactId"])
        finally:
            connect.close()

    assert await asyncio.to_thread(start) == sandbox.contacts[0]["ContactId"]


async def test_an_unsigned_call_is_forbidden(sandbox: Sandbox) -> None:
    status, error = await ask(sandbox, "PUT", "/contact/outbound-chat", json=CHAT)
    assert (status, error["message"]) == (403, "Missing Authentication Token")
    assert sandbox.contacts == []


async def test_a_route_that_no_operation_has_is_unknown(sandbox: Sandbox) -> None:
    async with aiohttp.ClientSession() as http, http.put(f"{sandbox.url}/contact/fax", json={}) as reply:
        assert (reply.status, reply.headers["x-amzn-ErrorType"]) == (404, "UnknownOperationException")
        assert reply.headers["x-amzn-RequestId"]


async def test_it_lists_what_it_accepted(sandbox: Sandbox, client: Any) -> None:
    first = await client.create_contact(**DRAFT)
    await client.start_outbound_chat_contact(**CHAT)
    await client.stop_contact(InstanceId=INSTANCE, ContactId=first["ContactId"])
    _, everything = await ask(sandbox, "GET", "/_sandbox/contacts")
    assert everything == {"contacts": sandbox.contacts}
    for query, channel in (("state=ended", "EMAIL"), ("limit=1", "CHAT"), ("destination=%2B14155550123", "CHAT")):
        _, some = await ask(sandbox, "GET", f"/_sandbox/contacts?{query}")
        assert [contact["Channel"] for contact in some["contacts"]] == [channel]


async def test_it_counts_the_calls_and_keeps_their_times(session: aioboto3.Session) -> None:
    async with Sandbox(rate=0, burst=2, clock=lambda: 1000.0) as sandbox, client_of(session, sandbox) as client:
        for _ in range(3):
            with pytest.raises(ClientError):
                await client.create_contact(**DRAFT | {"Channel": "CHAT"})
        _, calls = await ask(sandbox, "GET", "/_sandbox/calls")
        assert calls == sandbox.calls
    assert calls["CreateContact"] == {
        "received": 3,
        "accepted": 0,
        "replayed": 0,
        "throttled": 1,
        "failed": 2,
        "dropped": 0,
        "received_at": [1000.0] * 3,
    }


async def test_faults_are_put_shown_and_cleared(sandbox: Sandbox, client: Any) -> None:
    day = {"seed": 3, "rules": [{"fault": "throttle"}]}
    assert await ask(sandbox, "PUT", "/_sandbox/faults", json=day) == (200, day)
    assert await ask(sandbox, "GET", "/_sandbox/faults") == (200, day)
    with pytest.raises(client.exceptions.ThrottlingException):
        await client.create_contact(**DRAFT)
    assert await ask(sandbox, "DELETE", "/_sandbox/faults") == (200, {})
    await client.create_contact(**DRAFT)


async def test_quotas_are_put_while_it_runs(session: aioboto3.Session) -> None:
    async with Sandbox(rate=0, burst=1) as sandbox, client_of(session, sandbox) as client:
        await client.create_contact(**DRAFT)
        status, quotas = await ask(sandbox, "PUT", "/_sandbox/quotas", json={"quotas": {"CreateContact": [None, 5]}})
        assert (status, quotas["quotas"]["CreateContact"]) == (200, [None, 5])
        assert quotas["quotas"]["StartEmailContact"] == [0, 1]
        await client.create_contact(**DRAFT)


async def test_a_reset_over_http_forgets_the_contacts(sandbox: Sandbox, client: Any) -> None:
    await client.create_contact(**DRAFT)
    assert await ask(sandbox, "POST", "/_sandbox/reset") == (200, {})
    assert sandbox.contacts == []


@pytest.mark.parametrize(
    "asked, body, status, text",
    [
        ("PUT /_sandbox/faults", "{", 400, "the body is not JSON"),
        ("PUT /_sandbox/faults", "[]", 400, "the body must be a JSON object"),
        ("PUT /_sandbox/faults", '{"rule": []}', 400, "did you mean rules?"),
        ("PUT /_sandbox/quotas", '{"rate": "x"}', 400, "a rate is calls per second"),
        ("PUT /_sandbox/quotas", '{"quotas": 5}', 400, "quotas: must be an object"),
        ("PUT /_sandbox/quotas", '{"open_contacts": 5}', 400, "open_contacts: must be an object"),
        ("GET /_sandbox/contacts?limit=x", None, 400, "limit: must be a whole number"),
        ("GET /_sandbox/contacts?state=opened", None, 400, "state: there are open, ended"),
        ("GET /_sandbox/contacts?stat=open", None, 400, "stat: there are state, destination and limit"),
        ("GET /_sandbox/contact", None, 404, "/_sandbox/contacts"),
        ("GET /_sandbox/reset", None, 405, "/_sandbox/reset takes POST"),
    ],
)
async def test_a_wrong_control_request_is_told_what_is_right(
    sandbox: Sandbox, asked: str, body: str | None, status: int, text: str
) -> None:
    answered, error = await ask(sandbox, *asked.split(), data=body, headers={"Content-Type": "application/json"})
    assert answered == status
    assert text in error["message"]


async def test_a_port_that_is_taken_is_an_error(sandbox: Sandbox) -> None:
    port = int(sandbox.url.rpartition(":")[2])
    with pytest.raises(OSError, match="address already in use"):
        await Sandbox(port=port).__aenter__()


async def test_the_url_of_a_sandbox_that_does_not_run_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="is not running"):
        _ = Sandbox().url


@pytest.mark.parametrize(
    "settings, text",
    [
        ({"rate": -1}, "a rate is calls per second"),
        ({"quotas": {"SendMessage": (1, 1)}}, "there is no such operation"),
        ({"quotas": {"CreateContact": 1}}, "must be"),
        ({"faults": {"rules": [{"fault": "no"}]}}, "is not known"),
        ({"open_contacts": {"sms": 1}}, "there are chat"),
    ],
)
def test_a_wrong_setting_is_refused_before_it_starts(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Sandbox(**settings)


async def test_serving_tells_its_url_and_ends_when_cancelled() -> None:
    told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve(port=0, started=told.set_result, rate=50, burst=50))
    async with aiohttp.ClientSession() as http, http.get(f"{await told}/_sandbox/quotas") as reply:
        assert json.loads(await reply.text())["quotas"]["StopContact"] == [50, 50]
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving


async def raw(sandbox: Sandbox, head: str, body: bytes = b"") -> tuple[int, str]:
    """Send bytes as they are; return the status and the type of error."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(sandbox.url.rpartition(":")[2]))
    host = f"Host: {sandbox.url.removeprefix('http://')}\r\nAuthorization: {SIGNED}\r\n"
    writer.write(head.replace("\n", "\r\n").replace("HOST\r\n", host).encode() + b"\r\n" + body)
    answer = (await reader.readuntil(b"\r\n\r\n")).decode()
    writer.close()
    kind = next((line for line in answer.split("\r\n") if line.startswith("x-amzn-ErrorType")), ": ")
    return int(answer.split()[1]), kind.partition(": ")[2]


@pytest.mark.parametrize(
    "head, answered",
    [
        ("PUT /contact/email HTTP/1.1\nHOST\nContent-Length: 2\nTransfer-Encoding: chunked\n", 400),
        ("PUT /contact/email HTTP/1.1\nHOST\nContent-Length: 99999999999\n", 413),
        ("PUT /contact/email HTTP/1.1\nHOST\nContent-Length: two\n", 400),
        ("GET /contact/email HTTP/1.1\nHOST\n", 404),
        ("DELETE /contact/email HTTP/1.1\nHOST\n", 404),
        ("PUT http://127.0.0.1/contact/email HTTP/1.1\nHOST\nContent-Length: 2\n", 400),
    ],
)
async def test_what_no_client_should_send_is_answered_as_aws_does_and_nothing_is_printed(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str], head: str, answered: int
) -> None:
    kinds = {413: "RequestEntityTooLargeException", 404: "UnknownOperationException"}
    status, kind = await raw(sandbox, head.replace("HOST\n", "HOST\n"), b"{}" if "Length: 2" in head else b"")
    expected = "InvalidRequestException" if "http:" in head else kinds.get(answered, "SerializationException")
    assert (status, kind) == (answered, expected)
    assert capfd.readouterr() == ("", "")
