"""What the page asks the sandbox: messages by page, search and filter, one of them whole, what happens meanwhile."""

import json
import math
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sandbox_requests import CHAT, DRAFT, INBOUND, MAIL, SIGNED, accepted, account, send

from bulk.sandbox import Sandbox
from bulk.sandbox.account import Account
from bulk.sandbox.listing import STEP, Listing, Query
from bulk.sandbox.messages import text_of
from bulk.sandbox.segments import split

WHATSAPP = {"SegmentAttributes": {"connect:Subtype": {"ValueString": "connect:WhatsApp"}}}


def chat(text: str, **more: Any) -> dict[str, Any]:
    return CHAT | {"InitialSystemMessage": {"ContentType": "text/plain", "Content": text}} | more


def filled() -> Account:
    here = account()
    accepted(here, "StartOutboundChatContact", chat("Grüße aus Köln, 100 % gratis"))
    accepted(here, "StartOutboundChatContact", chat("It's 'quoted'", ChatDurationInMinutes=60))
    accepted(here, "StartOutboundChatContact", chat("on WhatsApp", **WHATSAPP))
    accepted(here, "StartEmailContact", INBOUND)
    accepted(here, "StartOutboundEmailContact", MAIL | {"ContactId": accepted(here, "CreateContact", DRAFT)})
    accepted(here, "CreateContact", DRAFT)
    return here


async def found(here: Account, query: str, now: float = 1.0) -> list[int]:
    page = await Listing(here.contacts).page(Query.read(query), now)
    return [row["Seq"] for row in page["Messages"]]


QUERIES = {
    "": [6, 5, 4, 3, 2, 1],
    "limit=2": [6, 5],
    "before=3": [2, 1],
    "after=4": [6, 5],
    "kind=sms": [2, 1],
    "kind=whatsapp": [3],
    "kind=email": [6, 5],
    "kind=inbound-email": [4],
    "q=k%C3%B6LN": [1],
    "q=K%C3%96ln": [1],  # whatever the case, and however the client has escaped them
    "q=100+%25+g": [1],
    "q=%25%25": [],
    "q=_id": [3, 2, 1],
    "q='quoted'": [2],
    "q=ANN@example": [5, 4],
    "q=your+order": [5, 4],
    "q=nothing-of-the-kind": [],
    "q=%2B1415&kind=sms&state=open": [2, 1],
}


@pytest.mark.parametrize("query", QUERIES)
async def test_messages_are_found(query: str) -> None:
    assert await found(filled(), query) == QUERIES[query]


async def test_what_has_ended_is_told_from_what_is_open() -> None:
    here = filled()
    assert await found(here, "state=ended&kind=sms", now=3600.0) == [2]
    assert await found(here, "state=open&kind=sms", now=3600.0) == [1]


@pytest.mark.parametrize(
    "query, told", [("limit=x", "limit"), ("before=-1", "before"), ("kind=fax", "kind"), ("size=1", "size")]
)
def test_a_wrong_query_names_its_key(query: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Query.read(query)


async def test_pages_together_are_all_of_it_and_a_long_search_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    here = account()
    for number in range(25):
        send(here, "StartOutboundChatContact", chat("wanted" if number in {3, 20} else "other"))
    monkeypatch.setattr("bulk.sandbox.listing.STEP", 4)
    monkeypatch.setattr("bulk.sandbox.listing.LONGEST", 0.0)
    assert STEP > 4
    listing, query, seen = Listing(here.contacts), Query(limit=10, q="wanted"), []
    for _ in range(30):
        page = await listing.page(query, 0.0)
        seen += [row["Seq"] for row in page["Messages"]]
        if page["Next"] is None:
            break
        monkeypatch.setattr("bulk.sandbox.listing.LONGEST", 0.01)
        query = Query(limit=10, q="wanted", before=page["Next"])
    assert seen == [21, 4]


@pytest.mark.parametrize(
    "text, encoding, sizes",
    [
        ("", "GSM-7", [0]),
        ("a" * 160, "GSM-7", [160]),
        ("a" * 161, "GSM-7", [153, 8]),
        ("€" * 80, "GSM-7", [80]),
        ("a" * 152 + "€" * 5, "GSM-7", [152, 5]),  # no escape is parted from its character
        ("я" * 70, "UCS-2", [70]),
        ("я" * 71, "UCS-2", [67, 4]),
        ("я" * 66 + "😀" * 3, "UCS-2", [66, 3]),  # no pair is parted
    ],
)
def test_an_sms_is_cut_as_networks_cut_it(text: str, encoding: str, sizes: list[int]) -> None:
    found, segments = split(text)
    assert (found, [len(one) for one in segments]) == (encoding, sizes)


@settings(max_examples=30)
@given(st.text(min_size=60, max_size=200))
def test_segments_lose_nothing(text: str) -> None:
    assert "".join(split(text)[1]) == text


@pytest.mark.parametrize(
    "html, text",
    [
        ("<p>One<p>Two", "One\nTwo"),
        ("a<br>b<!-- c --><script>d</script>", "a\nb"),
        ('<a href="https://x.example/?a=1&amp;b=2">go</a>', "go (https://x.example/?a=1&b=2)"),
        ("<style>p{}</style>&lt;b&gt; &amp;c", "<b> &c"),
        ("</script>never opened", "never opened"),
    ],
)
def test_a_mail_is_read_as_text(html: str, text: str) -> None:
    assert text_of(html) == text


@given(st.text(alphabet="<>/ap!-&;\"'= script", max_size=80))
def test_no_html_breaks_the_reading(html: str) -> None:
    text_of(html)


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(rate=math.inf, control_token="secret") as running:
        yield running


@pytest.fixture
async def http(sandbox: Sandbox) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(sandbox.url, headers={"Authorization": "Bearer secret"}) as session:
        yield session


async def put(http: aiohttp.ClientSession, path: str, body: dict[str, Any]) -> Any:
    async with http.put(path, json=body, headers={"Authorization": SIGNED}) as reply:
        return await reply.json()


async def test_a_mails_html_opens_with_its_own_key_alone(http: aiohttp.ClientSession) -> None:
    for _ in range(2):
        await put(http, "/contact/email", INBOUND)
    details = [await (await http.get(f"/_sandbox/messages/{number}")).json() for number in (1, 2)]
    first, second = (detail["HtmlUrl"] for detail in details)
    async with http.get(first, headers={"Authorization": ""}) as reply:
        assert (reply.status, await reply.text()) == (200, "<p>Thank you</p>")
        assert "sandbox" in reply.headers["Content-Security-Policy"]
        assert reply.headers["Referrer-Policy"] == "no-referrer"
    wrong = [
        first.replace("/1/", "/2/"),
        first.partition("?")[0],
        second.replace("/2/", "/3/"),
        f"{first}0",
        f"{first}é",
    ]
    assert [(await http.get(path)).status for path in wrong] == [404] * 5


@pytest.mark.parametrize("path", ["messages", "messages/1", "status", "events"])
async def test_the_token_is_wanted(sandbox: Sandbox, path: str) -> None:
    async with aiohttp.ClientSession(sandbox.url) as stranger, stranger.get(f"/_sandbox/{path}") as reply:
        assert reply.status == 401


@pytest.mark.parametrize("path, status", [("messages/9", 404), ("messages/x", 404), ("messages?limit=x", 400)])
async def test_what_is_not_there_is_said_to_be_so(http: aiohttp.ClientSession, path: str, status: int) -> None:
    async with http.get(f"/_sandbox/{path}") as reply:
        assert (reply.status, bool((await reply.json())["message"])) == (status, True)


async def test_events_tell_of_contacts_and_refusals_once(http: aiohttp.ClientSession) -> None:
    async with http.get("/_sandbox/events") as stream:
        assert stream.content_type == "text/event-stream"
        assert (await event(stream))["Last"] == 0
        await put(http, "/contact/outbound-chat", CHAT)
        await put(http, "/contact/outbound-chat", {**CHAT, "InstanceId": ""})
        told = await event(stream)
        assert (told["Last"], [one["Code"] for one in told["Refusals"]]) == (1, ["InvalidRequestException"])
        await put(http, "/contact/outbound-chat", CHAT)
        assert (await event(stream))["Refusals"] == []


async def event(stream: aiohttp.ClientResponse) -> Any:
    lines = (await stream.content.readuntil(b"\n\n")).decode().split("\n")
    return json.loads(lines[1].removeprefix("data: "))


async def test_the_page_needs_no_token_and_lets_nothing_else_in(sandbox: Sandbox) -> None:
    async with aiohttp.ClientSession(sandbox.url) as stranger:
        async with stranger.get("/") as reply:
            policy, text = reply.headers["Content-Security-Policy"], await reply.text()
        assert (reply.status, reply.content_type) == (200, "text/html")
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "style=" not in text
        for name, kind in ("page.js", "text/javascript"), ("page.css", "text/css"):
            async with stranger.get(f"/_sandbox/page/{name}") as part:
                assert (part.status, part.content_type) == (200, kind)
        async with stranger.get("/", headers={"Host": "evil.example"}) as refused:
            assert refused.status == 403
        async with stranger.post("/") as refused:
            assert refused.status == 404
