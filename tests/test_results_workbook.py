"""Results as a workbook, by status, and joined to the list: `.xlsx`, `--only`, `--join`."""

import csv
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from cli_runs import Service, at, bulk, campaign, phone

import bulk as product
from bulk.errors import CampaignError
from bulk.model import Status
from bulk.reports import workbook
from bulk.reports.results import table, write
from bulk.run.selection import WORDS, statuses_of

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
NAMES = ["Ann", "=1+1", "@SUM(A1)", "+44 20 7946 0018", "http://example.com"]


def results(columns: pl.DataFrame) -> list[tuple[pl.DataFrame, pl.DataFrame]]:
    rows = range(columns.height)
    ends: list[Any] = [("sent", "8f3c", 1, None, None, "5c1b", AT.timestamp())] * columns.height
    return [(table(0, [f"k{row}" for row in rows], [phone(row) for row in rows], ends), columns)]


def sheet(path: Path) -> pl.DataFrame:
    return pl.read_excel(path, engine="calamine", infer_schema_length=None)


def test_a_workbook_holds_texts_as_texts_and_numbers_and_times_as_such(tmp_path: Path) -> None:
    columns = pl.DataFrame(
        {"name": NAMES, "age": [7, None, 2**60, 3, 4], "tags": [["a"], [], None, ["b"], ["c"]], "Status": ["x"] * 5}
    )
    write(results(columns), tmp_path / "r.xlsx")
    found = sheet(tmp_path / "r.xlsx")
    assert found["name"].to_list() == NAMES
    assert found["destination"].to_list() == [phone(row) for row in range(5)]
    assert found["finished_at"].to_list() == [AT.replace(tzinfo=None)] * 5
    assert found["tags"][0] == '["a"]'
    assert str(found["age"][2]) == str(2**60), "no digit is lost"
    assert found["list_Status"].to_list() == ["x"] * 5
    assert (tmp_path / "r.xlsx").stat().st_mode & 0o777 == 0o600


def test_a_workbook_has_no_formula_and_no_link(tmp_path: Path) -> None:
    write(results(pl.DataFrame({"=cmd|' /C calc'!A0": NAMES})), tmp_path / "r.xlsx")
    shutil.unpack_archive(tmp_path / "r.xlsx", tmp_path / "parts", "zip")
    text = (tmp_path / "parts/xl/worksheets/sheet1.xml").read_text("utf-8")
    assert "<f>" not in text
    assert "hyperlink" not in text


def test_a_workbook_that_is_spreadsheet_safe_is_so_as_a_csv_of_it_too(tmp_path: Path) -> None:
    columns = pl.DataFrame({"=name": NAMES})
    write(results(columns), tmp_path / "r.xlsx", spreadsheet_safe=True)
    assert sheet(tmp_path / "r.xlsx")["'=name"].to_list()[:3] == ["Ann", "'=1+1", "'@SUM(A1)"]


def test_a_workbook_of_no_rows_has_its_header(tmp_path: Path) -> None:
    write([], tmp_path / "r.xlsx")
    assert pl.read_excel(tmp_path / "r.xlsx", engine="calamine", raise_if_empty=False).height == 0


def test_what_a_sheet_cannot_hold_is_said_and_what_stood_there_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "r.xlsx").write_text("the last one")
    monkeypatch.setattr(workbook, "ROWS", 3)
    with pytest.raises(CampaignError, match=r"rows at most, .* write them as \.csv or \.parquet"):
        write(results(pl.DataFrame({"name": NAMES})), tmp_path / "r.xlsx")
    assert (tmp_path / "r.xlsx").read_text() == "the last one"


def test_joined_results_begin_with_the_list_as_it_is(tmp_path: Path) -> None:
    columns = pl.DataFrame({"Name": ["Ann"], "Status": ["gold"], "finished_at": ["never"], "bulk_status": ["tin"]})
    write(results(columns), tmp_path / "r.csv", join=True)
    with (tmp_path / "r.csv").open(newline="") as file:
        header, row = csv.reader(file)
    assert header[:5] == [*columns.columns, "row"]
    assert row[:4] == ["Ann", "gold", "never", "tin"]
    ours = dict(zip(header[4:], row[4:], strict=True))
    assert (ours["bulk_bulk_status"], ours["bulk_finished_at"]) == ("sent", "2026-11-20T09:30:00.000Z")


def test_a_word_names_the_statuses_it_means() -> None:
    assert statuses_of(None) is None
    assert statuses_of("failed") == frozenset({Status.REFUSED, Status.REJECTED, Status.UNKNOWN})
    assert statuses_of(["pending,sent", "skipped"]) == frozenset({Status.PENDING, Status.SENT, Status.SKIPPED})
    assert set(WORDS) == {"failed", *Status}


READ: dict[str, Callable[[Path], pl.DataFrame]] = {
    ".csv": pl.read_csv,
    ".parquet": pl.read_parquet,
    ".ndjson": pl.read_ndjson,
    ".xlsx": sheet,
}


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory, running: Service) -> Path:
    folder = tmp_path_factory.mktemp("results")
    campaign(folder, rows=4)
    with (folder / "contacts.csv").open("a") as file:
        file.write("0004,,Ann,2027-01-12\n0000,+12065559999,Ann,2027-01-12\n")
    running.faults({"fault": "error", "code": "InvalidRequestException", "message": "no", "destinations": [phone(1)]})
    ended = bulk("send", "campaign.toml", "--results", "all.xlsx", cwd=folder, **at(running.url))
    running.faults()
    assert ended.code == 1, ended
    return folder


def test_the_results_of_a_sending_may_be_a_workbook(sent: Path) -> None:
    assert sheet(sent / "all.xlsx")["status"].to_list() == ["sent", "rejected", "sent", "sent", "refused", "skipped"]


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".ndjson", ".xlsx"])
def test_only_those_that_failed_are_written_beside_their_own_rows(sent: Path, suffix: str) -> None:
    ended = bulk("results", "campaign.toml", "--output", f"few{suffix}", "--only", "failed", "--join", cwd=sent)
    assert (ended.code, ended.out) == (0, f"few{suffix}\n"), ended
    found = READ[suffix](sent / f"few{suffix}")
    assert found.columns[:4] == ["id", "phone", "name", "date"]
    assert found["status"].to_list() == ["rejected", "refused"]
    assert found["row"].to_list() == [1, 4]


def test_joined_results_are_a_list_again(sent: Path) -> None:
    bulk("results", "campaign.toml", "-o", "again.csv", "--only", "sent", "--join", cwd=sent)
    ended = bulk("check", "campaign.toml", "--contacts", "again.csv", "--run", "again", "--json", cwd=sent)
    assert (ended.json["rows"], ended.json["sendable"]) == (3, 3)


@pytest.mark.parametrize(
    "words, told",
    [
        (("--only", "faild"), ("'faild'", "did you mean 'failed'?", "refused")),
        (("--only", "7"), ("'7'", "there are failed, sent")),
        (("--join", "--outcomes-only"), ("--join", "--outcomes-only", "choose one")),
        (("-o", "few.xls"), (".xls", ".xlsx")),
    ],
)
def test_a_wrong_word_is_answered_with_what_there_is(sent: Path, words: tuple[str, ...], told: tuple[str, ...]) -> None:
    ended = bulk("results", "campaign.toml", "-o", "wrong.csv", *words, cwd=sent)
    assert (ended.code, ended.out) == (2, "")
    assert [one for one in told if one not in ended.err] == []
    assert not (sent / "wrong.csv").exists()


async def test_python_has_the_same(sent: Path, tmp_path: Path) -> None:
    path = await product.results(sent / "campaign.toml", tmp_path / "r.csv", only=["sent", "skipped"], join=True)
    assert pl.read_csv(path)["status"].to_list() == ["sent", "sent", "sent", "skipped"]
    with pytest.raises(product.CampaignError, match="did you mean 'pending'"):
        await product.results(sent / "campaign.toml", tmp_path / "r.csv", only="pendin")
