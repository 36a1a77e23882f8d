"""`bulk.ledger.lock`: who holds a run, in words; how long a look at it is waited for; and what is no lock of ours."""

import errno
import fcntl
import json
import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bulk.errors import LedgerError, RunBusy
from bulk.ledger.lock import LOOK, LOOKS, sender, sole_sender

NAME = "reminders.default.lock"


@contextmanager
def locked(path: Path, content: bytes, how: int = fcntl.LOCK_EX) -> Iterator[int]:
    """Hold a lock, as another process does, in a file with this text."""
    path.write_bytes(content)
    path.chmod(0o600)
    with path.open() as file:
        fcntl.flock(file, how)
        yield file.fileno()


def take(folder: Path) -> None:
    with sole_sender(folder, "reminders", "default"):
        pass


def held(folder: Path) -> list[str]:
    return [str(link.resolve()) for link in Path("/proc/self/fd").iterdir() if str(folder) in str(link.resolve())]


def test_who_holds_it_is_written_down_in_place_of_who_did(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"x" * 500)
    with sole_sender(tmp_path, "reminders", "default"):
        told = json.loads((tmp_path / NAME).read_text())
        assert told == {"pid": os.getpid(), "host": socket.gethostname(), "since": told["since"]}
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", told["since"])
        assert (
            sender(tmp_path, "reminders", "default")
            == f"process {os.getpid()} on {socket.gethostname()} since {told['since']}"
        )
    assert held(tmp_path) == []


def test_the_names_of_a_run_make_one_file_name(tmp_path: Path) -> None:
    with sole_sender(tmp_path / "state", "a/b", "c.d e"):
        assert [path.name for path in (tmp_path / "state").iterdir()] == ["a%2Fb.c.d%20e.lock"]
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("content", [b"", b"\xff", b"{}", b"[]", b'{"pid": 1, "host": "h"}', b"7"])
def test_a_holder_that_says_nothing_of_itself_is_another_process(tmp_path: Path, content: bytes) -> None:
    with locked(tmp_path / NAME, content):
        assert sender(tmp_path, "reminders", "default") == "another process"


def test_what_a_holder_says_of_itself_is_shown_at_no_great_length(tmp_path: Path) -> None:
    with locked(tmp_path / NAME, json.dumps({"pid": 1, "host": "h" * 300, "since": "then"}).encode()):
        assert sender(tmp_path, "reminders", "default") == f"process 1 on {'h' * 186}…"


def test_a_look_finds_nobody_where_nothing_was_sent_and_leaves_nothing(tmp_path: Path) -> None:
    assert sender(tmp_path, "reminders", "default") is None
    assert list(tmp_path.iterdir()) == []
    take(tmp_path)
    for _ in range(2):
        assert sender(tmp_path, "reminders", "default") is None
    with sole_sender(tmp_path, "reminders", "default"):
        assert len(held(tmp_path)) == 1
        assert sender(tmp_path, "reminders", "default") is not None
        assert len(held(tmp_path)) == 1


def test_a_look_keeps_no_other_look_out(tmp_path: Path) -> None:
    with locked(tmp_path / NAME, b"{}", fcntl.LOCK_SH):
        assert sender(tmp_path, "reminders", "default") is None


def test_a_link_or_a_pipe_in_its_place_is_no_lock(tmp_path: Path) -> None:
    with locked(tmp_path / "elsewhere", b"{}"):
        (tmp_path / NAME).symlink_to(tmp_path / "elsewhere")
        assert sender(tmp_path, "reminders", "default") is None
        with pytest.raises(LedgerError) as raised:
            take(tmp_path)
    assert str(raised.value) == (
        f"{tmp_path / NAME}: {os.strerror(errno.ELOOP)}; make its folder writable, or name another with --state-dir"
    )
    (tmp_path / NAME).unlink()
    os.mkfifo(tmp_path / NAME)
    assert sender(tmp_path, "reminders", "default") is None


def test_a_folder_that_others_may_write_to_holds_no_lock(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(LedgerError, match="others may write to it"):
        take(tmp_path)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited, each time."""
    waited: list[float] = []
    monkeypatch.setattr("bulk.ledger.lock.time.sleep", waited.append)
    return waited


def test_a_sender_is_looked_for_five_times_and_then_named(tmp_path: Path, looks: list[float]) -> None:
    with (
        locked(tmp_path / NAME, json.dumps({"pid": 1, "host": "h", "since": "then"}).encode()),
        pytest.raises(RunBusy) as raised,
    ):
        take(tmp_path)
    assert str(raised.value) == (
        "run 'default' of campaign 'reminders' is being sent by process 1 on h since then; wait until it ends, or send "
        "a run of another name with --run"
    )
    assert (looks, LOOKS, LOOK) == ([0.02] * 5, 5, 0.02)
    assert held(tmp_path) == []


def test_who_lets_go_at_the_last_moment_has_only_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    with locked(tmp_path / NAME, b"{}", fcntl.LOCK_SH) as file:

        def wait(seconds: float) -> None:
            waited.append(seconds)
            if len(waited) == LOOKS:
                fcntl.flock(file, fcntl.LOCK_UN)

        monkeypatch.setattr("bulk.ledger.lock.time.sleep", wait)
        with sole_sender(tmp_path, "reminders", "default"), pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # it is held now
    assert len(waited) == LOOKS


@pytest.mark.parametrize("fails", ["ftruncate", "pwrite"])
def test_it_holds_also_where_the_disk_has_no_room_for_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    def full(*_: object) -> Callable[[], None]:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, fails, full)
    with sole_sender(tmp_path, "reminders", "default"):
        assert sender(tmp_path, "reminders", "default") == "another process"
