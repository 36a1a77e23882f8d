import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from ledgers import intent

from bulk.errors import LedgerError
from bulk.ledger import Ledger, RunIdentity
from bulk.ledger.database import FILE
from bulk.model import Recipient, Status

IDENTITY = RunIdentity("reminders", "default", "sms", "https://connect.example", "us-west-2", "8f3c")
DIGESTS = {"request.Attributes": "aa", "list.key": "bb"}


def recipients(count: int) -> list[Recipient]:
    return [Recipient(row, f"customer-{row}", f"+1415555{row:04}", {}) for row in range(count)]


def test_it_can_be_read_by_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with Ledger.open(folder) as ledger:
        ledger.begin(IDENTITY, DIGESTS)
        modes = {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}
        assert modes == {"ledger.db": 0o600, "ledger.db-wal": 0o600, "ledger.db-shm": 0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_it_leaves_the_mode_of_a_folder_that_was_there(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with Ledger.open(tmp_path):
        assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_reading_makes_no_ledger(tmp_path: Path) -> None:
    assert Ledger.read(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_it_is_read_while_it_is_written(tmp_path: Path) -> None:
    with Ledger.open(tmp_path) as ledger:
        ledger.begin(IDENTITY, DIGESTS).claim(recipients(3))
        reading = Ledger.read(tmp_path)
        assert reading is not None
        with reading:
            run = reading.find("reminders", "default")
            assert run is not None
            assert run.counts()[Status.PENDING] == 3
            assert reading.find("reminders", "other") is None
            with pytest.raises(LedgerError, match="only to be read"):
                reading.begin(IDENTITY, DIGESTS)


@pytest.mark.parametrize("content", [b"this is a text", bytes(range(256)) * 64, b"SQLite format 3\0" + bytes(4080)])
def test_a_damaged_ledger_is_said_to_be_so_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(LedgerError, match=r"ledger\.db: this is no ledger, or a damaged one.*--state-dir"):
        Ledger.open(tmp_path)
    assert (tmp_path / FILE).read_bytes() == content


def test_a_ledger_cut_short_is_damaged(tmp_path: Path) -> None:
    with Ledger.open(tmp_path) as ledger:
        ledger.begin(IDENTITY, DIGESTS).claim(recipients(2000))
    content = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(content[: len(content) // 2])
    with pytest.raises(LedgerError, match="damaged"):
        Ledger.open(tmp_path)
    assert len((tmp_path / FILE).read_bytes()) == len(content) // 2


@pytest.mark.parametrize("how", [Ledger.open, Ledger.read])
def test_an_emptied_ledger_is_damaged(tmp_path: Path, how: Callable[[Path], object]) -> None:
    (tmp_path / FILE).touch()
    with pytest.raises(LedgerError, match=r"damaged.*\(it is empty\)"):
        how(tmp_path)
    assert (tmp_path / FILE).stat().st_size == 0


@pytest.mark.parametrize("how", [Ledger.open, Ledger.read])
def test_a_ledger_that_left_its_log_behind_is_damaged(tmp_path: Path, how: Callable[[Path], object]) -> None:
    (tmp_path / f"{FILE}-wal").write_bytes(b"what was sent")
    with pytest.raises(LedgerError, match=r"damaged.*\(it is gone, and its -wal is there\)"):
        how(tmp_path)
    assert (tmp_path / f"{FILE}-wal").read_bytes() == b"what was sent"


def test_making_it_leaves_nothing_else_behind(tmp_path: Path) -> None:
    Ledger.open(tmp_path).close()
    assert [file.name for file in tmp_path.iterdir()] == [FILE]


def test_somebody_elses_database_is_left_alone(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / FILE)
    other.execute("CREATE TABLE cake (flavour TEXT)")
    other.close()
    with pytest.raises(LedgerError, match="a database, but no ledger"):
        Ledger.open(tmp_path)


@pytest.mark.parametrize("how", [Ledger.open, Ledger.read])
def test_a_ledger_of_a_newer_version_is_left_alone(tmp_path: Path, how: Callable[[Path], object]) -> None:
    Ledger.open(tmp_path).close()
    newer = sqlite3.connect(tmp_path / FILE)
    newer.execute("INSERT INTO migration VALUES ('holograms', 0)")
    newer.commit()
    newer.close()
    with pytest.raises(LedgerError, match=r"newer version of this program \(holograms\)"):
        how(tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError, match=r"file/state/ledger\.db: .*--state-dir"):
        Ledger.open(tmp_path / "file" / "state")


def test_processes_that_start_together_make_one_ledger(tmp_path: Path) -> None:
    code = """
import sys
from collections.abc import Callable
from pathlib import Path
from bulk.ledger import Ledger, RunIdentity
with Ledger.open(Path(sys.argv[1])) as ledger:
    ledger.begin(RunIdentity("reminders", sys.argv[2], "sms", "e", "r", "i"), {})
"""
    starts = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(n)]) for n in range(4)]
    assert [start.wait() for start in starts] == [0, 0, 0, 0]
    with Ledger.open(tmp_path) as ledger:
        assert {run.identity.run for run in ledger.runs()} == {"0", "1", "2", "3"}


def test_a_copy_taken_in_the_middle_of_a_run_can_be_opened(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "state") as ledger:
        ledger.begin(IDENTITY, DIGESTS).claim(recipients(3))
        ledger.copy(tmp_path / "copy")
    with Ledger.open(tmp_path / "copy") as copy:
        run = copy.find("reminders", "default")
        assert run is not None
        assert run.counts()[Status.PENDING] == 3


def test_a_run_in_which_nothing_was_tried_may_still_go_elsewhere(tmp_path: Path) -> None:
    with Ledger.open(tmp_path) as ledger:
        ledger.begin(IDENTITY, DIGESTS).claim(recipients(3))
        elsewhere = RunIdentity("reminders", "default", "sms", "http://127.0.0.1:8788", "eu-west-2", "8f3c")
        assert ledger.begin(elsewhere, DIGESTS).facts.identity == elsewhere


async def test_a_run_belongs_to_one_place(tmp_path: Path) -> None:
    with Ledger.open(tmp_path) as ledger:
        run = ledger.begin(IDENTITY, DIGESTS)
        (claim,) = run.claim(recipients(1))
        await run.intend(intent(claim.id, 0, "token", digest=b"d" * 16, at=1.7e9))
        elsewhere = RunIdentity("reminders", "default", "sms", "http://127.0.0.1:8788", "eu-west-2", "8f3c")
        with pytest.raises(LedgerError, match=r"belongs to endpoint .*example', not .*, region 'us-west-2'.*--run NEW"):
            ledger.begin(elsewhere, DIGESTS, accept_changes=True)


async def test_another_way_to_know_a_row_is_no_change_to_be_accepted(tmp_path: Path) -> None:
    changed = DIGESTS | {"list.key": "cc", "list.dedupe": "dd"}
    with Ledger.open(tmp_path) as ledger:
        ledger.begin(IDENTITY, changed)
        run = ledger.begin(IDENTITY, DIGESTS, accept_changes=True)  # nobody was written to yet
        (claim,) = run.claim(recipients(1))
        await run.intend(intent(claim.id, 0, "token", digest=b"d" * 16, at=1.7e9))
        with pytest.raises(LedgerError, match=r"list\.dedupe, list\.key has changed since .*--run NEW"):
            ledger.begin(IDENTITY, changed, fixed={"list.key", "list.dedupe"}, accept_changes=True)


def test_a_changed_campaign_is_not_resumed_silently(tmp_path: Path) -> None:
    changed = DIGESTS | {"request.Attributes": "cc", "purpose": "dd"}
    with Ledger.open(tmp_path) as ledger:
        ledger.begin(IDENTITY, DIGESTS)
        with pytest.raises(LedgerError, match=r"began: purpose, request\.Attributes\. .*--run NEW.*--accept-changes"):
            ledger.begin(IDENTITY, changed)
        assert ledger.begin(IDENTITY, changed, accept_changes=True).facts.digests == changed
        assert ledger.begin(IDENTITY, changed).facts.passes == 3


def test_a_pass_adds_its_figures_to_the_run(tmp_path: Path) -> None:
    with Ledger.open(tmp_path, now=lambda: 1.8e9) as ledger:
        ledger.begin(IDENTITY, DIGESTS).close_pass(calls=7, throttled=2, halted="no permission")
        ledger.begin(IDENTITY, DIGESTS).close_pass(rows=12, calls=3)
        (facts,) = ledger.runs()
    assert (facts.rows, facts.calls, facts.throttled, facts.halted) == (12, 10, 2, None)
    assert facts.ended_at is not None
    assert facts.ended_at.isoformat() == "2027-01-15T08:00:00+00:00"
