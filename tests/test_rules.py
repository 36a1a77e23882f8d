"""One recipient at one moment: go, wait, or leave it out."""

import math
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulk.campaign import Campaign
from bulk.channels import CHANNELS
from bulk.model import Refusal, Status
from bulk.rules import Locality, Rules, Wait, course
from bulk.rules.laws import law

BERLIN = Locality(("Europe/Berlin",), "DE")
NEW_YORK = Locality(("America/New_York",), "US-NY")


def rules(**said: Any) -> Rules:
    return Rules.of(Campaign(**{"name": "spring", "channel": "sms", **said}))


def at(text: str, place: Locality = BERLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(place.zones[0])).timestamp()


def sent(*times: float, channel: str = "sms") -> Callable[[str, float], int]:
    return lambda over, since: sum(time >= since for time in times) if over == channel else 0


def code(judged: Wait | Refusal | None) -> str:
    assert isinstance(judged, Refusal)
    assert judged.status is Status.SKIPPED
    return judged.code


NOON = at("2026-11-23T12:00")


def test_a_campaign_without_rules_has_nothing_to_judge() -> None:
    assert not rules().active
    assert rules().judge(Locality(), now=NOON) is None


@pytest.mark.parametrize(
    "said",
    [
        {"hours": {"weekdays": "09:00-17:00"}},
        {"hours": {"rules": "us"}},
        {"caps": {"any": {"at_most": 1, "within": "24h"}}},
        {"expires": "24h"},
    ],
)
def test_a_campaign_with_any_rule_is_to_be_judged(said: dict[str, Any]) -> None:
    assert rules(**said).active


def test_a_closed_window_is_waited_for() -> None:
    table = rules(hours={"every_day": "09:00-17:00"})
    assert table.judge(BERLIN, now=NOON) is None
    assert table.judge(BERLIN, now=at("2026-11-23T17:00")) == Wait(at("2026-11-24T09:00"))


def test_an_unknown_zone_is_left_out_with_the_remedy() -> None:
    judged = rules(hours={"every_day": "09:00-17:00"}).judge(Locality(), now=NOON)
    assert code(judged) == "unknown_zone"
    assert "unknown_zone" in str(judged)
    assert "timezone_column" in str(judged)


def test_zones_that_are_never_open_together_are_left_out() -> None:
    place = Locality(("Asia/Kamchatka", "Europe/London", "Asia/Tokyo", "Africa/Cairo"))
    judged = rules(hours={"every_day": "09:00-12:00"}).judge(place, now=NOON)
    assert code(judged) == "never_open"
    assert "every possible zone (Asia/Kamchatka, Europe/London, Asia/Tokyo and 1 more): " in str(judged)


@pytest.mark.parametrize(
    "place, where",
    [
        (BERLIN, "in Europe/Berlin, DE: "),
        (Locality(("Asia/Tokyo", "Europe/London"), "GB"), "in every possible zone (Asia/Tokyo, Europe/London), GB: "),
        (Locality(("Asia/Tokyo", "Europe/London", "UTC")), "in every possible zone (Asia/Tokyo, Europe/London, UTC): "),
    ],
)
def test_what_is_never_open_says_where(place: Locality, where: str) -> None:
    judged = rules(hours={"every_day": []}).judge(place, now=NOON)
    assert isinstance(judged, Refusal)
    assert judged.message == f"no hour is open {where}widen [hours]"


COLUMN, FEWER, WIDER = "fill in the column of [list] timezone_column", "name fewer zones", "widen [hours]"
UNKNOWN = {"unknown_zone": ["Asia/Tokyo", "Europe/London"], "every_day": "09:00-10:00"}
NOBODY = "close it all week"
CLOSED = "[country]\nevery_day = []\n[unclear]\n"
SUNDAYS = '[country]\nevery_day = []\nsunday = "08:00-20:00"\n[unclear]\n'


@pytest.mark.parametrize(
    "hours, law, place, remedies",
    [
        ({"every_day": "09:00-12:00"}, None, Locality(("Asia/Tokyo", "Europe/London")), {COLUMN, WIDER}),
        ({"every_day": []}, None, BERLIN, {WIDER}),
        ({"every_day": []}, None, Locality(("Asia/Tokyo", "Europe/London")), {WIDER}),
        (UNKNOWN, None, Locality(), {COLUMN, FEWER, WIDER}),
        ({"weekdays": "09:00-17:00"}, SUNDAYS, BERLIN, {WIDER}),
        ({}, CLOSED, BERLIN, {NOBODY}),
        ({"weekdays": "09:00-17:00"}, CLOSED, Locality(("Europe/Berlin", "Europe/Busingen"), "DE"), {NOBODY}),
        ({"rules": "us"}, None, Locality(("America/New_York", "Asia/Singapore"), "US"), {COLUMN}),
    ],
)
def test_what_is_never_open_names_the_remedies_that_would_help_and_no_other(
    hours: dict[str, Any], law: str | None, place: Locality, remedies: set[str], tmp_path: Path
) -> None:
    if law:
        (tmp_path / "own.toml").write_text(f'title = "Own"\napplies_to = "DE"\nreviewed = 2026-11-01\n{law}')
        hours = {**hours, "rules": "own.toml"}
    judged = rules(hours=hours, folder=tmp_path).judge(place, now=NOON)
    assert code(judged) == "never_open"
    assert {one for one in (COLUMN, FEWER, WIDER, NOBODY) if one in str(judged)} == remedies


# Caps


def test_a_capped_person_is_left_out_and_told_why() -> None:
    table = rules(caps={"sms": {"at_most": 1, "within": "24h"}})
    judged = table.judge(BERLIN, now=NOON, written=sent(NOON - 3600))
    assert code(judged) == "capped"
    assert isinstance(judged, Refusal)
    assert judged.message == "written to once since 2026-11-22 11:00 UTC; [caps] sms allows 1 within 24h"


def test_a_person_is_written_to_again_when_the_time_is_over() -> None:
    table = rules(caps={"sms": {"at_most": 2, "within": "24h"}})
    earlier = [NOON - 3600, NOON - 86401, NOON - 86402]
    assert table.judge(BERLIN, now=NOON, written=sent(*earlier)) is None
    assert code(table.judge(BERLIN, now=NOON, written=sent(*earlier, NOON - 60))) == "capped"


def test_a_cap_counts_its_own_channel_and_any_counts_all() -> None:
    mail = sent(NOON - 60, channel="email")
    cap = {"at_most": 1, "within": "24h"}
    assert rules(caps={"sms": cap, "email": cap}).judge(BERLIN, now=NOON, written=mail) is None
    assert code(rules(caps={"any": cap}).judge(BERLIN, now=NOON, written=mail)) == "capped"


def test_every_channel_can_be_capped() -> None:
    cap = {"at_most": 1, "within": "24h"}
    for channel in CHANNELS:
        assert len(rules(channel=channel, caps={channel: cap, "any": cap}).limits) == 2


def test_the_ledger_is_asked_only_where_the_window_is_open_and_a_cap_is_set() -> None:
    asked: list[float] = []

    def written(_: str, since: float) -> int:
        asked.append(since)
        return 0

    cap = {"sms": {"at_most": 1, "within": "24h"}}
    capped = rules(hours={"every_day": "09:00-17:00"}, caps=cap)
    capped.judge(BERLIN, now=at("2026-11-23T20:00"), written=written)
    rules(expires="24h").judge(BERLIN, now=NOON, written=written)
    assert asked == []
    capped.judge(BERLIN, now=NOON, written=written)
    assert asked == [NOON - 86400]


def test_what_is_only_to_be_settled_is_under_no_cap() -> None:
    assert rules(caps={"sms": {"at_most": 1, "within": "24h"}}).judge(BERLIN, now=NOON, written=None) is None


@pytest.mark.parametrize(
    "within, said",
    [
        ("24h", "24h"),
        ("1d", "1d"),
        (" 1d  12h ", "1d 12h"),
        (86400, "86400 seconds"),
        (timedelta(1.5), "129600 seconds"),
    ],
)
def test_a_cap_is_said_in_the_words_of_the_file(within: object, said: str) -> None:
    judged = rules(caps={"any": {"at_most": 2, "within": within}}).judge(BERLIN, now=NOON, written=sent(NOON, NOON))
    assert isinstance(judged, Refusal)
    assert judged.message.endswith(f"[caps] any allows 2 within {said}")


# Expiry


def test_what_expired_is_left_out() -> None:
    table = rules(expires="24h")
    assert table.judge(BERLIN, now=NOON, expires_at=NOON + 1) is None
    judged = table.judge(BERLIN, now=NOON, expires_at=NOON)
    assert code(judged) == "expired"
    assert isinstance(judged, Refusal)
    assert judged.message == "expired at 2026-11-23 11:00:00 UTC, before its turn came"


def test_what_would_expire_before_its_window_opens_is_left_out_at_once() -> None:
    table, evening = rules(hours={"every_day": "09:00-17:00"}), at("2026-11-23T20:00")
    assert code(table.judge(BERLIN, now=evening, expires_at=at("2026-11-24T09:00"))) == "expired"
    assert table.judge(BERLIN, now=evening, expires_at=at("2026-11-24T09:01")) == Wait(at("2026-11-24T09:00"))


@pytest.mark.parametrize(
    "value, instant",
    [
        ("2026-12-24T18:00", "2026-12-24T18:00"),
        (datetime(2026, 12, 24, 18), "2026-12-24T18:00"),  # noqa: DTZ001 - the person's own time
        (" 2026-12-24 ", "2026-12-25T00:00"),
        (date(2026, 12, 24), "2026-12-25T00:00"),
        ("2026-12-24T17:00Z", "2026-12-24T18:00"),
        ("36h", "2026-11-25T00:00"),
        (timedelta(hours=36), "2026-11-25T00:00"),
    ],
)
def test_a_row_expires_by_the_clock_where_the_person_is(value: object, instant: str) -> None:
    assert rules().expiry(value, BERLIN, NOON) == at(instant)


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_row_that_names_no_time_never_expires(value: object) -> None:
    assert rules().expiry(value, BERLIN, NOON) is None


def test_of_several_possible_zones_the_first_to_get_there_ends_a_date() -> None:
    both = Locality(("America/Los_Angeles", "America/New_York"))
    assert rules().expiry("2026-12-24", both, NOON) == at("2026-12-25T00:00", NEW_YORK)


def test_an_unknown_zone_ends_a_date_as_the_hours_say_else_by_utc() -> None:
    assert rules().expiry("2026-12-24", Locality(), NOON) == at("2026-12-25T00:00", Locality(("UTC",)))
    told = rules(hours={"unknown_zone": "Europe/Berlin"})
    assert told.expiry("2026-12-24", Locality(), NOON) == at("2026-12-25T00:00")


@pytest.mark.parametrize("value", ["soon", "24.12.2026", 20261224, [], "9999-12-31"])
def test_a_time_that_cannot_be_read_refuses_the_row(value: object) -> None:
    judged = rules().expiry(value, BERLIN, NOON)
    assert isinstance(judged, Refusal)
    assert (judged.code, judged.status) == ("invalid_expiry", Status.REFUSED)


# Laws and the purpose


def test_the_federal_window_cuts_the_campaigns_own() -> None:
    table = rules(hours={"every_day": "06:00-23:00", "rules": "us"})
    assert table.judge(NEW_YORK, now=at("2026-11-23T06:00", NEW_YORK)) == Wait(at("2026-11-23T08:00", NEW_YORK))
    assert table.judge(NEW_YORK, now=at("2026-11-23T20:59", NEW_YORK)) is None
    assert table.judge(NEW_YORK, now=at("2026-11-23T21:00", NEW_YORK)) == Wait(at("2026-11-24T08:00", NEW_YORK))


@pytest.mark.parametrize(
    "region, clock, next_",
    [
        ("US-FL", "2026-11-23T20:00", "2026-11-24T08:00"),
        ("US-CT", "2026-11-23T08:00", "2026-11-23T09:00"),
        ("US-TX", "2026-11-22T09:00", "2026-11-22T12:00"),
        ("US-RI", "2026-11-20T18:00", "2026-11-21T10:00"),
        ("US-AL", "2026-11-21T20:00", "2026-11-23T08:00"),
        ("US", "2026-11-23T20:00", "2026-11-24T09:00"),
        (None, "2026-11-23T08:00", "2026-11-23T09:00"),
    ],
)
def test_a_state_may_be_stricter_and_an_unclear_one_is_taken_to_be(region: str | None, clock: str, next_: str) -> None:
    place = Locality(NEW_YORK.zones, region)
    assert rules(hours={"rules": "us"}).judge(place, now=at(clock, place)) == Wait(at(next_, place))


def test_laws_do_not_reach_into_other_countries() -> None:
    assert rules(hours={"rules": "us"}).judge(BERLIN, now=at("2026-11-23T23:00")) is None


def test_no_state_is_laxer_than_the_country() -> None:
    us = law("us", Path())
    for week in (us.unclear, *us.regions.values()):
        for day, federal in zip(week, us.everywhere, strict=True):
            assert all(federal[0][0] <= start < end <= federal[0][1] for start, end in day)


def test_the_transactional_purpose_turns_marketing_rules_off_and_says_so() -> None:
    table = rules(
        purpose="transactional",
        hours={"every_day": "06:00-23:00", "rules": "us"},
        caps={"sms": {"at_most": 1, "within": "24h"}},
    )
    assert table.judge(NEW_YORK, now=at("2026-11-23T22:00", NEW_YORK), written=sent(NOON)) is None
    assert isinstance(table.judge(NEW_YORK, now=at("2026-11-23T23:30", NEW_YORK)), Wait)
    assert table.notes == (
        'purpose = "transactional" turns off [hours] rules us',
        'purpose = "transactional" turns off [caps] sms',
    )
    assert rules(purpose="transactional", hours={"rules": "us"}).active is False


def test_the_transactional_purpose_leaves_expiry_as_it_is() -> None:
    table = rules(purpose="transactional", expires="36h")
    assert (table.active, table.expires) == (True, timedelta(hours=36))


# When a run will be done


def test_without_hours_a_run_takes_its_rows_at_its_rate() -> None:
    assert rules().finish_at({Locality(): 7200}, per_second=2, start=NOON) == NOON + 3600


def test_a_run_goes_on_in_the_next_window() -> None:
    table = rules(hours={"every_day": "09:00-17:00"})
    start = at("2026-11-23T16:00")
    assert table.finish_at({BERLIN: 10_800}, per_second=2, start=start) == pytest.approx(at("2026-11-24T09:30"))


def test_zones_share_the_rate_while_they_are_open_at_once() -> None:
    table = rules(hours={"every_day": "09:00-10:00"})
    moscow = Locality(("Europe/Moscow",))  # two hours ahead of Berlin in winter
    rows = {BERLIN: 3600, moscow: 3600}
    assert table.finish_at(rows, per_second=2, start=at("2026-11-23T00:00")) == pytest.approx(at("2026-11-23T09:30"))
    paris = Locality(("Europe/Paris",))
    assert table.finish_at({BERLIN: 3600, paris: 3600}, per_second=2, start=at("2026-11-23T00:00")) == pytest.approx(
        at("2026-11-23T10:00")
    )


def test_a_list_sorted_by_zone_is_read_again_for_those_that_were_closed() -> None:
    table = rules(hours={"every_day": "09:00-10:00"})
    moscow = Locality(("Europe/Moscow",))  # two hours ahead of Berlin in winter
    sent = partial(course, table.hours, per_second=2, start=at("2026-11-23T06:00"))
    # Moscow is open at 7 by Berlin's time: where Berlin stands first, it is passed by, and read again at 9
    assert sent([{BERLIN: 3600}, {moscow: 3600}]).end == pytest.approx(at("2026-11-23T09:30"), rel=0, abs=1)
    expected = sent([{BERLIN: 3600}, {moscow: 7200}])
    turns = [at(f"2026-11-23T{time}") for time in ("06:00", "07:30", "08:00", "09:15", "09:30")]
    assert [expected.when(rows) for rows in (0, 3600, 7200, 9000, 10_800)] == pytest.approx(turns, rel=0, abs=1)


def test_a_window_that_opened_during_a_reading_is_not_waited_for() -> None:
    table = rules(hours={"every_day": "09:00-17:00"})
    rows = [{NEW_YORK: 3600}, {BERLIN: 50_400}]  # New York opens at 15 by Berlin's time, and Berlin takes until 16
    expected = course(table.hours, rows, per_second=2, start=at("2026-11-23T09:00"))
    turns = [at(f"2026-11-23T{time}") for time in ("16:00", "16:30")]
    assert [expected.when(number) for number in (50_400, 54_000)] == pytest.approx(turns, rel=0, abs=1)


def test_the_turn_of_a_row_follows_from_the_rates_before_it() -> None:
    expected = course(rules().hours, [{Locality(): 100}], per_second=2, start=NOON)
    assert [expected.when(rows) - NOON for rows in (0, 1, 50, 100, 200)] == [0, 0.5, 25, 50, 50]


def test_rows_that_never_open_take_no_time() -> None:
    table = rules(hours={"every_day": "09:00-17:00"})
    assert table.finish_at({Locality(): 10**9}, per_second=2, start=NOON) == NOON


@settings(max_examples=50)
@given(
    st.dictionaries(st.sampled_from(["Asia/Tokyo", "Europe/London", "America/Chicago"]), st.integers(0, 50_000)),
    st.floats(0.5, 50),
)
def test_a_run_with_hours_takes_no_less_than_its_rate_and_no_more_than_one_zone_after_another(
    rows: dict[str, int], per_second: float
) -> None:
    table = rules(hours={"every_day": "08:00-20:00"})
    places = {Locality((zone,)): count for zone, count in rows.items()}
    total = sum(rows.values()) / per_second
    took = table.finish_at(places, per_second=per_second, start=NOON) - NOON
    days = sum(math.ceil(count / per_second / 43200) + 1 for count in rows.values())
    assert total - 1e-3 <= took <= days * 86400
