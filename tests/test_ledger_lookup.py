"""How a row of the list is known again, in values: its hashes, its number among rows of one name, its place. It …"""

from typing import Any

import pytest
from ledgers import begin

from bulk.ledger import Ledger
from bulk.ledger.database import together
from bulk.ledger.lookup import HALF, MAY_HAVE_REACHED, Hasher, Lookup, Naming, SeenRows, names_of
from bulk.model import Recipient, Status

SALT = b"0123456789abcdef"
HASHER = Hasher(SALT)


def test_hashes_are_named_apart_and_depend_on_the_salt() -> None:
    (key,), (place,) = HASHER.keys(["ann"], 0), HASHER.keys([""], 0)
    hashes = [key, place, HASHER.person("ann"), HASHER.content("ann", "ann"), Hasher(b"x" * 16).keys(["ann"], 0)[0]]
    assert len(set(hashes)) == 5
    assert {len(one) for one in hashes} == {16}
    assert HASHER.keys(["ann"], 7) == [key]


def test_hashes_stay_what_they_are_for_ledgers_hold_them() -> None:
    key, place = HASHER.keys(["ann", ""], 7)
    hashes = key, place, *HASHER.people("Ann@Example.com"), HASHER.content("a", "b"), HASHER.repeat(key, 1)
    assert [one.hex() for one in hashes] == [
        "fd3ea64491a8b933cb634b8cb7d33add",
        "43570191af12c2eb7f444ddb7fb9f7b5",
        "5c415f2ba586349bf1ab77d0c8026b8f",
        "28536543fe0ec5d999a2663f3d7e1961",
        "f955a0fe801fe86b1f04206028100b62",
        "e46fb1a74f52886106d8f0247858838d",
    ]


def test_half_a_character_is_a_name_too() -> None:
    assert len({*HASHER.keys(["\ud800", "\udfff", "?"], 0)}) == 3


def test_a_row_without_a_name_is_known_by_its_place() -> None:
    assert HASHER.keys(["", "a", ""], 5) == [*HASHER.keys([""], 5), *HASHER.keys(["a"], 0), *HASHER.keys([""], 7)]


def test_a_content_is_half_the_spelling_and_half_the_cells() -> None:
    one, spelled, else_ = (HASHER.content(*both) for both in (("a", "b"), ("A", "b"), ("a", "c")))
    assert HALF == 8
    assert (one[:HALF] == else_[:HALF], one[HALF:] == spelled[HALF:]) == (True, True)
    assert one[:HALF] != spelled[:HALF]
    assert one[HALF:] != else_[HALF:]


def test_a_person_is_known_under_the_spelling_of_the_first_version_too() -> None:
    now, then = HASHER.people("Ann@Example.com")
    assert now == HASHER.person("ann@example.com") == HASHER.people("ann@example.com")[0]
    assert then != now
    assert then == HASHER._person("Ann@Example.com")


@pytest.mark.parametrize("state", [*Status, "intended"])
def test_only_what_may_have_reached_somebody_can_be_another_persons(state: str) -> None:
    ann, replies = HASHER.person("ann@example.com"), "[]"
    reached = state in {"sent", "unknown", "intended", "pending"}
    assert (state in MAY_HAVE_REACHED) is reached
    assert HASHER.is_another(state, ann, replies, "ben@example.com") is reached
    assert HASHER.is_another(state, ann, replies, "ANN@example.com") is False
    assert HASHER.is_another(state, None, replies, "ben@example.com") is False
    assert HASHER.is_another(state, ann, replies, None) is False
    assert HASHER.is_another(state, ann, None, "ben@example.com") is (reached and state != "pending")
    assert HASHER.is_another(state, HASHER._person("Ann@x.org"), replies, "Ann@x.org") is False


def test_rows_of_one_name_are_numbered_where_they_are_no_duplicates() -> None:
    counted = Naming(HASHER, counted=True)
    (first, other, second), numbers = counted.keys(["a", "b", "a"], 0)
    (third,), more = counted.keys(["a"], 3)
    assert (list(numbers), list(more)) == ([0, 0, 1], [2])
    assert [first, other] == HASHER.keys(["a", "b"], 0)
    assert [second, third] == [HASHER.repeat(first, 1), HASHER.repeat(first, 2)]
    assert len({first, other, second, third}) == 4


def test_rows_of_one_name_are_one_where_they_are_duplicates() -> None:
    keys, numbers = Naming(HASHER).keys(["a", "b", "a"], 0)
    assert keys[0] == keys[2]
    assert list(numbers) == [0, 0, 0]


def test_a_row_is_named_by_its_identity_else_its_key() -> None:
    rows = [Recipient(0, "key", "ann@example.com", {}), Recipient(1, "key", "ann@example.com", {}, identity="one")]
    assert names_of(rows) == ["key", "one"]


@pytest.mark.parametrize("first", [0, 1, 1000])
def test_what_was_met_is_known_however_far_on_it_is(first: int) -> None:
    seen = SeenRows(first)
    assert first not in seen
    for delivery in (first, first + 65535, first + 65536, first + 300_000):
        assert delivery not in seen
        seen.mark(delivery)
        assert delivery in seen
        assert delivery + 1 not in seen
    assert first in seen


# Found by place, else by key


def claimed(ledger: Ledger, names: str) -> tuple[Any, int, Hasher]:
    run = begin(ledger)
    run.claim([Recipient(row, name, f"{name}@example.com", {}) for row, name in enumerate(names)])
    return run, run.read(lambda _, number: number), run._hasher


def look(ledger: Ledger, before: str, now: str, first: int = 0) -> tuple[str, str]:
    """Return which rows of a list are found, by name (`-`: none), and which are wrongly believed in their places."""
    run, number, hasher = claimed(ledger, before)
    names = {hasher.keys([name], 0)[0]: name for name in before + now}
    lookup: Lookup[Any] = Lookup(", content")
    found, displaced = run.read(lambda connection, _: lookup(connection, number, first, hasher.keys(now, first)))
    assert all(len(row) == 5 for row in found if row)
    return "".join(names[row[1]] if row else "-" for row in found), "".join(sorted(names[row[1]] for row in displaced))


@pytest.mark.parametrize(
    "before, now, first, expected",
    [
        ("abc", "abc", 0, ("abc", "")),
        ("abc", "bc", 1, ("bc", "")),
        ("abc", "ab", 0, ("ab", "")),
        ("abc", "cab", 0, ("cab", "abc")),
        ("abc", "xab", 0, ("-ab", "abc")),
        ("abc", "axc", 0, ("a-c", "b")),
        ("abc", "abcd", 0, ("abc-", "")),
        ("", "ab", 0, ("--", "")),
        ("abcd", "d", 0, ("d", "a")),
    ],
)
def test_a_row_is_found_wherever_it_stands(
    ledger: Ledger, before: str, now: str, first: int, expected: tuple[str, str]
) -> None:
    assert look(ledger, before, now, first) == expected


def test_more_rows_than_one_statement_takes_are_found_by_their_keys(ledger: Ledger) -> None:
    run, number, hasher = claimed(ledger, "".join(map(chr, range(0x4E00, 0x4E00 + 1001))))
    keys = hasher.keys([chr(0x4E00 + place) for place in reversed(range(1001))], 0)
    lookup: Lookup[Any] = Lookup()
    found, _ = run.read(lambda connection, _: lookup(connection, number, 0, keys))
    assert [row[1] for row in found] == keys


# Writes brought together


def test_writes_of_a_kind_are_brought_together_and_each_row_keeps_its_order() -> None:
    writes = [("A", (1, 7)), ("B", (2, 8)), ("A", (3, 8)), ("B", (4, 7)), ("A", (5, 7))]
    assert list(together(writes)) == [
        ("A", [(1, 7)]),
        ("B", [(2, 8)]),
        ("A", [(3, 8)]),
        ("B", [(4, 7)]),
        ("A", [(5, 7)]),
    ]
    assert list(together([("A", (1, 7)), ("A", (2, 8)), ("B", (3, 7)), ("B", (4, 8))])) == [
        ("A", [(1, 7), (2, 8)]),
        ("B", [(3, 7), (4, 8)]),
    ]
