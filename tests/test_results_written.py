"""The results of a run, written as they are asked for."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sandbox_runs import Runs, rows

import bulk
from bulk.errors import CampaignError

PEOPLE = [*rows("ab"), {"key": "c", "phone": "", "email": "", "name": "=1+1"}]
OWN = ["key", "phone", "email", "name"]


@pytest.fixture
async def sent(runs: Runs) -> Runs:
    await runs.send(PEOPLE)
    return runs


async def written(runs: Runs, **how: Any) -> pl.DataFrame:
    """Write the results and read them again."""
    path = runs.folder / "out.csv"
    given = {"contacts": pl.DataFrame(PEOPLE), "state_dir": runs.folder / "state", **how}
    assert await bulk.results(runs.campaign, path, **given) == path
    return pl.read_csv(path, infer_schema=False)


async def test_they_have_what_became_of_each_row_and_the_columns_of_the_list(sent: Runs) -> None:
    found = await written(sent)
    assert found.columns[:6] == ["row", "line", "key", "destination", "status", "contact_id"]
    assert found.columns[-4:] == ["list_key", "phone", "email", "name"]
    assert list(found["status"]) == ["sent", "sent", "refused"]
    assert list(found["name"]) == ["Ann a", "Ann b", "=1+1"]


async def test_they_have_outcomes_alone_where_that_is_said(sent: Runs) -> None:
    found = await written(sent, outcomes_only=True)
    assert "name" not in found.columns
    assert found.height == 3


async def test_cells_are_made_safe_for_a_spreadsheet_where_that_is_said(sent: Runs) -> None:
    assert list((await written(sent, spreadsheet_safe=True))["name"]) == ["Ann a", "Ann b", "'=1+1"]


async def test_the_columns_of_the_list_come_first_where_they_are_joined(sent: Runs) -> None:
    assert (await written(sent, join=True)).columns[:4] == OWN


async def test_rows_of_one_end_are_taken_alone(sent: Runs) -> None:
    assert list((await written(sent, only="failed"))["key"]) == ["c"]


async def test_how_contacts_ended_stands_there_where_it_is_wanted(sent: Runs) -> None:
    without, tracked = await written(sent), await written(sent, with_track=True)
    assert set(without.columns) < set(tracked.columns)
    assert tracked.height == 3


async def test_the_lists_columns_are_not_joined_where_they_are_left_out(sent: Runs) -> None:
    with pytest.raises(CampaignError, match=r"^--join puts the list's columns first, and --outcomes-only leaves them"):
        await written(sent, join=True, outcomes_only=True)


async def test_nobody_is_asked_who_opted_out_where_nothing_is_sent(sent: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    sent.settings["list"] = {"key": "key", "opt_out_list": "Default"}
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    assert (await written(sent)).height == 3


async def test_they_do_not_take_the_place_of_the_list(sent: Runs) -> None:
    listed = sent.folder / "out.csv"
    pl.DataFrame(PEOPLE).write_csv(listed)
    with pytest.raises(CampaignError, match=r"out\.csv"):
        await written(sent, contacts=listed)


async def test_they_have_a_form_that_is_known(sent: Runs) -> None:
    with pytest.raises(CampaignError, match=r"out\.pdf"):
        await bulk.results(sent.campaign, "out.pdf", state_dir=sent.folder / "state")


async def test_a_place_in_which_no_file_can_be_made_is_known_before_anything_is_sent(runs: Runs) -> None:
    with pytest.raises(CampaignError, match=r"^/proc/r\.csv: the results cannot be written"):
        await bulk.send(
            runs.campaign, contacts=pl.DataFrame(PEOPLE), **{**runs.options, "results": Path("/proc/r.csv")}
        )
