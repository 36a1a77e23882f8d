"""The words of the campaign file about hours, caps and expiry; the laws that ship; where a number may be."""

import csv
import runpy
import tomllib
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from phonenumbers.timezone import time_zones_for_number

from bulk.campaign import Campaign, is_zone, load
from bulk.errors import CampaignError
from bulk.loader.locality import locality
from bulk.rules import Locality, Rules
from bulk.rules.laws import LawTable, law, shipped

ROOT = Path(__file__).parents[1]


def campaign(**said: Any) -> Campaign:
    return Campaign(**{"name": "spring", "channel": "sms", **said})


@pytest.mark.parametrize(
    "said, trouble",
    [
        ({"hours": {"monday": "9 to 5"}}, "[hours] monday: '9 to 5' is no window; write it as 09:00-12:30"),
        ({"hours": {"monday": ["09:00-25:00"]}}, "[hours] monday: '09:00-25:00' is no window: a day ends at 24:00"),
        ({"hours": {"monday": "09:00-09:00"}}, "[hours] monday: '09:00-09:00' is an empty window"),
        ({"hours": {"monday": 9}}, "[hours] monday: 9 is no window"),
        ({"hours": {"holidays": ["25.12.2026"]}}, "[hours] holidays: '25.12.2026' is no date"),
        ({"hours": {"holidays": ["2027-01-01/2026-12-24"]}}, "ends before it begins"),
        ({"hours": {"unknown_zone": "EST"}}, "[hours] unknown_zone: 'EST' is no time zone"),
        ({"hours": {"mondays": []}}, "[hours] mondays: no such key. Did you mean 'monday'?"),
        ({"caps": {"sms": {"at_most": 0, "within": "24h"}}}, "[caps.sms] at_most"),
        ({"caps": {"sms": {"at_most": 1, "within": "a day"}}}, "[caps.sms] within: 'a day' is no duration"),
        ({"caps": {"sms": {"at_most": 1, "within": 0}}}, "[caps.sms] within"),
        ({"caps": {"smss": {}}}, "[caps] smss: no such key. Did you mean 'sms'?"),
        ({"caps": {"at_most": 1, "within": "24h"}}, "a cap is of a channel"),
        ({"expires": "someday"}, "expires: 'someday' is no time; write 2026-12-24T18:00"),
    ],
)
def test_a_wrong_word_is_said_with_its_place(said: dict[str, Any], trouble: str) -> None:
    with pytest.raises(CampaignError) as raised:
        campaign(**said)
    assert trouble in str(raised.value)


def test_a_wrong_window_is_found_by_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "campaign.toml"
    path.write_text('name = "spring"\nchannel = "sms"\n[hours]\nweekend = []\nmonday = ["9-17"]\n')
    with pytest.raises(CampaignError, match=r"campaign\.toml:5: \[hours\] monday"):
        load(path)


def test_a_file_says_hours_caps_and_expiry(tmp_path: Path) -> None:
    path = tmp_path / "campaign.toml"
    path.write_text(
        'name = "spring"\nchannel = "sms"\nexpires = 2026-12-24T18:00:00\n'
        '[hours]\nevery_day = "9:00-17:00"\nholidays = [2026-12-25, "2026-12-31/2027-01-02"]\nrules = "us"\n'
        '[caps]\nsms = { at_most = 2, within = "7d" }\n'
    )
    read, _ = load(path)
    assert read.expires == datetime(2026, 12, 24, 18)  # noqa: DTZ001 - the recipient's own time
    assert read.hours.days == (((540, 1020),),) * 7
    assert read.hours.holidays[1] == (date(2026, 12, 31), date(2027, 1, 2))
    assert read.hours.rules == ("us",)
    assert read.caps.channels["sms"] is not None
    assert read.caps.channels["sms"].within == 7 * 86400


@pytest.mark.parametrize(
    "value, read",
    [
        ("2026-12-24", date(2026, 12, 24)),
        ("36h", timedelta(hours=36)),
        (3600, timedelta(hours=1)),
        ("{{ valid_until }}", "{{ valid_until }}"),
        (None, None),
    ],
)
def test_a_campaign_expires_at_a_time_or_after_a_while_or_by_row(value: object, read: object) -> None:
    assert campaign(expires=value).expires == read


@pytest.mark.parametrize("name", ["Europe/Berlin", "America/Argentina/Ushuaia", "UTC"])
def test_a_zone_has_an_iana_name(name: str) -> None:
    assert is_zone(name)


@pytest.mark.parametrize(
    "name",
    ["", "EST", "CET", "localtime", "Factory", "Europe", "Europe/", "Europe/Berlim", "../Europe/Berlin", "a\0/b"],
)
def test_no_other_name_is_a_zone(name: str) -> None:
    assert not is_zone(name)


# Laws


def test_the_laws_that_ship_name_a_source_for_every_window() -> None:
    for name in shipped():
        table = LawTable(**_toml(name))
        for region, windows in {"country": table.country, "unclear": table.unclear, **table.regions}.items():
            assert windows.sources, region
            assert set(windows.sources) <= set(table.sources), region


def test_the_laws_of_the_united_states_name_known_states() -> None:
    with (ROOT / "bulk/loader/area_codes.csv").open(encoding="ascii", newline="") as file:
        known = {row["region"] for row in csv.DictReader(file)}
    us = law("us", Path())
    assert set(us.regions) <= known
    assert us.reviewed >= date(2026, 11, 1)


OURS = 'title = "Ours"\napplies_to = "DE"\nreviewed = 2026-11-20\n[country]\nweekdays = "08:00-20:00"\n[unclear]\n'


def test_laws_of_ones_own_stand_beside_the_campaign(tmp_path: Path) -> None:
    (tmp_path / "ours.toml").write_text(OURS)
    rules = Rules.of(campaign(hours={"rules": ["us", "ours.toml"]}, folder=tmp_path))
    assert [one.title for one in rules.laws][1] == "Ours"
    saturday = datetime.fromisoformat("2026-11-21T12:00+01:00").timestamp()
    assert not rules.hours.open_at(Locality(("Europe/Berlin",), "DE"), saturday)


@pytest.mark.parametrize(
    "text, trouble",
    [
        (None, "ours.toml cannot be read: No such file or directory"),
        ("title = ", "ours.toml: not TOML"),
        ('title = "Ours"', "ours.toml: applies_to: Field required"),
        (OURS.replace('"DE"', '"Germany"'), "ours.toml: applies_to: String should match pattern '^[A-Z]{2}$'"),
        (
            'title = "O"\napplies_to = "DE"\nreviewed = 2026-11-20\n[country]\nevery_day = "8-20"\n[unclear]\n',
            "ours.toml: country.every_day: '8-20' is no window",
        ),
    ],
)
def test_wrong_laws_are_an_error_of_the_campaign(tmp_path: Path, text: str | None, trouble: str) -> None:
    if text is not None:
        (tmp_path / "ours.toml").write_text(text)
    with pytest.raises(CampaignError, match=r"\[hours\] rules: ") as raised:
        Rules.of(campaign(hours={"rules": "ours.toml"}, folder=tmp_path))
    assert trouble in str(raised.value)


@pytest.mark.parametrize("name", ["uk", "../rules/us", ""])
def test_unknown_laws_are_an_error_that_names_the_known_ones(name: str) -> None:
    with pytest.raises(CampaignError, match='there are "us"'):
        Rules.of(campaign(hours={"rules": name}))


# Where a number may be


def test_a_mobile_number_has_the_zones_that_phonenumbers_gives() -> None:
    others = {text: known for text, known in _mobiles() if not text.startswith("+1")}
    found = {text: set(locality(text).zones) for text in others}
    assert all(found[text] >= known for text, known in others.items())
    # A number that may be of either kind is asked for its place there, and for its whole country here.
    assert {text[:4] for text, known in others.items() if found[text] != known} == {"+691"}


def test_a_mobile_number_of_north_america_has_the_zones_of_its_area_code() -> None:
    for text, known in _mobiles():
        if text.startswith("+1"):
            assert locality(text).zones
            assert set(locality(text).zones) <= known, text
    assert locality("+18682911234").zones == ("America/Port_of_Spain",)  # phonenumbers: anywhere from Guam to Bermuda


@pytest.mark.parametrize(
    "destination, cell, place",
    [
        ("+14155550100", None, Locality(("America/Los_Angeles",), "US-CA")),
        ("+19075550100", "", Locality(("America/Adak", "America/Anchorage"), "US-AK")),
        ("+14155550100", " America/New_York ", Locality(("America/New_York",), "US-CA")),
        ("+14155550100", "Pacific Standard Time", Locality((), "US-CA")),
        ("+16045550100", None, Locality(("America/Vancouver",), "CA")),
        ("+17875550100", None, Locality(("America/Puerto_Rico",), "US-PR")),
        ("+4915123456789", None, Locality(("Europe/Berlin",), "DE")),
        ("+8005550100", None, Locality()),
        ("ann@example.com", None, Locality()),
        ("+1@example.com", "Europe/Berlin", Locality(("Europe/Berlin",))),
        (None, None, Locality()),
    ],
)
def test_a_person_is_where_the_list_says_else_where_the_number_may_be(
    destination: str | None, cell: str | None, place: Locality
) -> None:
    assert locality(destination, cell) == place


def test_the_area_codes_are_those_of_phonenumbers() -> None:
    made = runpy.run_path(str(ROOT / "scripts/make_area_codes.py"))["table"]()
    with (ROOT / "bulk/loader/area_codes.csv").open(encoding="ascii", newline="") as file:
        _, *known = csv.reader(file)
    assert [tuple(row) for row in known] == made


def _mobiles() -> Iterator[tuple[str, set[str]]]:
    """Return a mobile number of each region in E.164, and the zones that phonenumbers knows of it."""
    for region in phonenumbers.SUPPORTED_REGIONS:
        number = phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
        if number is not None:
            zones = {zone for zone in time_zones_for_number(number) if zone != "Etc/Unknown"}
            yield phonenumbers.format_number(number, PhoneNumberFormat.E164), zones


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / f"bulk/rules/{name}.toml").read_text("utf-8"))
