"""The page in a browser: at the widths of a phone, a tablet and a desk, light and dark, and printed on A4.

With `REPORT_SCREENSHOTS=FOLDER` the pictures are kept there.
"""

import os
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from report_pages import ABOUT, MADE_AT, START, end, results

from bulk.model import Status
from bulk.reports import Command, Fold, Latency, Left, Message, Pass, Report, Wire, WireBar, page, remedy

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
TEXT = "Hi {{ first_name }}, see you on {{ date }}.\nReply STOP to opt out. " + "https://example.com/" + "x" * 60
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def typed(name: str, *more: str) -> str:
    return " ".join(["bulk", name, "campaign.toml", "--run", "friday", *more])


def report() -> Report:
    fold = Fold(sending=True)
    ends = [
        *[end("sent", second, attempts=1 + (second % 50 == 0)) for second in range(0, 900, 5)],
        end("refused", 4, code="invalid_phone", said="1… is too short, and " + "so on and on " * 8),
        end("rejected", 5, attempts=1, code="InvalidRequestException", said="a" * 90),
        end("unknown", 6, attempts=3, code="unanswered"),
        *[end("pending", None)] * 6,
    ]
    rows = results(ends, keys=[f"customer-{'k' * 30}-{row}" for row in range(len(ends))])
    fold.note(
        rows, {"country": [("US", "GB", "NL")[row % 3] for row in range(len(ends))], "branch": ["Bern" * 12] * 189}
    )
    figures = fold.figures()
    start = int(START.timestamp())
    bars = tuple(WireBar(start + 30 * step, 500 - 20 * step, 9 * (step % 4), 18.0 - step % 3) for step in range(20))
    arn = "arn:aws:connect:us-west-2:123456789012:phone-number/33333333-3333-4333-8333-333333333333"
    passes = tuple(
        Pass(number, START + timedelta(hours=number), MADE_AT, "ann.lee@reporting-host.example", "0.1.0", None)
        for number in (1, 2)
    )
    latency = Latency(0.08, 0.4, 1.2, 9.0)
    return Report(
        ABOUT,
        figures,
        MADE_AT,
        ("REHEARSAL: it went to a sandbox, and nobody was written to.",),
        message=Message(arn, "846ec553", {"InitialSystemMessage.Content": TEXT}, {"Arn": arn}, ("request.Attributes",)),
        passes=passes,
        wire=(Wire("StartOutboundChatContact", 18.0, 9000, 120, 9100, 21.5, latency, 30, bars),),
        left=Left(6, 3.0, datetime(2026, 11, 21, 9, tzinfo=UTC)),
        commands=(Command("Write the rows that failed.", typed("results", "-o", "failed.xlsx", "--only", "failed")),),
        remedies={(why.status, why.code): remedy(why.status, why.code, typed) for why in figures.whys},
        rehearsal=True,
    )


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    driver = pytest.importorskip("playwright.sync_api")
    with driver.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield started
        started.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page(report()), "utf-8")
    return path


def opened(browser: "Browser", file: Path, width: int, scheme: Literal["light", "dark"] = "light") -> "Page":
    tab = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    tab.goto(file.as_uri())
    return tab


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 800, 1400])
def test_it_fits_the_screen_and_can_be_looked_at(
    browser: "Browser", file: Path, tmp_path: Path, *, width: int, scheme: Literal["light", "dark"]
) -> None:
    tab = opened(browser, file, width, scheme)
    assert tab.evaluate(OVERFLOW) <= 0
    folder = Path(os.environ.get("REPORT_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    picture = tab.screenshot(path=folder / f"report-{width}-{scheme}.png", full_page=True)
    assert int.from_bytes(picture[16:20]) == width
    ground = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 22, 27)"}[scheme]
    tab.close()


def test_tables_are_cards_on_a_phone_and_tables_on_a_desk(browser: "Browser", file: Path) -> None:
    for width, shown in ((375, False), (1400, True)):
        tab = opened(browser, file, width)
        heads = tab.evaluate("[...document.querySelectorAll('thead')].filter(one => one.offsetParent).length")
        assert bool(heads) is shown
        label = "getComputedStyle(document.querySelector('.cards td[data-label]'), '::before').content"
        assert (tab.evaluate(label) == "none") is shown
        cut = (
            "[...document.querySelectorAll('main .scroll')].filter(one => one.scrollWidth > one.clientWidth + 1).length"
        )
        assert tab.evaluate(cut) == 0
        tab.close()


def test_it_prints_on_a4_with_nothing_cut_off(browser: "Browser", file: Path) -> None:
    tab = opened(browser, file, 680)  # the width between the margins of a sheet, at 96 to an inch
    tab.emulate_media(media="print")
    assert tab.evaluate(OVERFLOW) <= 0
    printed = tab.pdf(prefer_css_page_size=True)
    sizes = set(re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", printed))
    assert {tuple(round(float(side)) for side in size) for size in sizes} == {(595, 842)}
    tab.close()


def test_rows_in_flight_are_in_flight() -> None:
    figures = report().figures
    assert (figures.in_flight, figures.counts[Status.UNKNOWN]) == (1, 0)
    assert figures.rows == 189
    assert [row.code for row in figures.look] == ["InvalidRequestException", "invalid_phone"]
