"""Message templates: read from a folder, served as `qconnect` does, and put into what a person would have received."""

import asyncio
import json
import math
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from sandbox_requests import CHAT, DRAFT, MAIL, SIGNED

from bulk.sandbox import Sandbox, handlebars
from bulk.sandbox.templates import Templates

BASE = "11111111-2222-4333-8444-555555555555"
WELCOME: dict[str, Any] = {
    "name": "welcome",
    "knowledgeBaseId": BASE,
    "messageTemplateId": "aaaaaaaa-2222-4333-8444-555555555555",
    "channelSubtype": "EMAIL",
    "language": "en_US",
    "content": {
        "email": {
            "subject": "Hello {{Attributes.Customer.FirstName}}",
            "body": {
                "plainText": {"content": "Order {{Attributes.order}} {{#if vip}}for you{{else}}for all{{/if}}"},
                "html": {"content": "<p>{{Attributes.Custom.order}} {{{order}}} {{city}}</p>"},
            },
            "headers": [{"name": "List-Unsubscribe", "value": "<https://shop.example/u/{{id}}>"}],
        }
    },
    "defaultAttributes": {"customAttributes": {"city": "Seattle"}},
}


def sms(text: str) -> dict[str, Any]:
    return {"channelSubtype": "SMS", "content": {"sms": {"body": {"plainText": {"content": text}}}}}


REMINDER = sms("See you at {{time}}.")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "welcome.json").write_text(json.dumps({"messageTemplate": WELCOME}))
    (tmp_path / "reminder.json").write_text(json.dumps(REMINDER))
    return tmp_path


@pytest.fixture
async def sandbox(folder: Path) -> AsyncIterator[Sandbox]:
    async with Sandbox(rate=math.inf, templates=folder) as running:
        yield running


async def ask(sandbox: Sandbox, service: str, call: Callable[[Any], Any]) -> Any:
    def run() -> Any:
        keys = {"aws_access_key_id": "K", "aws_secret_access_key": "S", "region_name": "us-west-2"}
        settings = Config(retries={"total_max_attempts": 1})
        client = boto3.client(service, endpoint_url=sandbox.url, config=settings, **keys)
        try:
            return call(client)
        finally:
            client.close()

    return await asyncio.to_thread(run)


def config(name: str, custom: dict[str, str], **profile: str) -> dict[str, Any]:
    attributes = {"CustomAttributes": custom} | ({"CustomerProfileAttributes": json.dumps(profile)} if profile else {})
    return {"KnowledgeBaseId": BASE, "MessageTemplateId": name, "TemplateAttributes": attributes}


async def test_a_template_mail_is_shown_as_it_would_have_arrived(sandbox: Sandbox) -> None:
    given = config(WELCOME["messageTemplateId"], {"order": "<7>", "vip": "yes"}, firstName="Ann")

    def send(client: Any) -> None:
        contact = client.create_contact(**DRAFT)["ContactId"]
        message = {"MessageSourceType": "TEMPLATE", "TemplatedMessageConfig": given}
        client.start_outbound_email_contact(**MAIL | {"EmailMessage": message}, ContactId=contact)

    await ask(sandbox, "connect", send)
    (contact,) = sandbox.contacts
    assert contact["Rendered"] == {
        "Subject": "Hello Ann",
        "Text": "Order <7> for you",
        "Html": "<p>&lt;7&gt; <7> Seattle</p>",
        "Headers": [{"name": "List-Unsubscribe", "value": "<https://shop.example/u/{{id}}>"}],
        "Missing": ["id"],
    }


@pytest.mark.parametrize("subtype", ["connect:SMS", "connect:WhatsApp"])
async def test_a_templated_text_is_shown_as_it_would_have_arrived(sandbox: Sandbox, subtype: str) -> None:
    first = {name: value for name, value in CHAT.items() if name != "InitialSystemMessage"}
    first["SegmentAttributes"] = {"connect:Subtype": {"ValueString": subtype}}
    body = json.dumps(first | {"InitialTemplatedSystemMessage": config("reminder", {"time": "10:00"})})
    async with aiohttp.ClientSession(headers={"Authorization": SIGNED}) as http:
        async with http.put(f"{sandbox.url}/contact/outbound-chat", data=body) as reply:
            assert reply.status == 200
        async with http.put(f"{sandbox.url}/contact/outbound-chat", data=body.replace("reminder", "none")) as reply:
            assert (reply.status, reply.headers["x-amzn-ErrorType"]) == (404, "ResourceNotFoundException")
    (contact,) = sandbox.contacts
    assert contact["Rendered"]["Text"] == "See you at 10:00."


async def test_templates_are_served_to_clients_of_qconnect(sandbox: Sandbox) -> None:
    which = {"knowledgeBaseId": BASE, "messageTemplateId": WELCOME["messageTemplateId"] + ":$LATEST"}
    got = (await ask(sandbox, "qconnect", lambda client: client.get_message_template(**which)))["messageTemplate"]
    assert (got["content"], got["name"], got["language"]) == (WELCOME["content"], "welcome", "en_US")
    assert got["attributeTypes"] == ["CUSTOM", "CUSTOMER_PROFILE"]
    attributes = {"customAttributes": {"order": "7"}, "customerProfileAttributes": {"firstName": "Ann"}}
    made = await ask(sandbox, "qconnect", lambda client: client.render_message_template(**which, attributes=attributes))
    assert made["content"]["email"]["subject"] == "Hello Ann"
    assert made["attributesNotInterpolated"] == ["id"]


@pytest.mark.parametrize(
    "expression, names",
    [
        ({}, ["reminder", "welcome"]),
        ({"queries": [{"name": "name", "values": ["WELC"], "operator": "CONTAINS"}]}, ["welcome"]),
        ({"filters": [{"name": "channelSubtype", "values": ["SMS"], "operator": "EQUALS"}]}, ["reminder"]),
        ({"filters": [{"name": "language", "values": ["en"], "operator": "PREFIX"}]}, ["welcome"]),
        ({"orderOnField": {"name": "name", "order": "DESC"}}, ["welcome", "reminder"]),
    ],
)
async def test_templates_are_searched(sandbox: Sandbox, expression: dict[str, Any], names: list[str]) -> None:
    def pages(client: Any) -> list[str]:
        asked = {"knowledgeBaseId": BASE, "searchExpression": expression, "PaginationConfig": {"PageSize": 1}}
        found = client.get_paginator("search_message_templates").paginate(**asked)
        return [one["name"] for page in found for one in page["results"]]

    assert await ask(sandbox, "qconnect", pages) == names


async def test_a_template_that_there_is_not_is_not_found(sandbox: Sandbox) -> None:
    for base, name in ((BASE, BASE), (BASE.replace("1", "9"), WELCOME["messageTemplateId"])):
        which = {"knowledgeBaseId": base, "messageTemplateId": name}
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            await ask(sandbox, "qconnect", lambda client, which=which: client.get_message_template(**which))  # type: ignore[misc]  # no stubs


@pytest.mark.parametrize(
    "written, text",
    [
        ("{", "is not JSON: .* line 1"),
        ("[]", "must be an object with name"),
        ({"channelSubtype": "FAX"}, "channelSubtype: must be one of EMAIL, SMS, WHATSAPP, is 'FAX'"),
        ({"channelSubtype": "SMS", "content": {}}, "content.sms: must be an object"),
        (WELCOME | {"messageTemplateId": "t"}, "messageTemplateId: must be a UUID"),
        (WELCOME | {"versionNumber": "1"}, "versionNumber: must be a whole number"),
        (WELCOME | {"defaultAttributes": {"customAttributes": 1}}, "defaultAttributes: must be an object"),
        (REMINDER | {"content": {"sms": {"body": "text"}}}, "content.sms.body: must be a structure"),
        (sms("{{#if a}}"), r"content.sms.body.plainText.content: \{\{#if\}\} is not closed"),
        (sms("{{#with a}}"), r"content.sms.body.plainText.content: \{\{#with\}\} is not known"),
        (sms("{{/if}}"), r"content.*\{\{/if\}\} closes nothing"),
    ],
)
def test_a_file_that_is_no_template_is_named_with_what_is_wrong(tmp_path: Path, written: Any, text: str) -> None:
    file = tmp_path / "bad.json"
    file.write_text(written if isinstance(written, str) else json.dumps(written))
    with pytest.raises(ValueError, match=f"bad.json: {text}"):
        Templates(tmp_path)


@pytest.mark.parametrize(
    "text, made, missing",
    [
        ("a {{ x }} {{! said }}{{!-- }} --}}b", "a 1 b", []),
        ("{{y}} {{formatDate x}}", "{{y}} {{formatDate x}}", ["y", "{{formatDate x}}"]),
        ("{{#unless y}}no{{else}}yes{{/unless}}", "no", []),
        ("{{#if x}}{{#if y}}1{{else}}2{{/if}}{{else}}3{{/if}}", "2", []),
        ("{{#each l}}{{@index}}{{this}}{{x}};{{else}}none{{/each}}", "0a1;1b1;", []),
        ("{{#each y}}{{this}}{{else}}none{{/each}}", "none", []),
        ("{{#each m}}{{this.n}}{{n}}{{/each}}", "55", []),
        ("{{ x", "{{ x", []),
    ],
)
def test_handlebars_are_filled_in(text: str, made: str, missing: list[str]) -> None:
    values: dict[str, Any] = {"x": 1, "l": ["a", "b"], "m": [{"n": 5}]}
    found: list[str] = []
    assert handlebars.render(handlebars.parse(text), values.get, escaped=True, missing=found) == made
    assert found == missing


async def test_the_page_shows_what_a_template_made(sandbox: Sandbox) -> None:
    given = config(WELCOME["messageTemplateId"], {"order": "7"}, firstName="Ann")

    def send(client: Any) -> None:
        contact = client.create_contact(**DRAFT)["ContactId"]
        message = {"MessageSourceType": "TEMPLATE", "TemplatedMessageConfig": given}
        client.start_outbound_email_contact(**MAIL | {"EmailMessage": message}, ContactId=contact)

    await ask(sandbox, "connect", send)
    async with aiohttp.ClientSession() as http, http.get(f"{sandbox.url}/_sandbox/messages/1") as reply:
        shown = await reply.json()
    assert (shown["Received"]["Subject"], shown["Received"]["Text"]) == ("Hello Ann", "Order 7 for all")
    async with aiohttp.ClientSession() as http, http.get(sandbox.url + shown["HtmlUrl"]) as reply:
        assert await reply.text() == "<p>7 7 Seattle</p>"
