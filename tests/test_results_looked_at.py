"""A run looked at in its ledger: its numbers, the first of its rows, and where they are written."""

import logging
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from sandbox_runs import SMS, Runs, rows

import bulk
from bulk.campaign import Campaign
from bulk.delivery.attempts import CallCounts
from bulk.errors import CampaignError, ExitCode, LedgerError
from bulk.model import Status
from bulk.run.context import RunRef, open_campaign
from bulk.run.options import Options
from bulk.run.results import (
    ResultsPreview,
    check_results,
    exit_code,
    found,
    look,
    read_results,
    recorded,
    results_of,
    summarise,
    summary_of_record,
)
from bulk.run.summary import Summary

BEGAN = datetime(2027, 1, 15, 8, 0, 30, tzinfo=UTC)
COUNTS = {Status.SENT: 4, Status.SKIPPED: 3, Status.REJECTED: 2, Status.UNKNOWN: 1}
SUMMARY = Summary(
    "june",
    "r",
    "sms",
    rows=10,
    sent=4,
    skipped=3,
    refused=0,
    rejected=2,
    unknown=1,
    pending=0,
    calls=7,
    throttled=5,
    seconds=1.235,
    results=None,
    halted="so",
)


def ref(folder: Path = Path(), **options: Any) -> RunRef:
    source = Campaign(name="june", channel="sms", request=SMS, folder=folder)
    return RunRef(source, Options(run_id="r", **options))


# Its numbers


@pytest.mark.parametrize("sandbox", [False, True])
def test_a_run_is_added_up(*, sandbox: bool) -> None:
    told = summarise(ref(sandbox=sandbox), COUNTS, CallCounts(7, 5), seconds=1.23456, halted="so")
    assert told == replace(SUMMARY, rehearsal=sandbox)


def record(last: datetime | None = None, unanswered: int = 0, ended: datetime | None = None) -> Any:
    """Return what a ledger has of a run."""
    facts = SimpleNamespace(started_at=BEGAN, ended_at=ended, calls=7, throttled=5, halted="so")
    return SimpleNamespace(facts=facts, counts=lambda: COUNTS, sent=lambda: (4, last), unanswered=lambda: unanswered)


def test_a_run_of_the_ledger_took_from_its_first_start_to_its_last_end() -> None:
    assert summary_of_record(ref(), record()) == replace(SUMMARY, seconds=0.0)
    took = summary_of_record(ref(), record(ended=BEGAN + timedelta(hours=1)))
    assert took == replace(SUMMARY, seconds=3600.0)


def test_rows_in_doubt_are_told_as_far_as_they_are_unknown_and_the_last_sent_by_the_minute() -> None:
    told = summary_of_record(ref(), record(BEGAN, 9))
    assert told == replace(SUMMARY, seconds=0.0, in_doubt=1, last_sent="2027-01-15T08:00+00:00")


@pytest.mark.parametrize(
    "counts, more, code",
    [
        ({"sent": 1}, {}, ExitCode.DONE),
        ({"skipped": 1}, {}, ExitCode.DONE),
        ({"pending": 1, "refused": 1}, {}, ExitCode.ROWS_LEFT),
        ({"pending": 1}, {"dry_run": True}, ExitCode.DONE),
        ({"pending": 1, "refused": 1}, {"dry_run": True}, ExitCode.ROWS_FAILED),
        ({"refused": 1}, {}, ExitCode.ROWS_FAILED),
        ({"rejected": 1}, {}, ExitCode.ROWS_FAILED),
        ({"unknown": 1}, {}, ExitCode.ROWS_FAILED),
        ({}, {"lost": 1}, ExitCode.ROWS_FAILED),
    ],
)
def test_how_a_run_ended_is_told_by_what_is_left_and_what_failed(
    counts: dict[str, int], more: dict[str, Any], code: ExitCode
) -> None:
    nothing: dict[str, Any] = {"sent": 0, "skipped": 0, "refused": 0, "rejected": 0, "unknown": 0, "pending": 0}
    assert exit_code(replace(SUMMARY, **{**nothing, **counts}), **more) == code


# Its rows


def seen(runs: Runs, **options: Any) -> Any:
    """Return the context of the run, to be looked at."""
    return open_campaign(runs.campaign, Options(contacts=pl.DataFrame(PEOPLE), **{**runs.options, **options}))


PEOPLE = [*rows("abcdefg"), {"key": "h", "phone": "", "email": "", "name": "Ann h"}, *rows("a")]


async def test_the_first_five_rows_are_shown_and_reasons_of_what_failed(runs: Runs) -> None:
    runs.faults({"fault": "error", "code": "InvalidRequestException", "destinations": [PEOPLE[1]["phone"]]})
    await runs.send(PEOPLE)
    context = seen(runs)
    with recorded(context) as kept:
        assert look(context.reader, kept, None, context.options).counts[Status.SENT] == 6
        preview = ResultsPreview()
        batches = [
            ours.select("row", "key", "status").rows()
            for ours, _ in preview.over(halves(read_results(context.reader, kept)))
        ]
    ends = ["sent", "rejected", *["sent"] * 5, "refused", "skipped"]
    assert [row for batch in batches for row in batch] == [
        (row, one["key"], end) for row, (one, end) in enumerate(zip(PEOPLE, ends, strict=True))
    ]
    assert [(one["row"], one["key"]) for one in preview.first] == [*enumerate("abcde")]
    assert preview.counts == Counter({Status.SENT: 6, Status.REJECTED: 1, Status.REFUSED: 1, Status.SKIPPED: 1})
    assert [(one.status, one.code, one.rows) for one in preview.reasons] == [
        (Status.REJECTED, "InvalidRequestException", 1),
        (Status.REFUSED, "missing_destination", 1),
    ]


def halves(results: Any) -> Any:
    """Return results in batches of three rows."""
    for ours, theirs in results:
        for first in range(0, ours.height, 3):
            yield ours[first : first + 3], theirs[first : first + 3]


async def test_results_that_cannot_be_written_are_seen_all_the_same(
    runs: Runs, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await runs.send(PEOPLE)
    place = tmp_path / "a folder.csv"
    context = seen(runs, results=place, outcomes_only=True)
    with recorded(context) as kept, caplog.at_level(logging.ERROR, "bulk"):
        preview, path, failed = results_of(context, context.reader, kept)
        assert (preview.counts[Status.SENT], path, failed) == (7, place, False)
        assert pl.read_csv(place).columns[:3] == ["row", "line", "key"]
        assert "name" not in pl.read_csv(place).columns
        assert caplog.messages == []
        place.unlink()
        place.mkdir()
        preview, path, failed = results_of(context, context.reader, kept)
        assert (preview.counts[Status.SENT], path, failed) == (7, None, True)
        assert [(one.name, one.message.partition(":")[0]) for one in caplog.records] == [
            ("bulk", "the results cannot be written")
        ]
        gone = replace(context.reader, spec=replace(context.reader.spec, key="no such column"))
        preview, path, failed = results_of(context, gone, kept)
        assert (preview.counts, path, failed) == (Counter(), None, True)


async def test_a_ledger_that_cannot_be_read_is_no_matter_of_the_results(runs: Runs) -> None:
    await runs.send(PEOPLE)
    context = seen(runs)
    with recorded(context) as kept:
        broken: Any = SimpleNamespace(facts=kept.facts, recorded=_broken, keep_repeats=kept.keep_repeats)
        with pytest.raises(LedgerError, match="the disk"):
            results_of(context, context.reader, broken)


def _broken(_place: Any) -> Any:
    raise LedgerError("the disk is gone")


# Their place


def test_results_of_a_dry_run_have_a_place_where_one_is_named_alone(tmp_path: Path) -> None:
    check_results(ref(tmp_path, dry_run=True))
    assert list(tmp_path.iterdir()) == []
    check_results(ref(tmp_path, dry_run=True, results=tmp_path / "named" / "r.csv"))
    assert [one.name for one in tmp_path.iterdir()] == ["named"]
    check_results(ref(tmp_path))
    assert sorted(one.name for one in tmp_path.iterdir()) == ["named", "results"]
    assert (tmp_path / "results").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "name, said",
    [
        ("r.txt", r"r\.txt"),
        ("file/r.csv", r"file/r\.csv: the results cannot be written: .*; name another place with --results FILE$"),
        ("folder.csv", r"folder\.csv: the results cannot be written: a folder; name a file with --results FILE$"),
        ("list.csv", r"list\.csv"),
    ],
)
def test_a_place_where_results_cannot_be_is_known_before_anything_is_sent(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "list.csv").write_text("phone\n")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(CampaignError, match=said):
        check_results(ref(tmp_path, results=tmp_path / name, contacts=tmp_path / "list.csv"))


async def test_a_run_is_the_real_one_where_there_is_one_else_its_rehearsal(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = bulk.Campaign(name="june", channel="sms", request=SMS, folder=tmp_path)
    real = RunRef(source, Options(state_dir=tmp_path / "state"))
    rehearsal = RunRef(source, Options(state_dir=tmp_path / "state", sandbox=True))
    assert (found(real), found(rehearsal)) == (real, rehearsal)
    await bulk.send(source, contacts=pl.DataFrame(rows("a")), sandbox=True, state_dir=tmp_path / "state")
    assert caplog.messages == []
    assert found(real) == rehearsal
    said = "REHEARSAL: there is no real run of this name, so this is its rehearsal, of which nothing was sent"
    assert caplog.record_tuples == [("bulk", logging.WARNING, said)]
    other = RunRef(source, Options(state_dir=tmp_path / "state", run_id="other"))
    assert found(other) == other
    async with bulk.Sandbox() as sandbox:
        place: dict[str, Any] = {"endpoint_url": sandbox.url, "region": "us-west-2", "state_dir": tmp_path / "state"}
        await bulk.send(source, contacts=pl.DataFrame(rows("a")), **place)
    assert found(real) == real


async def test_a_run_that_is_not_there_is_answered_with_those_that_are(runs: Runs, tmp_path: Path) -> None:
    await runs.send(rows("a"))
    here = RunRef(runs.campaign, Options(state_dir=tmp_path / "state", run_id="other"))
    told = r"no run 'other' of campaign 'reminders'; there are: reminders --run default$"
    with pytest.raises(LedgerError, match=told), recorded(here):
        pass
    away = RunRef(runs.campaign, Options(state_dir=tmp_path / "away"))
    with pytest.raises(LedgerError, match=r"away holds no ledger: .*--state-dir names it$"), recorded(away):
        pass
