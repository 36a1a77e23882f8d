"""From a row to the line in which it stands, and back."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from compiled_requests import SMS
from hypothesis import given
from hypothesis import strategies as st

import bulk
from bulk.loader import ContactList, ReadSpec
from bulk.loader.lines import Lines
from bulk.loader.tables import Chunk

LINES = st.lists(st.integers(1, 60), min_size=1, unique=True).map(sorted)
WANTED = ReadSpec(kind="phone", destination="phone")


def chunk(lines: Sequence[int] | None, height: int = 0, file: str = "") -> Chunk:
    return Chunk(pl.DataFrame({"a": [0] * (height if lines is None else len(lines))}), lines=lines, file=file)


@given(lines=LINES, cuts=st.lists(st.integers(0, 60), max_size=3))
def test_a_row_is_found_in_its_line_and_a_line_in_its_row(lines: list[int], cuts: list[int]) -> None:
    met = Lines()
    edges = [0, *sorted(min(cut, len(lines)) for cut in cuts), len(lines)]
    for start, stop in pairwise(edges):
        met.note(chunk(lines[start:stop]))
    assert [met.of(row) for row in range(len(lines))] == [(line, "") for line in lines]
    rows = {line: row for row, line in enumerate(lines)}
    assert [met.row_of(line) for line in range(70)] == [rows.get(line) for line in range(70)]


@given(lines=LINES, line=st.integers(0, 70))
def test_the_nearest_lines_are_those_next_to_it(lines: list[int], line: int) -> None:
    met = Lines()
    met.note(chunk(lines))
    if line not in lines:
        above, below = [one for one in lines if one < line], [one for one in lines if one > line]
        assert met.around(line) == (max(above, default=None), min(below, default=None))


def test_rows_of_several_files_are_told_with_their_file_and_others_with_nothing() -> None:
    met = Lines()
    for one in (chunk(range(2, 4), file="a.csv"), chunk([2, 5], file="b.csv"), chunk(None, 1, "c.parquet")):
        met.note(one)
    found = [met.of(row) for row in range(6)]
    assert found == [(2, "a.csv"), (3, "a.csv"), (2, "b.csv"), (5, "b.csv"), (None, "c.parquet"), (None, "")]


def test_a_row_is_in_the_line_where_it_begins(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text('phone,note\n+14155550123,"one\ntwo"\n+14155550124,x\n')
    contacts = ContactList.open(tmp_path / "list.csv")
    assert contacts.rows_at([2, 4]) == {2: 0, 4: 1}
    with pytest.raises(bulk.ListError, match="line 3 holds no row of the list: the nearest are in lines 2 and 4"):
        contacts.rows_at([3])


def test_where_a_row_stands_is_known_as_far_as_the_latest_reading_went(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("phone\n+14155550123\n+14155550124\n")
    contacts = ContactList.open(tmp_path / "list.csv")
    assert contacts.place(0) is None
    for _ in contacts.batches(WANTED):
        pass
    assert (contacts.place(1), contacts.place(2)) == ("line 3", None)


async def test_a_repeat_names_the_line_and_file_of_the_row_that_it_repeats(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("phone,first_name\n+14155550123,Ann\n")
    campaign = bulk.Campaign(name="c", channel="sms", request=SMS, folder=tmp_path, list={"country": "US"})
    plan = await bulk.check(campaign, contacts=tmp_path / "*.csv", sandbox=True)
    run = await bulk.send(campaign, contacts=tmp_path / "*.csv", sandbox=True)
    (one,) = (example for reason in plan.reasons if reason.code == "duplicate" for example in reason.examples)
    assert (one.place, one.message) == ("line 2 of b.csv", "the key is that of line 2 of a.csv")
    assert run.results()["error_message"].to_list() == [None, "the key is that of line 2 of a.csv"]
