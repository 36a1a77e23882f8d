"""When a run is done of which only so many contacts may be open, row by row: it …"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulk.campaign import HoursTable
from bulk.rules import Course, Hours, Locality, Room, course_in_room

BERLIN, MOSCOW, NEW_YORK, NOWHERE = (
    Locality(("Europe/Berlin",)),
    Locality(("Europe/Moscow",)),  # two hours ahead of Berlin in winter
    Locality(("America/New_York",)),  # six hours behind
    Locality(),
)
ALWAYS, DAYTIME = Hours(HoursTable()), Hours(HoursTable.model_validate({"every_day": ["09:00-20:00"]}))
HOUR = 3600.0


def at(text: str) -> float:
    return datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp()


def expected(
    places: Sequence[Locality],
    *,
    hours: Hours = DAYTIME,
    limit: int = 10,
    open_for: float = HOUR,
    start: float,
    per_second: float = 1.0,
) -> Course:
    known = list(dict.fromkeys(places))
    order = [known.index(place) for place in places]
    return course_in_room(hours, Room(limit, open_for), order, known, per_second=per_second, start=start)


@pytest.mark.parametrize(
    "rows, open_for, seconds",
    [(2000, HOUR, 3 * HOUR + 249.5), (400, HOUR, 199.5), (2000, 200.0, 999.5), (501, HOUR, HOUR), (500, HOUR, 249.5)],
)
def test_fills_the_room_at_the_pace_and_then_as_contacts_end(rows: int, open_for: float, seconds: float) -> None:
    course = expected([BERLIN] * rows, hours=ALWAYS, limit=500, open_for=open_for, start=0.0, per_second=2.0)
    assert course.end == pytest.approx(seconds)
    assert course.when(rows) == course.end
    assert course.when(1) == 0.0


def test_goes_on_in_the_next_window_where_all_contacts_have_ended_overnight() -> None:
    course = expected([BERLIN] * 120, start=at("23T09:00"))
    assert [course.when(row) for row in (1, 10, 11, 110, 111, 120)] == [
        at("23T09:00:00"),
        at("23T09:00:09"),
        at("23T10:00:00"),
        at("23T19:00:09"),
        at("24T09:00:00"),
        at("24T09:00:09"),
    ]


def test_passes_by_what_is_closed_and_reads_the_list_again_when_the_first_of_it_opens() -> None:
    course = expected([NEW_YORK, *[BERLIN] * 3, NEW_YORK], start=at("23T09:00"))
    assert [course.when(row) for row in range(1, 6)] == [
        *(at(f"23T09:00:0{second}") for second in range(3)),
        *(at(f"23T15:00:0{second}") for second in range(2)),
    ]


def test_takes_what_opens_during_a_reading_where_the_reading_is_by_then() -> None:
    # the room is full from 7:00:10 (Moscow alone is open) until 8; at 9 Berlin opens, further up and further down
    rows = [BERLIN] * 5 + [MOSCOW] * 25 + [BERLIN] * 5
    course = expected(rows, start=at("23T07:00"))
    # 10 of Moscow at 7, 10 at 8, 5 of Moscow and 5 of Berlin from the end at 9, then the list again: 5 at 10
    assert [course.when(row) for row in (1, 11, 21, 30, 31, 35)] == [
        at("23T07:00:00"),
        at("23T08:00:00"),
        at("23T09:00:00"),
        at("23T09:00:09"),
        at("23T10:00:00"),
        at("23T10:00:04"),
    ]


def test_passes_by_a_row_whose_window_closes_while_it_waits_for_room() -> None:
    course = expected([MOSCOW] * 11 + [BERLIN], start=at("23T17:30"))
    # Moscow closes at 18 by Berlin's time: its eleventh waits until then, Berlin goes at 18:30, Moscow the day after
    assert [course.when(row) for row in (10, 11, 12)] == [at("23T17:30:09"), at("23T18:30:00"), at("24T07:00:00")]


def test_takes_no_time_for_what_never_opens() -> None:
    assert expected([NOWHERE] * 5, start=at("23T09:00")).end == at("23T09:00")
    assert expected([NOWHERE, *[BERLIN] * 2, NOWHERE], start=at("23T09:00")).end == at("23T09:00:01")


@settings(max_examples=150, deadline=None)
@given(
    places=st.lists(st.sampled_from([BERLIN, MOSCOW, NEW_YORK, NOWHERE]), min_size=1, max_size=80),
    limit=st.integers(1, 12),
    open_for=st.sampled_from([60.0, 900.0, HOUR, 5 * HOUR]),
    start=st.integers(0, 86_400),
    per_second=st.sampled_from([0.001, 0.1, 1.0]),
)
def test_never_exceeds_the_room_or_the_pace_and_leaves_no_row_that_ever_opens(
    places: list[Locality], limit: int, open_for: float, start: int, per_second: float
) -> None:
    course = expected(places, limit=limit, open_for=open_for, start=at("23T00:00") + start, per_second=per_second)
    rows = sum(place is not NOWHERE for place in places)
    times = [course.when(row) for row in range(1, rows + 1)]
    assert len(times) == rows
    assert all(later - earlier >= 1 / per_second - 1e-6 for earlier, later in pairwise(times))
    assert all(later - earlier >= open_for - 1e-6 for earlier, later in zip(times, times[limit:], strict=False))
    possible = Counter(places)
    for time in times:  # at each time some place was open of which a row was left
        open_now = [place for place in possible if place is not NOWHERE and DAYTIME.open_at(place, time)]
        assert open_now
    assert course.when(rows + 1) == course.end
