"""The page in a browser: at the widths of a phone, a tablet and a desk, light and dark, and printed on A4.

With `REPORT_SCREENSHOTS=docs/images` the pictures of the documentation are made anew.
"""

import os
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
from report_pages import ABOUT, MADE_AT, START, Read, end, results

from bulk.model import Recorded, Status
from bulk.reports import Command, Fold, Latency, Left, Message, Pass, Report, Wire, WireBar, page, remedy
from bulk.reports.data import as_dict

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DOCS = Path(__file__).parents[1] / "docs"
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
ARN = "arn:aws:connect:us-west-2:123456789012:phone-number/33333333-3333-4333-8333-333333333333"
TEXT = "Hi {{ first_name }}, see you on {{ date }}.\nReply STOP to opt out. " + "https://example.com/" + "x" * 60
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def typed(name: str, *more: str) -> str:
    return " ".join(["bulk", name, "campaign.toml", "--run", "friday", *more])


def made_of(ends: list[Recorded], keys: list[str], branches: list[str], text: str, **more: Any) -> Report:
    """Return a report with all its parts."""
    fold = Fold(sending=True)
    countries = [("US", "GB", "NL")[row % 3] for row in range(len(ends))]
    fold.note(results(ends, keys=keys), {"country": countries, "branch": branches})
    figures = fold.figures()
    start = int(START.timestamp())
    bars = tuple(WireBar(start + 30 * step, 500 - 20 * step, 9 * (step % 4), 18.0 - step % 3) for step in range(20))
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
        message=Message(ARN, "846ec553", {"InitialSystemMessage.Content": text}, **more),
        passes=passes,
        wire=(Wire("StartOutboundChatContact", 18.0, 9000, 120, 9100, 21.5, latency, 30, bars),),
        left=Left(6, 3.0, datetime(2026, 11, 21, 9, tzinfo=UTC)),
        commands=(Command("Write the rows that failed.", typed("results", "-o", "failed.xlsx", "--only", "failed")),),
        remedies={(why.status, why.code): remedy(why.status, why.code, typed) for why in figures.whys},
        rehearsal=True,
    )


def report() -> Report:
    """Return a report whose names and texts are longer than any screen likes."""
    ends = [
        *[end("sent", second, attempts=1 + (second % 50 == 0)) for second in range(0, 900, 5)],
        end("refused", 4, code="invalid_phone", said="1… is too short, and " + "so on and on " * 8),
        end("rejected", 5, attempts=1, code="InvalidRequestException", said="a" * 90),
        end("unknown", 6, attempts=3, code="unanswered"),
        *[end("pending", None)] * 6,
    ]
    keys = [f"customer-{'k' * 30}-{row}" for row in range(len(ends))]
    return made_of(ends, keys, ["Bern" * 12] * len(ends), TEXT, template={"Arn": ARN}, changed=("request.Attributes",))


def sample() -> Report:
    """Return a report as most are, for the pictures of the documentation."""
    ends = [
        *[end("sent", second, attempts=1 + (second % 50 == 0)) for second in range(0, 900, 5)],
        *[end("skipped", 3, code="duplicate", said="repeats line 4")] * 12,
        *[end("refused", 4, code="invalid_phone", said="1… is too short for a number of US")] * 3,
        end("rejected", 5, attempts=1, code="InvalidRequestException", said="The destination cannot be reached"),
        *[end("pending", None)] * 6,
    ]
    branches = [("Bern", "Leeds", "Tacoma")[row % 3] for row in range(len(ends))]
    return made_of(ends, [f"{1000 + row}" for row in range(len(ends))], branches, TEXT.partition("https")[0])


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
    browser: "Browser", file: Path, *, width: int, scheme: Literal["light", "dark"]
) -> None:
    tab = opened(browser, file, width, scheme)
    assert tab.evaluate(OVERFLOW) <= 0
    ground = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 22, 27)"}[scheme]
    tab.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 800, 1400])
def test_its_pictures_in_the_documentation_can_be_made(
    browser: "Browser", tmp_path: Path, *, width: int, scheme: Literal["light", "dark"]
) -> None:
    page_file = tmp_path / "report.html"
    page_file.write_text(page(sample()), "utf-8")
    tab = opened(browser, page_file, width, scheme)
    folder = Path(os.environ.get("REPORT_SCREENSHOTS", tmp_path))
    picture = tab.screenshot(path=folder / f"report-{width}-{scheme}.png")
    assert (int.from_bytes(picture[16:20]), int.from_bytes(picture[20:24])) == (width, 800)
    assert (DOCS / "images" / f"report-{width}-{scheme}.png").stat().st_size < 150_000
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


def test_its_json_has_the_same_numbers() -> None:
    told, words = as_dict(sample()), Read(page(sample())).words
    (wire,) = told["wire"]
    ends = [told["to_look_at"], told["left"]["rows"], told["segments"], told["calls"], told["throttled"]]
    groups = [one for breakdown in told["breakdowns"].values() for one in breakdown["groups"]]
    columns = "value", "rows", "accepted", "left_out", "failed", "pending"
    said = [
        f"{told['counts']['sent']} of {told['rows']} rows (89.1 %) were accepted",
        "{} need a look|{} rows pending|accepted {:,} SMS segments|Calls {:,} API|Throttled {} (2.5 %".format(*ends),
        *(" ".join(str(one[column]) for column in columns) for one in groups),
        f"StartOutboundChatContact {wire['permitted']:g}/s {wire['busiest']}/s {wire['calls']:,} {wire['throttled']} ",
        f"{wire['latency']['median'] * 1000:g} ms {wire['latency']['p95'] * 1000:g} ms {wire['latency']['p99']} s",
        f"ended at {told['throughput']['median']} a second",
        *(f"{why['code']} {why['status']} {why['rows']} " for why in told["reasons"]),
        *(f"{calls} {rows} {100 * rows / 181:.1f} %" for calls, rows in enumerate(told["attempts"][:2], 1)),
        *(f"{one['destination']} {one['status']} {one['code']}" for one in told["look"]),
    ]
    assert [one for part in said for one in part.split("|") if one not in words] == []
    for status, rows in told["counts"].items():
        assert re.search(rf"\b{status} [^0-9]+ {rows} ", words), status
