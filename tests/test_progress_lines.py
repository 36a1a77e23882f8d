"""Each phrase of a sending's progress, with and without what it may lack: it …"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bulk.run import progress_text
from bulk.run.summary import Progress, Waiting

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC).timestamp()
BARE = Progress(total=None, done=0, sent=0, failed=0, calls=0, throttled=0, seconds=0.0)


def here(at: float, form: str) -> str:
    return f"{datetime.fromtimestamp(at):{form}}"  # noqa: DTZ006 - by the clock of this machine


@pytest.mark.parametrize(
    "waiting, said",
    [
        (Waiting("open_contacts", NOW + 41, open=1999, limit=2000), "1,999 of 2,000 contacts open, next in 41 s"),
        (Waiting("open_contacts", NOW - 1, open=2, limit=2), "2 of 2 contacts open"),
        (Waiting("open_contacts", None, open=2, limit=2), "2 of 2 contacts open"),
        (Waiting("hours", NOW + 60, rows=1, zone="Asia/Tokyo"), "opens 21:01 in Asia/Tokyo, 1 row"),
        (Waiting("hours", NOW + 60, zone="Asia/Tokyo"), "opens 21:01 in Asia/Tokyo"),
        (Waiting("hours", NOW + 60, rows=2), f"opens {here(NOW + 60, '%H:%M')}, 2 rows"),
        (Waiting("hours", None, rows=2, zone="Asia/Tokyo"), "opens at some time, 2 rows"),
        (Waiting("full", NOW + 8, operation="A"), "A: the service is full, asked again in 8.0 s"),
        (Waiting("full", NOW, operation="A"), "A: the service is full, asked again now"),
        (Waiting("full", NOW - 9, operation="A"), "A: the service is full, asked again now"),
        (Waiting("full", None, operation="A"), "A: the service is full, asked again now"),
        (Waiting("rate", NOW + 7200, operation="A"), "A: as the rate allows, next in 2 h 0 min"),
        (Waiting("rate", None, operation="A"), "A: as the rate allows"),
        (Waiting("start", NOW + 60), f"start until {here(NOW + 60, '%H:%M')}"),
        (Waiting("start"), "start"),
    ],
)
def test_says_each_wait_with_its_end_as_far_as_that_is_known(waiting: Waiting, said: str) -> None:
    assert progress_text.wait(waiting, NOW) == said


@pytest.mark.parametrize(
    "known, said",
    [
        ({}, ["0 sent", "0 failed", "0.0/s", "0 throttled"]),
        ({"granted": 1.0}, ["0 sent", "0 failed", "0.0/s", "0 throttled"]),
        ({"permitted": 2.0}, ["0 sent", "0 failed", "0.0/s of 2/s", "0 throttled"]),
        ({"ends_at": NOW}, ["0 sent", "0 failed", "0.0/s", "0 throttled"]),
        ({"seconds_left": 1.0}, ["0 sent", "0 failed", "0.0/s", "0 throttled"]),
        ({"failed": 1, "rejected": 1}, ["0 sent", "1 failed (1 rejected)", "0.0/s", "0 throttled"]),
    ],
)
def test_leaves_out_what_is_known_by_half(known: dict[str, Any], said: list[str]) -> None:
    assert list(progress_text.facts(replace(BARE, **known), NOW)) == said


@pytest.mark.parametrize(
    "total, done, said",
    [
        (None, 0, "0 rows"),
        (None, 1, "1 row"),
        (None, 2000, "2,000 rows"),
        (1, 0, "0 of 1 row (0%)"),
        (1000, 1, "1 of 1,000 rows (0%)"),
        (0, 0, "0 of 0 rows (100%)"),
    ],
)
def test_says_how_far_it_is(total: int | None, done: int, said: str) -> None:
    assert progress_text.rows(replace(BARE, total=total, done=done)) == said


@pytest.mark.parametrize(
    "ahead, seconds, form",
    [
        (0, True, "%H:%M:%S"),
        (3599, True, "%H:%M:%S"),
        (3600, True, "%H:%M"),
        (3600.5, True, "%H:%M"),
        (59, False, "%H:%M"),
        (86_400 * 2, True, "%Y-%m-%d %H:%M"),
    ],
)
def test_says_a_time_with_seconds_where_it_is_near_and_with_its_date_where_it_is_far(
    ahead: float, form: str, *, seconds: bool
) -> None:
    assert progress_text.clock(NOW + ahead, NOW, seconds=seconds) == here(NOW + ahead, form)


def test_says_no_seconds_where_nobody_asks_for_them() -> None:
    assert progress_text.clock(NOW + 1, NOW) == here(NOW + 1, "%H:%M")


@pytest.mark.parametrize(
    "phrases, width, lines",
    [(["abc", "defgh"], 10, ["abc, defgh"]), (["abc", "defgh"], 9, ["abc", "defgh"]), (["a\nb"], 9, ["a�b"])],
)
def test_fills_a_line_to_its_last_column(phrases: list[str], width: int, lines: list[str]) -> None:
    assert progress_text.packed(phrases, width) == lines


@pytest.mark.parametrize("text, said", [("abcde", "abcde"), ("abcdef", "abcd…"), ("", ""), ("a\x1bcde", "a�cde")])
def test_cuts_what_is_longer_than_a_line(text: str, said: str) -> None:
    assert progress_text.fitted(text, 5) == said


def test_has_a_line_for_each_of_several_runs_and_one_for_what_it_waits_for() -> None:
    told = replace(
        BARE,
        total=2000,
        done=1500,
        sent=1200,
        failed=300,
        throttled=7,
        per_second=2.25,
        permitted=5.0,
        ends_at=NOW + 60,
        waits=(Waiting("full", NOW + 8, operation="A"), Waiting("rate", None, operation="B")),
    )
    main = f"june: 1,200 sent, 300 failed, 2.2/s of 5/s, 7 throttled, ends {here(NOW + 60, '%H:%M')}"
    waits = "  waiting: A: the service is full, asked again in 8.0 s; B: as the rate allows"
    assert progress_text.brief("june", told, NOW, 200) == [main, waits]
    assert progress_text.brief("june", told, NOW, 20) == [f"{main[:19]}…", f"{waits[:19]}…"]
    assert progress_text.brief("may", BARE, NOW, 99) == ["may: 0 sent, 0 failed, 0.0/s, 0 throttled"]


def test_breaks_what_is_said_into_lines_and_each_wait_into_lines_of_its_own() -> None:
    told = replace(BARE, sent=5, waits=(Waiting("start", None), Waiting("rate", None, operation="StartOutbound")))
    assert progress_text.lines(told, NOW, 30) == [
        "5 sent, 0 failed, 0.0/s",
        "0 throttled",
        "waiting: start",
        "waiting: StartOutbound: as the",
        "  rate allows",
    ]
    assert progress_text.line(told, NOW) == (
        "0 rows: 5 sent, 0 failed, 0.0/s, 0 throttled; waiting: start; StartOutbound: as the rate allows"
    )
