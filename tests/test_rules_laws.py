"""The laws that ship, held against a second table: a window that is loosened in the one has to be loosened in both.

The second table is written in another notation (OpenStreetMap's `opening_hours`) and read by code of its own. Its
sources are those that `us.toml` explains; the federal window is 47 CFR 64.1200(c)(1), and `unclear` the window that
several vendors use for the whole country.
"""

import tomllib
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bulk.campaign import Campaign
from bulk.rules import Locality, Rules
from bulk.rules.hours import week_of
from bulk.rules.laws import LawTable, law, shipped

US = law("us", Path())
DATA = Path(__file__).parents[1] / "bulk/rules/us.toml"
FEDERAL = "Mo-Su 08-21"
UNCLEAR = "Mo-Su 09-20"
STATES = {
    "US-AL": ("Mo-Sa 08-20", {"drop-cowboy", "clickpoint"}),
    "US-CA": ("Mo-Su 09-21", {"stello"}),
    "US-CT": ("Mo-Su 09-20", {"vendors", "drop-cowboy", "stello"}),
    "US-FL": ("Mo-Su 08-20", {"vendors", "drop-cowboy", "clickpoint", "stello", "postscript"}),
    "US-IL": ("Mo-Su 09-21", {"clickpoint", "stello"}),
    "US-KY": ("Mo-Su 10-21", {"drop-cowboy", "clickpoint", "stello"}),
    "US-LA": ("Mo-Sa 08-20", {"drop-cowboy", "clickpoint"}),
    "US-MA": ("Mo-Su 08-20", {"drop-cowboy", "clickpoint", "stello"}),
    "US-MD": ("Mo-Su 08-20", {"vendors", "drop-cowboy", "stello", "postscript"}),
    "US-MI": ("Mo-Su 09-21", {"drop-cowboy", "clickpoint", "stello"}),
    "US-MN": ("Mo-Su 09-21", {"drop-cowboy", "stello"}),
    "US-MS": ("Mo-Sa 08-20", {"vendors", "drop-cowboy"}),
    "US-NJ": ("Mo-Su 08-20", {"vendors"}),
    "US-NM": ("Mo-Su 09-21", {"drop-cowboy"}),
    "US-NV": ("Mo-Su 09-20", {"drop-cowboy"}),
    "US-OK": ("Mo-Su 08-20", {"vendors", "drop-cowboy", "postscript"}),
    "US-PA": ("Mo-Sa 08-21", {"call-desk"}),
    "US-RI": ("Mo-Fr 09-18; Sa-Su 10-17", {"vendors"}),
    "US-TX": ("Mo-Sa 09-21; Su-Su 12-21", {"vendors", "call-desk"}),
    "US-WA": ("Mo-Su 08-20", {"postscript", "call-desk"}),
    "US-WY": ("Mo-Su 08-20", {"call-desk"}),
}
DAYS = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"]
ZONE = ZoneInfo("America/Chicago")
A_MONDAY = datetime(2026, 11, 16, tzinfo=ZONE)
RULES = Rules.of(Campaign(name="spring", channel="sms", hours={"rules": "us"}))


def hours_of(said: str) -> list[list[int]]:
    """Read the open hours of each day from Monday: `Mo-Sa 08-20` is twelve hours on six of them."""
    week: list[list[int]] = [[] for _ in DAYS]
    for part in said.split("; "):
        days, hours = part.split()
        first, last = (DAYS.index(day) for day in days.split("-"))
        opens, closes = map(int, hours.split("-"))
        for day in range(first, last + 1):
            week[day] += range(opens, closes)
    return week


def open_hours(region: str | None) -> list[list[int]]:
    """Ask the rules about every hour of a week, at its first second and at its last."""
    place = Locality(("America/Chicago",), region)

    def is_open(day: int, hour: int) -> bool:
        at = A_MONDAY + timedelta(days=day, hours=hour)
        moments = at, at + timedelta(minutes=59, seconds=59)
        told = {RULES.judge(place, now=moment.timestamp()) is None for moment in moments}
        assert len(told) == 1, f"{region}: the window ends within the hour from {at:%a %H:%M}"
        return told == {True}

    return [[hour for hour in range(24) if is_open(day, hour)] for day in range(7)]


def test_no_law_ships_that_has_no_second_table() -> None:
    assert shipped() == ["us"]
    assert set(US.regions) == set(STATES)
    assert (US.applies_to, US.title) == ("US", "United States: hours for telephone solicitations")


@pytest.mark.parametrize("region", STATES)
def test_a_state_is_open_in_the_hours_of_the_second_table_and_no_other(region: str) -> None:
    assert open_hours(region) == hours_of(STATES[region][0])


@pytest.mark.parametrize("region", ["US-NY", "US-AK", "US-PR", "US-DC"])
def test_a_state_that_the_table_does_not_name_has_the_federal_hours(region: str) -> None:
    assert open_hours(region) == hours_of(FEDERAL)


@pytest.mark.parametrize("region", [None, "US"])
def test_where_the_state_is_unknown_the_narrower_hours_hold(region: str | None) -> None:
    assert open_hours(region) == hours_of(UNCLEAR)


def test_the_file_itself_says_no_more_than_that() -> None:
    """A state's window that goes beyond the country's is cut with it, and would wait there for a change of that."""
    table = LawTable(**tomllib.loads(DATA.read_text("utf-8")))
    told = {"country": table.country, "unclear": table.unclear, **table.regions}
    assert {region: week_of(windows) for region, windows in told.items()} == {
        region: tuple(tuple((first * 3600, (last + 1) * 3600) for first, last in ends(day)) for day in hours_of(said))
        for region, said in {
            "country": FEDERAL,
            "unclear": UNCLEAR,
            **{one: said for one, (said, _) in STATES.items()},
        }.items()
    }


def ends(hours: list[int]) -> list[tuple[int, int]]:
    return [(hours[0], hours[-1])] if hours else []


def test_another_country_is_none_of_its_business() -> None:
    assert open_hours("GB") == [list(range(24))] * 7


@pytest.mark.parametrize("region", STATES)
def test_no_state_is_open_when_the_whole_country_is_not(region: str) -> None:
    federal = hours_of(FEDERAL)
    assert all(set(hours) <= set(federal[day]) for day, hours in enumerate(hours_of(STATES[region][0])))


def test_the_sources_are_those_of_the_second_table() -> None:
    data = tomllib.loads(DATA.read_text("utf-8"))
    assert {region: set(windows["sources"]) for region, windows in data["regions"].items()} == {
        region: sources for region, (_, sources) in STATES.items()
    }
    assert (data["country"]["sources"], data["unclear"]["sources"]) == (["cfr"], ["vendors"])
