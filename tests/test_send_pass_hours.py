"""One pass over a list with closed windows, and suppression files that change under it (`run.send_pass`). It …"""

import logging
from pathlib import Path
from typing import Any

import anyio
import pytest
from passes import START, Hand, Pass, PauseLoop
from sandbox_runs import DRAFT, EMAIL

from bulk.model import Delivery, Outcome, Status
from bulk.run.send_pass import SendPass

HOURS = {"hours": {"every_day": ["08:30-20:00"]}, "list": {"key": "key", "timezone_column": "zone"}}
ZONES = ["Europe/Berlin", "Europe/London", "Europe/London", "Atlantic/Azores"]


def messages(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(record.levelname, record.getMessage()) for record in caplog.records if record.name == "bulk"]


class Timed(Hand):
    """Notes at which minute of the pass each row is carried."""

    def __init__(self) -> None:
        super().__init__()
        self.minutes: dict[str, int] = {}

    async def deliver(self, delivery: Delivery) -> Outcome:
        self.minutes[delivery.recipient.key] = round(anyio.current_time() / 60)
        return await super().deliver(delivery)


def test_reads_the_list_again_when_the_first_window_opens_until_nobody_waits(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="bulk")
    hand, waiting = Timed(), list[Any]()
    one = Pass(tmp_path, rows=4, zones=ZONES, tables=HOURS, hand=hand)

    async def beside(sending: SendPass) -> None:
        for minutes in (10, 40):
            await anyio.sleep(minutes * 60 - anyio.current_time())
            closed = {round((until - START) / 60): rows.total() for until, rows in sending.seen.closed.opens.items()}
            waiting.append((closed, sending.rows, sending.leaves_rows, sending.seen.before))

    sending = one.go(beside=beside)
    assert hand.minutes == {"0": 0, "1": 30, "2": 30, "3": 90}
    assert waiting == [({30: 2, 90: 1}, 4, True, 0), ({90: 1}, 4, True, 0)]
    assert (sending.seen.readings, sending.rows, sending.total, sending.leaves_rows) == (3, 4, 4, False)
    assert messages(caplog) == [
        ("INFO", "waiting for sending hours: the next window opens at 2027-01-15T08:30+00:00"),
        ("INFO", "waiting for sending hours: the next window opens at 2027-01-15T09:30+00:00"),
    ]


def test_waits_for_no_window_where_that_is_not_wanted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    one = Pass(tmp_path, rows=4, zones=ZONES, tables=HOURS)
    sending = one.go(no_wait=True)
    assert (one.hand.keys, sending.leaves_rows, one.took) == (["0"], True, 0.0)
    said = "sending hours are closed until 2027-01-15T08:30+00:00: the rest is left (--no-wait)"
    assert messages(caplog) == [("WARNING", said)]


def test_waits_for_no_window_once_the_limit_is_used_up(tmp_path: Path) -> None:
    one = Pass(tmp_path, rows=4, zones=ZONES, tables=HOURS)
    sending = one.go(limit=1)
    assert (one.hand.keys, one.took, sending.stop.asked) == (["0"], 0.0, False)


def test_takes_no_row_out_of_the_limit_that_waits(tmp_path: Path) -> None:
    one = Pass(tmp_path, rows=2, zones=["Europe/London", "Europe/Berlin"], tables=HOURS)
    one.go(limit=1, at_once=1)
    assert (one.hand.keys, one.took) == (["1"], 0.0)


def test_leaves_the_rows_that_wait_when_it_is_stopped(tmp_path: Path) -> None:
    one = Pass(tmp_path, rows=4, zones=ZONES, tables=HOURS)

    async def beside(sending: SendPass) -> None:
        await anyio.sleep(600)
        sending.stop.ask("interrupted", 130)

    sending = one.go(beside=beside)
    assert (one.hand.keys, one.took, sending.leaves_rows) == (["0"], 600.0, True)
    assert sending.seen.closed.opens


def test_waits_for_nobody_in_a_dry_run(tmp_path: Path) -> None:
    one = Pass(tmp_path, rows=4, zones=ZONES, tables=HOURS, hand=Hand(records=False))
    one.go(dry_run=True)
    assert (sorted(one.hand.keys), one.took) == (["0", "1", "2", "3"], 0.0)


def test_carries_the_rows_of_a_person_one_after_the_other_where_a_cap_counts_them(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("key,phone,name\n" + "".join(f"{row},+12065550100,Ann\n" for row in range(3)))
    one = Pass(
        tmp_path,
        contacts=tmp_path / "people.csv",
        tables={"caps": {"sms": {"at_most": 1, "within": "1h"}}},
        hand=Hand(seconds=1.0),
    )
    sending = one.go()
    assert sending.seen.ended == {Status.SENT: 1, Status.SKIPPED: 2}


# Whom not to write to, while it lasts


@pytest.mark.parametrize("dry_run", [False, True])
def test_honours_what_a_suppression_file_says_meanwhile(
    tmp_path: Path,
    dry_run: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bulk.run.send_pass.REFRESH", 3.0)
    stop = tmp_path / "stop.csv"
    stop.write_text("phone\n+12065559999\n")

    class Adds(Hand):
        async def deliver(self, delivery: Delivery) -> Outcome:
            if delivery.recipient.key == "1":
                stop.write_text("phone\n+12065559999\n+12065550003\n")
            return await super().deliver(delivery)

    tables = {"list": {"key": "key", "suppress": ["stop.csv"]}}
    one = Pass(tmp_path, rows=4, tables=tables, hand=Adds(seconds=2.0, records=False), loop=PauseLoop)
    sending = one.go(at_once=1, dry_run=dry_run)
    assert one.hand.keys == ["0", "1", "2"]
    assert sending.seen.ended == {Status.SENT: 3, Status.SKIPPED: 1}


def test_warns_of_a_suppression_file_that_is_gone_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("bulk.run.send_pass.REFRESH", 1.0)
    (tmp_path / "stop.csv").write_text("phone\n+12065550001\n")

    class Removes(Hand):
        async def deliver(self, delivery: Delivery) -> Outcome:
            (tmp_path / "stop.csv").unlink(missing_ok=True)
            return await super().deliver(delivery)

    tables = {"list": {"key": "key", "suppress": ["stop.csv"]}}
    one = Pass(tmp_path, rows=2, tables=tables, hand=Removes(seconds=2.5), loop=PauseLoop)
    one.go(at_once=1)
    assert one.hand.keys == ["0"]
    ((level, message),) = messages(caplog)
    assert level == "WARNING"
    assert "stop.csv" in message


def test_honours_who_is_put_into_the_state_directorys_own_list_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bulk.run.send_pass.REFRESH", 1.0)

    class Suppresses(Hand):
        async def deliver(self, delivery: Delivery) -> Outcome:
            if delivery.recipient.key == "1":
                own = tmp_path / "state" / "suppressed.csv"
                own.write_text("destination,added_at,reason\n+12065550002,2026-01-01T00:00:00+00:00,asked\n")
            return await super().deliver(delivery)

    one = Pass(tmp_path, rows=3, hand=Suppresses(seconds=1.8), loop=PauseLoop)
    one.go(at_once=1)
    assert one.hand.keys == ["0", "1"]


def test_asks_aws_meanwhile_who_said_no_where_that_is_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    followed: list[tuple[bool, bool]] = []

    async def follow(context: Any) -> None:
        followed.append((context.options.dry_run, context.campaign.contact_list.ses_suppression))

    monkeypatch.setattr("bulk.run.send_pass.follow", follow)
    asks = {"list": {"key": "key", "ses_suppression": True}}
    for tables in (asks, {}):
        for dry_run in (False, True):
            folder = tmp_path / f"{bool(tables)} {dry_run}"
            Pass(folder, tables=email(tables), hand=Hand(records=False)).go(dry_run=dry_run)
    assert followed == [(False, True)]


def email(tables: dict[str, Any]) -> dict[str, Any]:
    to = {"DestinationEmailAddress": {"EmailAddress": "{{ key }}@example.com"}}
    return {"channel": "email", "request": EMAIL | to, "create_contact": DRAFT, **tables}
