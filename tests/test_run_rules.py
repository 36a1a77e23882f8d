"""What the wiring decides of lists: countries, repeats, suppression, test messages."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

import bulk
from bulk.errors import CampaignError
from bulk.run.test_message import test as send_test

NUMBERS = ["+14155552001", "+14155552002", "+14155552001", "+447400123457", "+447400123456"]
PEOPLE = pl.DataFrame({"id": ["a", "b", "c", "d", "a"], "phone": NUMBERS})


def campaign(folder: Path, **listed: Any) -> bulk.Campaign:
    return bulk.Campaign(
        name="rules",
        channel="sms",
        list={"key": "id", **listed},
        folder=folder,
        request={
            "InstanceId": "instance",
            "ContactFlowId": "flow",
            "SourceEndpoint": {"Address": "arn:aws:connect:us-west-2:123456789012:phone-number/1"},
            "InitialSystemMessage": {"Content": "Hello {{ id }}"},
        },
        pacing={"rate": 1000, "burst": 1000},
    )


async def ends(folder: Path, **listed: Any) -> list[tuple[str, str | None]]:
    run = await bulk.send(campaign(folder, **listed), contacts=PEOPLE, sandbox=True)
    found = run.results()
    return list(zip(found["status"], found["error_code"], strict=True))


async def test_only_the_campaigns_own_country_is_written_to_unless_others_are_named(tmp_path: Path) -> None:
    assert [code for _, code in await ends(tmp_path, country="US")].count("country_not_allowed") == 1
    named = await ends(tmp_path, country="US", allow_countries=["GB"])
    assert "country_not_allowed" not in [code for _, code in named]


@pytest.mark.parametrize("dedupe, repeats", [("key", [4]), ("destination", [2]), ("none", [])])
async def test_what_must_not_be_sent_twice_is_the_campaigns_choice(
    tmp_path: Path, dedupe: str, repeats: list[int]
) -> None:
    found = await ends(tmp_path, dedupe=dedupe)
    assert [row for row, (_, code) in enumerate(found) if code == "duplicate"] == repeats


async def test_whom_a_suppression_file_names_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "never.txt").write_text("(415) 555-2002\n", "utf-8")
    found = await ends(tmp_path, country="US", allow_countries=["GB"], suppress=["never.txt"])
    assert found[1] == ("skipped", "suppressed")


async def test_a_suppression_file_that_is_missing_is_an_error_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(bulk.ListError, match=r"never\.txt"):
        await ends(tmp_path, suppress=["never.txt"])


async def test_a_test_message_is_what_the_row_would_get_and_belongs_to_no_run(tmp_path: Path) -> None:
    outcome = await send_test(campaign(tmp_path), row=1, to="+14155552999", contacts=PEOPLE, sandbox=True)
    assert outcome.status == "sent"
    assert not list(tmp_path.rglob("ledger.db"))  # noqa: ASYNC240 - a test may look at its folder


@pytest.mark.parametrize(
    "row, to, said", [(99, "+14155552999", "no such row"), (1, "nobody", "--to"), (3, "+14155552999", "row 3")]
)
async def test_a_test_message_that_cannot_be_sent_is_refused(tmp_path: Path, row: int, to: str, said: str) -> None:
    contacts = PEOPLE.with_columns(id=pl.when(pl.col("id") == "d").then(pl.lit("x" * 2000)).otherwise("id"))
    with pytest.raises(CampaignError, match=said):
        await send_test(campaign(tmp_path), row=row, to=to, contacts=contacts, sandbox=True)


async def test_the_plan_says_where_the_rows_go_and_when_they_are_done(tmp_path: Path) -> None:
    plan = await bulk.check(campaign(tmp_path), contacts=PEOPLE)
    assert plan.countries == {"US": 3, "GB": 1}
    assert plan.finishes_at is not None
    assert sum(plan.zones.values()) == plan.sendable


@pytest.mark.parametrize(
    "number, zone, told",
    [
        ("+34612345678", "", "Atlantic/Canary or Europe/Madrid"),
        ("+447400123456", "", "Europe/Guernsey or Europe/Isle_of_Man or Europe/Jersey or Europe/London"),
        ("+61412345678", "", "Australia/Adelaide or Australia/Brisbane or Australia/Eucla or one of 5 others"),
        ("+61412345678", "Australia/Perth", "Australia/Perth"),
        ("+61412345678", "EST", "unknown"),
    ],
)
async def test_the_plan_calls_zones_unknown_only_where_there_is_none(
    tmp_path: Path, number: str, zone: str, told: str
) -> None:
    people = pl.DataFrame({"id": ["a"], "phone": [number], "zone": [zone]})
    plan = await bulk.check(campaign(tmp_path, timezone_column="zone"), contacts=people)
    assert plan.zones == {told: 1}


def test_a_cap_keeps_its_words_in_a_campaign_made_of_another(tmp_path: Path) -> None:
    said = bulk.Campaign(name="a", channel="sms", caps={"sms": {"at_most": 1, "within": "24h"}}, folder=tmp_path)
    again = bulk.Campaign(name="b", channel="sms", caps=said.caps, folder=tmp_path)
    assert str(again.caps.of("sms")) == "1 within 24h"
