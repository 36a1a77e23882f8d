"""A real Dask scheduler with two workers, on loopback: a run …"""

import pickle
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from cli_runs import CAMPAIGN, Service, at, bulk, campaign, end_of, environment, phone, started
from dasks import DaskCluster

if find_spec("distributed") is None:
    pytest.skip("distributed is not installed: pip install 'bulk[dask]'", allow_module_level=True)

SECRET = "dask-worker-secret-key"  # what the workers sign with, and nothing else may show
KEYS = {"AWS_ACCESS_KEY_ID": "AKIADASKWORKERKEYID0", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1"}


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[DaskCluster]:
    with DaskCluster(tmp_path, environment(**KEYS), level="debug") as cluster:
        yield cluster


def test_dask_workers_send_and_one_is_killed_and_then_the_scheduler_and_one_process_goes_on(
    tmp_path: Path, sandbox: Service, dask: DaskCluster
) -> None:
    """One cluster for all, because its processes take seconds to start."""
    slow = CAMPAIGN.replace("rate = 500\nburst = 500", "rate = 60\nburst = 20").replace("attempts = 1", "attempts = 5")
    path = campaign(tmp_path / "c", rows=240, text=slow)
    account = at(sandbox.url) | KEYS  # that of the workers: a token is known to one account
    with started(
        "send", path, "--cluster", dask.address, "--json", "--log-level", "debug", cwd=tmp_path, **account
    ) as process:
        sandbox.wait_for(60, process)
        dask.workers[0].kill()
        sandbox.wait_for(130, process)
        dask.scheduler.kill()
        ended = end_of(process)
    assert ended.code == 3, ended.err
    assert "can be resumed" in ended.json["halted"]
    rest = bulk("send", path, "--json", cwd=tmp_path, **account)
    assert (rest.code, rest.json["sent"]) == (0, 240)
    numbers = [contact["Parameters"]["DestinationEndpoint"]["Address"] for contact in sandbox.contacts]
    assert (len(numbers), len(set(numbers))) == (240, 240)
    for shown in (SECRET, KEYS["AWS_ACCESS_KEY_ID"], phone(0), "see you on", "206555"):
        assert shown not in dask.logs
        assert shown not in ended.err
    assert "Run out-of-band function" in dask.logs  # the way is the one that is meant


def test_what_is_carried_shows_nothing_of_itself() -> None:
    from bulk.cluster.dask import Sealed  # noqa: PLC0415 - it is there where Dask is

    said = b'{"calls":[[{"Address":"+12065550000","Content":"see you on Monday"}]]}'
    sealed = Sealed(said)
    carried = pickle.loads(pickle.dumps(sealed))
    assert carried.payload == said
    for shown in (pickle.dumps(sealed), repr(sealed).encode()):
        assert not [part for part in (b"206555", b"Monday", b"Address") if part in shown]


def test_no_scheduler_is_an_error_before_any_call(tmp_path: Path) -> None:
    ended = bulk("send", campaign(tmp_path), "--cluster", "tcp://127.0.0.1:1", cwd=tmp_path, **at("http://127.0.0.1:9"))
    assert ended.code == 2
    assert "no scheduler answers there" in ended.err
