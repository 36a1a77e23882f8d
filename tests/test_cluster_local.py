"""`bulk send --cluster local:2`, as a process: it …"""

import os
import signal
import time
from pathlib import Path

import pytest
from cli_runs import CAMPAIGN, Service, at, bulk, campaign, end_of, started

import bulk as api
from bulk.cluster.processes import Processes

SLOW = CAMPAIGN.replace("rate = 500\nburst = 500", "rate = 60\nburst = 20").replace("attempts = 1", "attempts = 5")


def workers_of(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_workers_send_what_one_process_would(tmp_path: Path, sandbox: Service) -> None:
    path = campaign(tmp_path, rows=60)
    ended = bulk("send", path, "--cluster", "local:2", "--json", cwd=tmp_path, **at(sandbox.url))
    assert (ended.code, ended.json["sent"], ended.json["calls"]) == (0, 60, 60)
    assert len(sandbox.contacts) == 60
    again = bulk("send", path, "--json", cwd=tmp_path, **at(sandbox.url))  # by one process: nothing is left
    assert (again.code, again.json["calls"], again.json["sent_before"]) == (0, 0, 60)


def test_a_worker_and_then_the_driver_are_killed_and_nothing_is_lost_or_doubled(
    tmp_path: Path, sandbox: Service
) -> None:
    path = campaign(tmp_path, rows=240, text=SLOW)
    with started("send", path, "--cluster", "local:2", cwd=tmp_path, **at(sandbox.url)) as process:
        sandbox.wait_for(60, process)
        left, other = workers_of(process.pid)
        os.kill(left, signal.SIGKILL)
        sandbox.wait_for(120, process)
        process.kill()
    deadline = time.monotonic() + 5
    while Path(f"/proc/{other}").exists():
        assert time.monotonic() < deadline, "a worker outlived its driver"
        time.sleep(0.02)
    rest = bulk("send", path, "--json", cwd=tmp_path, **at(sandbox.url))
    assert (rest.code, rest.json["sent"]) == (0, 240)
    numbers = [contact["Parameters"]["DestinationEndpoint"]["Address"] for contact in sandbox.contacts]
    assert (len(numbers), len(set(numbers))) == (240, 240)


def test_a_worker_that_dies_is_replaced(tmp_path: Path, sandbox: Service) -> None:
    path = campaign(tmp_path, rows=400, text=SLOW)
    with started("send", path, "--cluster", "local:2", "--json", cwd=tmp_path, **at(sandbox.url)) as process:
        sandbox.wait_for(60, process)
        os.kill(workers_of(process.pid)[0], signal.SIGKILL)
        ended = end_of(process)
    assert (ended.code, ended.json["sent"]) == (0, 400)
    assert "worker local-1 has died, and local-3 takes its place" in ended.err
    numbers = [contact["Parameters"]["DestinationEndpoint"]["Address"] for contact in sandbox.contacts]
    assert (len(numbers), len(set(numbers))) == (400, 400)


def test_all_workers_dead_ends_the_run_resumable(tmp_path: Path, sandbox: Service) -> None:
    path = campaign(tmp_path, rows=400, text=SLOW)
    with started("send", path, "--cluster", "local:2", "--json", cwd=tmp_path, **at(sandbox.url)) as process:
        sandbox.wait_for(60, process)
        for worker in workers_of(process.pid):
            os.kill(worker, signal.SIGKILL)
        ended = end_of(process)
    assert ended.code == 3
    assert "no worker of the cluster is left: the run can be resumed" in ended.json["halted"]


def test_an_interrupt_ends_all_workers_calls_and_the_rest_is_resumable(tmp_path: Path, sandbox: Service) -> None:
    path = campaign(tmp_path, rows=400, text=SLOW)
    with started("send", path, "--cluster", "local:2", "--json", cwd=tmp_path, **at(sandbox.url)) as process:
        sandbox.wait_for(60, process)
        process.send_signal(signal.SIGINT)
        ended = end_of(process)
    assert ended.code == 130
    assert ended.json["sent"] == len(sandbox.contacts)
    assert ended.json["pending"] == 400 - len(sandbox.contacts)


def test_workers_of_a_rehearsal_need_no_credentials(tmp_path: Path) -> None:
    plain = bulk("send", campaign(tmp_path), "--sandbox", "--cluster", "local:1", "--json", cwd=tmp_path)
    assert (plain.code, plain.json["sent"], plain.json["rehearsal"]) == (0, 3, True)


@pytest.mark.parametrize(
    "words, said",
    [
        (["--cluster", "local:0"], "local:N starts 1 to 64"),
        (["--cluster", "sun:2"], "write local:2, or tcp://scheduler:8786"),
        (["--cluster", "tcp://127.0.0.1:9", "--profile", "p"], "--profile is of this machine"),
        (["--cluster", "tcp://far.example:9", "--sandbox"], "--sandbox is on this machine alone"),
    ],
)
def test_a_cluster_that_cannot_be_is_an_error_with_its_remedy(tmp_path: Path, words: list[str], said: str) -> None:
    ended = bulk("send", campaign(tmp_path), *words, cwd=tmp_path, **at("http://127.0.0.1:9"))
    assert ended.code == 2
    assert said in " ".join(ended.err.split())


async def test_no_credential_no_path_and_no_cell_that_no_call_says_travels(
    tmp_path: Path, sandbox: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[bytes] = []
    post = Processes.post

    async def noted(self: Processes, worker: str, kind: str, payload: bytes) -> bytes:
        answer = await post(self, worker, kind, payload)
        told.extend([kind.encode(), payload, answer])
        return answer

    monkeypatch.setattr(Processes, "post", noted)
    keys = {
        "ACCESS_KEY_ID": "AKIAEXAMPLE",
        "SECRET_ACCESS_KEY": "signs-it-all",
        "SESSION_TOKEN": "for-a-while",
    }
    for name, value in keys.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    path = campaign(tmp_path)
    listed = (tmp_path / "contacts.csv").read_text().replace("date\n", "date,diagnosis\n", 1)
    (tmp_path / "contacts.csv").write_text(listed.replace("-12\n", "-12,told to nobody\n"))
    run = await api.send(path, cluster="local:1", endpoint_url=sandbox.url, region="us-east-1")
    assert run.summary.sent == 3
    every = b"".join(told)
    assert b"see you on 2027-01-12" in every  # what a call says does travel
    for hidden in (*keys.values(), "diagnosis", "told to nobody", str(tmp_path), "contacts.csv"):
        assert hidden.encode() not in every


def test_several_campaigns_take_no_cluster(tmp_path: Path) -> None:
    paths = [campaign(tmp_path / name, text=CAMPAIGN.replace("reminders", name)) for name in ("a", "b")]
    ended = bulk("send", *paths, "--cluster", "local:2", cwd=tmp_path, **at("http://127.0.0.1:9"))
    assert ended.code == 2
    assert "--cluster sends one campaign" in ended.err
