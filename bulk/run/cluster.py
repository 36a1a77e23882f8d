"""The cluster of a run: connects its workers with the queues and the client."""

import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio

from bulk.aws.connect import Connect
from bulk.cluster.address import Address, address
from bulk.cluster.engine import Engine
from bulk.cluster.lots import Lots
from bulk.cluster.members import Greeting, Members
from bulk.cluster.message import Site
from bulk.cluster.processes import Processes
from bulk.cluster.queue import ClusterTransport, LotQueue
from bulk.cluster.rate import SharedRate
from bulk.errors import CampaignError, unwrapped
from bulk.model import Call
from bulk.pacing.open_contacts import OpenContactLimit
from bulk.pacing.queue import LimiterStore
from bulk.pacing.shared import steady_clock
from bulk.pacing.waiters import WaiterCount
from bulk.run.context import RunContext, RunRef
from bulk.run.environment import SANDBOX
from bulk.stop import Stop

KEYS = frozenset({"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"})  # a profile that is named wins


@dataclass(frozen=True, slots=True)
class Cluster:
    """What stands for client and queues where workers make the calls."""

    transport: ClusterTransport
    queues: Mapping[str, LotQueue]


def check_cluster(ref: RunRef) -> None:
    """Raise `CampaignError` where a run cannot be sent by the cluster that it names."""
    options = ref.options
    if options.cluster is None:
        return
    at = address(options.cluster)
    if not at.scheduler:
        return
    own = {
        "--profile": options.profile or ref.campaign.at.profile,
        "--ca-bundle": options.ca_bundle,
    }
    for name, given in own.items():
        if given:
            raise CampaignError(
                f"{name} is of this machine, and the workers of {at.scheduler} have their own: leave it out (in [at], "
                "too), and start the workers with AWS_PROFILE and AWS_CA_BUNDLE as they need them"
            )
    if options.sandbox and not at.is_here:
        raise CampaignError(f"--sandbox is on this machine alone, where the workers of {at.scheduler} do not reach it")


@asynccontextmanager
async def cluster_of(
    context: RunContext,
    connect: Connect,
    lanes: Mapping[str, tuple[LimiterStore, OpenContactLimit | None]],
    *,
    stop: Stop,
    waiting: WaiterCount,
    parts_of: Callable[[Call], int],
) -> AsyncIterator[Cluster]:
    """Start or find the workers of a run, and greet them. `lanes` are limiter and room of each operation.

    Raises `CampaignError` where they do not fit, `SetupError` where they have no credentials, `EngineLost`.
    """
    options, clock = context.options, steady_clock()
    assert options.cluster is not None  # noqa: S101 - else there is no cluster
    at = address(options.cluster)
    with unwrapped():
        async with engine_of(at, context) as engine, anyio.create_task_group() as group:
            most = context.rates.at_once()
            number = min(most, len(await engine.workers()))
            greeting = await _greeting(context, connect, at_once=most // max(1, number))
            members = Members(engine, greeting, clock, stop, most=most)
            lots = {
                name: Lots(
                    name,
                    SharedRate(store, clock=clock),
                    members,
                    clock=clock,
                    answer_within=options.connect_timeout + options.read_timeout,
                )
                for name, (store, _) in lanes.items()
            }
            queues = {
                name: LotQueue(store, stop, lots=lots[name], room=room, clock=clock, waiting=waiting)
                for name, (store, room) in lanes.items()
            }
            await members.open()
            for work in (members.watch, members.tell_stop, *(one.run for one in lots.values())):
                group.start_soon(work)
            yield Cluster(ClusterTransport(lots, parts_of), queues)
            group.cancel_scope.cancel()
            with anyio.CancelScope(shield=True):
                await members.say("bye")


def engine_of(at: Address, context: RunContext) -> AbstractAsyncContextManager[Engine]:
    """Return the engine that `--cluster` names. Raises `CampaignError` where it is not installed."""
    from bulk.run.cluster_worker import answer  # noqa: PLC0415 - it brings the SDK along

    if at.scheduler:
        try:
            from bulk.cluster.dask import Dask  # noqa: PLC0415 - an extra, that few need
        except ImportError as error:
            raise CampaignError(f"--cluster {at.scheduler} needs Dask: pip install 'bulk[dask]' ({error})") from error
        return Dask(at.scheduler, answer)
    command = [sys.executable, "-m", "bulk.run.cluster_worker"]
    return Processes(at.processes, command, _environment(context))


def _environment(context: RunContext) -> dict[str, str]:
    """Return the environment of a local worker: this one, in which the options that name credentials are said too."""
    profile, bundle = context.options.profile or context.campaign.at.profile, context.options.ca_bundle
    kept = {name: value for name, value in os.environ.items() if not (profile and name in KEYS)}
    named = {"AWS_PROFILE": profile, "AWS_CA_BUNDLE": str(Path(bundle).absolute()) if bundle else None}
    return {**kept, **{name: value for name, value in named.items() if value}}


async def _greeting(context: RunContext, connect: Connect, *, at_once: int) -> Greeting:
    options, at = context.options, context.campaign.at
    rehearsal = options.sandbox
    site = Site(
        connect.url if rehearsal else options.endpoint_url or at.endpoint_url,
        connect.region,
        options.connect_timeout,
        options.read_timeout,
        allow_http=options.allow_http,
        role_arn=None if rehearsal else at.role_arn,
        rehearsal=rehearsal,
    )
    account = SANDBOX if rehearsal else await connect.account()
    return Greeting(site, connect.url, account, at_once, context.request.varies)
