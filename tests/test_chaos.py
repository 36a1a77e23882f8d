"""Killed at random instants and resumed, nothing is lost and nothing is doubled: `scripts/chaos` in its short form.

What it shows, and the figures of its long form, are in `docs/reliability.md`.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from clocks import Clock

CHAOS = Path(__file__).parents[1] / "scripts" / "chaos.py"


@pytest.mark.parametrize("kind, kills", [("sms", 1), ("email", 2), ("email-stop", 2), ("inbound-email", 1)])
def test_every_row_is_accepted_once_however_often_the_program_is_killed(kind: str, kills: int) -> None:
    words = ["--only", kind, "--kills", str(kills), "--rows", "100", "--json"]
    done = subprocess.run([sys.executable, CHAOS, *words], capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)[kind]
    assert figures["kills"] == kills
    assert figures["accepted"] > 0
    must_not_be = "lost", "doubled", "strangers", "drafts_left", "left_open", "wrong_results", "late"
    assert {name: figures[name] for name in must_not_be} == dict.fromkeys(must_not_be, 0)


def test_a_program_that_dies_with_its_disk_goes_on_from_s3() -> None:
    words = ["--only", "email", "--kills", "1", "--rows", "40", "--json"]
    done = subprocess.run(
        [sys.executable, CHAOS.with_name("chaos_s3.py"), *words],
        env={**os.environ, "CHAOS_HURRY": "1"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)["email"]
    assert (figures["kills"] >= 1, figures["accepted"] > 0) == (True, True)
    must_not_be = "lost", "doubled", "strangers", "drafts_left", "wrong_results"
    assert {name: figures[name] for name in must_not_be} == dict.fromkeys(must_not_be, 0)


def test_workers_and_the_program_are_killed_and_nobody_gets_two_mails() -> None:
    words = ["--only", "email-forgets", "--kills", "2", "--rows", "20", "--json"]
    script = CHAOS.with_name("chaos_cluster.py")
    done = subprocess.run([sys.executable, script, *words], capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)["email-forgets"]
    assert (figures["kills"] >= 2, figures["accepted"] > 0) == (True, True)
    must_not_be = "lost", "doubled", "strangers", "wrong_results", "late"
    assert {name: figures[name] for name in must_not_be} == dict.fromkeys(must_not_be, 0)


def test_two_campaigns_that_are_killed_write_to_nobody_who_said_no_nor_over_a_cap() -> None:
    script = CHAOS.with_name("chaos_rules.py")
    words = ["--only", "sms", "--kills", "2", "--rows", "40"]
    done = subprocess.run([sys.executable, script, *words], capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "over_the_cap=0, beyond_the_room=0" in done.stdout


def test_clocks_disks_credentials_and_proxies_that_fail_charge_no_row(clock: Clock) -> None:
    del clock  # it is skipped where the clock of a process cannot be shifted
    words = ["--only", "email-stop", "--kills", "2", "--rows", "40", "--json"]
    script = CHAOS.with_name("chaos_line.py")
    done = subprocess.run([sys.executable, script, *words], capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)["email-stop"]
    assert figures["accepted"] > 0
    assert figures["lives"] >= 2
    must_not_be = "lost", "doubled", "strangers", "drafts_left", "left_open", "wrong_results"
    charged = "charged", "codes", "tracebacks"
    assert {name: figures[name] for name in (*must_not_be, *charged)} == dict.fromkeys((*must_not_be, *charged), 0)


@pytest.mark.parametrize("kind, kills", [("ask", 3), ("queue", 1)])
def test_doubts_and_outcomes_are_settled_however_often_the_commands_are_killed(kind: str, kills: int) -> None:
    script = CHAOS.with_name("chaos_outcomes.py")
    words = ["--only", kind, "--kills", str(kills), "--rows", "24", "--seed", "3", "--json"]
    done = subprocess.run([sys.executable, script, *words], capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)[kind]
    assert figures["kills"] >= kills
    assert figures["settled"] > 0
    assert {name: figures[name] for name in ("left", "doubled", "wrong", "lost")} == dict.fromkeys(
        ("left", "doubled", "wrong", "lost"), 0
    )
