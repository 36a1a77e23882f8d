"""The cluster of a run: what it is refused for, how its workers are begun and greeted (`run.cluster`). It …"""

import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from operator import itemgetter
from pathlib import Path
from typing import Any

import anyio
import polars as pl
import pytest
from clusters import ACCOUNT, REGION, URL, Here, Service
from fakes import SMS as CHAT
from sandbox_runs import SMS

from bulk import __version__
from bulk.campaign import Campaign
from bulk.cluster.address import address
from bulk.cluster.message import Site, decode
from bulk.delivery.attempts import AttemptState
from bulk.delivery.call_runner import CallRunner, Policy
from bulk.errors import CampaignError
from bulk.model import Call
from bulk.pacing.open_contacts import OpenContactLimit
from bulk.pacing.queue import LocalStore
from bulk.pacing.waiters import WaiterCount
from bulk.run.cluster import Cluster, check_cluster, cluster_of, engine_of
from bulk.run.context import RunContext, open_campaign
from bulk.run.options import Options
from bulk.stop import Stop

FRAME = pl.DataFrame({"phone": ["+12065550100"], "key": ["1"], "name": ["Ann"]})
ROLE = "arn:aws:iam::123456789012:role/Sender"
DASK, HERE = "tcp://scheduler.example:8786", "tcp://127.0.0.1:8786"


def opened(at: dict[str, Any] | None = None, **options: Any) -> RunContext:
    campaign = Campaign(name="spring", channel="sms", request=SMS, at=at or {}, pacing={"rate": 100, "burst": 100})
    return open_campaign(campaign, Options(contacts=FRAME, **options))


# What it is refused for


@pytest.mark.parametrize(
    "cluster, at, options",
    [
        (None, {"profile": "mine"}, {"sandbox": True, "ca_bundle": "ca.pem"}),
        ("local:2", {"profile": "mine"}, {"sandbox": True, "ca_bundle": "ca.pem", "profile": "p"}),
        (DASK, {}, {}),
        (HERE, {}, {"sandbox": True}),
    ],
)
def test_takes_a_cluster_that_can_send_the_run(
    cluster: str | None, at: dict[str, Any], options: dict[str, Any]
) -> None:
    check_cluster(opened(at, cluster=cluster, **options))


@pytest.mark.parametrize(
    "at, options, name",
    [
        ({"profile": "mine"}, {}, "--profile"),
        ({}, {"profile": "p"}, "--profile"),
        ({}, {"ca_bundle": "x"}, "--ca-bundle"),
    ],
)
def test_refuses_what_is_of_this_machine_for_workers_of_others(
    at: dict[str, Any], options: dict[str, Any], name: str
) -> None:
    with pytest.raises(CampaignError) as raised:
        check_cluster(opened(at, cluster=DASK, **options))
    assert str(raised.value) == (
        f"{name} is of this machine, and the workers of {DASK} have their own: leave it out (in [at], too), and start "
        "the workers with AWS_PROFILE and AWS_CA_BUNDLE as they need them"
    )


def test_refuses_a_rehearsal_that_workers_elsewhere_do_not_reach() -> None:
    with pytest.raises(CampaignError) as raised:
        check_cluster(opened(cluster=DASK, sandbox=True))
    said = f"--sandbox is on this machine alone, where the workers of {DASK} do not reach it"
    assert str(raised.value) == said


# How workers of this machine are begun


def environment(**given: Any) -> dict[str, str]:
    engine: Any = engine_of(address("local:3"), opened(given.pop("at", None), **given))
    assert (engine._number, engine._command) == (3, [sys.executable, "-m", "bulk.run.cluster_worker"])
    return dict(engine._environment)


KEYS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_SESSION_TOKEN": "c"}


async def test_gives_local_workers_the_credentials_that_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    plain = dict(os.environ)
    without = {name: value for name, value in plain.items() if name not in KEYS}
    assert environment() == plain
    assert environment(profile="p") == without | {"AWS_PROFILE": "p"}
    assert environment(at={"profile": "mine"}) == without | {"AWS_PROFILE": "mine"}
    assert environment(at={"profile": "mine"}, profile="p") == without | {"AWS_PROFILE": "p"}
    assert environment(ca_bundle="ca.pem") == plain | {"AWS_CA_BUNDLE": str(Path.cwd() / "ca.pem")}


def test_says_how_dask_is_installed_where_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bulk.cluster.dask", None)
    with pytest.raises(CampaignError) as raised:
        engine_of(address(DASK), opened())
    assert str(raised.value).startswith(f"--cluster {DASK} needs Dask: pip install 'bulk[dask]' (")


# How its workers are greeted


class Ours:
    """The driver's own client."""

    url, region = URL, REGION

    async def account(self) -> str:
        return ACCOUNT


@asynccontextmanager
async def cluster(
    context: RunContext, monkeypatch: pytest.MonkeyPatch, room: OpenContactLimit | None = None
) -> AsyncIterator[tuple[Cluster, Here]]:
    engine = Here(Service())

    @asynccontextmanager
    async def engine_of(*_: object) -> AsyncIterator[Here]:
        yield engine

    monkeypatch.setattr("bulk.run.cluster.engine_of", engine_of)
    lanes: Any = {CHAT: (LocalStore(context.rates.limiter(CHAT)), room)}
    ours: Any = Ours()
    waiting = WaiterCount()
    async with cluster_of(context, ours, lanes, stop=Stop(), waiting=waiting, parts_of=lambda _: 1) as one:
        assert one.queues[CHAT]._waiting is waiting
        yield one, engine


def told(engine: Here, kind: str) -> list[tuple[str, dict[str, Any]]]:
    """Return what each worker was told of a kind, but for the name of the session."""
    found = [(worker, decode(payload)) for worker, of, payload in engine.posted if of == kind]
    for _, body in found:
        del body["session"]
    return sorted(found, key=itemgetter(0))


SITE = {"url": None, "region": REGION, "connect_timeout": 10.0, "read_timeout": 30.0}


@pytest.mark.parametrize(
    "at, options, site, at_once",
    [
        ({}, {}, {}, 128),
        ({}, {"at_once": 1}, {}, 1),
        ({"endpoint_url": "https://campaign"}, {"at_once": 9}, {"url": "https://campaign"}, 4),
        ({"endpoint_url": "https://campaign"}, {"endpoint_url": "https://option"}, {"url": "https://option"}, 128),
        (
            {"role_arn": ROLE},
            {"connect_timeout": 3.0, "read_timeout": 4.0, "allow_http": True},
            {"role_arn": ROLE, "connect_timeout": 3.0, "read_timeout": 4.0, "allow_http": True},
            128,
        ),
        ({"role_arn": ROLE}, {"sandbox": True}, {"url": URL, "rehearsal": True}, 128),
    ],
)
async def test_greets_its_workers_with_where_the_run_goes_and_says_goodbye(
    at: dict[str, Any],
    options: dict[str, Any],
    site: dict[str, Any],
    at_once: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context = opened(at, cluster="local:2", **options)
    workers = ("a", "b")[: min(2, context.rates.at_once())]
    async with cluster(context, monkeypatch) as (_, engine):
        greeted = told(engine, "hello")
        assert [worker for worker, _ in greeted] == list(workers)
        found = Site(**greeted[0][1].pop("site"))
        assert found == Site(**SITE | site)
        assert greeted[0][1] == {"version": __version__, "at_once": at_once, "varies": dict(context.request.varies)}
        assert told(engine, "bye") == []
    assert told(engine, "bye") == [(worker, {}) for worker in workers]


async def test_says_goodbye_also_where_nobody_waits_for_that(monkeypatch: pytest.MonkeyPatch) -> None:
    with anyio.CancelScope() as scope:
        async with cluster(opened(cluster="local:2"), monkeypatch) as (_, engine):
            scope.cancel()
    assert told(engine, "bye") == [("a", {}), ("b", {})]


@pytest.mark.parametrize("is_rehearsal", [False, True])
async def test_has_workers_of_its_own_account_alone_but_in_a_rehearsal(
    is_rehearsal: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context = opened(cluster="local:2", sandbox=is_rehearsal)
    monkeypatch.setattr(Ours, "account", _another)
    if is_rehearsal:
        async with cluster(context, monkeypatch):
            return
    with pytest.raises(CampaignError, match="has credentials of account"):
        async with cluster(context, monkeypatch):
            pass


async def _another(_: Ours) -> str:
    return "111111111111"


async def test_makes_its_calls_by_its_workers_within_the_room_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    room = OpenContactLimit(5, 3600.0)
    async with cluster(opened(cluster="local:2"), monkeypatch, room) as (one, engine):
        runner = CallRunner(one.transport, one.queues, Stop(), policy=Policy())
        assert one.queues[CHAT].state.room is room

        async def ready() -> None:
            tries.announced = True

        tries = AttemptState()
        reply = await runner.make(Call(CHAT, {}, opens=True), "t1", ready=ready, tries=tries)
        assert reply["ContactId"] == "c-t1"
        assert [token for _, _, token in engine.service.calls] == ["t1"]
        assert room.count(time.time()) == 1
