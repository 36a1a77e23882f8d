"""`bulk send --sandbox --keep-open`: the page of a rehearsal, to be looked at until an interrupt."""

import json
import signal
import urllib.request
from pathlib import Path
from typing import Any

from cli_runs import bulk, campaign, end_of, started


def asked(url: str, token: str) -> Any:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def test_it_stays_after_the_run_and_ends_with_the_runs_exit_code(tmp_path: Path) -> None:
    campaign(tmp_path)
    with started("send", "campaign.toml", "--sandbox", "--keep-open", "--rate", "100", cwd=tmp_path) as process:
        assert process.stderr is not None
        told = ""
        while "stays open" not in told:
            line = process.stderr.readline()
            assert line, told
            told += line
        page, _, token = told.partition("receive: ")[2].partition("\n")[0].partition("#token=")
        with urllib.request.urlopen(page, timeout=30) as answer:
            assert "<title>Amazon Connect sandbox</title>" in answer.read().decode()
        seen = asked(f"{page}_sandbox/messages", token)
        assert [row["Kind"] for row in seen["Messages"]] == ["sms"] * 3
        process.send_signal(signal.SIGINT)
        ended = end_of(process)
    assert ended.code == 0
    assert "REHEARSAL" in told
    assert "3 sent" in told


def test_it_needs_a_sandbox(tmp_path: Path) -> None:
    ended = bulk("send", campaign(tmp_path), "--yes", "--keep-open", cwd=tmp_path)
    assert (ended.code, "--sandbox" in ended.err) == (2, True)
