"""What a run reads and keeps, which no output takes the place of: `bulk/run/inputs.py`."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from test_run_rules import campaign

from bulk.campaign.budget import BudgetTable
from bulk.errors import CampaignError
from bulk.run.context import RunRef
from bulk.run.inputs import check_output, inputs, list_files
from bulk.run.options import Options

STATE = ["ledger.db", "ledger.db-wal", "ledger.db-shm", "pace"]
EVERYTHING = [
    *("campaign.toml", "request.json", "stop.csv", "never/stop.txt", "state/suppressed.csv", "prices.csv"),
    *("other prices.csv", "ca.pem", *(f"state/{name}" for name in STATE)),
    *("state/a.lock", "state/b.progress", "list.csv"),
]


def ref(folder: Path, contacts: Path | str | None = None, **options: Any) -> RunRef:
    files = folder / "campaign.toml", folder / "request.json"
    budget = BudgetTable(at_most=5, prices="prices.csv")
    told = campaign(folder, suppress=["stop.csv", "never/stop.txt"]).model_copy(
        update={"files": files, "budget": budget}
    )
    return RunRef(told, Options(state_dir=folder / "state", contacts=contacts, **options))


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def names(folder: Path, paths: Iterable[Path]) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in paths)


@pytest.fixture
def every(tmp_path: Path) -> RunRef:
    touch(tmp_path, "state/a.lock", "state/b.progress", "state/other", "list.csv")
    paths = {"prices": tmp_path / "other prices.csv", "ca_bundle": tmp_path / "ca.pem"}
    return ref(tmp_path, tmp_path / "list.csv", **paths)


def test_everything_that_a_run_reads_is_named(every: RunRef, tmp_path: Path) -> None:
    assert names(tmp_path, inputs(every, tmp_path / "results.csv")) == sorted(EVERYTHING)


@pytest.mark.parametrize("name", EVERYTHING)
def test_no_output_takes_the_place_of_what_is_read(every: RunRef, tmp_path: Path, name: str) -> None:
    with pytest.raises(CampaignError, match=r"is read by this campaign .* would destroy it"):
        check_output(every, tmp_path / name)
    check_output(every, tmp_path / f"{name}.results")


def test_what_is_not_named_is_not_read(tmp_path: Path) -> None:
    plain = RunRef(campaign(tmp_path), Options(contacts=pl.DataFrame({"id": ["a"], "phone": ["+14155550123"]})))
    own = [f".bulk/{name}" for name in ["suppressed.csv", *STATE]]
    assert names(tmp_path, inputs(plain, tmp_path / "results.csv")) == sorted(own)


def test_an_output_in_a_folder_of_lists_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "lists/a.csv")
    with pytest.raises(CampaignError, match="is in a folder that is read"):
        check_output(ref(tmp_path, tmp_path / "lists"), tmp_path / "lists" / "results.csv")
    check_output(ref(tmp_path, tmp_path / "lists"), tmp_path / "results.csv")


@pytest.mark.parametrize(
    "pattern, output, is_read",
    [
        ("lists/*.csv", "lists/results.csv", True),
        ("lists/*.csv", "lists/a.csv", True),
        ("lists/*.csv", "lists/a.csv.old", False),
        ("lists/*.csv", "results.csv", False),
        ("lists/*.csv", "lists/old/results.csv", False),
        ("lists/*.csv", "lists/results.parquet", False),
        ("*/*.csv", "results/results.csv", True),
        ("lists/**/*.csv", "lists/results.csv", True),
        ("lists/**/*.csv", "lists/old/older/results.csv", True),
        ("lists/**/*.csv", "results/results.csv", False),
        ("lists/**/*.csv", "lists/old/results.parquet", False),
    ],
)
def test_an_output_that_a_pattern_would_read_is_refused(
    tmp_path: Path, pattern: str, output: str, *, is_read: bool
) -> None:
    touch(tmp_path, "lists/a.csv", "lists/old/b.csv")
    (tmp_path / "results").mkdir()
    run = ref(tmp_path, tmp_path / pattern)
    assert (tmp_path / output in inputs(run, tmp_path / output)) is is_read
    if is_read:
        with pytest.raises(CampaignError, match="is read by this campaign"):
            check_output(run, tmp_path / output)
    else:
        check_output(run, tmp_path / output)


def test_a_file_that_a_pattern_finds_is_refused_by_its_other_name(tmp_path: Path) -> None:
    touch(tmp_path, "lists/a.csv")
    (tmp_path / "other").hardlink_to(tmp_path / "lists" / "a.csv")
    with pytest.raises(CampaignError, match="is read by this campaign"):
        check_output(ref(tmp_path, tmp_path / "lists" / "*.csv"), tmp_path / "other")


@pytest.mark.parametrize(
    "source, found",
    [
        ("lists/a.csv", ["lists/a.csv"]),
        ("lists/gone.csv", ["lists/gone.csv"]),
        ("lists", ["lists/a.csv", "lists/b.txt", "lists/old/c.csv"]),
        ("lists/*.csv", ["lists/a.csv"]),
        ("lists/[ab].*", ["lists/a.csv", "lists/b.txt"]),
        ("lists/**/*.csv", ["lists/a.csv", "lists/old/c.csv"]),
        ("lists/*.gone", []),
        ("week [1].csv", ["week [1].csv"]),
    ],
)
def test_the_files_of_a_list_are_its_own_those_of_a_folder_or_those_of_a_pattern(
    tmp_path: Path, source: str, found: list[str]
) -> None:
    touch(tmp_path, "lists/a.csv", "lists/b.txt", "lists/old/c.csv", "week [1].csv", "week 1.csv")
    assert names(tmp_path, list_files(tmp_path / source)) == found


def test_a_file_whose_name_looks_like_a_pattern_is_one_file(tmp_path: Path) -> None:
    touch(tmp_path, "week [1].csv", "week 1.csv")
    run = ref(tmp_path, tmp_path / "week [1].csv")
    assert tmp_path / "week 1.csv" not in inputs(run, tmp_path / "week 1.csv")
    with pytest.raises(CampaignError, match="is read by this campaign"):
        check_output(run, tmp_path / "week [1].csv")
