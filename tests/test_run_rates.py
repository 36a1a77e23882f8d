"""The pace that a campaign and its options ask for: it …"""

import logging
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import bulk
from bulk.campaign import Campaign
from bulk.pacing.estimator import RateEstimator
from bulk.pacing.limits import Bucket
from bulk.pacing.sliding_window import SlidingWindow
from bulk.run.context import RunContext, open_campaign
from bulk.run.options import Options

CHAT, CREATE, MAIL = "StartOutboundChatContact", "CreateContact", "StartOutboundEmailContact"
SOURCE = "arn:aws:connect:us-west-2:123456789012:phone-number/33333333-3333-4333-8333-333333333333"
ID = "11111111-1111-4111-8111-111111111111"
REQUEST = {
    "InstanceId": ID,
    "ContactFlowId": ID,
    "SourceEndpoint": {"Address": SOURCE},
    "InitialSystemMessage": {"Content": "{{ text }}"},
}
MAILS = {
    "request": {
        "InstanceId": ID,
        "FromEmailAddress": {"EmailAddress": "shop@example.com"},
        "EmailMessage": {"RawMessage": {"Subject": "Hi", "Body": "Hi", "ContentType": "text/plain"}},
    },
    "create_contact": {"UserInfo": {"UserId": ID}},
}
FRAME = pl.DataFrame({"phone": ["+12065550100"], "email": ["ann@example.com"], "text": ["Hi"]})


def people(rows: int, text: str = "Hi") -> pl.DataFrame:
    return pl.DataFrame({"phone": [f"+1206555{row:04}" for row in range(rows)], "text": [text] * rows})


def opened(channel: str = "sms", pacing: dict[str, Any] | None = None, **options: Any) -> RunContext:
    tables = MAILS if channel == "email" else {"request": REQUEST}
    campaign = Campaign(name="paced", channel=channel, pacing=pacing or {}, **tables)
    return open_campaign(campaign, Options(contacts=FRAME, **options))


@pytest.mark.parametrize(
    "pacing, options, expected",
    [
        pytest.param({}, {}, (2, 5), id="as documented where nothing is said"),
        pytest.param({"rate": 10}, {}, (10, 5), id="as said"),
        pytest.param({"rate": 10, "burst": 20}, {"rate": 3.0}, (3, 20), id="as the command line says"),
        pytest.param({"rate": "auto"}, {}, (2, 5), id="as documented where it is learned"),
        pytest.param(
            {"rate": [{"per_minute": 30}, {"per_second": 7, "burst": 9}]}, {}, (7, 9), id="as its window says"
        ),
        pytest.param({"rate": [{"per_second": 7}], "burst": 3}, {}, (7, 3), id="with the burst beside the windows"),
        pytest.param({"rate": [{"per_day": 10000}]}, {}, (2, 5), id="as documented where only longer windows are said"),
        pytest.param({"rate": [{"per_minute": 3000}]}, {}, (50, 5), id="as a longer window asks for on the average"),
    ],
)
def test_the_rate_of_the_service_is_taken(
    pacing: dict[str, Any], options: dict[str, Any], expected: tuple[float, int]
) -> None:
    assert opened(pacing=pacing, **options).rates.quota(CHAT) == expected


def test_an_operation_has_its_own_rate() -> None:
    mails = opened("email", {"rate": 4, "CreateContact": {"rate": 10, "burst": 15}})
    assert (mails.rates.quota(CREATE), mails.rates.quota(MAIL)) == ((10, 15), (4, 5))


def test_further_windows_hold_besides() -> None:
    windows = [{"per_second": 2, "burst": 5}, {"per_minute": 60, "burst": 3}, {"per_day": 10000}]
    assert opened(pacing={"rate": windows}).rates.limits(CHAT)[1:] == (
        SlidingWindow(60, 60, "in 60 s"),
        Bucket(1, 3, name="60 in 60 s, 3 at once"),
        SlidingWindow(10000, 86400, "in 86400 s"),
    )


@pytest.mark.parametrize(
    "per_day, allowance",
    [(0.5, SlidingWindow(1, 172800.0, "in 86400 s")), (2.5, SlidingWindow(2, 86400.0, "in 86400 s"))],
)
def test_a_window_of_a_part_of_a_call_gives_whole_ones(per_day: float, allowance: SlidingWindow) -> None:
    assert opened(pacing={"rate": [{"per_day": per_day}]}).rates.limits(CHAT)[1] == allowance


def test_the_parts_of_an_sms_are_the_numbers_own_limit() -> None:
    parts = opened(pacing={"parts_per_second": 1}).rates.limits(CHAT)[1]
    assert isinstance(parts, Bucket)
    assert (parts.per_second, parts.burst, parts.of_parts, SOURCE in parts.name) == (1, 1, True, True)
    assert len(opened("email", {"parts_per_second": 1}).rates.limits(MAIL)) == 1


def test_a_host_has_its_share_of_every_limit() -> None:
    windows = [{"per_second": 3, "burst": 9}, {"per_day": 9000}]
    shared = opened(pacing={"rate": windows, "parts_per_second": 30}, rate_share=1 / 3).rates.limits(CHAT)
    assert shared[:2] == (Bucket(1, 2), SlidingWindow(3000, 86400, "in 86400 s"))
    assert [(limit.per_second, limit.burst) for limit in shared[2:] if isinstance(limit, Bucket)] == [(10, 10)]


def test_a_rate_on_the_command_line_takes_the_place_of_every_rate() -> None:
    pacing = {"rate": [{"per_second": 2}, {"per_day": 9}], "parts_per_second": 1, CHAT: {"rate": 5}}
    chats = opened(pacing=pacing, rate=100.0)
    assert [(limit.per_second, limit.burst) for limit in chats.rates.limits(CHAT) if isinstance(limit, Bucket)] == [
        (100, 3)
    ]
    replaced = f"its windows, parts_per_second = 1, the rate of [pacing.{CHAT}]"
    assert chats.rates.remarks() == [f"--rate 100 takes the place of what [pacing] says besides: {replaced}"]


def test_a_burst_on_the_command_line_takes_the_place_of_every_burst() -> None:
    windows = [{"per_second": 200, "burst": 5}, {"per_minute": 6000, "burst": 3}, {"per_day": 10000}]
    chats = opened(pacing={"rate": windows}, burst=150)
    assert chats.rates.quota(CHAT) == (200, 150)
    assert chats.rates.limits(CHAT)[1:] == (
        SlidingWindow(6000, 60, "in 60 s"),
        Bucket(100, 150, name="6000 in 60 s, 150 at once"),
        SlidingWindow(10000, 86400, "in 86400 s"),
    )
    assert chats.rates.remarks() == [
        "--burst 150 takes the place of what [pacing] says besides: the bursts of its windows"
    ]


def test_an_option_that_replaces_its_own_key_alone_needs_no_remark() -> None:
    assert opened(pacing={"rate": 2, "burst": 5}, rate=3.0, burst=9).rates.remarks() == []


@pytest.mark.parametrize(
    "pacing, expected",
    [
        ({"rate": 100, "burst": 10}, None),
        (
            {"rate": 100, "parts_per_second": 1},
            "[pacing] parts_per_second decides how long it takes: 100 parts at 1 a second",
        ),
        (
            {"rate": [{"per_second": 100}, {"per_day": 20}]},
            "a window of [pacing] decides how long it takes: 20 calls in 86400 s",
        ),
    ],
)
async def test_the_plan_says_which_limit_decides(tmp_path: Path, pacing: dict[str, Any], expected: str | None) -> None:
    campaign = Campaign(name="paced", channel="sms", request=REQUEST, pacing=pacing, folder=tmp_path)
    plan = await bulk.check(campaign, contacts=people(50, "x" * 300))
    assert [note for note in plan.notes if "decides" in note] == ([expected] if expected else [])


def test_a_rate_that_is_said_is_a_ceiling_and_one_that_is_not_is_learned() -> None:
    assert opened(pacing={"rate": 10}).rates.limiter(CHAT).estimator == RateEstimator(10, 10)
    assert opened(pacing={"rate": "auto"}).rates.limiter(CHAT, 7.0).estimator == RateEstimator(7)
    assert opened(pacing={"rate": [{"per_day": 5}]}).rates.limiter(CHAT).estimator == RateEstimator(2)


def test_what_is_unusual_about_a_pace_is_said() -> None:
    assert opened(pacing={"rate": 3}).rates.remarks() == []
    assert opened("email", {"rate": 3}, rate_share=1 / 3).rates.remarks() == [
        f"--rate-share 0.333: the part of this host is {CREATE} 1 a second, {MAIL} 1 a second"
    ]
    assert opened(pacing={"rate": "auto"}).rates.remarks() == [
        f"the rate is learned, beginning at {CHAT} 2 a second, or where it was last"
    ]


async def test_a_window_bounds_a_run_and_the_next_run_too(tmp_path: Path) -> None:
    campaign = Campaign(
        name="paced",
        channel="sms",
        request=REQUEST,
        pacing={"rate": [{"per_second": 500, "burst": 500}, {"per_hour": 20}]},
        folder=tmp_path,
    )
    sending: dict[str, Any] = {
        "contacts": people(50),
        "sandbox": True,
        "state_dir": tmp_path / "s",
        "max_duration": 1.0,
    }
    first = await bulk.send(campaign, **sending)
    assert (first.summary.sent, first.summary.calls, first.exit_code) == (20, 20, 4)
    again = await bulk.send(campaign, **sending)
    assert (again.summary.sent, again.summary.calls, again.exit_code) == (20, 0, 4)


async def test_the_plan_counts_the_days_that_a_window_takes(tmp_path: Path) -> None:
    windows = [{"per_second": 100, "burst": 10}, {"per_day": 20}]
    campaign = Campaign(name="paced", channel="sms", request=REQUEST, pacing={"rate": windows}, folder=tmp_path)
    plan = await bulk.check(campaign, contacts=people(50))
    assert plan.seconds == pytest.approx(2 * 86400, abs=10)


async def test_what_was_learned_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="bulk")
    campaign = Campaign(name="paced", channel="sms", request=REQUEST, pacing={"rate": "auto"}, folder=tmp_path)
    async with bulk.Sandbox(rate=40, burst=5) as sandbox:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ACCESS_KEY_ID", "x")
            patch.setenv("AWS_SECRET_ACCESS_KEY", "x")
            run = await bulk.send(campaign, contacts=people(120), endpoint_url=sandbox.url, region="us-east-1")
    assert run.summary.sent == 120
    assert f"the rate is learned, beginning at {CHAT} 2 a second" in caplog.text
    assert re.search(rf"{CHAT}: [0-9.]+ calls a second were learned", caplog.text)
