"""What a plan expects of the rows that it would send: where they go, and whom a cap leaves out."""

from collections import Counter

import pytest

from bulk.campaign import Cap
from bulk.rules import Course, Limit, Locality
from bulk.run.expected_rows import ExpectedRows, country_of, zones_of

HERE, THERE = Locality(("Europe/Berlin",), "DE"), Locality(("Europe/Moscow",), "RU")


def expected(people: str, *caps: Cap, place: Locality = HERE) -> ExpectedRows:
    """Return rows, a letter each for the person, of two parts each."""
    rows = ExpectedRows([Limit("sms", ("sms",), cap) for cap in caps])
    for person in people:
        rows.note(place, f"{person}@example.com", 2)
    return rows


def a_row_a_minute(rows: int) -> Course:
    course = Course(1000.0)
    course.add(1000.0 + 60 * rows, rows)
    return course


def cap(at_most: int, within: float) -> Cap:
    return Cap(at_most=at_most, within=within)


@pytest.mark.parametrize(
    "people, caps, left_out",
    [
        ("abc", [cap(1, 86_400)], 0),
        ("aab", [], 0),
        ("aabaca", [cap(1, 86_400)], 3),
        ("aabaca", [cap(2, 86_400)], 2),
        ("AabaCa", [cap(1, 86_400)], 3),
        ("abca", [cap(1, 179)], 0),
        ("abca", [cap(1, 180)], 1),
        ("abca", [cap(1, 181)], 1),
        ("aaaa", [cap(1, 90)], 3),
        ("abababab", [cap(3, 86_400), cap(1, 150)], 6),
    ],
)
def test_rows_that_come_too_soon_after_those_to_the_same_person_are_left_out(
    people: str, caps: list[Cap], left_out: int
) -> None:
    rows = expected(people, *caps)
    assert rows.leave_out(lambda: a_row_a_minute(len(people))) == left_out
    assert (len(rows), rows.parts) == (len(people) - left_out, 2 * (len(people) - left_out))


def test_no_course_is_asked_for_where_everybody_is_in_the_list_once() -> None:
    assert expected("abc", cap(1, 60)).leave_out(lambda: pytest.fail("nobody is repeated")) == 0


def test_a_list_has_stretches_in_its_order() -> None:
    rows = expected("a" * 640)
    for person in "b" * 640:
        rows.note(THERE, person, 1)
    stretches = rows.stretches()
    assert (stretches[0], stretches[-1]) == (Counter({HERE: 20}), Counter({THERE: 20}))
    assert sum(stretches, Counter()) == rows.places == Counter({HERE: 640, THERE: 640})


def test_a_list_has_sixty_four_stretches_at_most() -> None:
    assert [len(expected("a" * rows).stretches()) for rows in (1, 64, 65, 128)] == [1, 64, 33, 64]


@pytest.mark.parametrize(
    "zones, said",
    [
        ((), "unknown"),
        (("A", "B"), "A or B"),
        (("A", "B", "C", "D"), "A or B or C or D"),
        (("A", "B", "C", "D", "E"), "A or B or C or one of 2 others"),
    ],
)
def test_four_zones_are_named_at_most(zones: tuple[str, ...], said: str) -> None:
    assert zones_of(Locality(zones)) == said


@pytest.mark.parametrize("region, country", [("US-WA", "US"), ("DE", "DE"), (None, "unknown")])
def test_a_country_is_what_a_region_begins_with(region: str | None, country: str) -> None:
    assert country_of(Locality((), region)) == country


def test_a_list_of_nobody_has_no_stretches() -> None:
    assert expected("").stretches() == []
