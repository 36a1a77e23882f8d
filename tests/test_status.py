"""Where a run stands, told from its ledger and from what its sender leaves there."""

import json
import os
from pathlib import Path
from typing import Any

import polars as pl
from sandbox_runs import Runs, rows, statuses

import bulk
from bulk.errors import ExitCode
from bulk.ledger.lock import sole_sender
from bulk.run.context import RunRef
from bulk.run.options import Options
from bulk.run.progress_file import path_of
from bulk.run.summary import Progress

LEFT = Progress(3, 1, 1, 0, 1, 0, 2.0, run="default", campaign="reminders")


def left_behind(runs: Runs) -> None:
    """Leave a progress, as a sender does."""
    ref = RunRef(runs.campaign, Options(state_dir=runs.folder / "state"))
    path_of(ref).write_text(json.dumps(LEFT.as_dict()))


async def test_a_run_that_nobody_sends_is_told_by_its_ledger_alone(runs: Runs, tmp_path: Path) -> None:
    sent = await runs.send(rows("abc"), limit=2)
    left_behind(runs)
    given: dict[str, Any] = {"contacts": pl.DataFrame(rows("abc")), "state_dir": tmp_path / "state"}
    told = await bulk.status(runs.campaign, **given)
    assert (told.sender, told.progress, told.exit_code) == (None, None, ExitCode.ROWS_LEFT)
    assert (told.summary.sent, told.summary.pending, told.summary.calls) == (2, 1, 2)
    assert statuses(told) == statuses(sent) == {"a": "sent", "b": "sent", "c": "pending"}


async def test_a_run_that_somebody_sends_is_told_with_what_that_leaves(runs: Runs, tmp_path: Path) -> None:
    await runs.send(rows("abc"))
    given: dict[str, Any] = {"contacts": pl.DataFrame(rows("abc")), "state_dir": tmp_path / "state"}
    with sole_sender(tmp_path / "state", "reminders", "default"):
        assert (await bulk.status(runs.campaign, **given)).progress is None
        left_behind(runs)
        told = await bulk.status(runs.campaign, **given)
    assert told.sender is not None
    assert (f"process {os.getpid()}" in told.sender, told.progress, told.exit_code) == (True, LEFT, ExitCode.DONE)
