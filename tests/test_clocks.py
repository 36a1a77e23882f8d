"""The program under a wall clock that jumps while it lives, as a process: it …"""

import signal
from pathlib import Path

from cli_runs import CAMPAIGN, Service, at, bulk, campaign, end_of, started
from clocks import Clock

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
