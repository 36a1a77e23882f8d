"""A plan as it is told, all of it: of a text message, of a mail, of an instance that is full, of caps."""

import asyncio
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sandbox_runs import DRAFT, EMAIL, SMS

import bulk
from bulk.account import Finding, State
from bulk.account.prices import load
from bulk.campaign import Campaign
from bulk.model import Delivery, Outcome, Recipient, Status
from bulk.pacing import virtual_time
from bulk.run.context import open_campaign
from bulk.run.options import Options
from bulk.run.plan import DryRun, Plan
from bulk.run.target import Target

AT = 1_800_000_000.0  # 2027-01-15 08:00 UTC, midnight in Seattle
CHAT = "StartOutboundChatContact"
WEST, EAST = "America/Los_Angeles", "America/New_York"
PLACE: dict[str, Any] = {"endpoint_url": "http://127.0.0.1:9", "region": "us-west-2"}
STARTER = "InstanceId, ContactFlowId: ids of the starter, which are nobody's: put in those of your instance"


@pytest.fixture(autouse=True)
def _at_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual_time, "clock", lambda: lambda: AT)


def plan_of(contacts: Any, *, channel: str = "sms", request: Any = SMS, **settings: Any) -> Plan:
    options = {**PLACE, **settings.pop("options", {})}
    source = Campaign(name="june", channel=channel, request=request, **settings)
    return asyncio.run(bulk.check(source, contacts=contacts, **options))


def people(rows: int, *, phone: str = "+1206555{:04}", **columns: str) -> pl.DataFrame:
    """Return a list of so many people, each with a number of their own unless `phone` is one."""
    told = [phone.format(100 + row) for row in range(rows)]
    names = [f"Ann {row}" for row in range(rows)]
    return pl.DataFrame(
        {"key": [str(row) for row in range(rows)], "phone": told, "name": names}
        | {name: [value] * rows for name, value in columns.items()}
    )


def reason(status: Status, code: str | None, rows: int, *examples: dict[str, Any]) -> dict[str, Any]:
    return {"status": status, "code": code, "rows": rows, "examples": list(examples)}


def test_the_plan_of_a_text_message_says_all_that_is_known_of_it(tmp_path: Path) -> None:
    (tmp_path / "june.csv").write_text(
        "key,phone,text\n"
        "a,+12065550100,Hi *|FNAME|*\n"
        "b,+12065550101,Hi «Ann»\n"
        "c,+13055550102,50% {first} off %%NAME%% {first}\n"
        "d,+447400123456,<<C>>\n"
        f"e,+12065550104,{'x' * 200}\n"
        "f,12,Hi\n"
        "a,+12065550105,Hi\n"
    )
    told = plan_of(
        tmp_path / "june.csv",
        request={**SMS, "InitialSystemMessage": {"Content": "{{ text }}"}},
        list={"key": "key", "country": "US", "allow_countries": ("GB",)},
        pacing={"rate": 10, "burst": 1, "parts_per_second": 1},
        hours={"every_day": "09:00-20:00"},
    ).as_dict()
    texts = ["Hi *|FNAME|*", "Hi «Ann»", "50% {first} off %%NAME%% {first}"]
    numbers = ["+12065550100", "+12065550101", "+13055550102"]
    short = "1… is too short, read as a number of US: correct it, or write it as +… in full"
    assert told == {
        "campaign": "june",
        "run": "default",
        "channel": "sms",
        "rows": 7,
        "sendable": 5,
        "parts": 6,
        "calls": {CHAT: 5},
        "seconds": 5.0,
        "finishes_at": "2027-01-15T17:00:03+00:00",  # three of the west go last: their window opens at nine there
        "countries": {"US": 4, "GB": 1},
        "zones": {WEST: 3, EAST: 1, "Europe/Guernsey or Europe/Isle_of_Man or Europe/Jersey or Europe/London": 1},
        "notes": [
            (
                "1 message holds characters that plain SMS lack: « (in 1), » (in 1); it goes out as UCS-2, 70 "
                "characters in a part instead of 160; plain characters would save no parts"
            ),
            "[pacing] parts_per_second decides how long it takes: 6 parts at 1 a second",
        ],
        "warnings": [
            STARTER,
            "line 2: the text holds *|FNAME|*, which goes out as it stands",
            "line 4: the text holds {first}, which goes out as it stands",
            "line 4: the text holds %%NAME%%, which goes out as it stands",
        ],
        "target": {
            "instance": SMS["InstanceId"],
            "region": "us-west-2",
            "endpoint": "http://127.0.0.1:9",
            "sender": SMS["SourceEndpoint"]["Address"],
            "flow": SMS["ContactFlowId"],
            "contacts": "june.csv",
            "profile": None,
            "account": None,
            "credentials": None,
            "rates": {CHAT: 10.0},
            "quotas": {},
        },
        "reasons": [
            reason(Status.PENDING, None, 5),
            reason(Status.REFUSED, "invalid_phone", 1, {"row": 5, "key": "f", "message": short, "line": 7, "file": ""}),
            reason(
                Status.SKIPPED,
                "duplicate",
                1,
                {"row": 6, "key": "a", "message": "the key is that of line 2", "line": 8, "file": ""},
            ),
        ],
        "previews": [
            {
                "row": row,
                "destination": numbers[row],
                "texts": {"InitialSystemMessage.Content": texts[row]},
                "line": row + 2,
                "file": "",
            }
            for row in range(3)
        ],
        "lacking": {},
        "account": [],
        "cost": {
            "amount": 0.07,
            "currency": "USD",
            "messages": 5,
            "segments": 6,
            "per_message": 0.014,
            "per_segment": 0.0,
            "channel": "sms",
            "region": "us-west-2",
            "date": "2026-10-07",
            "source": load().source,
            "certain": False,
            "excluded": list(load().excluded),
        },
        "over_budget": None,
    }


def test_the_plan_of_a_mail_has_no_parts_and_shows_its_template_where_it_has_no_text_of_its_own() -> None:
    config = {"KnowledgeBaseId": "kb", "MessageTemplateId": "t", "TemplateAttributes": {"CustomAttributes": {"a": "b"}}}
    request = {**EMAIL, "EmailMessage": {"MessageSourceType": "TEMPLATE", "TemplatedMessageConfig": config}}
    contacts = pl.DataFrame({"email": ["a@example.com", "b@example.com"], "key": ["a", "b"], "zone": ["", "EST"]})
    told = plan_of(
        contacts,
        channel="email",
        request=request,
        create_contact=DRAFT,
        stop_contact={},
        list={"timezone_column": "zone"},
        options={"endpoint_url": None},
    )
    assert (told.rows, told.sendable, told.parts, told.seconds) == (2, 2, 0, 0.0)
    assert told.calls == {"CreateContact": 2, "StartOutboundEmailContact": 2, "StopContact": 2}
    assert told.finishes_at == "2027-01-15T08:00:01+00:00"
    assert (told.countries, told.zones) == ({"unknown": 2}, {"unknown": 2})
    assert [one.texts for one in told.previews] == [{"EmailMessage.TemplatedMessageConfig": config}] * 2
    assert told.target is not None
    assert (told.target.flow, told.target.sender) == (None, "orders@shop.example")
    asked = "nobody was asked what the message templates want: --templates names a folder of them"
    assert told.notes == [f"{asked}; --ask asks Amazon Connect"]


@pytest.mark.parametrize("text", ["<<NAME>>", "%NAME%", "*|NAME|*", "{{NAME}}", "${NAME}", "{NAME}"])
def test_a_placeholder_of_another_program_is_named_with_the_first_row_that_has_it(text: str) -> None:
    request = {**SMS, "InitialSystemMessage": {"Content": "{{ name }}"}}
    told = plan_of(people(3).with_columns(name=pl.Series(["Hi", f"Hi {text}", f"Oh {text}"])), request=request)
    assert told.warnings == [STARTER, f"row 1: the text holds {text}, which goes out as it stands"]


def test_no_more_placeholders_are_looked_for_once_three_are_named() -> None:
    request = {**SMS, "InitialSystemMessage": {"Content": "{{ name }}"}}
    texts = pl.Series([f"<<{name}>>" for name in "ABCDE"])
    warnings = plan_of(people(5).with_columns(name=texts), request=request).warnings
    assert [one.partition(": ")[0] for one in warnings] == ["InstanceId, ContactFlowId", "row 0", "row 1", "row 2"]


def test_three_rows_are_shown() -> None:
    assert [one.row for one in plan_of(people(5)).previews] == [0, 1, 2]


@pytest.mark.parametrize(
    "rows, hold, seconds, ends",
    [
        (20, {"open_contacts": 20, "open_for": "90s"}, 19.0, "08:00:19"),
        (20, {"open_contacts": 15, "open_for": "10s"}, 19.0, "08:00:19"),
        (5, {"open_contacts": 4, "open_for": "3.2s"}, 4.0, "08:00:04"),
        (20, {"open_contacts": 5, "open_for": "60s"}, 183.8, "08:03:03"),
        (21, {"open_contacts": 5, "open_for": "60s"}, 240.0, "08:04:00"),
        (20, {"open_contacts": 1, "open_for": "2s"}, 38.0, "08:00:38"),
    ],
)
def test_a_full_instance_decides_how_long_it_takes_where_contacts_stay_open_for_longer(
    rows: int, hold: dict[str, Any], seconds: float, ends: str
) -> None:
    told = plan_of(people(rows), pacing={"rate": 1, "burst": 1}, hold=hold)
    assert (round(told.seconds, 3), told.finishes_at) == (seconds, f"2027-01-15T{ends}+00:00")
    full = f"after {hold['open_contacts']} contacts the instance is full: each stays open for "
    stays = {"60s": "60 s", "2s": "2.0 s"}.get(hold["open_for"])
    said = f"{full}{stays} unless its flow ends it ([hold] open_contacts, open_for)"
    assert told.notes == ([said] if stays else [])


def test_a_run_of_less_than_a_second_takes_as_long_as_its_pace() -> None:
    told = plan_of(people(5), pacing={"rate": 10, "burst": 1})
    assert (told.seconds, told.finishes_at) == (0.4, "2027-01-15T08:00:00+00:00")


def test_what_a_cap_will_leave_out_is_no_row_to_send() -> None:
    told = plan_of(
        people(4, phone="+12065550100"),
        list={"dedupe": "none"},
        caps={"sms": {"at_most": 1, "within": "24h"}},
    )
    assert (told.rows, told.sendable, told.parts, told.calls) == (4, 1, 1, {CHAT: 1})
    assert [(one.status, one.code, one.rows) for one in told.reasons] == [
        (Status.SKIPPED, "capped", 3),
        (Status.PENDING, None, 1),
    ]
    assert told.notes == ["[caps] leaves out 3 rows: this run will write to them before"]
    assert told.countries == {"US": 1}


def test_a_list_of_which_nothing_can_be_sent_takes_no_time_and_never_ends() -> None:
    told = plan_of(people(2, phone="nonsense"))
    assert (told.rows, told.sendable, told.seconds, told.finishes_at, told.previews) == (2, 0, 0.0, None, [])
    assert (told.calls, told.countries, told.zones, told.notes) == ({CHAT: 0}, {}, {}, [])


def test_what_a_column_that_is_not_used_would_keep_back_is_a_warning() -> None:
    told = plan_of(people(2, opted_out="yes"), list={"opt_out_columns": ()})
    assert told.warnings[1:] == told.notes
    assert len(told.notes) == 1


@pytest.mark.parametrize(
    "states, over_budget, impossible",
    [
        ([], None, False),
        ([State.OK, State.UNCHECKED], None, False),
        ([State.OK, State.WRONG], None, True),
        ([State.OK], "it comes to more", True),
    ],
)
def test_a_plan_is_impossible_for_the_account_or_for_the_budget(
    states: list[State], over_budget: str | None, *, impossible: bool
) -> None:
    found = [Finding("flow", state, "said") for state in states]
    assert Plan("c", "r", "sms", account=found, over_budget=over_budget).is_impossible is impossible


def test_a_plan_is_a_line_in_a_console_and_nothing_before_anything_is_known() -> None:
    class Printer:
        said = ""

        def text(self, text: str) -> None:
            self.said += text

    printer = Printer()
    Plan("c", "r", "sms", rows=2000, sendable=1999)._repr_pretty_(printer, _cycle=False)
    assert printer.said == "<Plan of c, run r: 1,999 of 2,000 rows to send>"
    empty = Plan("c", "r", "sms").as_dict()
    assert {name: value for name, value in empty.items() if value} == {"campaign": "c", "run": "r", "channel": "sms"}


async def test_a_dry_run_looks_at_a_delivery_and_leaves_it_pending() -> None:
    context = open_campaign(Campaign(name="c", channel="sms", request=SMS), Options(contacts=people(1)))
    dry_run = DryRun(context)
    parameters = {"request": {"InitialSystemMessage": {"Content": "Hi"}}}
    delivery = Delivery(1, Recipient(0, "a", "+12065550100", {}), parameters)
    assert await dry_run.deliver(delivery) == Outcome(Status.PENDING)
    assert (dry_run.probes_in(), dry_run.full, dry_run.call_counts.calls) == ({}, (), 0)
    assert [one.texts for one in dry_run.plan.previews] == [{"InitialSystemMessage.Content": "Hi"}]


def test_a_row_whose_message_is_nowhere_is_shown_by_its_whole_request() -> None:
    request = {name: value for name, value in SMS.items() if name != "InitialSystemMessage"}
    context = open_campaign(Campaign(name="c", channel="sms", request=SMS), Options(contacts=people(1)))
    dry_run = DryRun(context)
    dry_run.look(Recipient(0, "a", "+12065550100", {}), {"request": request})
    assert dry_run.plan.previews[0].texts == request


def test_a_plan_names_its_target_whatever_the_account_says() -> None:
    told = plan_of(people(1), options={"endpoint_url": None, "profile": "shop"}).target
    assert told == Target(
        instance=SMS["InstanceId"],
        region="us-west-2",
        endpoint=None,
        sender=SMS["SourceEndpoint"]["Address"],
        flow=SMS["ContactFlowId"],
        contacts="frame",
        profile="shop",
        rates={CHAT: 2.0},
    )


def test_rows_that_ended_otherwise_than_is_asked_for_are_left_as_they_are() -> None:
    told = plan_of(people(2), options={"only": "rejected"})
    assert (told.rows, told.sendable, told.finishes_at) == (2, 0, None)
    assert [(one.status, one.rows) for one in told.reasons] == [(Status.PENDING, 2)]
