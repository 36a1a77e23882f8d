import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from bulk.errors import CampaignError, LedgerError
from bulk.model import Recorded
from bulk.reports.results import SCHEMA, check, frame, table, write

AT = datetime(2026, 11, 20, 9, 30, 0, 123000, UTC)
ENDS: list[Recorded] = [
    ("sent", "8f3c", 2, None, None, "5c1b", AT.timestamp()),
    ("rejected", None, 1, "InvalidRequestException", 'said "no", twice\nor more', "5c1c", AT.timestamp()),
    ("pending", None, 0, None, None, None, None),
]
COLUMNS = pl.DataFrame({"first_name": ["Ann", "", None], "Status": ["gold", "tin", "tin"]})
SUFFIXES = [".csv", ".parquet", ".ndjson"]


Ends = tuple[pl.DataFrame, pl.DataFrame]


def ends(columns: pl.DataFrame, first: int = 0) -> Ends:
    rows = range(first, first + columns.height)
    keys, destinations = [f"k{row}" for row in rows], [f"+1415555{row:04}" for row in rows]
    return table(first, keys, destinations, [ENDS[row % 3] for row in rows]), columns


def batches() -> Iterator[Ends]:
    yield ends(COLUMNS)
    yield ends(COLUMNS, 3)


def test_the_csv_is_as_the_interface_says(tmp_path: Path) -> None:
    assert write(batches(), tmp_path / "r.csv") == tmp_path / "r.csv"
    text = (tmp_path / "r.csv").read_text()
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[0] == [*SCHEMA, "first_name", "list_Status"]
    assert text.splitlines()[1] == "0,,k0,+14155550000,sent,8f3c,2,,,5c1b,2026-11-20T09:30:00.123Z,Ann,gold"
    assert rows[2][8] == 'said "no", twice\nor more'
    assert text.splitlines()[-1] == "5,,k5,+14155550005,pending,,0,,,,,,tin"
    assert len(rows) == 7


@pytest.mark.parametrize("suffix", [".parquet", ".ndjson"])
def test_the_other_forms_hold_the_same(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"r{suffix}"
    write(batches(), path)
    expected = frame(batches())
    if suffix == ".parquet":
        assert_frame_equal(pl.read_parquet(path), expected)
        return
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [row | {"finished_at": None} for row in rows] == [row | {"finished_at": None} for row in expected.to_dicts()]
    assert rows[0]["finished_at"] == "2026-11-20T09:30:00.123Z"


def test_the_frame_has_the_types_of_the_interface() -> None:
    table = frame(batches(), outcomes_only=True)
    assert table.schema == SCHEMA
    assert table["row"].to_list() == list(range(6))
    assert table["finished_at"][0] == AT


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_list_without_rows_gives_results_without_rows(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"r{suffix}"
    write([], path)
    if suffix == ".csv":
        assert path.read_text() == ",".join(SCHEMA) + "\n"
    if suffix == ".parquet":
        assert_frame_equal(pl.read_parquet(path), frame([]))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_only_the_owner_can_read_them(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "results" / f"r{suffix}"
    write(batches(), path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_stood_there_stays_where_writing_fails(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"r{suffix}"
    write(batches(), path)
    before = path.read_bytes()

    def failing() -> Iterator[Ends]:
        yield ends(COLUMNS)
        raise LedgerError("the ledger is damaged")

    with pytest.raises(LedgerError, match="damaged"):
        write(failing(), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["r.xls", "results", "r.csv.gz"])
def test_an_unknown_form_names_the_known_ones(name: str) -> None:
    with pytest.raises(CampaignError, match=r"written as \.csv, \.parquet, \.ndjson"):
        check(Path(name))


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CampaignError, match=r"file/r\.csv: the results cannot be written: .*bulk results -o FILE"):
        write(batches(), tmp_path / "file" / "r.csv")


def test_a_folder_is_found_to_be_no_place_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "r.csv").mkdir()
    read = batches()
    with pytest.raises(CampaignError, match=r"r\.csv: the results cannot be written: Is a directory"):
        write(read, tmp_path / "r.csv")
    assert len(list(read)) == 2
    assert list(tmp_path.iterdir()) == [tmp_path / "r.csv"]


def test_a_column_that_reads_like_one_of_ours_is_renamed() -> None:
    columns = pl.DataFrame({"Contact ID": ["x"], "key": ["y"], "list_key": ["z"], "keys": ["w"]})
    table = frame([ends(columns)])
    assert table.columns[len(SCHEMA) :] == ["list_Contact ID", "list_list_key", "list_key", "keys"]
    assert table["list_list_key"].to_list() == ["y"]
    assert table["list_key"].to_list() == ["z"]


def test_columns_that_csv_has_no_form_for_are_text(tmp_path: Path) -> None:
    columns = pl.DataFrame(
        {
            "user": [{"name": "Ann", "born": date(1990, 1, 2)}],
            "tags": [["a", 'b"c']],
            "photo": [b"\x00\xff"],
            "visit": [timedelta(minutes=90)],
        }
    )
    none = columns.select(pl.all().shift(1))
    for path in (tmp_path / "r.csv", tmp_path / "r.ndjson"):
        write([ends(columns), ends(none, 1)], path)
    first, second = csv.DictReader(io.StringIO((tmp_path / "r.csv").read_text()))
    assert json.loads(first["user"]) == {"name": "Ann", "born": "1990-01-02"}
    assert json.loads(first["tags"]) == ["a", 'b"c']
    assert (first["photo"], first["visit"]) == ("AP8=", "PT1H30M")
    assert [second[name] for name in columns.columns] == [""] * 4
    nested = json.loads((tmp_path / "r.ndjson").read_text().splitlines()[0])
    assert nested["user"] == {"name": "Ann", "born": "1990-01-02"}


CELLS = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=8), min_size=1, max_size=5)


@settings(max_examples=50, deadline=None)
@given(cells=CELLS)
def test_any_text_of_the_list_comes_out_as_it_went_in(
    tmp_path_factory: pytest.TempPathFactory, cells: list[str]
) -> None:
    path = tmp_path_factory.mktemp("results") / "r.csv"
    write([ends(pl.DataFrame({"text": cells}))], path)
    with path.open(newline="", encoding="utf-8") as file:
        assert [row["text"] for row in csv.DictReader(file)] == cells
