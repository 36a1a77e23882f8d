"""Look at the example notebook in a real JupyterLab and a real browser; keep pictures of it.

    python scripts/look_at_notebook.py FOLDER

Needs `pip install jupyterlab playwright` and Chromium. It runs every cell, sends again at a slow rate and presses the
stop button, raises an error and asks for its traceback, and says what it saw. Everything goes to a sandbox.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).parents[1]
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
SLOW = 'await bulk.send(campaign, sandbox=True, rate=5, burst=1, run_id="slow", state_dir="state")'


@contextmanager
def jupyter(folder: Path) -> Iterator[str]:
    """Start JupyterLab on loopback; yield its address."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    settings = {"IPYTHONDIR": "ipython", "JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data"}
    places = {name: str(folder / place) for name, place in settings.items()}
    options = [f"--port={port}", "--ip=127.0.0.1", "--no-browser", "--IdentityProvider.token=", "--allow-root"]
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options, "--ServerApp.root_dir=" + str(folder / "work")],
        env={
            **os.environ,
            **places,
            "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(url + "/api")
        yield url
    finally:
        server.terminate()
        server.wait(20)


def wait_for(url: str, seconds: float = 90) -> None:
    """Wait until there is an answer."""
    until = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.3)
        else:
            return


def run_cell(page: "Page", code: str) -> None:
    """Put code into a new last cell, and run it."""
    page.locator(".jp-Notebook .jp-Cell").last.click()
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    page.keyboard.insert_text(code)
    page.keyboard.press("Control+Enter")


def look(page: "Page", pictures: Path) -> None:
    """Run, stop, fail; keep a picture of each."""
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=90_000)
    if (news := page.get_by_role("button", name="No", exact=True)).count():
        news.first.click()
    page.get_by_text("| Idle").first.wait_for(timeout=90_000)
    page.locator(".jp-Notebook .jp-Cell").first.click()
    page.keyboard.press("Escape")
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.get_by_text("rate is -1").last.wait_for(timeout=90_000)
    shot(page, pictures, "cells")
    run_cell(page, SLOW)
    page.locator("progress").last.wait_for(timeout=60_000)
    time.sleep(2)
    shot(page, pictures, "progress")
    page.keyboard.press("Escape")
    page.keyboard.press("i")
    page.keyboard.press("i")
    page.get_by_text("Interrupted: stopped by the stop button").last.wait_for(timeout=60_000)
    shot(page, pictures, "stopped")
    run_cell(page, 'await bulk.check("none.toml")')
    page.get_by_text("CampaignError: none.toml").last.wait_for(timeout=30_000)
    shot(page, pictures, "error")
    run_cell(page, "%tb")
    page.get_by_text("Traceback (most recent call last)").last.wait_for(timeout=30_000)
    shot(page, pictures, "traceback")


def shot(page: "Page", pictures: Path, name: str) -> None:
    """Keep a picture, and say so."""
    path = pictures / f"notebook-{name}.png"
    page.locator(".jp-OutputArea-output").last.evaluate("one => one.scrollIntoView()")
    page.screenshot(path=path)
    print(path)


def main(pictures: Path) -> None:
    """Look at the notebook."""
    pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        work, ignored = Path(place) / "work", shutil.ignore_patterns("results", ".bulk")
        shutil.copytree(ROOT / "input_examples", work / "input_examples", ignore=ignored)
        with jupyter(Path(place)) as url, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
            page = browser.new_page(viewport={"width": 1300, "height": 1400})
            page.goto(f"{url}/lab/tree/input_examples/notebook.ipynb?reset")
            try:
                look(page, pictures)
            except Exception:
                shot(page, pictures, "trouble")
                raise
            finally:
                browser.close()


if __name__ == "__main__":
    if find_spec("jupyterlab") is None:
        sys.exit("there is no JupyterLab here: pip install jupyterlab")
    main(Path(sys.argv[1]))
