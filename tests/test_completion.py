"""The Tab key in the real shells, by the lines of the README; it …"""

import re
import shutil
import sys
from pathlib import Path

import pytest
from test_cli_terminal import in_front_of

ROOT = Path(__file__).parents[1]
LINES = {
    shell: line.replace("\\|", "|")
    for shell, line in re.findall(
        r"^\| (bash|zsh|fish)\b[^|]*\|[^|]*\| `(.*)` \|$", (ROOT / "README.md").read_text(), re.MULTILINE
    )
}
QUIET = {
    "bash": ["--norc", "--noprofile", "-i"],
    "zsh": ["-f", "-i"],
    "fish": ["--no-config", "-i"],
}
BEFORE = {"bash": "", "zsh": "autoload -Uz compinit; compinit -u -D; ", "fish": ""}


@pytest.mark.parametrize("shell", QUIET)
def test_completes_commands_files_keys_and_pages(tmp_path: Path, shell: str) -> None:
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not installed on this machine")
    program = tmp_path / "bin" / "bulk"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m bulk "$@"\n')
    program.chmod(0o755)
    (tmp_path / "my-campaign.toml").touch()
    env = {"PATH": f"{program.parent}:/usr/bin:/bin", "HOME": str(tmp_path), "COLUMNS": "200", "TERM": "xterm"}
    with in_front_of(tmp_path, [found, *QUIET[shell]], **env) as seen:
        seen.type(f"{BEFORE[shell]}{LINES[shell]}; echo rea''dy\n")
        seen.wait_until("ready")
        for typed, completed in (
            ("bulk stat", "bulk status"),
            ("bulk send my-c", "bulk send my-campaign.toml"),
            ("bulk send --max-dur", "bulk send --max-duration"),
            ("bulk init wh", "bulk init whatsapp"),
            ("bulk help invalid_ph", "bulk help invalid_phone"),
            ("bulk docs quo", "bulk docs quotas"),
        ):
            seen.type(f"{typed}\t")
            seen.wait_until(re.escape(completed))
            seen.type("\x15")  # Ctrl-U: an empty line again
        seen.type("exit\n")
