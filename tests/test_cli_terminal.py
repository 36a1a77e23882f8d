"""`bulk send` in front of a person: the plan, the question, the live bar. The terminal is a pseudo-terminal."""

import os
import pty
import re
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cli_runs import CAMPAIGN, Service, at, bulk, campaign, environment, program

SLOWLY = CAMPAIGN.replace("rate = 500\nburst = 500", "rate = 5\nburst = 1")
SIT_DOWN = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
PATIENCE = 30.0  # seconds after which a screen that stays still fails the test


class Screen:
    """A terminal that a person looks at and types on, and the program in front of it."""

    def __init__(self, terminal: int, process: subprocess.Popen[bytes]) -> None:
        self._terminal = terminal
        self._process = process
        self.shown = ""

    def wait_for(self, words: str) -> None:
        while words not in self.shown and self._look():
            pass
        assert words in self.shown, self.shown

    def wait_until(self, pattern: str) -> re.Match[str]:
        """Wait for what a pattern finds, colours and line ends taken for spaces."""
        while not (found := re.search(pattern, self.words)) and self._look():
            pass
        assert found, self.shown
        return found

    @property
    def words(self) -> str:
        """What was shown, without colours and with single spaces."""
        return " ".join(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.shown).split())

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def end(self) -> int:
        while self._look():
            pass
        return self._process.wait(PATIENCE)

    def _look(self) -> bool:
        ready, _, _ = select.select([self._terminal], [], [], PATIENCE)
        assert ready, f"nothing more came after: {self.shown}"
        try:
            more = os.read(self._terminal, 65536)
        except OSError:  # the other end is closed: Linux says it so
            return False
        self.shown += more.decode(errors="replace")
        return bool(more)


@contextmanager
def screen(folder: Path, *words: str, **env: str) -> Iterator[Screen]:
    """Put the program in front of a terminal."""
    with in_front_of(folder, program(*words), **env) as seen:
        yield seen


@contextmanager
def in_front_of(folder: Path, command: list[str], **env: str) -> Iterator[Screen]:
    """Put any program in front of a terminal."""
    ours, theirs = pty.openpty()
    at_terminal = environment(**({"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40"} | env))
    process = subprocess.Popen(
        [sys.executable, "-c", SIT_DOWN, *command],
        cwd=folder,
        env=at_terminal,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Screen(ours, process)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


@pytest.fixture
def asked(sandbox: Service) -> dict[str, str]:
    """The environment of somebody who is to be asked."""
    return {name: value for name, value in at(sandbox.url).items() if name != "BULK_YES"}


def test_it_shows_the_plan_asks_and_then_the_bar(tmp_path: Path, sandbox: Service, asked: dict[str, str]) -> None:
    campaign(tmp_path, rows=8, text=SLOWLY)
    with screen(tmp_path, "send", "campaign.toml", **asked) as seen:
        seen.wait_for("Send? [y/N]:")
        assert "reminders, run default: 8 rows, 8 to be sent by sms" in seen.shown
        assert "line 2 to +12065550000:\r\n  Hi Ann, see you on 2027-01-12." in seen.shown
        assert sandbox.received() == 0
        seen.type("y\n")
        assert seen.end() == 0
    assert "━" in seen.shown
    assert re.search(r"[1-7] of 8 rows \(\d\d%\)", seen.shown)
    assert re.search(
        r"[1-7] sent, 0 failed, (1 in flight, )?\d+\.\d/s of 5/s, 0 throttled, ends \d\d:\d\d:\d\d", seen.shown
    )
    assert re.search(r"\d\.\d s left", seen.shown)
    assert "reminders, run default: 8 rows: 8 sent" in seen.shown
    assert len(sandbox.contacts) == 8


@pytest.mark.parametrize(
    "answer, code, told",
    [
        ("n\n", 2, "nothing was sent"),
        ("\n", 2, "nothing was sent"),
        ("\x04", 2, "nothing was sent"),  # Ctrl-D
        ("perhaps\nno\n", 2, "answer y or n"),
        ("\x03", 130, "nothing was sent"),
    ],
)
def test_it_sends_nothing_where_the_answer_is_no(
    tmp_path: Path, sandbox: Service, asked: dict[str, str], answer: str, code: int, told: str
) -> None:
    campaign(tmp_path)
    with screen(tmp_path, "send", "campaign.toml", **asked) as seen:
        seen.wait_for("Send? [y/N]:")
        seen.type(answer)
        assert seen.end() == code
    assert told in seen.shown
    assert "Traceback" not in seen.shown
    assert sandbox.received() == 0
    assert not (tmp_path / "results").exists()


def test_a_test_message_is_shown_and_asked_about(tmp_path: Path, sandbox: Service, asked: dict[str, str]) -> None:
    campaign(tmp_path)
    with screen(tmp_path, "test", "campaign.toml", "--row", "1", "--to", "+12065559999", **asked) as seen:
        seen.wait_for("Send? [y/N]:")
        assert "line 3 to +12065559999:\r\n  Hi Ann, see you on 2027-01-12." in seen.shown
        assert sandbox.received() == 0
        seen.type("y\n")
        assert seen.end() == 0
    assert [one["Destination"] for one in sandbox.contacts] == ["+12065559999"]


def test_a_message_that_would_steer_the_terminal_is_shown_as_text(tmp_path: Path, asked: dict[str, str]) -> None:
    campaign(tmp_path, text=CAMPAIGN.replace("{{ name }}", "{{ name }}\\u001b[2J"))
    with screen(tmp_path, "send", "campaign.toml", **asked) as seen:
        seen.wait_for("Send? [y/N]:")
    assert "Hi Ann\N{REPLACEMENT CHARACTER}[2J" in seen.shown
    assert "\x1b[2J" not in seen.shown


def test_of_several_it_shows_all_plans_asks_once_and_has_a_line_for_each(
    tmp_path: Path, sandbox: Service, asked: dict[str, str]
) -> None:
    campaign(tmp_path, rows=8, text=SLOWLY)
    (tmp_path / "other.toml").write_text(SLOWLY.replace("reminders", "thanks"))
    with screen(tmp_path, "send", "campaign.toml", "other.toml", **asked) as seen:
        seen.wait_for("Send? [y/N]:")
        assert "reminders, run default: 8 rows, 8 to be sent by sms" in seen.shown
        assert "thanks, run default: 8 rows, 8 to be sent by sms" in seen.shown
        assert sandbox.received() == 0
        before = len(seen.shown)
        seen.type("y\n")
        assert seen.end() == 0
    assert seen.shown.count("Send? [y/N]:") == 1
    for name in ("reminders", "thanks"):
        assert re.search(rf"{name} +━+ +[0-9] of 8 rows", re.sub(r"\x1b\[[0-9;]*m", "", seen.shown[before:]))
    assert sandbox.received() == 16


def test_a_line_of_the_log_is_broken_between_words(tmp_path: Path) -> None:
    campaign(tmp_path)
    bulk("send", "campaign.toml", "--sandbox", cwd=tmp_path)
    with screen(tmp_path, "status", "campaign.toml", COLUMNS="60") as seen:
        assert seen.end() == 0
    first, second, *_ = seen.shown.splitlines()
    assert first.endswith("warning: REHEARSAL: there is no real run of this")
    assert second.startswith("  name, so this is its rehearsal")
    assert max(len(first), len(second)) <= 60
