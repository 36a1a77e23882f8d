"""Progress and plan in words: it …"""

import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rich.console import Console

from bulk.cli import plan_text
from bulk.cli.bars import Bars
from bulk.model import Status
from bulk.reports import Example, Reason
from bulk.run import progress_text
from bulk.run.plan import Plan, Preview
from bulk.run.summary import Progress, Waiting
from bulk.run.target import Target

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC).timestamp()
DENVER = datetime(2026, 11, 27, 16, 0, tzinfo=UTC).timestamp()  # 09:00 there
WAITS = (
    Waiting("open_contacts", NOW + 41, operation="StartOutboundChatContact", open=20, limit=20),
    Waiting("hours", DENVER, rows=1204, zone="America/Denver"),
    Waiting("full", NOW + 8, operation="CreateContact"),
    Waiting("rate", NOW + 7200, operation="CreateContact"),
)
TOLD = Progress(
    total=9000,
    done=4499,
    sent=4400,
    failed=12,
    calls=4500,
    throttled=7,
    seconds=900.0,
    per_second=4.94,
    seconds_left=900.2,
    skipped=87,
    refused=9,
    rejected=2,
    unknown=1,
    before=1000,
    in_flight=3,
    permitted=20.0,
    granted=5.04,
    ends_at=NOW + 900.2,
    waits=WAITS,
)


def test_a_log_line_holds_all_facts_of_this_pass_and_every_wait_with_its_end() -> None:
    end = f"{datetime.fromtimestamp(NOW + 900.2):%H:%M:%S}"  # noqa: DTZ006 - by the clock of this machine
    assert progress_text.line(TOLD, NOW) == (
        "4,499 of 9,000 rows (49%): 4,400 sent, 87 skipped, 12 failed (9 refused, 2 rejected, 1 unknown), 3 in flight, "
        f"4.9/s of 20/s, 7 throttled, the service grants about 5/s, not 20, ends {end}, 15 min left, 1,000 done before"
        "; waiting: 20 of 20 contacts open, next in 41 s; opens 2026-11-27 09:00 in America/Denver, 1,204 rows; "
        "CreateContact: the service is full, asked again in 8.0 s; CreateContact: as the rate allows, next in 2 h 0 min"
    )


def test_a_window_of_the_same_day_has_no_date() -> None:
    assert progress_text.wait(WAITS[1], DENVER - 600) == "opens 09:00 in America/Denver, 1,204 rows"


def test_what_is_not_known_is_not_said() -> None:
    told = Progress(total=None, done=1, sent=1, failed=0, calls=1, throttled=0, seconds=0.1, per_second=0.5)
    assert progress_text.line(told, NOW) == "1 row: 1 sent, 0 failed, 0.5/s, 0 throttled"


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_no_line_is_wider_than_the_terminal_and_nothing_is_cut(width: int) -> None:
    lines = progress_text.lines(TOLD, NOW, width)
    assert max(map(len, lines)) <= width
    said = " ".join(line.strip() for line in lines)
    wanted = [*progress_text.facts(TOLD, NOW), *progress_text.waits_of(TOLD, NOW)]
    assert [one for one in wanted if one not in said] == []
    assert sum(line.startswith("waiting: ") for line in lines) == len(WAITS)


@pytest.mark.parametrize("width", [40, 60, 80, 200])
@pytest.mark.parametrize("names", [("",), ("reminders", "a-campaign-of-a-very-long-name-indeed")])
def test_bars_fit_any_width_and_no_frame_breaks_a_line(width: int, names: tuple[str, ...]) -> None:
    seen = io.StringIO()
    bars = Bars(Console(file=seen, width=width, force_terminal=True, color_system=None, height=30), clock=lambda: NOW)
    for name in names:
        bars.note(name, TOLD)
    bars.console.print(bars.get_renderable())
    shown = [line for line in seen.getvalue().splitlines() if line.strip()]
    assert max(map(len, shown)) <= width
    assert len(shown) == (3 * len(names) if names[0] else 1 + len(progress_text.lines(TOLD, NOW, width)))
    assert "━" in seen.getvalue()


def test_a_progress_is_read_again_as_it_was_left() -> None:
    told = TOLD.as_dict()
    assert told["percent"] == 49
    assert told["waits"][1]["until"] == "2026-11-27T16:00:00+00:00"
    again = Progress.of(told)
    assert (again.waits, again.sent, again.granted) == (WAITS, 4400, 5.04)


def plan() -> Plan:
    target = Target(
        instance="8f3c0000-0000-4000-8000-000000000001",
        region="us-west-2",
        endpoint=None,
        sender="arn:aws:connect:us-west-2:111122223333:phone-number/0d6f",
        flow="846ec553",
        contacts="contacts.csv",
        profile="prod",
        account="111122223333",
        rates={"StartOutboundChatContact": 2.0},
    )
    made = Plan("reminders", "2026-11-26", "sms", rows=12000, sendable=11000, parts=22000, seconds=5500.0)
    made.target, made.finishes_at = target, datetime.fromtimestamp(NOW + 5500, UTC).isoformat()
    made.previews = [Preview(0, "+12065550100", {"Content": "Hi Ann.\n" * 40}, 2)]
    made.reasons = [
        Reason(Status(status), code, 500, [Example(7, "k", f"{code} it is " * 30, 9, "")])
        for status, code in (("skipped", "duplicate"), ("refused", "invalid_phone"), ("skipped", "suppressed")) * 3
    ]
    made.warnings = [
        f"[request] Member{number} is in Region eu-west-1, and the sending goes to us-west-2" for number in range(20)
    ]
    return made


def test_the_plan_fits_a_terminal_of_24_lines_by_80_columns_and_says_what_is_asked_for() -> None:
    block = plan_text.block(plan(), NOW)
    lines = block.splitlines()
    assert len(lines) <= 22
    assert max(map(len, lines)) <= 79
    for said in (
        *(
            "reminders, run 2026-11-26: 12,000 rows, 11,000 to be sent by sms",
            "instance  8f3c0000",
            "Region    us-west-2",
        ),
        *("account 111122223333, profile prod", "sender    arn:aws:connect", "list      contacts.csv, 12,000 rows"),
        *("rate      2 a second", "segments  22,000 SMS parts", "ends      about", "takes about 1 h 32 min", "Hi Ann."),
        *("left out  500 skipped, duplicate", "warning   [request] Member0", "more: --verbose shows them"),
    ):
        assert said in block
    assert "1 line more" not in block


@pytest.mark.parametrize("campaigns", [2, 3, 5, 9, 40])
@pytest.mark.parametrize("width", [39, 59, 79])
def test_several_plans_fit_the_same_terminal_and_say_once_where_all_of_them_go(campaigns: int, width: int) -> None:
    made = [plan() for _ in range(campaigns)]
    for number, one in enumerate(made):
        one.campaign = f"campaign-{number}"
    block = plan_text.blocks(made, NOW, width=width)
    assert len(block.splitlines()) <= 22
    assert max(map(len, block.splitlines())) <= width
    assert block.count("instance  8f3c0000") == block.count("Region    us-west-2") == 1
    shown = sum(f"campaign-{number}, run" in block for number in range(campaigns))
    assert shown == campaigns or f"… {campaigns - shown} campaigns more: --verbose" in block


def test_of_several_plans_each_shows_what_is_its_own_and_what_looks_wrong() -> None:
    first, second = plan(), plan()
    first.warnings, first.reasons = [], []
    second.campaign, second.warnings = "thanks", ["[request] Content holds %NAME%, which goes out as it stands"]
    assert second.target is not None
    second.target = replace(second.target, rates={"StartOutboundChatContact": 1.0})
    block = plan_text.blocks([first, second], NOW)
    assert "2 campaigns: 24,000 rows, 22,000 to be sent; 1 of them with warnings" in block
    assert block.index("rate      2 a second") < block.index("thanks, run") < block.index("rate      1 a second")
    assert "warning   [request] Content holds %NAME%" in block


@pytest.mark.parametrize("width", [39, 59, 79])
def test_on_a_narrow_terminal_a_plan_still_names_the_whole_place_where_it_goes(width: int) -> None:
    block = plan_text.block(plan(), NOW, width=width)
    assert max(map(len, block.splitlines())) <= width
    assert "us-west-2, account 111122223333, profile prod" in " ".join(block.split())


@pytest.mark.parametrize(
    "phrases, width, lines",
    [
        ([], 10, []),
        (["abc", "def"], 8, ["abc, def"]),
        (["abc", "def"], 7, ["abc", "def"]),
        (["abc", "def", "gh", "ij"], 8, ["abc, def", "gh, ij"]),
        (["a long phrase", "b"], 8, ["a long", "  phrase", "b"]),
        (["a long ph", "b"], 8, ["a long", "  ph, b"]),
    ],
)
def test_phrases_are_packed_into_lines(phrases: list[str], width: int, lines: list[str]) -> None:
    assert progress_text.packed(phrases, width) == lines
