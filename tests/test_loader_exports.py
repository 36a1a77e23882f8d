"""Exports of other programs: recognised by their headers, and whom they opted out is left out."""

import gzip
import json
from pathlib import Path

import polars as pl
import pytest

from bulk.loader import ContactList, Wanted
from bulk.loader.exports import Kind
from bulk.model import Recipient, Status

LISTS = Path(__file__).with_name("lists")


def read(contacts: ContactList, kind: Kind, **wanted: object) -> list[Recipient]:
    destination = contacts.meaning.destination(kind)
    assert destination is not None
    asked = Wanted(kind=kind, destination=destination, key=contacts.meaning.key, **wanted)  # type: ignore[arg-type] # typed one by one
    return [recipient for batch in contacts.batches(asked) for recipient in batch.recipients]


def ends(recipients: list[Recipient]) -> dict[str, str | None]:
    """Each key, with the destination, or the code of why it is none."""
    return {r.key: r.refusal.code if r.refusal else r.destination for r in recipients}


PINPOINT, MAILCHIMP = "Amazon Pinpoint segment", "Mailchimp export of {} contacts"


@pytest.mark.parametrize(
    "file, kind, name, found",
    [
        (
            "pinpoint-import.csv",
            "phone",
            PINPOINT,
            {"e1": "+14155550123", "e3": "opted_out", "e5": "+12065550182"}
            | dict.fromkeys(("e2", "e4", "e6"), "other_channel"),
        ),
        (
            "pinpoint-import.csv",
            "email",
            PINPOINT,
            {"e2": "bob@example.com", "e6": "opted_out"} | dict.fromkeys(("e1", "e3", "e4", "e5"), "other_channel"),
        ),
        (
            "pinpoint-export.ndjson",
            "phone",
            PINPOINT,
            {
                "e1": "+14155550123",
                "e2": "other_channel",
                "e3": "opted_out",
                "e4": "other_channel",
                "e5": "inactive",
            },
        ),
        (
            "mailchimp-subscribed.csv",
            "email",
            MAILCHIMP.format("subscribed"),
            {"a1b2": "ann@example.com", "a1b3": "bob@example.com"},
        ),
        ("mailchimp-unsubscribed.csv", "email", MAILCHIMP.format("unsubscribed"), {"a1b4": "opted_out"}),
        ("mailchimp-unsubscribed.csv", "phone", MAILCHIMP.format("unsubscribed"), {"a1b4": "opted_out"}),
        ("mailchimp-cleaned.csv", "email", MAILCHIMP.format("cleaned"), {"a1b5": "bounced"}),
        (
            "hubspot.csv",
            "email",
            "HubSpot export of contacts",
            {"1001": "ann@example.com", "1002": "opted_out", "1003": "cy@example.com"},
        ),
        (
            "hubspot.csv",
            "phone",
            "HubSpot export of contacts",
            {"1001": "+14155550123", "1002": "+14155550124", "1003": "missing_destination"},
        ),
        (
            "salesforce.csv",
            "email",
            "Salesforce export of contacts or leads",
            {"0035g00000AAAAA": "ann@example.com", "0035g00000BBBBB": "opted_out", "0035g00000CCCCC": "bounced"},
        ),
        (
            "salesforce.csv",
            "phone",
            "Salesforce export of contacts or leads",
            {
                "0035g00000AAAAA": "+14155550123",
                "0035g00000BBBBB": "+14155550124",
                "0035g00000CCCCC": "opted_out",
            },
        ),
    ],
)
def test_an_export_is_recognised_and_its_opt_outs_are_kept(
    file: str, kind: Kind, name: str, found: dict[str, str]
) -> None:
    contacts = ContactList.open(LISTS / file)
    assert contacts.recognised is not None
    assert contacts.recognised.name == name
    country = contacts.meaning.country
    assert ends(read(contacts, kind, country="US", country_column=country if kind == "phone" else None)) == found


def test_what_it_saw_is_said() -> None:
    assert ContactList.open(LISTS / "pinpoint-import.csv").notes == [
        f"read as {PINPOINT}, rows of other channels by ChannelType left out, rows left out where OptOut is ALL",
        "column 10 is a second 'Attributes.Ride': read as 'Attributes.Ride_2'",
    ]


def test_rows_left_out_are_skipped_with_the_column_that_says_so() -> None:
    recipients = read(ContactList.open(LISTS / "pinpoint-export.ndjson"), "phone")
    refusals = {r.key: (r.refusal.status, r.refusal.message) for r in recipients if r.refusal}
    assert refusals == {
        "e2": (Status.SKIPPED, "the list says so: ChannelType is not SMS"),
        "e3": (Status.SKIPPED, "the list says so: OptOut is ALL"),
        "e4": (Status.SKIPPED, "the list says so: ChannelType is not SMS"),
        "e5": (Status.SKIPPED, "the list says so: EndpointStatus is INACTIVE"),
    }


def test_pinpoint_gives_the_same_columns_nested_or_not() -> None:
    columns = frozenset({"User.UserAttributes.FirstName", "Attributes.Ride", "Demographic.Timezone"})
    cells = [
        read(ContactList.open(LISTS / file), "phone", columns=columns)[0].cells
        for file in ("pinpoint-import.csv", "pinpoint-export.ndjson")
    ]
    assert cells[0] == cells[1]
    assert cells[0]["Attributes.Ride"] == "Bus"


def test_pinpoint_exports_are_read_as_they_come_gzipped(tmp_path: Path) -> None:
    (tmp_path / "segment.gz").write_bytes(gzip.compress((LISTS / "pinpoint-export.ndjson").read_bytes()))
    plain = ContactList.open(LISTS / "pinpoint-export.ndjson")
    zipped = ContactList.open(tmp_path / "segment.gz")
    assert zipped.columns == plain.columns
    assert read(zipped, "phone") == read(plain, "phone")


def test_a_flat_list_comes_with_all_its_columns() -> None:
    contacts = ContactList.open(LISTS / "pinpoint-export.ndjson")
    (batch,) = contacts.batches(Wanted(kind="phone", destination="Address"), frames=True)
    assert batch.frame is not None
    assert batch.frame.columns == contacts.columns
    assert batch.frame["User.UserAttributes.Plan"].to_list() == [None, None, None, None, "gold"]


def test_a_format_that_is_given_recognises_nothing() -> None:
    contacts = ContactList.open(LISTS / "salesforce.csv", format="csv")
    assert contacts.recognised is None
    found = contacts.batches(Wanted(kind="email", destination="Email"))
    assert [r.refusal for batch in found for r in batch.recipients] == [None, None, None]


def test_opt_outs_are_kept_unless_told_otherwise() -> None:
    contacts = ContactList.open(LISTS / "salesforce.csv")
    assert all(r.refusal is None for r in read(contacts, "email", leave_out=False))


@pytest.mark.parametrize("value", ["TRUE", " true ", "1", "Yes", True, 1])
def test_a_list_of_any_origin_may_say_who_opted_out(value: object) -> None:
    contacts = ContactList.open(pl.DataFrame({"email": ["a@example.com"], "Has Opted Out Of Email": [value]}))
    assert contacts.recognised is None
    assert ends(read(contacts, "email")) == {"a@example.com": "opted_out"}


def test_rows_stay_with_their_refusals_over_batches() -> None:
    opted_out = [number % 3 == 0 for number in range(50)]
    numbers = [f"+1415555{number:04}" for number in range(50)]
    contacts = ContactList.open(pl.DataFrame({"phone": numbers, "opted_out": opted_out}))
    batches = contacts.batches(Wanted(kind="phone", destination="phone"), size=7)
    assert [r.refusal is not None for batch in batches for r in batch.recipients] == opted_out


def test_nested_lists_that_are_empty_or_absent_give_nothing(tmp_path: Path) -> None:
    rows = [
        {"ChannelType": "SMS", "Address": "+14155550123", "Attributes": {"a": []}, "Metrics": {}},
        {"ChannelType": "SMS", "Address": "+14155550124", "Attributes": {"a": ["x"], "b": [None, "y"]}},
    ]
    (tmp_path / "list.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    contacts = ContactList.open(tmp_path / "list.json")
    found = read(contacts, "phone", columns=frozenset({"Attributes.a", "Attributes.b"}))
    assert [dict(r.cells) for r in found] == [
        {"Attributes.a": None, "Attributes.b": None},
        {"Attributes.a": "x", "Attributes.b": None},
    ]
