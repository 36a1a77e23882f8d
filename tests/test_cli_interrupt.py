"""Ctrl-C at any moment of the program's life: it ends, says next to nothing, and never shows a traceback."""

import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from cli_runs import campaign, environment, program

OFFSETS = (0.0, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0)  # seconds
BEGUN = " bulk.cli.process\n"  # ends the line with which Python says that our code runs
SCRIPT = "from bulk.__main__ import main; main()"  # what an installed `bulk` does
INTERRUPTED = """
from bulk.cli.process import leave_interrupted
try:
    exec("raise KeyboardInterrupt")
except KeyboardInterrupt:
    leave_interrupted()
"""
LEAVING = "leaving\n"
LEAVES_SLOWLY = f"""
import os, time
class Slow:
    def __del__(self, write=os.write, sleep=time.sleep):
        write(2, {LEAVING.encode()!r})
        sleep(0.5)
slow = Slow()
{SCRIPT}
"""


def interrupted(words: list[str], folder: Path, *, after: float, when: str = BEGUN) -> tuple[int, list[str]]:
    """Start the program, interrupt it so long after it said something; give its exit code and what else it said."""
    with (folder / "said").open("w+") as said:
        process = subprocess.Popen(
            words,
            cwd=folder,
            env=environment(PYTHONPROFILEIMPORTTIME="1"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
        while when not in (folder / "said").read_text():
            assert process.poll() is None
            time.sleep(0.001)
        with suppress(subprocess.TimeoutExpired):
            process.wait(after)
        process.send_signal(signal.SIGINT)
        code = process.wait(30)
        said.seek(0)
        return code, [line for line in said.read().splitlines() if not line.startswith("import time:")]


@pytest.mark.parametrize("words", [("send", "campaign.toml", "--sandbox"), ("check", "campaign.toml"), ("--help",)])
def test_an_interrupt_at_any_moment_ends_it_without_a_traceback(tmp_path: Path, words: tuple[str, ...]) -> None:
    campaign(tmp_path, rows=200)
    codes = []
    for after in OFFSETS if words[0] == "send" else OFFSETS[::2]:
        code, said = interrupted(program(*words), tmp_path, after=after)
        assert "Traceback" not in "".join(said), (after, said)
        assert code in {130, 0}, (after, code, said)
        codes.append(code)
    assert codes[0] == 130


def test_an_interrupt_before_any_work_says_nothing(tmp_path: Path) -> None:
    campaign(tmp_path)
    for words in (program("send", "campaign.toml", "--sandbox"), [sys.executable, "-c", SCRIPT, "send"]):
        assert interrupted(words, tmp_path, after=0.0) == (130, [])


def test_an_interrupt_of_code_made_from_text_has_the_same_exit_code(tmp_path: Path) -> None:
    """Under `python -m`, Python would die of the signal at its end, though the interrupt was caught."""
    (tmp_path / "interrupted.py").write_text(INTERRUPTED)
    words = [sys.executable, "-m", "interrupted"]
    assert subprocess.run(words, cwd=tmp_path, env=environment(), check=False).returncode == 130


def test_an_interrupt_when_all_is_done_changes_nothing(tmp_path: Path) -> None:
    words = [sys.executable, "-c", LEAVES_SLOWLY, "--version"]
    assert interrupted(words, tmp_path, after=0.1, when=LEAVING) == (0, [LEAVING.strip()])


def test_who_ignores_interrupts_is_not_ended_by_one(tmp_path: Path) -> None:
    campaign(tmp_path)
    shell = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *program("send", "campaign.toml", "--sandbox")]
    code, said = interrupted(shell, tmp_path, after=0.05)
    assert (code, "REHEARSAL: reminders, run default: 3 rows: 3 sent" in said) == (0, True), said
