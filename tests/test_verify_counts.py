"""What a sandbox accepted held against a ledger, row by row: each way in which they may differ."""

import math
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sandbox_runs import Runs, rows

from bulk.errors import CampaignError
from bulk.run.verify import DOUBLED, NEVER_ACCEPTED, NOT_IN_LEDGER, Finding, Verification, _ledger, verify
from bulk.sandbox import Sandbox
from bulk.sandbox.storage import NAME

NOBODY = {"campaign": None, "run": None, "row": None, "state": None, "destination": None}


@pytest.fixture
async def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state directory of eight rows that were sent, and of the sandbox that took them."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "dummy")
    async with Sandbox(rate=math.inf, state_dir=tmp_path / "state") as sandbox:
        await Runs(sandbox, tmp_path).send(rows("abcdefgh"))
    return tmp_path / "state"


def contacts(state: Path) -> list[str]:
    """Return the id of each row's contact, by the ledger."""
    with closing(sqlite3.connect(state / "ledger.db")) as ledger:
        return [one for (one,) in ledger.execute("SELECT contact_id FROM delivery ORDER BY row")]


def changed(file: Path, statements: str) -> None:
    """Change a database behind the back of what keeps it in order."""
    with closing(sqlite3.connect(file)) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.executescript(statements)


def finding(what: str, contact: str, row: int, state: str) -> dict[str, Any]:
    destination = f"+120…{(97 + row) % 100:02}"
    place = {"campaign": "reminders", "run": "default", "row": row, "state": state, "destination": destination}
    return {"what": what, "contact_ids": [contact], **place}


async def test_each_row_is_judged_by_its_state_and_by_what_was_accepted_of_it(state: Path) -> None:
    a, b, c, d, e, f, g, h = contacts(state)
    changed(
        state / "ledger.db",
        f"""UPDATE delivery SET state = 'unknown', decisions = 1 WHERE row = 2;
        UPDATE delivery SET state = 'intended', contact_id = NULL, decisions = 1 WHERE row = 3;
        UPDATE delivery SET state = 'rejected', decisions = 1 WHERE row = 4;
        UPDATE delivery SET contact_id = '{a}' WHERE row = 5;
        UPDATE delivery SET contact_id = NULL, decisions = 1 WHERE row = 6""",
    )
    changed(
        state / NAME,
        f"""DELETE FROM contacts WHERE id IN ('{b}', '{d}', '{g}');
        UPDATE contacts SET id = 'x', token = 'y' WHERE id = '{h}'""",
    )
    told = verify(state)
    assert told.as_dict() == {
        "accepted": 5,
        "sent": 5,
        "in_doubt_accepted": 1,
        "in_doubt_not_accepted": 1,
        "findings": [
            finding(NEVER_ACCEPTED, b, 1, "sent"),
            finding(NOT_IN_LEDGER, e, 4, "rejected"),
            finding(DOUBLED, f, 5, "sent") | {"contact_ids": [f, a]},
            finding(NEVER_ACCEPTED, "", 6, "sent"),
            finding(NEVER_ACCEPTED, h, 7, "sent"),
            finding(DOUBLED, a, 5, "sent"),
            {"what": NOT_IN_LEDGER, "contact_ids": ["x"], **NOBODY, "destination": "+120…04"},
        ],
        NOT_IN_LEDGER: 2,
        NEVER_ACCEPTED: 3,
        DOUBLED: 2,
        "holds": False,
    }
    assert c not in str(told.findings)


async def test_a_run_that_went_to_aws_is_no_business_of_a_sandbox(state: Path) -> None:
    changed(state / "ledger.db", "UPDATE run SET endpoint = 'https://connect.us-west-2.amazonaws.com'")
    told = verify(state)
    assert (told.accepted, told.sent, told.count(NOT_IN_LEDGER), told.count(NEVER_ACCEPTED)) == (8, 0, 8, 0)


async def test_state_directories_below_are_compared_each_with_its_own_record(state: Path) -> None:
    assert verify(state.parent).as_dict() == Verification(8, 8).as_dict()
    assert verify(state.parent).holds


def test_without_a_record_and_without_a_sandbox_on_this_machine_there_is_nothing_to_compare(state: Path) -> None:
    (state / NAME).unlink()
    changed(state / "ledger.db", "UPDATE run SET endpoint = 'http://sandbox.example:8080'")
    with pytest.raises(CampaignError, match=r"holds no record of a sandbox: give --state-dir to `bulk send --sandbox`"):
        verify(state)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_without_a_record_a_sandbox_on_this_machine_is_asked(state: Path, host: str) -> None:
    (state / NAME).unlink()
    changed(state / "ledger.db", f"UPDATE run SET endpoint = 'http://{host}:9'")
    with pytest.raises(CampaignError, match=rf"http://{re.escape(host)}:9: "):
        verify(state)


def test_a_ledger_that_has_gone_meanwhile_is_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match="the ledger has gone meanwhile"):
        _ledger(tmp_path)


def test_a_record_that_cannot_be_read_is_named(state: Path) -> None:
    for file in state.glob(f"{NAME}*"):
        file.unlink()
    (state / NAME).write_text("no database at all" * 100)
    with pytest.raises(CampaignError, match=rf"{NAME}: cannot be read as the record of a sandbox"):
        verify(state)


def test_a_sandbox_that_is_named_is_asked_for_the_folder_itself(tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match="holds no ledger"):
        verify(tmp_path, url="http://127.0.0.1:9")


async def test_a_sandbox_is_asked_beside_the_record_and_only_where_it_is_named(state: Path) -> None:
    with pytest.raises(CampaignError, match=r"http://127\.0\.0\.1:9: .*refused"):
        verify(state, url="http://127.0.0.1:9")
    assert verify(state.parent, url="http://127.0.0.1:9").holds


def test_a_difference_is_told_with_what_is_known_of_it() -> None:
    told = Verification(1, 2, 3, 4, [Finding(DOUBLED, ["c"])])
    assert (told.holds, told.count(DOUBLED), told.count(NOT_IN_LEDGER)) == (False, 1, 0)
    assert told.as_dict()["findings"] == [{"what": DOUBLED, "contact_ids": ["c"], **NOBODY}]
    assert Verification().as_dict() | {"holds": True} == Verification().as_dict()
