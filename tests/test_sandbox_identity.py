"""Accounts, Regions and signatures as AWS clients see them: real HTTP, real boto3."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from sandbox_requests import CHAT, DRAFT, INSTANCE

from bulk.sandbox import Sandbox
from bulk.sandbox.contact import ACCOUNT
from bulk.sandbox.identity import account_of

CREATE = "CreateContact"


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(rate=math.inf) as running:
        yield running


async def ask(
    sandbox: Sandbox,
    call: Callable[[Any], Any],
    key: str = "KEY",
    region: str = "us-west-2",
    service: str = "connect",
    **more: Any,
) -> Any:
    """Do something with a client of boto3, in a thread."""

    def run() -> Any:
        keys = {"aws_access_key_id": key, "aws_secret_access_key": "sandbox", "region_name": region} | more
        settings = Config(retries={"total_max_attempts": 1})
        client = boto3.client(service, endpoint_url=sandbox.url, config=settings, **keys)
        try:
            return call(client)
        finally:
            client.close()

    return await asyncio.to_thread(run)


async def refusal(sandbox: Sandbox, call: Callable[[Any], Any], **how: Any) -> str:
    with pytest.raises(ClientError) as caught:
        await ask(sandbox, call, **how)
    return str(caught.value.response["Error"]["Code"])


@pytest.mark.parametrize("other", [{"key": "OTHER"}, {"region": "eu-west-2"}])
async def test_another_account_and_another_region_know_nothing_of_a_contact_and_its_token(
    sandbox: Sandbox, other: dict[str, str]
) -> None:
    first = (await ask(sandbox, lambda client: client.create_contact(**DRAFT, ClientToken="t")))["ContactId"]
    described = await refusal(
        sandbox, lambda client: client.describe_contact(InstanceId=INSTANCE, ContactId=first), **other
    )
    second = await ask(sandbox, lambda client: client.create_contact(**DRAFT, ClientToken="t"), **other)
    assert described == "ResourceNotFoundException"
    assert second["ContactId"] != first
    places = {(contact["Account"], contact["Region"]) for contact in sandbox.contacts}
    assert len(places) == 2


@pytest.mark.parametrize("other", [{"key": "OTHER"}, {"region": "eu-west-2"}])
async def test_another_account_and_another_region_have_buckets_and_open_contacts_of_their_own(
    other: dict[str, str],
) -> None:
    async with Sandbox(rate=0, burst=1, open_contacts={"chat": 1}) as sandbox:
        await ask(sandbox, lambda client: client.start_outbound_chat_contact(**CHAT))
        assert (
            await refusal(sandbox, lambda client: client.start_outbound_chat_contact(**CHAT)) == "ThrottlingException"
        )
        await ask(sandbox, lambda client: client.start_outbound_chat_contact(**CHAT), **other)


async def test_an_account_in_a_region_may_have_quotas_of_its_own_also_while_it_runs() -> None:
    number = account_of("KEY", {})
    async with Sandbox(rate=0, burst=1, quotas={f"{number}/us-west-2/{CREATE}": (0, 2)}) as sandbox:
        for _ in range(2):
            await ask(sandbox, lambda client: client.create_contact(**DRAFT))
        assert await refusal(sandbox, lambda client: client.create_contact(**DRAFT)) == "ThrottlingException"
        sandbox.set_quotas(quotas={"us-west-2/*": (math.inf, 1)})
        assert await refusal(sandbox, lambda client: client.create_contact(**DRAFT)) == "ThrottlingException"
        sandbox.set_quotas(quotas={f"{number}/us-west-2/{CREATE}": (math.inf, 1)})
        await ask(sandbox, lambda client: client.create_contact(**DRAFT))


@pytest.mark.parametrize(
    "key, temporary, named, account",
    [
        ("210987654321", False, {}, "210987654321"),
        ("ASIAQNZGKIQY56JQ7WML", False, {}, "029608264753"),
        ("ASIAQNZGKIQY56JQ7WML", True, {}, "029608264753"),
        ("ANY", True, {}, ACCOUNT),
        ("ANY", False, {"ANY": "111122223333"}, "111122223333"),
        ("ANY", False, {"*": "111122223333"}, "111122223333"),
    ],
)
def test_an_access_key_means_an_account(key: str, temporary: bool, named: dict[str, str], account: str) -> None:
    assert account_of(key, named, temporary=temporary) == account


def test_an_account_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="an account is 12 digits"):
        Sandbox(accounts={"KEY": "12345678901٢"})


@pytest.fixture
async def strict() -> AsyncIterator[Sandbox]:
    async with Sandbox(rate=math.inf, require_signature=True, secret_keys=["one", "two"]) as running:
        yield running


def call_everything(client: Any) -> None:
    where = {"InstanceId": INSTANCE, "ContactId": client.create_contact(**DRAFT)["ContactId"]}
    client.tag_contact(**where, Tags={"a/b:c=d": "ü"})
    client.untag_contact(**where, TagKeys=["a/b:c=d", "x"])
    client.describe_contact(**where)


async def test_a_right_signature_is_taken_whatever_is_called(strict: Sandbox) -> None:
    for secret in ("one", "two"):
        await ask(strict, call_everything, aws_secret_access_key=secret)


async def test_a_wrong_secret_is_refused(strict: Sandbox) -> None:
    code = await refusal(strict, lambda client: client.create_contact(**DRAFT), aws_secret_access_key="three")
    assert code == "InvalidSignatureException"
    assert strict.contacts == []


def signed(sandbox: Sandbox, body: bytes, *, at: datetime) -> dict[str, str]:
    """Sign as botocore does, but at another time."""

    request = AWSRequest("PUT", f"{sandbox.url}/contact/create-contact", data=body)
    auth: Any = SigV4Auth(Credentials("KEY", "one"), "connect", "us-west-2")
    request.context["timestamp"] = at.strftime("%Y%m%dT%H%M%SZ")
    auth._modify_request_before_signing(request)
    text = auth.string_to_sign(request, auth.canonical_request(request))
    auth._inject_signature_to_request(request, auth.signature(text, request))
    return dict(request.headers)


async def put(sandbox: Sandbox, body: bytes, headers: dict[str, str]) -> tuple[int, str, str]:
    url = f"{sandbox.url}/contact/create-contact"
    async with aiohttp.ClientSession() as http, http.put(url, data=body, headers=headers) as reply:
        return reply.status, reply.headers.get("x-amzn-ErrorType", ""), (await reply.json()).get("message", "")


BODY = b'{"InstanceId": "i", "Channel": "EMAIL", "InitiationMethod": "FLOW"}'


@pytest.mark.parametrize(
    "late, text", [(-301, "Signature expired"), (301, "Signature not yet current"), (-280, ""), (280, "")]
)
async def test_a_signature_is_good_for_five_minutes(strict: Sandbox, late: int, text: str) -> None:
    at = datetime.now(UTC) + timedelta(seconds=late)
    status, code, message = await put(strict, BODY, signed(strict, BODY, at=at))
    assert (status, code) == ((403, "InvalidSignatureException") if text else (200, ""))
    assert message.startswith(text)


async def test_other_content_than_what_was_signed_is_refused(strict: Sandbox) -> None:
    headers = signed(strict, BODY, at=datetime.now(UTC))
    assert (await put(strict, BODY.replace(b'"i"', b'"j"'), headers))[:2] == (403, "InvalidSignatureException")
    assert (await put(strict, BODY, headers))[0] == 200


@pytest.mark.parametrize(
    "name, change, code",
    [
        ("X-Amz-Date", lambda _: "", "IncompleteSignatureException"),
        ("X-Amz-Date", lambda _: "today", "IncompleteSignatureException"),
        ("X-Amz-Date", lambda value: f"2020{value[4:]}", "InvalidSignatureException"),
        ("Authorization", lambda value: value.partition("SignedHeaders")[0], "IncompleteSignatureException"),
        ("Authorization", lambda value: value.replace("host;", ""), "InvalidSignatureException"),
        ("Authorization", lambda value: value[:-1] + "g", "IncompleteSignatureException"),
        ("X-Amz-Content-SHA256", lambda _: "0" * 64, "InvalidSignatureException"),
    ],
)
async def test_a_signature_that_is_bent_is_refused(
    strict: Sandbox, name: str, change: Callable[[str], str], code: str
) -> None:
    headers = signed(strict, BODY, at=datetime.now(UTC))
    headers[name] = change(headers.get(name, ""))
    assert (await put(strict, BODY, headers))[:2] == (403, code)


async def caller(sandbox: Sandbox, key: str) -> tuple[str, str]:
    """Return the account that STS tells a key, and the one that its contact is of."""
    told = await ask(sandbox, lambda client: client.get_caller_identity(), service="sts", key=key)
    await ask(sandbox, lambda client: client.start_outbound_chat_contact(**CHAT), key=key)
    return told["Account"], sandbox.contacts[-1]["Account"]


@pytest.mark.parametrize("key", ["210987654321", "ASIAQNZGKIQY56JQ7WML", "NAMED"])
async def test_who_asks_whose_a_key_is_is_told_the_account_of_its_contacts(key: str) -> None:
    async with Sandbox(rate=math.inf, accounts={"NAMED": "111122223333"}) as sandbox:
        told, booked = await caller(sandbox, key)
    assert told == booked


async def test_the_keys_of_a_declared_account_share_its_quota() -> None:
    async with Sandbox(rate=0, burst=2, account={"account": "111122223333"}) as sandbox:
        assert await caller(sandbox, "ONE") == ("111122223333", "111122223333")
        assert await caller(sandbox, "ASIAQNZGKIQY56JQ7WML") == ("111122223333", "111122223333")
        start = refusal(sandbox, lambda client: client.start_outbound_chat_contact(**CHAT), key="TWO")
        assert await start == "ThrottlingException"
