"""The system's limit of open files: a run …"""

import subprocess
import sys
from pathlib import Path

import pytest
from cli_runs import CAMPAIGN, Service, at, campaign, environment, program

from bulk.run.connections import RESERVE

ASK = """
import resource, sys
from bulk.run.connections import bounded
soft, hard, wanted, files = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
print(bounded(wanted, files), resource.getrlimit(resource.RLIMIT_NOFILE)[0], bounded(wanted, files))
"""


@pytest.mark.parametrize(
    "soft, hard, wanted, files, bound, raised",
    [
        pytest.param(1024, 1024, 256, 1, 256, 1024, id="has room for all that it wants"),
        pytest.param(64, 64, 256, 1, 64 - RESERVE, 64, id="has as many connections as there is room for"),
        pytest.param(64, 64, 256, 2, (64 - RESERVE) // 2, 64, id="counts both ends of a rehearsal"),
        pytest.param(64, 1024, 256, 1, 256, 256 + RESERVE, id="raises the limit for as many as it wants"),
        pytest.param(64, 128, 256, 1, 128 - RESERVE, 128, id="raises the limit as far as it may"),
        pytest.param(20, 20, 256, 1, 1, 20, id="has one connection at least"),
    ],
)
def test_the_limit(soft: int, hard: int, wanted: int, files: int, bound: int, raised: int) -> None:
    words = [sys.executable, "-c", ASK, *map(str, (soft, hard, wanted, files))]
    out = subprocess.run(words, env=environment(), capture_output=True, text=True, check=True).stdout
    assert out.split() == [str(bound), str(raised), str(bound)]


def under(files: int, *words: str | Path, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the program where so many files may be open."""
    limited = ["sh", "-c", f'ulimit -n {files} && exec "$@"', "sh", *program(*words)]
    return subprocess.run(
        limited, check=False, cwd=cwd, env=environment(**env), capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("files, rows", [(64, 200), (32, 60)])
def test_with_few_open_files_sends_all_the_same_and_says_so(
    files: int, rows: int, tmp_path: Path, sandbox: Service
) -> None:
    campaign(tmp_path, rows=rows)
    sandbox.faults({"fault": "delay", "seconds": 0.1})
    ended = under(files, "send", "campaign.toml", cwd=tmp_path, **at(sandbox.url))
    assert ended.returncode == 0, ended.stderr
    assert len(sandbox.contacts) == rows
    calls = max(1, files - RESERVE)
    assert f"{calls} calls at once, not more: the limit of open files is {files}. Raise it with" in ended.stderr


def test_of_a_rehearsal_too(tmp_path: Path) -> None:
    ended = under(64, "send", campaign(tmp_path, rows=200), "--sandbox", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "200 sent" in ended.stderr


def test_several_campaigns_divide_the_open_files_and_are_sent_all_the_same(tmp_path: Path, sandbox: Service) -> None:
    campaign(tmp_path, rows=200)
    (tmp_path / "other.toml").write_text(CAMPAIGN.replace("reminders", "thanks"))
    sandbox.faults({"fault": "delay", "seconds": 0.1})
    ended = under(128, "send", "campaign.toml", "other.toml", cwd=tmp_path, **at(sandbox.url))
    assert ended.returncode == 0, ended.stderr
    assert len(sandbox.contacts) == 400
    assert f"{128 - 2 * RESERVE} calls at once of all campaigns, not more" in ended.stderr


def test_several_rehearsals_have_both_ends_of_their_connections_in_the_process(tmp_path: Path) -> None:
    campaign(tmp_path, rows=200)
    (tmp_path / "other.toml").write_text(CAMPAIGN.replace("reminders", "thanks"))
    ended = under(128, "send", "campaign.toml", "other.toml", "--sandbox", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert f"{(128 - 2 * RESERVE) // 4 * 2} calls at once of all campaigns, not more" in ended.stderr
