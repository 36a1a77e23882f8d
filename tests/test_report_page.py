"""The page: all that is to be told stands there, and nothing of it does anything."""

import base64
import hashlib
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_pages import MADE_AT, START, Read, end, folded, results, written

from bulk.model import Status
from bulk.reports import Figures, ReasonCount, Row
from bulk.reports.aggregate import SHOWN
from bulk.reports.page import CLAIMS, REASONS

RESULTS = (Path(__file__).parents[1] / "docs/results.md").read_text("utf-8")
FIGURES = folded(
    results(
        [
            *[end("sent", second, attempts=1 + (second % 50 == 0)) for second in range(990)],
            end("skipped", 3, code="suppressed", said="named in stop.csv"),
            end("refused", 4, code="invalid_phone", said="1… is too short"),
            end("rejected", 5, attempts=1, code="InvalidRequestException", said="not reachable"),
            end("unknown", 6, attempts=3, code="ReadTimeout", said="no answer"),
            *[end("pending", None)] * 6,
        ]
    )
)
WHOLE = folded(results([end("sent", second, attempts=1) for second in range(3)]))


def test_it_tells_the_run() -> None:
    told = Read(written(FIGURES)).words
    for fact in (
        "reminders, run friday",
        "990 of 1,000 rows (99.0 %) were accepted by Amazon Connect; 3 need a look.",
        "Made 2026-11-21 08:00:00 UTC",
        "Channel sms a row takes StartOutboundChatContact",
        "Instance 8f3c",
        "Region us-west-2 at https://connect.us-west-2.amazonaws.com",
        "Begun 2026-11-20 09:00:00 UTC",
        "Ended 2026-11-20 10:30:00 UTC",
        "Lasted 1 h 30 min",
        "Passes 2",
        "Calls 1,200",
        "Throttled 30 (2.5 % of the calls)",
    ):
        assert fact in told


def test_it_tells_the_counts_with_what_each_status_claims() -> None:
    told = Read(written(FIGURES)).words
    for status, rows in FIGURES.counts.items():
        assert f"{status} {CLAIMS[status]} {rows:,} " in told
    assert "all rows of the list 1,000" in told
    assert "pending not tried yet 6 0.6 %" in told


def test_the_claims_are_those_of_the_readme() -> None:
    for status, claim in CLAIMS.items():
        assert f"| `{status}` | {claim.replace(', suppressed', '')} |" in RESULTS


def test_it_tells_the_rate_that_was_reached() -> None:
    told = Read(written(FIGURES)).words
    assert "ended at 1 a second while sending (the median of windows of 30 seconds in which any did)" in told
    assert "and at 1.07 a second in the busiest window" in told


def test_it_draws_a_bar_for_each_interval_with_its_numbers_in_words() -> None:
    page = Read(written(FIGURES))
    assert "Each bar stands for 30 seconds." in page.words
    assert len([one for one in page.named("rect") if one["class"] == "place"]) == 2 * 33
    assert "Interval sent skipped refused rejected unknown 2026-11-20 09:00:00–09:00:30 30 1 1 1 1 2026" in page.words


def test_it_tells_why_with_an_example() -> None:
    told = Read(written(FIGURES)).words
    assert "invalid_phone refused 1 row 991, key k991: 1… is too short" in told
    assert "InvalidRequestException rejected 1 row 992, key k992: not reachable" in told


def test_reasons_that_are_too_many_are_added_up() -> None:
    whys = tuple(ReasonCount(Status.REJECTED, f"Code{number}", 3) for number in range(REASONS + 2))
    page = Read(written(replace(FIGURES, whys=whys)))
    assert f"Code{REASONS - 1}" in page.words
    assert f"Code{REASONS}" not in page.words
    assert "6 rows more, for 2 other reasons." in page.words


def test_it_tells_calls_per_row_and_how_many_are_usual() -> None:
    operations = "CreateContact", "StartOutboundEmailContact"
    told = Read(written(FIGURES, operations=operations)).words
    assert f"a row takes 2 calls ({', '.join(operations)})" in told
    assert "1 971 97.9 % 2 20 2.0 % 3 1 0.1 % 4 0 0 %" in told


def test_it_lists_rows_to_look_at_and_says_how_many_more_there_are() -> None:
    told = Read(written(FIGURES)).words
    assert "All of them. Destinations are masked." in told
    assert "993 k993 +120…93 unknown ReadTimeout no answer 3 2026-11-20 09:00:06 UTC" in told
    many = folded(results([end("refused", code="missing_destination")] * (SHOWN + 20)))
    assert "100 of 120; bulk results writes a table of all." in Read(written(many)).words


def test_unknown_rows_come_with_the_remedy() -> None:
    told = Read(written(FIGURES)).words
    assert "1 row unknown" in told
    assert "bulk resolve CAMPAIGN --run friday lists them" in told
    assert "bulk resolve CAMPAIGN lists them" in Read(written(FIGURES, run="default")).words
    assert "bulk resolve" not in Read(written(WHOLE)).words


@pytest.mark.parametrize(
    "figures, about, told",
    [
        (WHOLE, {}, "3 of 3 rows (100 %) were accepted by Amazon Connect; none needs a look. It came to its end"),
        (FIGURES, {}, "It was stopped before its end; 6 rows are pending."),
        (FIGURES, {"halted": "no such flow"}, "Halted no such flow"),
        (FIGURES, {"ended_at": None}, "Its last sending ended without a word"),
        (FIGURES, {"ended_at": None, "sender": "process 7 on here"}, "It is being sent by process 7 on here: all"),
    ],
)
def test_it_says_how_the_run_stands(figures: Figures, about: dict[str, Any], told: str) -> None:
    assert told in Read(written(figures, **about)).words


def test_a_run_that_has_not_ended_lasts_until_now() -> None:
    told = Read(written(FIGURES, ended_at=None, sender="process 7")).words
    assert "Ended" not in told.partition("When rows ended")[0].replace("Ended 20", "")
    assert f"Lasts {(MADE_AT - START).seconds // 3600} h 0 min" in told
    assert "bulk resolve" not in told, "they are on their way"


def test_without_the_list_it_has_what_there_is() -> None:
    row = Row("row 7", None, "+120…07", Status.UNKNOWN, "unanswered", "settles", 1, None)
    figures = Figures(FIGURES.counts, look=(row,))
    told = Read(written(figures, notes=("The contact list cannot be read",), complete=False)).words
    for there in ("The contact list cannot be read", "990 of 1,000", "7 – +120…07 unknown", "The unknown ones;"):
        assert there in told
    for absent in ("When rows ended", "Why rows were not sent", "Calls per row", "and its contact list"):
        assert absent not in told


def test_an_empty_list_has_a_page() -> None:
    assert "0 of 0 rows (0 %)" in Read(written(folded(), calls=0, throttled=0)).words


@pytest.mark.parametrize(
    "sent, rows, share", [(1, 3000, "< 0.1 %"), (2999, 3000, "> 99.9 %"), (1, 3, "33.3 %"), (0, 3, "0 %")]
)
def test_a_little_is_not_nothing_and_nearly_all_is_not_all(sent: int, rows: int, share: str) -> None:
    counts = dict.fromkeys(Status, 0) | {Status.SENT: sent, Status.PENDING: rows - sent}
    assert f"({share})" in Read(written(Figures(counts))).words


def test_the_same_report_is_the_same_page() -> None:
    assert written(FIGURES) == written(FIGURES)


# What a page may not do


ANY = st.text(max_size=30) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        "</title><img src=x onerror=y>",
        '"><svg onload=z>',
        "{{ 7 * 7 }}",
        "<!--",
        "\x00\u202e",
    ]
)
SKELETON = [tag for tag, _ in Read(written(replace(FIGURES, whys=FIGURES.whys[:1], look=FIGURES.look[:1]))).elements]


@settings(max_examples=60)
@given(key=ANY, code=ANY, message=ANY, destination=ANY, other=ANY)
def test_no_text_of_a_list_or_of_the_service_becomes_an_element(
    key: str, code: str, message: str, destination: str, other: str
) -> None:
    row = Row("line 3", key, destination, Status.UNKNOWN, code, message, 1, START)
    why = ReasonCount(Status.UNKNOWN, code, 1, "line 3", key, message)
    about: dict[str, Any] = {"run": other, "instance": other, "region": other, "endpoint": other}
    page = Read(written(replace(FIGURES, whys=(why,), look=(row,)), **about))
    assert [tag for tag, _ in page.elements] == SKELETON
    assert set(filter(lambda sign: not sign.isprintable(), page.text)) <= set("\n\u200c\u200d")


def test_foreign_text_keeps_its_direction_to_itself() -> None:
    row = Row("line 3", "مفتاح", None, Status.UNKNOWN, "x", "\u202eevil", 1, START)
    text = written(replace(FIGURES, look=(row,)))
    assert "<bdi>مفتاح</bdi>" in text
    assert "\u202e" not in text


def test_it_loads_nothing_and_runs_nothing() -> None:
    text = written(FIGURES)
    page = Read(text)
    assert not {tag for tag, _ in page.elements} & {"script", "link", "img", "iframe", "object", "a", "form", "base"}
    names = {name for _, attributes in page.elements for name in attributes}
    assert [name for name in names if name.startswith("on") or name in {"src", "href", "style", "srcset"}] == []
    assert set(re.findall(r"url\(([^)]*)\)|@import", text)) == {'"#hatched"'}


def test_its_policy_lets_in_its_own_style_and_nothing_else() -> None:
    text = written(FIGURES)
    (style,) = re.findall("<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(one["content"] for one in Read(text).named("meta") if "http-equiv" in one)
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert text.index("Content-Security-Policy") < text.index("<style>")


def test_who_cannot_see_it_can_read_it() -> None:
    page = Read(written(FIGURES))
    assert page.named("html") == [{"lang": "en"}]
    assert [tag for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)] == ["h1", *["h2"] * (len(page.named("h2")))]
    assert len(page.named("caption")) == len(page.named("table"))
    assert [one for one in page.named("th") if "scope" not in one and one.get("class") != "bars"] == []
    charts = [one for one in page.named("div") if one.get("role") == "img"]
    assert len(charts) == 2
    assert all("The table below has the numbers." in (one["aria-label"] or "") for one in charts)
    names = [one["id"] for _, one in page.elements if "id" in one]
    assert len(set(names)) == len(names)
    labelled = {one["aria-labelledby"] for _, one in page.elements if "aria-labelledby" in one}
    assert labelled <= set(names)


LIGHT, DARK = (
    dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", block))
    for block in re.findall(r":root \{(.*?)\}", written(WHOLE), re.DOTALL)
)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_its_colours_can_be_told_from_the_ground(colours: dict[str, str]) -> None:
    """WCAG 2.2, 1.4.3 (text: 4.5 to 1) and 1.4.11 (graphics: 3 to 1)."""
    for ground in ("page", "raised"):
        for text in ("ink", "quiet"):
            assert contrast(colours[text], colours[ground]) >= 4.5
    for shape in ("sent", "unsure", "left-out"):
        assert contrast(colours[shape], colours["page"]) >= 3


def contrast(one: str, other: str) -> float:
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


CHROMIUM = shutil.which("chromium")


@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")
def test_a_browser_has_nothing_to_complain_about(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(written(FIGURES), "utf-8")
    assert complaints(tmp_path) == []
    (tmp_path / "page.html").write_text(written(FIGURES).replace("margin: 0 auto;", "margin: 0;"), "utf-8")
    assert "Content Security Policy" in complaints(tmp_path)[0], "the policy is in force"


def complaints(folder: Path) -> list[str]:
    assert CHROMIUM is not None
    quiet = ("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
    own = (f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr")
    told = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", *quiet, *own, "--dump-dom", (folder / "page.html").as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [line for line in told.stderr.splitlines() if "CONSOLE" in line]
