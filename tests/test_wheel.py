"""The wheel holds all that the program needs: installed by itself, away from the checkout, it …"""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's content, which comes before the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder


def bulk(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    env["PYTHONPATH"] = str(home / "site")
    command = [sys.executable, "-m", "bulk", *words]
    return subprocess.run(command, cwd=home, env=env, capture_output=True, text=True, check=False)


def test_it_sends_a_starter_to_the_sandbox(home: Path) -> None:
    assert bulk(home, "init", "sms", "first").returncode == 0
    sent = bulk(home, "send", "first/campaign.toml", "--sandbox", "--rate", "50", "--json")
    assert (sent.returncode, '"sent": ' in sent.stdout) == (0, True), sent.stderr
    assert bulk(home, "report", "first/campaign.toml", "--sandbox", "-o", "page.html").returncode == 0


def test_its_documentation_comes_from_the_wheel(home: Path) -> None:
    where = [sys.executable, "-c", "import bulk.reference; print(next(iter(bulk.reference.pages().values())))"]
    env = {**os.environ, "PYTHONPATH": str(home / "site")}
    found = subprocess.run(where, cwd=home, env=env, capture_output=True, text=True, check=True).stdout
    assert found.startswith(str(home))
    assert bulk(home, "help", "dedupe").stdout.startswith("[list] dedupe")


def test_it_is_typed_and_licensed(home: Path) -> None:
    assert (home / "site/bulk/py.typed").exists()
    (metadata,) = (home / "site").glob("bulk-*.dist-info/METADATA")
    text = metadata.read_text("utf-8")
    assert "License-Expression: Apache-2.0" in text
    assert list(metadata.parent.rglob("LICENSE"))


def test_it_names_the_versions_of_what_it_is_made_of(home: Path) -> None:
    told = bulk(home, "--version").stdout
    assert told.startswith("bulk, version ")
    assert "aioboto3 " in told
    assert f"Python {sys.version.split()[0]}" in told
