"""`bulk init --from LIST`: a campaign for the list it is shown."""

import asyncio
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from cli_runs import bulk, contact_list

from bulk.cli.starters import write_for
from bulk.cli.starters.columns import fitted
from bulk.loader import ContactList
from bulk.run.check import check

LISTS = Path(__file__).with_name("lists")


def written(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8"))


def test_the_campaign_it_writes_runs_and_the_list_stays_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(contact_list(3))
    begun = bulk("init", "--from", "people.csv", cwd=tmp_path)
    assert (begun.code, begun.out) == (0, "sms/people.toml\n")
    assert begun.err.splitlines() == [
        "people.csv: a campaign of sms; columns: destination 'phone', key 'id', first name 'name'",
        "to try it: python -m bulk send sms/people.toml --sandbox",
    ]
    assert written(tmp_path / "sms" / "people.toml")["contacts"] == "../people.csv"
    assert sorted(path.name for path in (tmp_path / "sms").iterdir()) == ["campaign.schema.json", "people.toml"]
    ended = bulk("send", "sms/people.toml", "--sandbox", "--rate", "50", "--json", cwd=tmp_path)
    assert (ended.code, ended.json["sent"]) == (0, 3)


def test_it_says_whose_export_it_was_shown(tmp_path: Path) -> None:
    shutil.copy(LISTS / "pinpoint-export.ndjson", tmp_path)
    begun = bulk("init", "email", "winter", "--from", "pinpoint-export.ndjson", cwd=tmp_path)
    assert (begun.code, begun.out) == (0, "winter/pinpoint-export.toml\n")
    assert begun.err.startswith("read as Amazon Pinpoint segment, rows of other channels by ChannelType left out")
    assert "columns: destination 'Address', key 'Id', time zone 'Demographic.Timezone'" in begun.err
    assert bulk("check", "winter/pinpoint-export.toml", "--json", cwd=tmp_path).json["sendable"] == 1


@pytest.mark.parametrize(
    "words, folder, channel",
    [((), "email", "email"), (("sms",), "sms", "sms"), (("mine",), "mine", "email"), (("sms", "."), ".", "sms")],
)
def test_channel_and_folder_may_be_left_out(tmp_path: Path, words: tuple[str, ...], folder: str, channel: str) -> None:
    (tmp_path / "people.csv").write_text("phone,email\n+12065550100,ann@example.com\n")
    begun = bulk("init", *words, "--from", "people.csv", cwd=tmp_path)
    assert begun.code == 0
    assert written(tmp_path / folder / "people.toml")["channel"] == channel


def test_a_list_named_from_the_root_is_named_so_in_the_campaign(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(contact_list(1))
    bulk("init", "--from", tmp_path / "people.csv", cwd=tmp_path)
    assert written(tmp_path / "sms" / "people.toml")["contacts"] == str(tmp_path / "people.csv")


def test_a_list_is_found_from_a_folder_that_is_a_link(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(contact_list(1))
    (tmp_path / "far" / "away").mkdir(parents=True)
    (tmp_path / "near").symlink_to(tmp_path / "far" / "away")
    bulk("init", "sms", "near", "--from", "people.csv", cwd=tmp_path)
    assert bulk("check", "near/people.toml", "--json", cwd=tmp_path).json["sendable"] == 1


def test_it_overwrites_no_campaign(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(contact_list(1))
    assert bulk("init", "sms", ".", "--from", "people.csv", cwd=tmp_path).code == 0
    (tmp_path / "people.toml").write_text("mine")
    again = bulk("init", "sms", ".", "--from", "people.csv", cwd=tmp_path)
    assert (again.code, "people.toml is there already" in again.err) == (2, True)
    assert (tmp_path / "people.toml").read_text() == "mine"


def test_campaigns_for_two_lists_lie_side_by_side(tmp_path: Path) -> None:
    for name in ("Kunden Nord 2026.csv", "kunden-s\u00fcd.csv"):
        (tmp_path / name).write_text(contact_list(1))
        assert bulk("init", "sms", "mine", "--from", name, cwd=tmp_path).code == 0
    assert sorted(path.name for path in (tmp_path / "mine").glob("*.toml")) == [
        "kunden-nord-2026.toml",
        "kunden-s-d.toml",
    ]


# file → channel → the columns that are chosen: destination, key, country
CHOSEN: dict[str, dict[str, tuple[str, str | None, str | None]]] = {
    "google-contacts.csv": {"sms": ("Phone 1 - Value", None, None), "email": ("E-mail 1 - Value", None, None)},
    "outlook.csv": {"sms": ("Mobile Phone", None, "Home Country"), "email": ("E-mail Address", None, None)},
    "shopify.csv": {
        "sms": ("Phone", "Customer ID", "Default Address Country Code"),
        "email": ("Email", "Customer ID", None),
    },
    "salesforce-report.csv": {
        "sms": ("Mobile", "Contact ID", "Mailing Country"),
        "email": ("Email", "Contact ID", None),
    },
    "german.csv": {"sms": ("Mobil", "Kundennr", "Land"), "email": ("E-Mail", "Kundennr", None)},
    "brevo.csv": {"sms": ("SMS", "CONTACT ID", None), "email": ("EMAIL", "CONTACT ID", None)},
    "hubspot.csv": {
        "sms": ("Mobile Phone Number", "Record ID", "Country/Region"),
        "email": ("Email", "Record ID", None),
    },
    "zendesk.ndjson": {"sms": ("phone", "id", None), "email": ("email", "id", None)},
}


@pytest.mark.parametrize(
    "file, channel", [(file, channel) for file, channels in CHOSEN.items() for channel in channels]
)
def test_the_columns_of_what_people_have_are_found(file: str, channel: str, tmp_path: Path) -> None:
    made = write_for(str(LISTS / file), channel, tmp_path)
    found = fitted(ContactList.open(LISTS / file), channel)
    assert (found.destination, found.key, found.country) == CHOSEN[file][channel]
    sendable = asyncio.run(check(made.path, sandbox=True)).sendable
    assert (sendable >= 1) == ((file, channel) != ("brevo.csv", "sms"))  # its numbers have no +: it wants a country


def test_a_column_that_is_empty_is_not_the_one_that_is_meant(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("Mobile,Phone,Fax\n,+12065550100,+12065550101\n,+12065550102,+12065550103\n")
    begun = bulk("init", "--from", "people.csv", cwd=tmp_path)
    assert "destination 'Phone'" in begun.err
    assert (
        "columns of phone numbers: 'Phone' (2 of 2 cells), 'Mobile' (empty); --column NAME takes another" in begun.err
    )


def test_a_column_is_found_by_what_stands_in_it(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("who,reach\nAnn,ann@club-mail.com\nBob,bob@club-mail.com\n")
    bulk("init", "--from", "people.csv", cwd=tmp_path)
    found = written(tmp_path / "email" / "people.toml")["request"]["DestinationEmailAddress"]["EmailAddress"]
    assert found == "{{ reach }}"


def test_a_column_may_be_named(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("Mobile,Work Phone,email\n+12065550100,+12065550101,a@club-mail.com\n")
    begun = bulk("init", "--from", "people.csv", "--column", "work phone", cwd=tmp_path)
    assert begun.out == "sms/people.toml\n"
    assert written(tmp_path / "sms" / "people.toml")["request"]["DestinationEndpoint"]["Address"] == "{{ Work_Phone }}"
    wrong = bulk("init", "x", "--from", "people.csv", "--column", "work fone", cwd=tmp_path)
    assert (wrong.code, "did you mean 'Work Phone'?" in wrong.err) == (2, True)
    alone = bulk("init", "sms", "y", "--column", "Mobile", cwd=tmp_path)
    assert (alone.code, "--from LIST" in alone.err) == (2, True)


def test_dial_codes_are_not_taken_for_countries(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("Phone,Country Code\n+4915123456789,49\n+4915123456780,+49\n")
    bulk("init", "sms", "--from", "people.csv", cwd=tmp_path)
    assert "country_column" not in written(tmp_path / "sms" / "people.toml")["list"]


def test_a_key_that_names_no_rows_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("id,Phone\n1,+12065550100\n1,+12065550101\n")
    bulk("init", "sms", "--from", "people.csv", cwd=tmp_path)
    assert "key" not in written(tmp_path / "sms" / "people.toml")["list"]
