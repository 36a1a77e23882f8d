"""The page of the sandbox, in Debian's Chromium: what a person sees, with the mouse, the keyboard, a screen reader.

`SCREENSHOTS_INTO=docs/images` writes the pictures of the documentation; else they go nowhere.
"""

import http.client
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright
from sandbox_requests import CHAT, DRAFT, MAIL, SIGNED

from bulk.testing import RunningSandbox, running

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium: apt-get install chromium")
QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
QUIET += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
HTML = f"""<h1 style="color:teal">Thank you, Ann</h1><p>Your order <b>A-17</b> is on its way:
<a href="https://shop.example/t">track it</a>.</p><script>top.document.title = "owned"</script>{HOSTILE}
<form action="https://evil.example"><button>Pay</button></form><img src="https://evil.example/pixel.png">"""
LONG = "Your appointment is on Friday at 10:30, Elm Park, 2nd floor. " * 3


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)


@pytest.fixture(scope="module")
def shared() -> Iterator[RunningSandbox]:
    """One sandbox for all tests here; each begins with what `sandbox` sends to it."""
    with running(open_contacts={"chat": 500}, control_token="t&k#n") as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared: RunningSandbox) -> RunningSandbox:
    shared.reset()
    shared.set_quotas(rate=None, burst=5)
    Sender(shared).example()
    shared.set_quotas(rate=2)
    return shared


class Sender:
    """Makes contacts, over HTTP, as a run does."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        self.sandbox = sandbox

    def send(self, path: str, *bodies: dict[str, Any]) -> list[dict[str, Any]]:
        with closing(http.client.HTTPConnection(urlsplit(self.sandbox.url).netloc)) as line:
            return [self._sent(line, path, body) for body in bodies]

    @staticmethod
    def _sent(line: http.client.HTTPConnection, path: str, body: dict[str, Any]) -> dict[str, Any]:
        line.request("PUT", path, json.dumps(body), {"Authorization": SIGNED})
        answer: dict[str, Any] = json.loads(line.getresponse().read())
        return answer

    def sms(self, *texts: str, start: int = 100) -> None:
        numbers = (f"+1415555{start + index:04}" for index in range(len(texts)))
        chats = [
            CHAT
            | {"DestinationEndpoint": {"Type": "TELEPHONE_NUMBER", "Address": number}}
            | {"InitialSystemMessage": {"ContentType": "text/plain", "Content": text}}
            for number, text in zip(numbers, texts, strict=True)
        ]
        self.send("/contact/outbound-chat", *chats)

    def mail(self, **raw: str) -> None:
        (draft,) = self.send("/contact/create-contact", DRAFT | {"Attributes": {"order": HOSTILE[:200]}})
        message = {"MessageSourceType": "RAW", "RawMessage": {"ContentType": "text/html", **raw}}
        self.send("/contact/outbound-email", MAIL | {"ContactId": draft["ContactId"], "EmailMessage": message})

    def example(self) -> None:
        self.sms(*(f"Hi Ann {number}, see you on Friday at 10:30. Reply STOP to opt out." for number in range(60)))
        self.sms(LONG, start=900)
        self.mail(Subject=f"Your order {HOSTILE}", Body=HTML)


@pytest.fixture
def page(browser: Browser, sandbox: RunningSandbox) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 860}, reduced_motion="reduce")
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("response", lambda found: wrong.append(found.url) if sandbox.url not in found.url else None)
    opened.goto(sandbox.page)
    expect(opened.locator("#list li")).to_have_count(50)
    yield opened
    context.close()
    assert wrong == []


def picture(page: Page, name: str) -> None:
    folder = os.environ.get("SCREENSHOTS_INTO")
    if folder:
        page.screenshot(path=Path(folder) / f"sandbox-{name}.png")


def violations(page: Page, *rules: str) -> list[tuple[str, str]]:
    options = {"runOnly": list(rules)} if rules else None
    found = Axe().run(page, options=options).response["violations"]
    return [(one["id"], node["html"]) for one in found for node in one["nodes"]]


def choose(page: Page, text: str) -> None:
    page.locator("#list button", has_text=text).first.click()


def test_a_mail_is_shown_as_html_and_text_and_stays_in_its_frame(page: Page) -> None:
    choose(page, "ann@example.com")
    frame = page.frame_locator("#detail iframe")
    expect(frame.locator("h1")).to_have_css("color", "rgb(0, 128, 128)")
    expect(page.locator("#shown pre").first).to_contain_text("track it (https://shop.example/t)")
    expect(page.locator("#shown")).to_contain_text(f"Your order {HOSTILE}")
    expect(page.locator("#shown td")).to_have_text(HOSTILE[:200])
    assert page.locator("iframe").get_attribute("sandbox") == ""
    assert (page.title(), page.locator("#shown img, #list img").count()) == ("Amazon Connect sandbox", 0)
    policy = page.request.get(page.url).headers["content-security-policy"]
    assert "unsafe" not in policy
    picture(page, "mail")


def test_an_sms_is_shown_with_its_segments_and_requests(page: Page) -> None:
    choose(page, "+14155550900")
    expect(page.locator("#shown .bubble")).to_have_count(2)
    expect(page.locator("#shown")).to_contain_text("2 segments, GSM-7, 183 characters")
    page.locator("summary").click()
    expect(page.locator("details pre")).to_contain_text('"customer_id": "17"')
    expect(page.locator("#detail-title")).to_have_text("SMS to +14155550900")
    picture(page, "sms")


def test_it_follows_a_run_and_shows_its_throttles(page: Page, sandbox: RunningSandbox) -> None:
    sandbox.set_quotas(rate=0.001, burst=2)
    Sender(sandbox).sms("one", "two", "over the rate")
    expect(page.locator("#refusals li").first).to_contain_text("ThrottlingException")
    expect(page.locator("#gauges-StartOutboundChatContact")).to_contain_text("1 throttled")
    expect(page.locator("#list li").first).to_contain_text("two")
    expect(page.locator("#messages-title")).to_have_text("Messages: 64 contacts")
    expect(page.locator("#open-chat")).to_contain_text("63 of 500")


def test_it_searches_filters_and_turns_pages(page: Page) -> None:
    page.locator("#older").click()
    expect(page.locator("#list li")).to_have_count(12)
    page.locator("#newer").click()
    expect(page.locator("#list li")).to_have_count(50)
    page.keyboard.press("/")
    page.keyboard.type("ANN 37,")
    expect(page.locator("#list li")).to_have_count(1)
    page.locator("#q").fill("")
    page.locator("#kind").select_option("email")
    expect(page.locator("#list .to")).to_have_text(["ann@example.com"])
    page.locator("#state").select_option("ended")
    expect(page.locator("#count")).to_have_text("No message")


def test_the_keyboard_alone_will_do_on_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.locator("#list button").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#detail")).to_be_focused()
    expect(page.locator("#messages")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    picture(page, "phone")
    page.keyboard.press("Escape")
    expect(page.locator("#list button").nth(1)).to_be_focused()


def test_the_arrows_go_from_the_search_into_the_list_and_back(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#list button").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#q")).to_be_focused()


def test_it_searches_in_any_alphabet_without_its_case(page: Page, sandbox: RunningSandbox) -> None:
    sandbox.set_quotas(rate=None)
    Sender(sandbox).sms("Schöne Grüße aus İzmir", start=950)
    for text in ("SCHÖNE", "grüsse", "izmir", "+1415555095"):
        page.locator("#q").fill(text)
        expect(page.locator("#list .to")).to_have_text(["+14155550950"])


def test_a_reset_asks_first(page: Page, sandbox: RunningSandbox) -> None:
    page.locator("#reset").click()
    page.keyboard.press("Enter")  # the safe answer has the focus
    assert len(sandbox.contacts) == 62
    page.locator("#reset").click()
    page.get_by_role("button", name="Forget them").click()
    expect(page.locator("#count")).to_have_text("No message")
    assert sandbox.contacts == []


def test_it_keeps_the_rules_for_accessible_pages(page: Page, sandbox: RunningSandbox) -> None:
    sandbox.set_quotas(rate=0, burst=1)
    Sender(sandbox).sms("one", "two")
    expect(page.locator("#refusals li")).to_have_count(1)
    choose(page, "ann@example.com")
    expect(page.locator("iframe")).to_be_visible()
    assert violations(page) == []
    picture(page, "light")
    page.emulate_media(color_scheme="dark")
    assert violations(page, "color-contrast") == []
    picture(page, "dark")


def test_without_the_token_it_says_so(browser: Browser, sandbox: RunningSandbox) -> None:
    opened = browser.new_page()
    opened.goto(f"{sandbox.url}/")
    expect(opened.locator("#link")).to_contain_text("token")
    opened.close()
