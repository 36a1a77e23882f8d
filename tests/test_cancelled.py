"""A call from Python that asyncio cancels (`asyncio.timeout`, Ctrl-C) ends cleanly."""

import subprocess
import sys
from pathlib import Path

import pytest
from cli_runs import campaign, environment

CANCELLED = """
import asyncio, sys
import importlib
import bulk


runs = [importlib.import_module(f"bulk.run.{name}") for name in ("check", "results", "report_fold")]

CALLS = {
    "check": lambda: bulk.check("campaign.toml"),
    "check by the ledger": lambda: bulk.check("campaign.toml", only="rejected"),
    "send": lambda: bulk.send("campaign.toml", sandbox=True, state_dir="state", limit=1),
    "results": lambda: bulk.results("campaign.toml", "results.csv", sandbox=True, state_dir="state"),
    "report": lambda: bulk.report("campaign.toml", "report.html", sandbox=True, state_dir="state"),
}
read, plan_of = runs[1].read_results, runs[0].plan_of

async def main(call, after):
    loop, reads = asyncio.get_running_loop(), asyncio.Event()

    def results(*args):
        loop.call_soon_threadsafe(loop.call_later, after, reads.set)
        yield from read(*args)

    def examined(*args):
        loop.call_soon_threadsafe(loop.call_later, after, reads.set)
        return plan_of(*args)

    runs[0].plan_of = examined
    for room in runs:
        room.read_results = results
    task = asyncio.create_task(call())
    await reads.wait()
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return
    assert after, "it was cancelled in the middle"

for after in (0, 0.001, 0.002, 0.005, 0.01):
    asyncio.run(main(CALLS[sys.argv[1]], after))
"""


SENT = "import asyncio, bulk; asyncio.run(bulk.send('campaign.toml', sandbox=True, state_dir='state', limit=1))"


def python(code: str, *words: str, cwd: Path) -> tuple[int, str]:
    """Run Python in a process of its own; give its exit code and stderr."""
    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=cwd, env=environment(), check=False, capture_output=True, text=True
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("call", ["check", "check by the ledger", "send", "results", "report"])
def test_a_call_that_is_cancelled_while_a_thread_reads_the_ledger_ends_cleanly(tmp_path: Path, call: str) -> None:
    """SQLite brings a process down where its connection is closed under a thread's hands."""
    campaign(tmp_path, rows=3000)
    assert python(SENT, cwd=tmp_path) == (0, "")
    assert python(CANCELLED, call, cwd=tmp_path) == (0, "")
