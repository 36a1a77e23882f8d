"""Clocks that jump while the program lives, and machines that sleep."""

import signal
import time
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import anyio
import pytest
from cli_runs import CAMPAIGN, Service, at, bulk, campaign, end_of, started
from clocks import Clock
from sandbox_runs import CHAT, Runs, rows

HANGING = CAMPAIGN + '\n[stop]\ngrace = "50ms"\n'


def test_a_clock_that_jumps_during_a_run_and_is_set_right_leaves_no_row_unknown(
    tmp_path: Path, sandbox: Service, clock: Clock
) -> None:
    campaign(tmp_path, text=HANGING)
    sandbox.faults({"fault": "hang"})
    with started("send", "campaign.toml", cwd=tmp_path, **at(sandbox.url), **clock.environment) as process:
        sandbox.wait_for(3, process)
        clock.set(9 * 86400.0)  # longer than a token lives
        process.send_signal(signal.SIGTERM)
        assert end_of(process).code == 143
    clock.set(0.0)
    sandbox.faults()
    again = bulk("send", "campaign.toml", "--json", cwd=tmp_path, **at(sandbox.url))
    assert (again.code, again.json["sent"], len(sandbox.contacts)) == (0, 3, 3)


async def test_a_machine_that_slept_past_the_end_of_the_window_writes_to_nobody_when_it_wakes(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept, clock, now = 0.0, time.clock_gettime, datetime.now(ZoneInfo("America/Los_Angeles"))
    monkeypatch.setattr(time, "clock_gettime", lambda which: clock(which) + slept)
    window = f"{now - timedelta(hours=2):%H:%M}-{now + timedelta(hours=2):%H:%M}"
    runs.settings |= {"hours": {"every_day": window}, "pacing": {"rate": 10, "burst": 1}}

    async def sleep() -> None:
        nonlocal slept
        while runs.received(CHAT) < 2:  # noqa: ASYNC110 - the server tells only who asks
            await anyio.sleep(0.005)
        slept = 3 * 3600.0

    async with anyio.create_task_group() as group:
        group.start_soon(sleep)
        run = await runs.send(rows("abcdefghij"), no_wait=True)
    assert run.exit_code == 4
    assert run.summary.sent <= 3
