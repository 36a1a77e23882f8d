"""Rows that repeat one further up, as a set would find them."""

from hypothesis import given, settings
from hypothesis import strategies as st

from bulk.run import repeats
from bulk.run.repeats import Repeats

NAMES = st.lists(st.sampled_from(["", *"abcdefgh", "a ", "A", "é", "x"]), max_size=80)


@settings(max_examples=150, deadline=None)
@given(NAMES, st.integers(1, 30), st.integers(1, 40))
def test_every_row_is_held_against_all_further_up(names: list[str], size: int, longest: int) -> None:
    whole, repeats._LONGEST = repeats._LONGEST, longest
    try:
        met = Repeats()
        found: dict[int, int] = {}
        for start in range(0, len(names), size):
            found |= met.of(names[start : start + size], start)
    finally:
        repeats._LONGEST = whole
    first: dict[str, int] = {}
    for row, name in enumerate(names):
        first.setdefault(name, row)
    assert found == {row: first[name] for row, name in enumerate(names) if name and first[name] != row}


def test_a_long_list_is_kept_in_few_runs_and_no_row_of_it_twice() -> None:
    met = Repeats()
    for start in range(0, 400_000, 10_000):
        assert met.of([f"name {row}" for row in range(start, start + 10_000)], start) == {}
    assert met.of(["name 7", "name 399999", "another"], 400_000) == {400_000: 7, 400_001: 399_999}
    assert len(met._runs) <= 8
    assert sum(run.height for run in met._runs) == 400_001


def test_the_longer_a_list_is_the_longer_are_the_runs_that_are_kept_and_a_row_takes_twelve_bytes() -> None:
    whole, repeats._LONGEST = repeats._LONGEST, 10
    try:
        met = Repeats()
        for start in range(0, 4_000, 5):
            assert met.of([f"name {row}" for row in range(start, start + 5)], start) == {}
    finally:
        repeats._LONGEST = whole
    assert 50 < len(met._runs) < 60
    assert sum(run.estimated_size() for run in met._runs) == 12 * 4_000


def test_of_many_rows_of_one_name_all_repeat_the_first() -> None:
    names = ["a", "b", "c"] * 30_000
    assert Repeats().of(names, 5) == {row + 5: row % 3 + 5 for row in range(3, 90_000)}


def test_a_batch_of_no_rows_and_one_of_rows_without_names_repeat_nothing() -> None:
    met = Repeats()
    assert (met.of([], 0), met.of(["", ""], 0), met.of(["a"], 2), met.of(["", "a"], 3)) == ({}, {}, {}, {4: 2})
