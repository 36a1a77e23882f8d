"""What `docs/cron.md` shows: each recipe's command line is run as its scheduler would run it, and it …"""

import ast
import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
import yaml
from cli_runs import Service, at, campaign

PAGE = (Path(__file__).parent.parent / "docs/cron.md").read_text("utf-8")
CODES = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(kind: str) -> list[str]:
    return [text for found, text in CODES.findall(PAGE) if found == kind]


@pytest.fixture
def home(tmp_path: Path, sandbox: Service) -> Path:
    """A home folder with a campaign and the program, as the recipes have them."""
    campaign(tmp_path / "reminders")
    (tmp_path / "bin").mkdir()
    wrapper = tmp_path / "bin/bulk"
    settings = {**at(sandbox.url), "PYTHONPATH": os.environ.get("PYTHONPATH", ""), "AWS_EC2_METADATA_DISABLED": "true"}
    exports = "\n".join(f"export {name}={shlex.quote(value)}" for name, value in settings.items() if name != "BULK_YES")
    wrapper.write_text(f'#!/bin/sh\n{exports}\nexec {sys.executable} -m bulk "$@"\n')
    wrapper.chmod(0o755)
    return tmp_path


def shell(line: str, home: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a line as cron does: by sh, from the home folder, with next to nothing in the environment."""
    bare = {"HOME": str(home), "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "LOGNAME": "reminders", **env}
    return subprocess.run(["/bin/sh", "-c", line], env=bare, cwd=home, capture_output=True, text=True, check=False)


def test_the_line_of_the_crontab_sends_and_later_finds_nothing_to_do(home: Path, sandbox: Service) -> None:
    (line,) = [line for line in blocks("crontab")[0].splitlines() if not line.startswith("#")]
    command = line.split(maxsplit=5)[5]
    assert "%" not in command
    assert shell(command, home).returncode == 0
    assert shell(command, home).returncode == 0
    assert "nothing to do: 3 rows were sent before" in (home / "reminders/cron.log").read_text()
    assert sandbox.received() == 3
    assert (home / f"reminders/results/reminders-{datetime.now():%Y-%m-%d}.csv").exists()  # noqa: DTZ005 - as cron's


def test_the_lines_that_come_after_follow_contacts_ask_about_doubts_and_report(home: Path, sandbox: Service) -> None:
    path = home / "reminders/campaign.toml"
    path.write_text(path.read_text() + '\n[doubt]\nattribute = "bulk_row"\n')
    assert shell("$HOME/bin/bulk send $HOME/reminders/campaign.toml --yes --run {date}", home).returncode == 0
    for line in blocks("crontab")[1].splitlines():
        ended = shell(line.split(maxsplit=5)[5], home)
        assert ended.returncode == 0, (line, (home / "reminders/cron.log").read_text())
    assert sandbox.received("DescribeContact") > 0
    assert "How the contacts ended" in (home / "reminders/today.html").read_text("utf-8")


def test_the_units_of_systemd_are_good_and_their_command_runs(home: Path, sandbox: Service) -> None:
    service, timer = blocks("systemd")
    for name, text in (("reminders.service", service), ("reminders.timer", timer)):
        parsed = configparser.ConfigParser(interpolation=None, strict=False)
        parsed.optionxform = str  # type: ignore[assignment,method-assign]  # as documented
        parsed.read_string(text)
        assert "Unit" in parsed
        (home / name).write_text(text.replace("/srv/reminders", str(home)).replace("User=reminders\n", ""))
    if analyse := shutil.which("systemd-analyze"):
        done = subprocess.run(
            [analyse, "verify", home / "reminders.service"], capture_output=True, text=True, check=False
        )
        assert "reminders.service:" not in done.stderr
    (command,) = re.findall(r"ExecStart=(.*)", (home / "reminders.service").read_text())
    done = shell(f"cd reminders && exec {command}", home, TZ="America/Denver")
    assert done.returncode == 0, done.stderr
    assert all(isinstance(json.loads(line)["message"], str) for line in done.stderr.splitlines())
    assert 'status="sent"} 3' in (home / "bulk.prom").read_text()
    assert sandbox.received() == 3


def test_the_task_of_airflow_and_the_job_of_github_run_their_commands(home: Path, sandbox: Service) -> None:
    tree = ast.parse(blocks("python")[0])
    given = {word.arg: word.value for node in ast.walk(tree) if isinstance(node, ast.Call) for word in node.keywords}
    task = ast.literal_eval(given["bash_command"]).replace("{{ ds }}", "2026-11-20").replace("/srv", str(home))
    workflow = yaml.safe_load(blocks("yaml")[0])
    (job,) = [step["run"] for step in workflow["jobs"]["send"]["steps"] if "run" in step]
    for command in (task, f"cd reminders && {job}"):
        done = shell(command, home, PATH=f"{home}/bin:/usr/bin:/bin")
        assert done.returncode == 0, done.stderr
    assert sandbox.received() == 6
