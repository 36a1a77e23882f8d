"""A run with sending hours, wired as it is, but for the service and the clock."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from bulk.campaign import Campaign
from bulk.errors import ExitCode
from bulk.ledger import Ledger
from bulk.model import Call, Reply, Status
from bulk.pacing import virtual_time
from bulk.pacing.queue import LocalStore, RateLimitQueue
from bulk.pacing.waiters import WaiterCount
from bulk.reports.results import frame
from bulk.run.context import open_campaign
from bulk.run.eligibility import Judge
from bulk.run.options import Options
from bulk.run.results import read_results
from bulk.run.send_pass import SendPass
from bulk.run.wiring import deliverer
from bulk.stop import Stop

START = datetime(2026, 3, 2, 20, 0, tzinfo=UTC).timestamp()  # a Monday evening in London
OPERATION = "StartOutboundChatContact"


class Service:
    """Takes every call, and notes when (hours since midnight before `START`, UTC) and to whom."""

    def __init__(self) -> None:
        self.calls: list[tuple[datetime, str]] = []

    async def prepare(self) -> None:
        pass

    async def call(self, call: Call, _token: str) -> Reply:
        loop = asyncio.get_running_loop()
        at = datetime.fromtimestamp(START + loop.time(), UTC)
        self.calls.append((at, call.parameters["DestinationEndpoint"]["Address"]))
        return Reply({"ContactId": f"contact-{len(self.calls)}"})


def campaign(**tables: Any) -> Campaign:
    return Campaign(
        name="hours",
        channel="sms",
        list={"key": "id", "timezone_column": "zone"},
        request={
            "InstanceId": "instance",
            "ContactFlowId": "flow",
            "SourceEndpoint": {"Address": "arn:aws:connect:us-west-2:123456789012:phone-number/1"},
            "InitialSystemMessage": {"Content": "Hello {{ id }}"},
        },
        **tables,
    )


def people(zones: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "id": [str(row) for row in range(len(zones))],
            "phone": [f"+1415555{2000 + row}" for row in range(len(zones))],
            "zone": list(zones),
        }
    )


def run(
    plan: Campaign, contacts: pl.DataFrame, folder: Path, *, max_duration: float | None = None, start: float = START
) -> tuple[Service, pl.DataFrame, Stop]:
    """Send in virtual time: the service as it saw it, and every row's end."""
    service, stop = Service(), Stop()

    async def work() -> pl.DataFrame:
        opened = open_campaign(plan, Options(contacts=contacts, state_dir=folder, max_duration=max_duration))
        loop = asyncio.get_running_loop()
        with Ledger.open(folder, now=lambda: start + loop.time()) as ledger:
            book = ledger.begin(opened.identity("endpoint", "region"), opened.digests)
            if opened.eligibility.rules.limits:
                ledger.index_people()
            judge = Judge(opened.eligibility, ledger, "sms", START, lambda: start + loop.time())
            waiting = WaiterCount()
            turns = {OPERATION: RateLimitQueue(LocalStore(opened.rates.limiter(OPERATION)), stop, waiting=waiting)}
            driving = deliverer(opened, book, service, queues=turns, judge=judge, stop=stop, waiting=waiting)
            sending = SendPass(opened, book, driving, judge, stop, waiting)
            await sending.go(None, 10.0)
            return frame(read_results(opened.reader, book))

    return service, virtual_time.run(work), stop


def test_a_run_spans_two_nights_and_writes_to_nobody_outside_the_window(tmp_path: Path) -> None:
    plan = campaign(hours={"every_day": ["09:00-11:00"]}, pacing={"rate": [{"per_hour": 2, "burst": 1}]})
    service, ends, _ = run(plan, people(["Europe/London"] * 10), tmp_path)
    assert ends["status"].to_list() == [Status.SENT] * 10
    assert {at.date().day for at, _ in service.calls} == {3, 4, 5}
    assert all(9 <= at.hour < 11 for at, _ in service.calls)


def test_a_window_that_opens_the_moment_after_a_row_was_sent_sends_that_row_once(tmp_path: Path) -> None:
    plan = campaign(hours={"every_day": ["20:00-20:30", "20:45-22:00"]})  # open in Berlin, and soon in London
    service, ends, _ = run(plan, people(["Europe/Berlin", "Europe/London"]), tmp_path, start=START - 0.1)
    assert ends["status"].to_list() == [Status.SENT] * 2
    assert len(service.calls) == 2


def test_each_row_waits_for_the_morning_of_its_own_zone(tmp_path: Path) -> None:
    zones = ["Asia/Tokyo", "Europe/London", "America/Los_Angeles"]
    service, _, _ = run(campaign(hours={"every_day": ["09:00-20:00"]}), people(zones), tmp_path)
    assert [(at.day, at.hour) for at, _ in service.calls] == [(2, 20), (3, 0), (3, 9)]


def test_a_zone_that_is_not_known_is_closed(tmp_path: Path) -> None:
    service, ends, _ = run(campaign(hours={"every_day": ["09:00-20:00"]}), people(["Mars/Olympus"]), tmp_path)
    assert not service.calls
    assert ends["error_code"][0] == "unknown_zone"


def test_waiting_for_a_window_ends_with_max_duration_and_leaves_the_rows_pending(tmp_path: Path) -> None:
    plan = campaign(hours={"every_day": ["09:00-11:00"]})
    service, ends, stop = run(plan, people(["Europe/London"] * 3), tmp_path, max_duration=3600)
    assert not service.calls
    assert stop.exit_code == ExitCode.ROWS_LEFT
    assert ends["status"].to_list() == [Status.PENDING] * 3


def test_a_row_that_expires_before_its_window_opens_is_skipped(tmp_path: Path) -> None:
    plan = campaign(hours={"every_day": ["09:00-11:00"]}, expires="2h")
    _, ends, _ = run(plan, people(["Europe/London"]), tmp_path)
    assert (ends["status"][0], ends["error_code"][0]) == (Status.SKIPPED, "expired")


@pytest.mark.parametrize("at_most", [1, 2])
def test_a_cap_counts_all_rows_of_one_destination_at_the_moment_of_sending(tmp_path: Path, at_most: int) -> None:
    plan = campaign(caps={"sms": {"at_most": at_most, "within": "24h"}}, pacing={"rate": 50, "burst": 50})
    contacts = people(["Europe/London"] * 5).with_columns(phone=pl.lit("+14155552000"))
    service, ends, _ = run(plan, contacts, tmp_path)
    assert len(service.calls) == at_most
    assert ends["error_code"].to_list().count("capped") == 5 - at_most
