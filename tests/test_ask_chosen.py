"""Amazon Connect asked about some unknown rows: which, how long after, and what stays as it was in the ledger."""

from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from sandbox_runs import Runs, rows

import bulk
from bulk.ledger import Ledger, RunFacts

FAST: dict[str, Any] = {"rate": 10_000, "burst": 10_000}
DOUBT = {"attribute": "bulk_row"}


@pytest.fixture
async def left(runs: Runs) -> Runs:
    """A run of which a and b were accepted without an answer, d was lost, and c was sent."""
    runs.settings |= {"doubt": DOUBT, "retry": {"attempts": 1}}
    rules = {"drop_after": "ab", "drop_before": "d"}
    numbers = {fault: [row["phone"] for row in rows(keys)] for fault, keys in rules.items()}
    runs.faults(*({"fault": fault, "destinations": found} for fault, found in numbers.items()))
    assert (await runs.send(rows("abcd"))).summary.unknown == 3
    runs.faults()
    return runs


async def ask(runs: Runs, **options: Any) -> bulk.Resolution:
    given = {"ask": True, "contacts": pl.DataFrame(rows("abcd")), **FAST, **runs.options, **options}
    return await bulk.resolve(runs.campaign, **given)


def keys(told: bulk.Resolution) -> list[str | None]:
    return [one.key for one in told.unknown]


def facts(runs: Runs) -> RunFacts:
    ledger = Ledger.read(runs.folder / "state")
    assert ledger is not None
    with ledger:
        record = ledger.find("reminders", "default")
        assert record is not None
        return record.facts


async def test_only_the_rows_that_are_named_are_asked_about(left: Runs) -> None:
    told = await ask(left, rows=[1], wait=0.0)
    assert told.asked is not None
    assert (told.decided, told.asked.found, keys(told)) == (1, 1, ["a", "d"])
    told = await ask(left, rows=[], wait=0.0)
    assert told.asked is not None
    assert (told.asked.queries, keys(told)) == (0, ["a", "d"])


@pytest.mark.parametrize("said, given, soon", [("1h", None, 1), ("1h", 0.0, 0), ("1s", 3600.0, 1)])
async def test_it_waits_as_the_caller_says_or_else_the_campaign(
    left: Runs, said: str, given: float | None, soon: int
) -> None:
    left.settings |= {"doubt": {**DOUBT, "wait": said}}
    told = await ask(left, wait=given)
    assert told.asked is not None
    assert (told.asked.found, told.asked.absent, told.asked.too_soon, keys(told)) == (2, 1 - soon, soon, ["d"] * soon)


async def test_to_ask_changes_nothing_else_of_the_run_and_says_what_was_decided_before_it_halted(left: Runs) -> None:
    stop = bulk.Stop()
    stop.ask("cut short", 143)
    await left.send(rows("abcd"), stop=stop, accept_changes=True)
    before = facts(left)
    left.faults({"fault": "error", "code": "AccessDeniedException", "operation": "SearchContacts"})
    with pytest.raises(bulk.Halted) as raised:
        await ask(left, wait=0.0)
    assert str(raised.value).startswith("SearchContacts: AccessDeniedException")
    assert str(raised.value).endswith("; nothing was decided. Ask again once that is fixed")
    after = facts(left)
    assert (before.rows, before.halted) == (after.rows, after.halted)
    assert replace(after, passes=before.passes, ended_at=before.ended_at, latest_at=before.latest_at) == before
    assert after.ended_at is not None


async def test_a_rehearsal_that_was_forgotten_is_not_asked_about(left: Runs) -> None:
    with pytest.raises(bulk.LedgerError, match="holds no ledger"):
        await ask(left, state_dir=left.folder / "none")
