"""The lists and campaigns of `input_examples/`."""

import subprocess
import sys
import tomllib
import unicodedata
from pathlib import Path
from typing import Any, NamedTuple

import phonenumbers
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import bulk
from bulk.channels import CHANNELS

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "input_examples"
CAMPAIGNS = sorted(EXAMPLES.glob("*/*.toml"))


class Expected(NamedTuple):
    """What becomes of a list: its length, the rows that must be refused, and those skipped as duplicates."""

    rows: int
    refused: set[int]
    skipped: set[int]


APPOINTMENTS = Expected(361, {31, 64, 97, 128, 201, 240, 283}, {301, 346})
ORDERS = Expected(328, {25, 77, 175, 222, 260}, {291, 311})
MAILBOX = Expected(337, {33, 99, 151, 202, 255}, {301, 326})

EXPECTED = {
    "input_examples/sms/campaign.toml": APPOINTMENTS,
    "input_examples/sms/aws-cli.toml": APPOINTMENTS,
    "input_examples/sms/templated.toml": Expected(305, {40, 90, 140, 190}, {241}),
    "input_examples/whatsapp/campaign.toml": APPOINTMENTS._replace(refused=APPOINTMENTS.refused - {240}),
    "input_examples/whatsapp/parcels.toml": Expected(305, {40, 90, 140, 190}, {241}),
    "input_examples/email/campaign.toml": ORDERS,
    "input_examples/email/aws-cli.toml": ORDERS,
    "input_examples/email/raw-html.toml": Expected(305, {50, 110, 170, 230}, {281}),
    "input_examples/inbound-email/campaign.toml": MAILBOX,
    "input_examples/inbound-email/aws-cli.toml": MAILBOX,
    "input_examples/inbound-email/archive.toml": Expected(305, {60, 120, 180, 240}, {291}),
}

# The rows of each list whose key or destination cannot be read as it stands, with the cell that is to blame.
UNREADABLE: dict[str, dict[int, tuple[str, Any]]] = {
    "sms/contacts.csv": {
        31: ("phone", ""),
        64: ("phone", "4.47911E+11"),
        97: ("phone", "call reception"),
        128: ("phone", "+1 999 555 0100"),
        160: ("phone", "415-555-0100 / 415-555-0101"),
        201: ("customer_id", ""),
        283: ("phone", "+44 7700"),
    },
    "sms/parcels.parquet": {40: ("mobile", None), 90: ("mobile", "0151"), 190: ("parcel_id", None)},
    "email/orders.csv": {
        25: ("E-Mail", ""),
        77: ("E-Mail", "anna.example.com"),
        126: ("E-Mail", "one@example.com;two@example.com"),
        175: ("E-Mail", "maria@example"),
        222: ("Order No", ""),
    },
    "email/invoices.parquet": {50: ("email", None), 110: ("email", "no at sign"), 230: ("invoice", None)},
    "inbound-email/mailbox.csv": {
        33: ("from", ""),
        99: ("from", "Mailer Daemon"),
        151: ("body", ""),
        255: ("message_id", ""),
    },
    "inbound-email/archive.parquet": {180: ("html", ""), 240: ("ticket", None)},
}


def place(campaign: Path) -> str:
    return campaign.relative_to(ROOT).as_posix()


def table(campaign: Path) -> dict[str, Any]:
    return tomllib.loads(campaign.read_text("utf-8"))


def read(path: Path) -> pl.DataFrame:
    if path.suffix == ".parquet":
        return pl.read_parquet(path)
    return pl.read_csv(path, infer_schema=False).fill_null("")


def test_every_campaign_has_an_expectation() -> None:
    assert {place(campaign) for campaign in CAMPAIGNS} == set(EXPECTED)


@pytest.mark.parametrize("campaign", CAMPAIGNS, ids=place)
def test_a_campaign_stands_in_the_folder_of_its_channel(campaign: Path) -> None:
    assert table(campaign)["channel"] == campaign.parent.name


@pytest.mark.parametrize("campaign", CAMPAIGNS, ids=place)
def test_a_campaign_names_files_that_stand_beside_it(campaign: Path) -> None:
    request = table(campaign)["request"]
    named = [table(campaign)["contacts"], *([request] if isinstance(request, str) else [])]
    assert [name for name in named if not (campaign.parent / name).is_file()] == []


@pytest.mark.parametrize("campaign", CAMPAIGNS, ids=place)
def test_a_list_has_the_expected_number_of_rows(campaign: Path) -> None:
    assert read(campaign.parent / table(campaign)["contacts"]).height == EXPECTED[place(campaign)].rows


def test_every_channel_has_a_campaign_and_a_list_as_csv() -> None:
    assert {path.parent.name for path in EXAMPLES.glob("*/campaign.toml")} == set(CHANNELS)
    assert {path.parent.name for path in EXAMPLES.glob("*/*.csv")} == set(CHANNELS)


def test_every_channel_has_an_example_list_as_parquet() -> None:
    assert {path.parent.name for path in EXAMPLES.glob("*/*.parquet")} == set(CHANNELS)


def test_the_examples_show_every_table_that_can_be_rehearsed() -> None:
    shown = {name for campaign in CAMPAIGNS for name, value in table(campaign).items() if isinstance(value, dict)}
    assert shown == {"list", "request", "create_contact", "stop_contact", "pacing", "hold", "retry", "stop"}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_list_holds_the_rows_that_must_be_refused(name: str) -> None:
    rows = read(EXAMPLES / name).to_dicts()
    found = {row: (column, rows[row][column]) for row, (column, _) in UNREADABLE[name].items()}
    assert found == UNREADABLE[name]


@pytest.mark.parametrize(
    "name, column, country", [("sms/contacts.csv", "phone", "US"), ("sms/parcels.parquet", "mobile", "DE")]
)
def test_every_other_phone_number_is_valid(name: str, column: str, country: str) -> None:
    numbers = read(EXAMPLES / name)[column].to_list()
    bad = {row for row, (blamed, _) in UNREADABLE[name].items() if blamed == column}
    parsed = [phonenumbers.parse(text, country) for row, text in enumerate(numbers) if row not in bad]
    assert all(map(phonenumbers.is_valid_number, parsed))
    assert len({phonenumbers.region_code_for_number(number) for number in parsed}) > 30


@pytest.mark.parametrize("campaign", ["campaign", "aws-cli", "templated"])
def test_an_sms_campaign_allows_every_country_of_its_list(campaign: str) -> None:
    settings = table(EXAMPLES / "sms" / f"{campaign}.toml")
    rules = settings["list"]
    frame = read(EXAMPLES / "sms" / settings["contacts"])
    column = "mobile" if "mobile" in frame.columns else "phone"
    bad = {row for row, (blamed, _) in UNREADABLE[f"sms/{settings['contacts']}"].items() if blamed == column}
    numbers = [phonenumbers.parse(text, rules["country"]) for row, text in enumerate(frame[column]) if row not in bad]
    found = {phonenumbers.region_code_for_number(number) for number in numbers}
    assert found - {rules["country"]} == set(rules["allow_countries"])


def test_the_names_are_written_in_many_scripts() -> None:
    names = "".join(read(EXAMPLES / "sms/contacts.csv")["last_name"])
    scripts = {unicodedata.name(character).split()[0] for character in names if character.isalpha()}
    assert scripts >= {
        "LATIN",
        "CYRILLIC",
        "GREEK",
        "ARABIC",
        "HEBREW",
        "DEVANAGARI",
        "THAI",
        "CJK",
        "HANGUL",
        "TAMIL",
    }


def test_the_lists_are_what_their_script_writes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "scripts/make_examples.py", tmp_path], check=True, timeout=60)
    for path in sorted(tmp_path.glob("*/*.*")):
        kept = EXAMPLES / path.relative_to(tmp_path)
        if path.suffix == ".csv":
            assert path.read_bytes() == kept.read_bytes()
        else:
            assert_frame_equal(pl.read_parquet(path), pl.read_parquet(kept))


@pytest.mark.parametrize("campaign", CAMPAIGNS, ids=place)
async def test_each_example_is_sent_to_the_sandbox(campaign: Path, tmp_path: Path) -> None:
    expected = EXPECTED[place(campaign)]
    run = await bulk.send(
        campaign,
        sandbox=True,
        rate=1000,
        burst=1000,
        state_dir=tmp_path / "state",
        results=tmp_path / "results.csv",
    )
    results = run.results()
    found = {status: set(rows["row"]) for (status,), rows in results.group_by("status")}
    tried = set(range(expected.rows)) - expected.refused - expected.skipped

    assert results["row"].to_list() == list(range(expected.rows))
    assert found.get("refused", set()) == expected.refused
    assert found.get("skipped", set()) == expected.skipped
    assert found["sent"] == tried
    assert results["contact_id"].drop_nulls().n_unique() == len(tried)
    assert results.filter(pl.col("status") != "sent")["contact_id"].null_count() == expected.rows - len(tried)
