"""Exports of other programs: recognised by their headers, and whom they opted out is left out."""

import gzip
import json
import tomllib
from pathlib import Path

import polars as pl
import pytest

from bulk.loader import ContactList, ReadSpec, exports
from bulk.loader.exports import Kind
from bulk.model import Recipient, Status

LISTS = Path(__file__).with_name("lists")


def read(contacts: ContactList, kind: Kind, **wanted: object) -> list[Recipient]:
    destination = contacts.meaning.destination(kind)
    assert destination is not None
    asked = ReadSpec(kind=kind, destination=destination, key=contacts.meaning.key, **wanted)  # type: ignore[arg-type] # typed one by one
    return [recipient for batch in contacts.batches(asked) for recipient in batch.recipients]


def ends(recipients: list[Recipient]) -> dict[str, str | None]:
    """Each key, with the destination, or the code of why it is none."""
    return {r.key: r.refusal.code if r.refusal else r.destination for r in recipients}


PINPOINT, MAILCHIMP = "Amazon Pinpoint segment", "Mailchimp export of {} contacts"
HUBSPOT, SALESFORCE = "HubSpot export of contacts", "Salesforce export of contacts or leads"
REPORT, ACTIVECAMPAIGN = "Salesforce report of contacts or leads", "ActiveCampaign export of contacts"
ANN, BOB, CY = (f"{name}@club-mail.com" for name in ("ann", "bob", "cy"))
N23, N24, N25, N26 = (f"+141555501{last}" for last in range(23, 27))
OUT, ELSEWHERE = "opted_out", "other_channel"
A, B, C = (f"0035g00000{letter * 5}" for letter in "ABC")

FOUND: dict[tuple[str, Kind], tuple[str, dict[str, str]]] = {
    ("pinpoint-import.csv", "phone"): (
        PINPOINT,
        {"e1": N23, "e2": ELSEWHERE, "e3": OUT, "e4": ELSEWHERE, "e5": "+12065550182", "e6": ELSEWHERE},
    ),
    ("pinpoint-import.csv", "email"): (
        PINPOINT,
        {"e1": ELSEWHERE, "e2": "bob@example.com", "e3": ELSEWHERE, "e4": ELSEWHERE, "e5": ELSEWHERE, "e6": OUT},
    ),
    ("pinpoint-export.ndjson", "phone"): (
        PINPOINT,
        {"e1": N23, "e2": ELSEWHERE, "e3": OUT, "e4": ELSEWHERE, "e5": "inactive"},
    ),
    ("mailchimp-subscribed.csv", "email"): (
        MAILCHIMP.format("subscribed"),
        {"a1b2": "ann@example.com", "a1b3": "bob@example.com"},
    ),
    ("mailchimp-unsubscribed.csv", "email"): (MAILCHIMP.format("unsubscribed"), {"a1b4": OUT}),
    ("mailchimp-unsubscribed.csv", "phone"): (MAILCHIMP.format("unsubscribed"), {"a1b4": OUT}),
    ("mailchimp-cleaned.csv", "email"): (MAILCHIMP.format("cleaned"), {"a1b5": "bounced"}),
    ("hubspot.csv", "email"): (HUBSPOT, {"1001": "ann@example.com", "1002": OUT, "1003": "cy@example.com"}),
    ("hubspot.csv", "phone"): (HUBSPOT, {"1001": N23, "1002": N24, "1003": "missing_destination"}),
    ("salesforce.csv", "email"): (SALESFORCE, {A: "ann@example.com", B: OUT, C: "bounced"}),
    ("salesforce.csv", "phone"): (SALESFORCE, {A: N23, B: N24, C: OUT}),
    ("salesforce-report.csv", "email"): (REPORT, {A: ANN, B: OUT, C: CY}),
    ("salesforce-report.csv", "phone"): (REPORT, {A: N23, B: N24, C: OUT}),
    ("shopify.csv", "email"): ("Shopify export of customers", {"'7001": ANN, "'7002": OUT, "'7003": CY, "'7004": OUT}),
    ("shopify.csv", "phone"): ("Shopify export of customers", {"'7001": N23, "'7002": N24, "'7003": OUT, "'7004": OUT}),
    ("klaviyo.csv", "email"): ("Klaviyo export of profiles", {"01A": ANN, "01B": OUT, "01C": OUT, "01D": OUT}),
    ("klaviyo.csv", "phone"): ("Klaviyo export of profiles", {"01A": N23, "01B": N24, "01C": OUT, "01D": OUT}),
    ("brevo.csv", "email"): ("Brevo export of contacts", {"1": ANN, "2": OUT, "3": CY, "4": OUT, "5": OUT}),
    ("brevo.csv", "phone"): ("Brevo export of contacts", {"1": N23, "2": N24, "3": OUT, "4": N26, "5": OUT}),
    ("activecampaign.csv", "email"): (ACTIVECAMPAIGN, {"11": ANN, "12": OUT, "13": OUT, "14": OUT}),
    ("activecampaign.csv", "phone"): (ACTIVECAMPAIGN, {"11": N23, "12": N24, "13": N25, "14": N26}),
    ("listmonk.csv", "email"): (
        "listmonk export of subscribers",
        {"9f1c0f6e-0001": ANN, "9f1c0f6e-0002": OUT, "9f1c0f6e-0003": OUT},
    ),
    ("stripe-customers.csv", "email"): ("Stripe export of customers", {"cus_A1": ANN, "cus_B2": OUT, "cus_C3": CY}),
    ("google-contacts.csv", "email"): ("Google Contacts", {ANN: ANN, BOB: BOB, "": "missing_destination"}),
    ("google-contacts.csv", "phone"): ("Google Contacts", {N23: N23, N24: N24, "": "missing_destination"}),
    ("outlook.csv", "email"): ("Outlook contacts", {ANN: ANN, BOB: BOB}),
    ("outlook.csv", "phone"): ("Outlook contacts", {N23: N23, N24: N24}),
    ("zendesk.ndjson", "email"): ("Zendesk export of users", {"35001": ANN, "35002": "inactive"}),
    ("german.csv", "phone"): ("", {"0017": "+4915123456789", "0018": OUT, "0019": OUT, "0020": OUT}),
}


@pytest.mark.parametrize("file, kind", FOUND)
def test_an_export_is_recognised_and_its_opt_outs_are_kept(file: str, kind: Kind) -> None:
    name, found = FOUND[file, kind]
    contacts = ContactList.open(LISTS / file)
    assert (contacts.recognised.name if contacts.recognised else "") == name
    country = contacts.meaning.country
    assert ends(read(contacts, kind, country="US", country_column=country if kind == "phone" else None)) == found


@pytest.mark.parametrize("file, kind", FOUND)
def test_the_format_of_a_file_does_not_turn_its_opt_outs_off(file: str, kind: Kind) -> None:
    contacts = ContactList.open(LISTS / file, format=Path(file).suffix[1:])
    country = contacts.meaning.country
    assert (
        ends(read(contacts, kind, country="US", country_column=country if kind == "phone" else None))
        == FOUND[file, kind][1]
    )


# What the columns of each program mean, written down a second time: which of their cells leave whom out, for email and
# for phone, and with which code.
KINDS: tuple[Kind, Kind] = ("email", "phone")
SAYS: dict[str, list[tuple[str, str, str | None, str | None]]] = {
    "Amazon Pinpoint segment": [
        ("OptOut", "ALL", "opted_out", "opted_out"),
        ("EndpointStatus", "INACTIVE", "inactive", "inactive"),
    ],
    "Mailchimp export of unsubscribed contacts": [("Email Address", "a@club-mail.com", "opted_out", "opted_out")],
    "Mailchimp export of cleaned contacts": [("Email Address", "a@club-mail.com", "bounced", "bounced")],
    "Mailchimp export of subscribed contacts": [],
    "HubSpot export of contacts": [
        ("Unsubscribed from all email", "true", "opted_out", None),
        ("Email hard bounce reason", "UNKNOWN_USER", "bounced", None),
    ],
    "Salesforce export of contacts or leads": [
        ("HasOptedOutOfEmail", "true", "opted_out", None),
        ("PersonHasOptedOutOfEmail", "true", "opted_out", None),
        ("IsEmailBounced", "true", "bounced", None),
        ("EmailBouncedDate", "2026-02-03T04:05:06.000Z", "bounced", None),
        ("DoNotCall", "true", None, "opted_out"),
        ("PersonDoNotCall", "true", None, "opted_out"),
    ],
    "Salesforce report of contacts or leads": [
        ("Email Opt Out", "1", "opted_out", None),
        ("Email Bounced Date", "03/02/2026", "bounced", None),
        ("Email Bounced Reason", "550 no such user", "bounced", None),
        ("Do Not Call", "1", None, "opted_out"),
    ],
    "Shopify export of customers": [
        ("Accepts Email Marketing", "no", "opted_out", None),
        ("Accepts Marketing", "no", "opted_out", None),
        ("Accepts SMS Marketing", "no", None, "opted_out"),
        ("Accepts WhatsApp Marketing", "no", None, None),
    ],
    "Klaviyo export of profiles": [
        ("Email Marketing Consent", "NEVER_SUBSCRIBED", "opted_out", None),
        ("Email Suppressions", "['HARD_BOUNCE']", "opted_out", None),
        ("SMS Marketing Consent", "UNSUBSCRIBED", None, "opted_out"),
    ],
    "Brevo export of contacts": [
        ("email_blacklisted", "true", "opted_out", None),
        ("sms_blacklisted", "true", None, "opted_out"),
        ("email_marketing", "Blocklisted", "opted_out", None),
        ("sms_marketing", "Blocklisted", None, "opted_out"),
        ("DOUBLE_OPT-IN", "2", "opted_out", None),
    ],
    "ActiveCampaign export of contacts": [
        ("Status", "2", "opted_out", None),
        ("Unsubscribe Date", "2026-02-02 03:04:05", "opted_out", None),
        ("Unsubscribed Date", "2026-02-02 03:04:05", "opted_out", None),
        ("Unsubscribe Reason", "too often", "opted_out", None),
    ],
    "listmonk export of subscribers": [("status", "blocklisted", "opted_out", "opted_out")],
    "Stripe export of customers": [],
    "Google Contacts": [],
    "Outlook contacts": [],
    "Zendesk export of users": [("Suspended", "true", "inactive", "inactive")],
    "": [],
}
SILENT = {
    "HubSpot export of contacts": ["Marketing contact status", "Lead status", "Lifecycle stage"],
    "Salesforce export of contacts or leads": ["HasOptedOutOfFax", "PersonHasOptedOutOfFax", "EmailBouncedReason"],
    "Salesforce report of contacts or leads": ["Fax Opt Out", "Lead Status"],
    "Mailchimp export of subscribed contacts": ["OPTIN_TIME", "OPTIN_IP", "CONFIRM_TIME", "CONFIRM_IP"],
    "Klaviyo export of profiles": ["Email Marketing Consent Timestamp", "SMS Marketing Consent Timestamp"],
    "Stripe export of customers": ["Status", "Plan"],
}
ENTRIES = {
    entry["name"]: entry for entry in tomllib.loads(Path(exports.__file__).with_suffix(".toml").read_text())["export"]
}


def headers(name: str) -> list[str]:
    """The fewest headers by which an export is recognised, with a destination of each kind."""
    entry = ENTRIES[name]
    return list(dict.fromkeys([*entry.get("headers", []), *entry.get("any", [])[:1], *entry.get("email", [])[:1]]))


def test_the_second_table_names_every_program_and_every_column() -> None:
    assert list(SAYS) == list(ENTRIES)
    for name, entry in ENTRIES.items():
        assert [rule["column"] for rule in entry.get("leave_out", [])] == [column for column, *_ in SAYS[name]]
        assert entry["source"] if name else "source" not in entry


@pytest.mark.parametrize(
    "name, column, cell, codes",
    [(name, column, cell, (email, phone)) for name, says in SAYS.items() for column, cell, email, phone in says],
)
def test_a_cell_of_a_known_column_leaves_its_row_out(
    name: str, column: str, cell: str, codes: tuple[str | None, str | None]
) -> None:
    rule = next(rule for rule in ENTRIES[name]["leave_out"] if rule["column"] == column)
    fine = {"filled": "", "consent": "yes", "values": "another"}.get(rule.get("asks", "opt_out"), "no")
    fine = "enabled" if name.startswith("listmonk") else fine
    columns = [*dict.fromkeys([*headers(name), column])]
    found = {kind: [objection(name, columns, column, one, kind) for one in (cell, fine)] for kind in KINDS}
    assert found == {"email": [codes[0], None], "phone": [codes[1], None]}


def objection(name: str, columns: list[str], column: str, cell: str, kind: Kind) -> str | None:
    frame = pl.DataFrame(
        {**{other: ["yes" if "Accepts" in other or "Consent" in other else ""] for other in columns}, column: [cell]}
    )
    contacts = ContactList.open(frame)
    assert contacts.meaning.name == name
    consent = contacts.consent(ReadSpec(kind=kind, destination=lambda _: "", channel=kind))
    rules = [rule for rule in consent.rules if rule.column == column]
    return next((why.code for rule in rules for _, why in rule.refusals(frame, kind)), None)


@pytest.mark.parametrize("name, column", [(name, column) for name, columns in SILENT.items() for column in columns])
def test_a_column_that_says_nothing_leaves_nobody_out_and_is_not_named(name: str, column: str) -> None:
    columns = dict.fromkeys([*headers(name), column])
    frame = pl.DataFrame(
        {other: ["yes" if "Accepts" in other or "Consent" in other else ""] for other in columns} | {column: ["x"]}
    )
    contacts = ContactList.open(frame)
    assert contacts.meaning.name == name
    wanted = ReadSpec(kind="email", destination=lambda _: "a@club-mail.com", channel="email")
    assert column not in " ".join(contacts.remarks(wanted))
    assert column not in contacts.consent(wanted).columns


def test_what_it_saw_is_said() -> None:
    assert ContactList.open(LISTS / "pinpoint-import.csv").notes == [
        f"read as {PINPOINT}, rows of other channels by ChannelType left out",
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
    (batch,) = contacts.batches(ReadSpec(kind="phone", destination="Address"), frames=True)
    assert batch.frame is not None
    assert batch.frame.columns == contacts.columns
    assert batch.frame["User.UserAttributes.Plan"].to_list() == [None, None, None, None, "gold"]


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
    batches = contacts.batches(ReadSpec(kind="phone", destination="phone"), size=7)
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
