"""When a person's window is open: by the clocks on the wall, in every zone the person may be in."""

import math
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulk.campaign import HoursTable
from bulk.rules.hours import ALWAYS, Hours, week_of
from bulk.rules.spans import Spans, common, joined
from bulk.rules.zones import DAY, Locality, offset, pieces

NEW_YORK, LOS_ANGELES = "America/New_York", "America/Los_Angeles"
BERLIN, KIRITIMATI, HONOLULU = "Europe/Berlin", "Pacific/Kiritimati", "Pacific/Honolulu"


def hours(**table: Any) -> Hours:
    return Hours(HoursTable(**table))


def at(text: str, zone: str = "UTC", *, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def opens(table: Hours, now: float, *zones: str) -> str:
    """Return the next opening by the clock of the first zone."""
    found = table.next_opening(Locality(zones), now)
    return "never" if found is None else f"{datetime.fromtimestamp(found, ZoneInfo(zones[0])):%Y-%m-%d %H:%M %z}"


@pytest.mark.parametrize(
    "clock,open_",
    [("08:59:59", False), ("09:00", True), ("12:29:59", True), ("12:30", False), ("13:30", True), ("20:00", False)],
)
def test_a_window_holds_its_start_and_not_its_end(clock: str, open_: bool) -> None:
    table = hours(monday=["09:00-12:30", "13:30-20:00"])
    assert table.open_at(Locality((BERLIN,)), at(f"2026-11-23T{clock}", BERLIN)) is open_


def test_a_closed_window_opens_at_the_next_one_of_the_day() -> None:
    table = hours(monday=["09:00-12:30", "13:30-20:00"])
    assert opens(table, at("2026-11-23T12:45", BERLIN), BERLIN) == "2026-11-23 13:30 +0100"


def test_a_day_that_nothing_names_is_closed() -> None:
    table = hours(weekdays="09:00-17:00")
    assert opens(table, at("2026-11-20T17:00", BERLIN), BERLIN) == "2026-11-23 09:00 +0100"


def test_a_window_over_midnight_ends_in_the_next_day() -> None:
    table, place = hours(friday="21:00-02:00"), Locality((BERLIN,))
    assert table.open_at(place, at("2026-11-21T01:59", BERLIN))
    assert not table.open_at(place, at("2026-11-21T02:00", BERLIN))
    assert not table.open_at(place, at("2026-11-20T01:00", BERLIN))


def test_a_window_over_the_end_of_the_week_ends_on_monday() -> None:
    table = hours(sunday="23:00-01:00")
    assert table.open_at(Locality((BERLIN,)), at("2026-11-23T00:30", BERLIN))


def test_a_holiday_is_closed_by_the_date_where_the_person_is() -> None:
    table = hours(every_day="09:00-17:00", holidays=["2026-12-25"])
    assert opens(table, at("2026-12-25T08:00", BERLIN), BERLIN) == "2026-12-26 09:00 +0100"
    assert table.open_at(Locality((KIRITIMATI,)), at("2026-12-25T22:00"))  # it is the 26th there


def test_a_holiday_closes_the_rest_of_a_window_that_began_the_day_before() -> None:
    table, place = hours(every_day="21:00-02:00", holidays=["2027-01-01"]), Locality((BERLIN,))
    assert table.open_at(place, at("2026-12-31T23:59", BERLIN))
    assert not table.open_at(place, at("2027-01-01T00:30", BERLIN))


def test_holidays_may_be_ranges_with_both_ends() -> None:
    table = hours(holidays=["2026-12-24/2027-01-03"])
    assert opens(table, at("2026-12-24T00:00", BERLIN), BERLIN) == "2027-01-04 00:00 +0100"


def test_holidays_that_last_for_years_are_outlived() -> None:
    table = hours(every_day="09:00-17:00", holidays=["2026-01-01/2029-12-31"])
    assert opens(table, at("2026-11-20T12:00", BERLIN), BERLIN) == "2030-01-01 09:00 +0100"


def test_several_possible_zones_are_open_only_together() -> None:
    table = hours(every_day="09:00-20:00")
    place = Locality((NEW_YORK, LOS_ANGELES))
    assert not table.open_at(place, at("2026-11-23T10:00", NEW_YORK))
    assert table.open_at(place, at("2026-11-23T12:00", NEW_YORK))
    assert not table.open_at(place, at("2026-11-23T18:00", LOS_ANGELES))


def test_zones_without_a_common_hour_never_open() -> None:
    table = hours(every_day="09:00-20:00")
    assert table.next_opening(Locality((KIRITIMATI, HONOLULU)), at("2026-11-23T10:00")) is not None  # 24 h apart
    assert table.next_opening(Locality(("Asia/Kamchatka", "Europe/London")), at("2026-11-23T10:00")) is None


def test_zones_that_meet_in_some_weeks_of_the_year_only_open_then() -> None:
    table = hours(every_day="09:00-10:00")  # they have the same time while it is summer in Berlin
    place = Locality((BERLIN, "Africa/Johannesburg"))
    assert table.next_opening(place, at("2026-11-23T00:00")) == at("2027-03-28T09:00", BERLIN)


def test_an_unknown_zone_is_closed() -> None:
    table = hours(every_day="00:00-24:00", holidays=["2026-12-25"])
    assert table.next_opening(Locality(), at("2026-11-23T12:00")) is None


def test_an_unknown_zone_may_be_told_to_be_one_or_all_of_several() -> None:
    table = hours(every_day="09:00-20:00", unknown_zone=[NEW_YORK, LOS_ANGELES])
    assert opens(table, at("2026-11-23T08:00", NEW_YORK), *table.zones(Locality())) == "2026-11-23 12:00 -0500"
    assert hours(unknown_zone="utc").zones(Locality()) == ("UTC",)


def test_two_sides_of_the_date_line_have_different_days() -> None:
    table, now = hours(monday="00:00-24:00"), at("2026-11-23T12:00", KIRITIMATI)
    assert table.open_at(Locality((KIRITIMATI,)), now)
    assert opens(table, now, HONOLULU) == "2026-11-23 00:00 -1000"


def test_an_hour_that_the_clock_skips_is_no_hour() -> None:
    table = hours(every_day="02:15-02:45")
    assert opens(table, at("2027-03-14T00:00", NEW_YORK), NEW_YORK) == "2027-03-15 02:15 -0400"


def test_a_window_that_begins_in_a_skipped_hour_begins_after_it() -> None:
    table = hours(every_day="02:30-04:00")
    assert opens(table, at("2027-03-14T00:00", NEW_YORK), NEW_YORK) == "2027-03-14 03:00 -0400"


def test_an_hour_that_the_clock_shows_twice_is_open_twice() -> None:
    table, place = hours(every_day="01:00-01:30"), Locality((NEW_YORK,))
    assert table.open_at(place, at("2026-11-01T01:15", NEW_YORK))
    assert not table.open_at(place, at("2026-11-01T01:45", NEW_YORK))
    assert table.open_at(place, at("2026-11-01T01:15", NEW_YORK, fold=1))


def test_a_day_that_a_zone_left_out_has_no_windows() -> None:
    table = hours(every_day="09:00-10:00")  # Samoa went from the 29th to the 31st of December 2011
    assert opens(table, at("2011-12-29T10:00", "Pacific/Apia"), "Pacific/Apia") == "2011-12-31 09:00 +1400"


def test_the_29th_of_february_is_a_day_like_others() -> None:
    table = hours(tuesday="09:00-10:00")
    assert opens(table, at("2028-02-28T12:00", BERLIN), BERLIN) == "2028-02-29 09:00 +0100"


def test_hours_that_say_nothing_are_not_active() -> None:
    assert not hours(unknown_zone="UTC").active
    assert hours(holidays="2026-12-25").active
    assert hours(every_day="09:00-17:00").active


def test_a_question_about_the_past_is_answered_after_one_about_the_future() -> None:
    table, place = hours(every_day="09:00-17:00"), Locality((BERLIN,))
    assert table.next_opening(place, at("2026-11-30T03:00", BERLIN)) == at("2026-11-30T09:00", BERLIN)
    assert table.next_opening(place, at("2026-11-23T03:00", BERLIN)) == at("2026-11-23T09:00", BERLIN)


# Any windows, in any zones, on any day


ZONES = [NEW_YORK, LOS_ANGELES, BERLIN, KIRITIMATI, HONOLULU, "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]
ZONES += ["America/St_Johns", "Africa/Casablanca", "Asia/Beirut", "Pacific/Chatham", "America/Havana", "Africa/Cairo"]
CHANGES = [
    at(day)
    for day in ("2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01", "2028-02-29")
]
CLOCK = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 59]))
WINDOW = st.tuples(CLOCK, CLOCK).filter(lambda ends: ends[0] != ends[1]).map("-".join)
TABLE = st.fixed_dictionaries(
    {},
    optional={
        "every_day": st.lists(WINDOW, max_size=2),
        "weekdays": st.lists(WINDOW, max_size=2),
        "sunday": st.lists(WINDOW, max_size=1),
        "holidays": st.lists(st.sampled_from(["2026-03-29", "2026-11-01", "2028-02-29"]), max_size=2),
    },
).map(HoursTable.model_validate)
PLACE = st.lists(st.sampled_from(ZONES), min_size=1, max_size=2, unique=True).map(lambda zones: Locality(tuple(zones)))
NOW = st.one_of(
    st.tuples(st.sampled_from(CHANGES), st.integers(-DAY, 2 * DAY)).map(sum),
    st.integers(int(at("2024-01-01")), int(at("2037-12-31"))),
)


def by_the_wall(table: HoursTable, zone: str, now: float) -> bool:
    """Return whether a window is open by reading the clock and the calendar, and nothing else."""
    there = datetime.fromtimestamp(now, ZoneInfo(zone))
    if any(first <= there.date() <= last for first, last in table.holidays):
        return False
    if table.days is None:
        return True
    minute = there.hour * 60 + there.minute
    today, yesterday = table.days[there.weekday()], table.days[there.weekday() - 1]
    return any(a <= minute < b for a, b in today) or any(a <= minute + 1440 < b for a, b in yesterday)


@given(TABLE, PLACE, NOW)
def test_a_window_is_open_when_every_clock_on_the_wall_says_so(table: HoursTable, place: Locality, now: int) -> None:
    assert Hours(table).open_at(place, now) is all(by_the_wall(table, zone, now) for zone in place.zones)


@settings(max_examples=40)
@given(TABLE, PLACE, NOW)
def test_nothing_is_open_before_the_next_opening_and_that_is_open(table: HoursTable, place: Locality, now: int) -> None:
    found = Hours(table).next_opening(place, now)
    end = now + 2 * DAY if found is None else min(found, now + 2 * DAY)
    minutes = range(math.ceil(now / 60) * 60, math.ceil(end), 60)
    assert not any(all(by_the_wall(table, zone, minute) for zone in place.zones) for minute in minutes if minute < end)
    if found is not None:
        assert all(by_the_wall(table, zone, found) for zone in place.zones)


@settings(max_examples=40)
@given(TABLE, PLACE, NOW, st.lists(st.integers(-3 * DAY, 3 * DAY), max_size=6))
def test_what_was_found_before_changes_no_answer(
    table: HoursTable, place: Locality, now: int, steps: list[int]
) -> None:
    asked_often = Hours(table)
    for step in steps:
        asked_often.open_at(place, now + step)
    assert asked_often.next_opening(place, now) == Hours(table).next_opening(place, now)


@given(st.sampled_from(ZONES), NOW)
def test_pieces_cover_a_day_and_keep_one_offset_each(zone: str, now: int) -> None:
    cut = list(pieces(zone, now, now + DAY))
    assert (cut[0][0], cut[-1][1]) == (now, now + DAY)
    assert all(before[1] == after[0] for before, after in pairwise(cut))
    for since, until, ahead in cut:
        assert {offset(zone, second) for second in (since, (since + until) // 2, until - 1)} == {ahead}


@pytest.mark.parametrize("changed", ["2026-03-29T01:00", "2026-10-25T01:00"])
def test_a_day_is_cut_at_the_very_second_in_which_clocks_change(changed: str) -> None:
    at_ = int(at(changed))
    before, after = (7200, 3600) if "-10-" in changed else (3600, 7200)
    assert list(pieces(BERLIN, at_ - DAY, at_)) == [(at_ - DAY, at_, before)]
    assert list(pieces(BERLIN, at_ + 1 - DAY, at_ + 1)) == [(at_ + 1 - DAY, at_, before), (at_, at_ + 1, after)]
    assert next(pieces(BERLIN, at_ - 1, at_ - 1 + DAY)) == (at_ - 1, at_, before)
    assert list(pieces(BERLIN, at_, at_ + DAY)) == [(at_, at_ + DAY, after)]


SPANS = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 9)), max_size=8).map(
    lambda found: joined((start, start + length) for start, length in found)
)


def members(spans: Spans) -> set[int]:
    return {second for start, end in spans for second in range(int(start), int(end))}


@given(SPANS, SPANS)
def test_what_is_common_to_spans_is_in_both(some: Spans, others: Spans) -> None:
    assert members(common(some, others)) == members(some) & members(others)
    assert common(some, others) == joined(common(some, others))


def test_a_week_without_days_is_always_open() -> None:
    assert week_of(HoursTable()) == ALWAYS
    assert week_of(HoursTable.model_validate({"every_day": "00:00-24:00"})) == ALWAYS
    assert Hours(HoursTable()).next_opening(Locality(("UTC",)), 5.5) == 5.5


def test_a_week_has_its_windows_to_the_second_and_no_empty_ones() -> None:
    night = HoursTable.model_validate({"friday": "21:00-02:00", "saturday": ["09:00-23:59", "23:59-24:00"]})
    friday, saturday = ((75600, 86400),), ((0, 7200), (32400, 86400))
    assert week_of(night) == ((), (), (), (), friday, saturday, ())


def test_spans_that_touch_are_one() -> None:
    assert joined([(3, 4), (0, 1), (1, 2), (6, 9), (7, 8)]) == ((0, 2), (3, 4), (6, 9))


def test_the_windows_of_years_to_come_are_found_one_by_one() -> None:
    table, place = hours(every_day="12:00-13:00"), Locality(("UTC",))
    noon = at("2026-11-23T12:00")
    found = list(islice(table.spans(place, noon), 800))
    assert found == [(noon + day * DAY, noon + day * DAY + 3600) for day in range(800)]


@pytest.mark.parametrize("clock", ["2026-11-24T00:00:01", "2026-11-24T00:00", "2026-11-23T23:59:59.5"])
def test_pieces_of_a_day_leave_no_second_out(clock: str) -> None:
    table, place = hours(weekdays="00:00-24:00"), Locality((BERLIN,))
    since, weekend = math.floor(at(clock, BERLIN)), at("2026-11-28T00:00", BERLIN)
    assert joined(islice(table.spans(place, since), 6))[0] == (since, weekend)


def test_a_closer_name_of_a_day_wins() -> None:
    table = HoursTable.model_validate({"every_day": "08:00-20:00", "weekend": [], "sunday": "12:00-13:00"})
    days = table.days or ()
    assert [len(day) for day in days] == [1, 1, 1, 1, 1, 0, 1]
    assert days[6] == ((720, 780),)


def test_days_go_on_after_any_leap_day() -> None:
    table, place = hours(every_day="12:00-13:00"), Locality(("UTC",))
    day = date(2027, 12, 31)
    for _ in range(400):
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()
        assert table.next_opening(place, noon - 60) == noon
        day += timedelta(days=1)
