"""One limit for all processes of a host."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_runs import bulk, campaign

from bulk.errors import LedgerError
from bulk.pacing.estimator import RateEstimator
from bulk.pacing.limiter import AdaptiveLimiter
from bulk.pacing.limits import Limits, with_headroom
from bulk.pacing.shared import FileStore, steady_clock
from bulk.pacing.sliding_window import SlidingWindow

PLACE = "endpoint", "region", "StartOutboundChatContact"
PACE = AdaptiveLimiter(with_headroom(2, 5), RateEstimator(2, 2))


def waits(shared: FileStore, times: int, now: float = 0.0) -> list[float]:
    return [shared.change(lambda pace: pace.take(now)) for _ in range(times)]


def test_two_senders_of_one_account_share_its_bucket(tmp_path: Path) -> None:
    one, other = FileStore(tmp_path, PLACE, PACE), FileStore(tmp_path, PLACE, PACE)
    assert waits(one, 2) + waits(other, 2) == [0.0] * 4
    assert waits(one, 1) + waits(other, 1) == [0.5, 1.0]


def test_campaigns_share_the_rate_though_one_of_them_has_a_window_more(tmp_path: Path) -> None:
    daily = PACE._replace(others=Limits([SlidingWindow(1000, 86400.0, "in 86400 s")]))
    one, other = FileStore(tmp_path, PLACE, PACE), FileStore(tmp_path, PLACE, daily)
    taken = [waits(sender, 1)[0] for _ in range(10) for sender in (one, other)]
    assert taken == [0.0] * 4 + [pytest.approx(turn / 2) for turn in range(1, 17)]


def test_another_operation_has_a_bucket_of_its_own(tmp_path: Path) -> None:
    waits(FileStore(tmp_path, PLACE, PACE), 4)
    assert waits(FileStore(tmp_path, ("endpoint", "region", "CreateContact"), PACE), 1) == [0.0]


def test_a_restart_does_not_begin_with_a_full_bucket(tmp_path: Path) -> None:
    first = FileStore(tmp_path, PLACE, PACE)
    waits(first, 6)
    first.close()
    assert waits(FileStore(tmp_path, PLACE, PACE), 1, now=0.0) == [1.5]


def test_a_clock_that_was_set_back_stops_nobody(tmp_path: Path) -> None:
    """Places that lie a day ahead are brought near when the next run begins, and so is what was learned there."""
    tomorrow = time.time() + 86400
    spent = FileStore(tmp_path, PLACE, PACE)
    waits(spent, 4, now=tomorrow)
    spent.change(lambda pace: (pace.answered(tomorrow, accepted=4, throttled=9), None))
    now = time.time()
    assert max(waits(FileStore(tmp_path, PLACE, PACE), 2, now=now)) < 15


def test_the_time_that_a_machine_sleeps_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, before = steady_clock(), time.clock_gettime
    now = clock()
    monkeypatch.setattr(time, "clock_gettime", lambda which: before(which) + 3600.0)
    assert 3600.0 <= clock() - now < 3610.0


def test_a_file_cut_short_says_nothing_and_is_mended(tmp_path: Path) -> None:
    waits(FileStore(tmp_path, PLACE, PACE), 6)
    (file,) = (tmp_path / "pace").iterdir()
    file.write_bytes(file.read_bytes()[:13])
    assert waits(FileStore(tmp_path, PLACE, PACE), 5) == [0.0] * 4 + [0.5]


def test_processes_do_not_lose_each_others_turns(tmp_path: Path) -> None:
    script = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from test_limiter_file import PACE, PLACE, FileStore, waits
waits(FileStore(Path({str(tmp_path)!r}), PLACE, PACE), 200)
"""
    running = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(2)]
    assert [process.wait(60) for process in running] == [0, 0]
    assert waits(FileStore(tmp_path, PLACE, PACE), 1) == [pytest.approx((400 - 4 + 1) / 2)]


UNABLE = """
import os, resource, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from test_limiter_file import PACE, PLACE, FileStore, waits
shared = FileStore(Path({folder!r}), PLACE, PACE)
{after}
try:
    waits(shared, 1)
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize(
    "after, said",
    [
        pytest.param("resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))", "File too large; make room", id="no room"),
        pytest.param("os.close(shared._file)", "or s3://BUCKET/PREFIX, with --state-dir", id="no lock"),
    ],
)
def test_a_pace_that_cannot_be_kept_any_more_is_said(tmp_path: Path, after: str, said: str) -> None:
    tests = str(Path(__file__).parent)
    script = UNABLE.format(tests=tests, after=after, folder=str(tmp_path))
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert out.startswith("LedgerError")
    assert str(tmp_path / "pace") in out
    assert said in out


@pytest.mark.parametrize("spoil", ["a folder", "a link"])
def test_a_pace_whose_file_is_something_else_is_said_and_left_alone(tmp_path: Path, spoil: str) -> None:
    FileStore(tmp_path, PLACE, PACE).close()
    (file,) = (tmp_path / "pace").iterdir()
    file.unlink()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("of somebody else")
    file.mkdir() if spoil == "a folder" else file.symlink_to(elsewhere)
    with pytest.raises(LedgerError, match=f"{file.name}: .*; make it writable, or name another --state-dir"):
        FileStore(tmp_path, PLACE, PACE)
    assert elsewhere.read_text() == "of somebody else"


def test_a_program_without_a_pace_ends_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "state" / "sandbox").mkdir(parents=True)
    (tmp_path / "state" / "sandbox" / "pace").write_text("a file where the folder should be")
    source = campaign(tmp_path)
    ended = bulk("send", source, "--sandbox", "--state-dir", tmp_path / "state", cwd=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert "pace" in ended.err
    assert "--state-dir" in ended.err


def test_a_state_directory_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "pace").write_text("a file where the folder should be")
    with pytest.raises(LedgerError, match="--state-dir"):
        FileStore(tmp_path, PLACE, PACE)


def test_a_file_says_its_version_and_names_its_fields(tmp_path: Path) -> None:
    waits(FileStore(tmp_path, PLACE, PACE), 1)
    (file,) = (tmp_path / "pace").iterdir()
    first = file.read_bytes().split(b"\n")[0].decode()
    assert first.startswith("bulk pace 2: estimate since accepted ")


def test_a_file_of_version_1_is_gone_on_with(tmp_path: Path) -> None:
    waits(FileStore(tmp_path, PLACE, PACE), 6)
    (file,) = (tmp_path / "pace").iterdir()
    file.write_bytes(file.read_bytes().split(b"\n", 1)[1])
    assert waits(FileStore(tmp_path, PLACE, PACE), 1) == [1.5]


def test_a_file_of_a_later_version_is_left_alone_and_named(tmp_path: Path) -> None:
    waits(FileStore(tmp_path, PLACE, PACE), 1)
    (file,) = (tmp_path / "pace").iterdir()
    file.write_bytes(later := b"bulk pace 3: other fields\n12345678")
    with pytest.raises(LedgerError, match="written by another version of bulk"):
        FileStore(tmp_path, PLACE, PACE)
    assert file.read_bytes() == later
