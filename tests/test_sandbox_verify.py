"""`bulk sandbox verify`: what the sandbox accepted, held against the ledger."""

import json
import math
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from cli_runs import bulk as run_cli
from cli_runs import campaign
from click.testing import CliRunner
from sandbox_runs import CHAT, CREATE, HANG, MAIL, Runs, rows

from bulk.cli.main import bulk as program
from bulk.cli.verify import line, table
from bulk.errors import CampaignError
from bulk.run.verify import DOUBLED, NEVER_ACCEPTED, NOT_IN_LEDGER, Finding, Verification, verify
from bulk.sandbox import Sandbox
from bulk.sandbox.storage import NAME
from bulk.threads import in_thread


def kinds(told: Verification) -> list[str]:
    return sorted(finding.what for finding in told.findings)


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "dummy")


async def test_a_run_with_lost_answers_agrees_in_the_end(tmp_path: Path) -> None:
    async with Sandbox(rate=math.inf, state_dir=tmp_path / "state") as sandbox:
        runs = Runs(sandbox, tmp_path)
        runs.email()
        runs.faults(HANG | {"operation": MAIL})
        await runs.cut_short(rows("abc"), MAIL, 2)
        cut = verify(tmp_path / "state")
        assert (cut.accepted, cut.sent, cut.holds) == (cut.in_doubt_accepted, 0, True)
        assert cut.accepted >= 2
        runs.faults()
        await runs.send(rows("abc"))
    told = verify(tmp_path / "state")
    assert (told.accepted, told.sent, told.in_doubt_accepted, told.holds) == (3, 3, 0, True)


@pytest.mark.parametrize("operation, after", [(CREATE, 1), (CHAT, 1)])
async def test_a_draft_is_no_message_and_a_row_in_doubt_may_be_without_one(
    tmp_path: Path, operation: str, after: int
) -> None:
    async with Sandbox(rate=math.inf, state_dir=tmp_path / "state") as sandbox:
        runs = Runs(sandbox, tmp_path)
        if operation == CREATE:
            runs.email()
        runs.faults({"fault": "drop_before" if operation == CHAT else "hang", "operation": operation})
        await runs.cut_short(rows("a"), operation, after)
    told = verify(tmp_path / "state")
    assert (told.accepted, told.sent, told.in_doubt_not_accepted, told.holds) == (0, 0, 1, True)


CHANGES: dict[str, tuple[str, list[str]]] = {
    "a contact is gone": ("DELETE FROM contacts WHERE seq = 2", [NEVER_ACCEPTED]),
    "a contact is nobody's": (
        "UPDATE contacts SET id = 'x', token = 'y' WHERE seq = 2",
        [NOT_IN_LEDGER, NEVER_ACCEPTED],
    ),
    "a row has two": (
        """UPDATE contacts SET id = 'x' WHERE seq = 2;
        UPDATE contacts SET token = (SELECT token FROM contacts WHERE seq = 1) WHERE seq = 2""",
        [DOUBLED, NEVER_ACCEPTED],
    ),
}


@pytest.mark.parametrize("case", CHANGES)
async def test_a_difference_is_found(tmp_path: Path, case: str) -> None:
    async with Sandbox(rate=math.inf, state_dir=tmp_path / "state") as sandbox:
        await Runs(sandbox, tmp_path).send(rows("abc"))
    statements, expected = CHANGES[case]
    with closing(sqlite3.connect(tmp_path / "state" / NAME)) as record:
        record.executescript(statements)
    assert kinds(verify(tmp_path / "state")) == sorted(expected)


async def test_a_sandbox_that_keeps_no_record_is_asked_where_the_run_went(tmp_path: Path) -> None:
    async with Sandbox(rate=math.inf) as sandbox:
        runs = Runs(sandbox, tmp_path)
        await runs.send(rows("ab"))
        found = await in_another_thread(lambda: verify(tmp_path / "state"))
        assert (found.accepted, found.sent, found.holds) == (2, 2, True)
        sandbox.reset()
        lost = await in_another_thread(lambda: verify(tmp_path / "state", url=sandbox.url))
        assert kinds(lost) == [NEVER_ACCEPTED] * 2
    with pytest.raises(CampaignError, match="127"):
        await in_another_thread(lambda: verify(tmp_path / "state"))


async def in_another_thread(work: Callable[[], Verification]) -> Verification:

    return await in_thread(work)


def test_a_rehearsal_is_proved_on_the_command_line(tmp_path: Path) -> None:
    campaign(tmp_path, rows=3)
    run_cli("send", "campaign.toml", "--sandbox", "--state-dir", "kept", cwd=tmp_path)
    proved = run_cli("sandbox", "verify", "--state-dir", "kept", cwd=tmp_path)
    assert (proved.code, "They agree." in proved.out) == (0, True), proved


def test_a_difference_ends_with_1_and_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finding = Finding(NEVER_ACCEPTED, ["c-1"], campaign="offer", run="default", row=7, destination="+120…23")
    told = Verification(accepted=1, sent=2, findings=[finding] * 30)
    assert table(told).splitlines()[8:10] == [line(finding)] * 2
    assert "and 10 more" in table(told)
    assert "c-1 to +120…23 (offer --run default, row 7" in line(finding)
    monkeypatch.setattr("bulk.run.verify.verify", lambda *_, **__: told)
    ended = CliRunner().invoke(program, ["sandbox", "verify", "--state-dir", str(tmp_path), "--json"])
    counts = {"sent_never_accepted": 30, "accepted_not_in_ledger": 0, "accepted_twice": 0}
    assert (ended.exit_code, json.loads(ended.stdout) | counts) == (1, json.loads(ended.stdout))


def test_nothing_to_compare_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match="holds no ledger"):
        verify(tmp_path)
