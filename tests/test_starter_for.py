"""A starter campaign for a list that somebody has."""

import asyncio
import tomllib
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bulk
from bulk.campaign import load
from bulk.cli.starters.from_list import starter_for
from bulk.errors import CampaignError
from bulk.loader import ContactList

LISTS = Path(__file__).with_name("lists")


@pytest.mark.parametrize(
    "file, channel, found",
    [
        ("pinpoint-import.csv", "sms", {"rows": 6, "sendable": 2}),
        ("pinpoint-export.ndjson", "email", {"rows": 5, "sendable": 1}),
        ("mailchimp-subscribed.csv", "email", {"rows": 2, "sendable": 2}),
        ("mailchimp-unsubscribed.csv", "email", {"rows": 1, "sendable": 0}),
        ("mailchimp-cleaned.csv", "email", {"rows": 1, "sendable": 0}),
        ("mailchimp-cleaned.csv", "inbound-email", {"rows": 1, "sendable": 1}),
        ("hubspot.csv", "sms", {"rows": 3, "sendable": 2}),
        ("salesforce.csv", "email", {"rows": 3, "sendable": 1}),
    ],
)
def test_what_it_writes_is_a_campaign_for_that_list(
    file: str, channel: str, found: dict[str, int], tmp_path: Path
) -> None:
    path = tmp_path / "campaign.toml"
    path.write_text(starter_for(ContactList.open(LISTS / file), channel, path=LISTS / file), "utf-8")
    plan = asyncio.run(bulk.check(path, sandbox=True)).as_dict()
    assert {name: plan[name] for name in found} == found


def test_the_columns_are_found_and_named() -> None:
    text = starter_for(ContactList.open(LISTS / "pinpoint-export.ndjson"), "sms")
    written = tomllib.loads(text)
    assert written["contacts"] == "pinpoint-export.ndjson"
    assert written["list"] == {
        "key": "Id",
        "country_column": "Location.Country",
        "timezone_column": "Demographic.Timezone",
    }
    assert written["request"]["DestinationEndpoint"]["Address"] == "{{ Address }}"
    assert (
        "{{ User.UserAttributes.FirstName | default('there', true) }}"
        in written["request"]["InitialSystemMessage"]["Content"]
    )
    assert "# Recognised: Amazon Pinpoint segment." in text
    assert "# Left out: rows where 'OptOut' is neither empty nor a clear no (opted_out)." in text


@pytest.mark.parametrize(
    "columns, channel",
    [(["Mobile"], "sms"), (["E-Mail"], "email"), (["phone", "email"], "email")],
)
def test_the_channel_is_told_by_the_list(columns: list[str], channel: str) -> None:
    contacts = ContactList.open(pl.DataFrame({column: ["x"] for column in columns}))
    assert tomllib.loads(starter_for(contacts))["channel"] == channel


def test_a_list_without_a_destination_is_an_error() -> None:
    contacts = ContactList.open(pl.DataFrame({"name": ["x"], "who": ["y"]}))
    with pytest.raises(
        CampaignError, match=r"^frame: no column holds phone numbers, by its name or its cells; it has name, who"
    ):
        starter_for(contacts, "sms")
    with pytest.raises(CampaignError, match=r"^no channel 'fax'; there are sms, whatsapp, email, inbound-email$"):
        starter_for(contacts, "fax")


@pytest.mark.parametrize("name", [" list.csv", "list.csv ", "\u00a0list.csv", " ", "a\tb\r.csv"])
async def test_a_name_that_begins_or_ends_with_a_space_is_that_files_name(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("phone\n+14155550123\n")
    (tmp_path / "list.csv").write_text("phone\n")
    path = tmp_path / "campaign.toml"
    path.write_text(starter_for(ContactList.open(tmp_path / name), "sms", path=name), "utf-8")
    assert (await bulk.check(path, sandbox=True)).rows == 1


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


@settings(max_examples=40)
@given(others=st.lists(NAMES, unique=True, max_size=4), name=NAMES)
def test_whatever_the_list_is_called_a_campaign_is_written(
    others: list[str], name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    contacts = ContactList.open(pl.DataFrame({**{other: ["x"] for other in others}, "phone": ["+14155550123"]}))
    contacts.name = name
    path = tmp_path_factory.getbasetemp() / "campaign.toml"
    path.write_text(starter_for(contacts, "sms"), "utf-8", newline="\n")
    campaign, _ = load(path)
    assert campaign.contacts == name
