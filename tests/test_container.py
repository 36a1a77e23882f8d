"""The Dockerfile, without an engine: it is read, and what it runs is run in a shell."""

import re
import shlex
import subprocess
import sys
import venv
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
KNOWN = {"FROM", "RUN", "COPY", "WORKDIR", "ENV", "USER", "STOPSIGNAL", "ENTRYPOINT", "CMD"}


class Step(NamedTuple):
    """One instruction, its lines joined."""

    name: str
    rest: str


def steps() -> list[Step]:
    text = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text("utf-8"))
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [Step(*line.split(maxsplit=1)) for line in lines]


def of(name: str) -> list[str]:
    return [step.rest for step in steps() if step.name == name]


def test_it_is_made_of_instructions_that_there_are() -> None:
    assert {step.name for step in steps()} <= KNOWN
    assert [image.split()[0] for image in of("FROM")] == ["debian:12-slim"] * 2
    assert steps()[0].name == "FROM"


def test_it_runs_as_nobody_of_power_and_hears_sigterm() -> None:
    (user,), (signal,) = of("USER"), of("STOPSIGNAL")
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)
    assert signal == "SIGTERM"
    assert of("ENTRYPOINT") == ['["bulk"]']  # no shell in between, which would keep signals to itself


@pytest.mark.parametrize("command", of("RUN"))
def test_what_it_runs_is_good_shell(command: str) -> None:
    subprocess.run(["sh", "-n", "-c", command], check=True)


def test_what_it_copies_is_there_and_not_kept_out() -> None:
    sources = [word for copy in of("COPY") if "--from" not in copy for word in shlex.split(copy)[:-1]]
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")]
    for source in sources:
        assert (ROOT / source).exists(), source
        assert any(source == one or source.startswith(f"{one}/") for one in kept), source


def test_what_it_installs_is_the_program(tmp_path: Path) -> None:
    (command,) = [command for command in of("RUN") if "purelib" in command]
    venv.create(tmp_path / "bulk", symlinks=True)
    command = command.replace("/opt/bulk", str(tmp_path / "bulk"))
    subprocess.run(["sh", "-c", command], cwd=ROOT, check=True)
    libraries = {path for path in sys.path if path.endswith("site-packages")}
    ended = subprocess.run(
        [tmp_path / "bulk" / "bin" / "bulk", "--version"],
        env={"PYTHONPATH": ":".join(libraries), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.startswith("bulk, version")


def test_the_least_rights_are_those_that_are_used() -> None:
    page = (ROOT / "docs" / "running-elsewhere.md").read_text("utf-8")
    code = (ROOT / "bulk" / "aws" / "objects.py").read_text("utf-8")
    asked = set(re.findall(r"self\._s3\.(\w+)\(", code))
    needed = {"get_object": "s3:GetObject", "head_object": "s3:GetObject", "put_object": "s3:PutObject"}
    assert asked == needed.keys()
    assert all(f'"{right}"' in page for right in needed.values())
