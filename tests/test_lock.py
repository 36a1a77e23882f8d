import fcntl
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bulk.errors import LedgerError, RunBusy
from bulk.ledger.lock import LOOK, sender, sole_sender

HOLDER = """
import sys
from pathlib import Path
from bulk.ledger.lock import sole_sender
with sole_sender(Path(sys.argv[1]), "reminders", "default"):
    print("held", flush=True)
    sys.stdin.read()
"""


def hold(folder: Path) -> subprocess.Popen[str]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def end(holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.communicate()


def test_it_turns_a_second_sender_away_and_names_the_first(tmp_path: Path) -> None:
    holder = hold(tmp_path)
    try:
        with (
            pytest.raises(RunBusy, match=f"being sent by process {holder.pid} on .* since .*--run") as caught,
            sole_sender(tmp_path, "reminders", "default"),
        ):
            pass
    finally:
        end(holder)
    assert caught.value.exit_code == 75


def test_it_dies_with_its_process(tmp_path: Path) -> None:
    holder = hold(tmp_path)
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate()
    with sole_sender(tmp_path, "reminders", "default"):
        assert list(tmp_path.glob("*.lock"))


def test_it_is_free_after_the_block(tmp_path: Path) -> None:
    for _ in range(2):
        with sole_sender(tmp_path, "reminders", "default"):
            assert sender(tmp_path, "reminders", "default")
        assert sender(tmp_path, "reminders", "default") is None


def test_it_leaves_other_runs_alone(tmp_path: Path) -> None:
    with (
        sole_sender(tmp_path, "reminders", "one"),
        sole_sender(tmp_path, "reminders", "two"),
        sole_sender(tmp_path, "reminders.one", "one/../two"),
    ):
        assert len(list(tmp_path.iterdir())) == 3


def test_a_look_at_it_keeps_nobody_out(tmp_path: Path) -> None:
    with sole_sender(tmp_path, "reminders", "default"):
        pass
    (path,) = tmp_path.glob("*.lock")
    with path.open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        threading.Timer(LOOK, fcntl.flock, (looking, fcntl.LOCK_UN)).start()
        with sole_sender(tmp_path, "reminders", "default"):
            assert sender(tmp_path, "reminders", "default") is not None
    assert sender(tmp_path, "reminders", "default") is None


def test_it_says_that_the_folder_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(LedgerError, match=r"--state-dir"),
        sole_sender(tmp_path / "file", "reminders", "default"),
    ):
        pass
