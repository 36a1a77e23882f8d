"""A disk that fills or breaks under the program: what is said of it, and nothing lost or doubled. It …"""

import resource
import subprocess
from collections import Counter
from pathlib import Path

from cli_runs import CAMPAIGN, Service, at, bulk, campaign, end_of, environment, phone, program, started
from disks import mount

CREEPING = CAMPAIGN.replace("rate = 500\nburst = 500", "rate = 20\nburst = 1")
ROWS = 1500


def reached(sandbox: Service) -> Counter[str]:
    return Counter(contact["Destination"] for contact in sandbox.contacts)


def test_a_disk_that_fills_halts_the_run_and_with_room_it_goes_on(
    tmp_path: Path, sandbox: Service, small_disk: Path
) -> None:
    campaign(tmp_path, rows=ROWS)
    sending = "send", "campaign.toml", "--state-dir", str(small_disk / "state"), "--json"
    full = bulk(*sending, cwd=tmp_path, **at(sandbox.url))
    assert full.code == 3, full
    assert "the disk is full. Nothing is sent that cannot be recorded; make room" in full.json["halted"]
    assert f"halted: {full.json['halted']}" in full.err
    accepted = reached(sandbox)
    assert 0 < len(accepted) < ROWS
    assert full.json["sent"] + full.json["unknown"] >= len(accepted)
    assert sum(full.json[name] for name in ("sent", "unknown", "pending")) == full.json["rows"]
    mount("-o", "remount,size=50m", small_disk)
    again = bulk(*sending, cwd=tmp_path, **at(sandbox.url))
    assert (again.code, again.json["sent"], again.json["halted"]) == (0, ROWS, None)
    assert reached(sandbox) == Counter(map(phone, range(ROWS)))


def test_a_disk_that_breaks_halts_the_run_and_once_mended_it_goes_on(tmp_path: Path, sandbox: Service) -> None:
    campaign(tmp_path, rows=30, text=CREEPING)
    with started("send", "campaign.toml", "--json", cwd=tmp_path, **at(sandbox.url)) as process:
        sandbox.wait_for(5, process)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, 0))  # from now on no file takes a byte
        broken = end_of(process)
    assert broken.code == 3, broken
    assert broken.json["halted"].startswith(".bulk/")
    assert "send again" in broken.json["halted"]
    assert broken.json["results"] is None
    assert "reminders-default.csv: the results cannot be written" in broken.err
    assert 0 < len(reached(sandbox)) < 30
    again = bulk("send", "campaign.toml", "--json", cwd=tmp_path, **at(sandbox.url))
    assert (again.code, again.json["sent"]) == (0, 30)
    assert reached(sandbox) == Counter(map(phone, range(30)))


def test_a_disk_that_breaks_when_all_is_sent_halts_the_run_too(tmp_path: Path, sandbox: Service) -> None:
    campaign(tmp_path)
    sandbox.faults({"fault": "delay", "seconds": 0.5})
    with started("send", "campaign.toml", "--json", cwd=tmp_path, **at(sandbox.url)) as process:
        sandbox.wait_for(3, process)  # their intents are written, their outcomes are not
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, 0))
        broken = end_of(process)
    assert (broken.code, broken.json["unknown"], broken.json["sent"]) == (3, 3, 0)
    assert "ledger.db" in broken.json["halted"]
    sandbox.faults()
    again = bulk("send", "campaign.toml", "--json", cwd=tmp_path, **at(sandbox.url))
    assert (again.code, again.json["sent"], len(sandbox.contacts)) == (0, 3, 3)


def test_a_disk_that_is_full_before_the_first_call_is_no_start(
    tmp_path: Path, sandbox: Service, small_disk: Path
) -> None:
    campaign(tmp_path, rows=2000)
    (small_disk / "ballast").write_bytes(bytes(300_000))  # leaves room for a ledger, and none for its rows
    full = bulk("send", "campaign.toml", "--state-dir", str(small_disk), "--json", cwd=tmp_path, **at(sandbox.url))
    assert (full.code, full.out) == (2, ""), full
    assert "the disk is full" in full.err
    assert (small_disk / "ledger.db").stat().st_size > 0
    assert sandbox.received() == 0


def test_words_that_cannot_be_written_stop_nothing(tmp_path: Path, sandbox: Service) -> None:
    campaign(tmp_path, rows=30, text=CREEPING)
    sending = program("send", "campaign.toml", "--log-level", "debug")
    environ = environment(**at(sandbox.url))
    with Path("/dev/full").open("w") as full:
        assert subprocess.run(sending, cwd=tmp_path, env=environ, check=False, stderr=full).returncode == 0
    assert reached(sandbox) == Counter(map(phone, range(30)))
    assert bulk("status", "campaign.toml", "--json", cwd=tmp_path).json["sent"] == 30


def test_a_summary_that_cannot_be_written_is_said_to_be_so(tmp_path: Path, sandbox: Service) -> None:
    campaign(tmp_path)
    sending = program("send", "campaign.toml", "--json", "--quiet")
    environ = environment(**at(sandbox.url))
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            sending, cwd=tmp_path, env=environ, check=False, stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert (ended.returncode, len(sandbox.contacts)) == (1, 3)
    assert ended.stderr == "bulk: stdout cannot be written: No space left on device\n"
