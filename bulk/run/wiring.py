"""Connects the parts of a run: client, ledger, rules, queues, deliverer. They meet only here."""

import logging
import math
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    ExitStack,
    asynccontextmanager,
    closing,
    contextmanager,
    nullcontext,
    suppress,
)
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bulk.aws.connect import Connect
from bulk.campaign import Campaign
from bulk.delivery.call_runner import CallRunner, Policy
from bulk.delivery.delivery import Deliverer
from bulk.delivery.ports import Queue, Transport
from bulk.delivery.traffic import MeasuredTransport, Traffic
from bulk.errors import LedgerError
from bulk.files import state_folder
from bulk.ledger import Ledger, RunIdentity, RunLedger
from bulk.ledger.lock import sole_sender
from bulk.model import Call, Delivery, digest
from bulk.pacing.open_contacts import OpenContactLimit
from bulk.pacing.queue import RateLimitQueue
from bulk.pacing.shared import FileStore, steady_clock
from bulk.pacing.waiters import WaiterCount
from bulk.run.admission import admission
from bulk.run.budget import guarded
from bulk.run.consent_columns import consent_reader
from bulk.run.context import RunContext
from bulk.run.eligibility import Judge
from bulk.run.environment import applied_rates, destination, rate_owner, start_afresh
from bulk.run.origin import origin
from bulk.run.plan import DryRun
from bulk.run.pool import Pool
from bulk.run.rates import Rates
from bulk.run.send_pass import SendPass
from bulk.stop import Stop

if TYPE_CHECKING:
    from bulk.run.cluster import Cluster

log = logging.getLogger("bulk")


@asynccontextmanager
async def opened_pass(
    context: RunContext, stop: Stop, dry_run: DryRun, pool: Pool | None = None
) -> AsyncIterator[SendPass]:
    """Open all that sending needs: the lock, the client, the ledger. A dry run has no client and looks at its rows."""
    pool, options = pool or Pool(), context.options
    if options.state_dir is not None:  # a rehearsal uses a folder inside it: the one that was named is checked here
        state_folder(Path(options.state_dir))
    async with AsyncExitStack() as stack:
        stack.enter_context(sole_sender(context.state_dir, context.campaign.name, options.run_id))
        start_afresh(context)
        transport, place = await stack.enter_async_context(destination(context, pool.sandboxes))
        clock = steady_clock()
        opening = pool.ledger(context.state_dir, now=clock, at_once=context.rates.rows_at_once())
        ledger = stack.enter_context(opening)
        identity = context.identity(*place)
        accept = options.accept_changes or options.dry_run
        record = ledger.begin(identity, context.digests, fixed=context.fixed, accept_changes=accept, origin=origin())
        context = context.as_recorded(record)
        if options.only:
            record.only({options.only})
        judge = Judge.of(context.eligibility, ledger, record.facts, now=clock, waits=transport is not None)
        if transport is None:
            yield SendPass(context, record, dry_run, judge, stop)
            return
        waiting, rates = WaiterCount(), context.rates
        home = Pool() if options.sandbox else pool  # a sandbox of its own has quotas of its own
        owner = await rate_owner(transport, place)
        opening_limiters = limiters_of(
            rates, owner, await applied_rates(context), pool=home, state_dir=context.state_dir
        )
        limiters = stack.enter_context(opening_limiters)
        rooms = open_contact_limits(rates, identity, ledger, now=clock())
        cluster = await stack.enter_async_context(
            _cluster(context, transport, limiters, rooms, stop=stop, waiting=waiting)
        )
        queues = cluster.queues if cluster else queues_of(limiters, rooms, stop=stop, waiting=waiting)
        traffic = Traffic(clock, partial(permitted, rates, limiters))
        record.measure(traffic.due, traffic.rest)
        way = cluster.transport if cluster else transport
        measured = MeasuredTransport(way, traffic, _sms_segments(context, 0))
        driving = deliverer(context, record, measured, queues=queues, judge=judge, stop=stop, waiting=waiting)
        yield SendPass(context, record, guarded(context, record, driving, stop), judge, stop, waiting, pool, queues)


def _cluster(
    context: RunContext,
    transport: Connect,
    limiters: Mapping[str, FileStore],
    rooms: Mapping[str, OpenContactLimit],
    *,
    stop: Stop,
    waiting: WaiterCount,
) -> AbstractAsyncContextManager["Cluster | None"]:
    """Open the cluster of a run, where it names one."""
    if context.options.cluster is None:
        return nullcontext()
    from bulk.run.cluster import cluster_of  # noqa: PLC0415 - a run without workers does not wait for it

    count = parts_counter(context)
    lanes = {name: (store, rooms.get(name)) for name, store in limiters.items()}
    return cluster_of(context, transport, lanes, stop=stop, waiting=waiting, parts_of=count)


def parts_counter(context: RunContext) -> Callable[[Call], int]:
    """Return what counts the segments of a call, where anything limits them."""
    return _sms_segments(context, 1) if context.campaign.pacing.parts_per_second else _one


@contextmanager
def limiters_of(
    rates: Rates, owner: tuple[str, ...], applied: Mapping[str, float | None], *, pool: Pool, state_dir: Path
) -> Iterator[dict[str, FileStore]]:
    """Open the limiter of each operation, in step with the other processes that share the state directory.

    `owner` says whose rates they are, `applied` where learning begins (calls a second). Runs of one `pool` keep a rate
    together, whatever their state directories.
    """
    with ExitStack() as stack:
        limiters: dict[str, FileStore] = {}
        for name in rates.operations:
            key = (*owner, name)
            store = FileStore(pool.pace_folder(key, state_dir), key, rates.limiter(name, applied.get(name)))
            limiters[name] = stack.enter_context(closing(store))
        yield limiters
        for name, store in limiters.items():
            learned = store.change(lambda limiter: (limiter, limiter.estimator))
            if learned.is_free and learned.knows:
                log.info("%s: %.3g calls a second were learned", name, learned.estimate)


def open_contact_limits(
    rates: Rates, identity: RunIdentity, ledger: Ledger, *, now: float
) -> dict[str, OpenContactLimit]:
    """Return the bound of the operation that opens contacts, where there is one: it begins with the ledger's open ones.

    What other processes open meanwhile, the ledger's guard finds.
    """
    bounds = {name: limit for name in rates.operations if (limit := rates.room(name)) is not None}
    if bounds:
        ledger.index_open()
    lasts = rates.open_for()
    return {
        name: OpenContactLimit(limit, lasts, ledger.still_open(identity, since=now - lasts, limit=limit))
        for name, limit in bounds.items()
    }


def queues_of(
    limiters: Mapping[str, FileStore], rooms: Mapping[str, OpenContactLimit], *, stop: Stop, waiting: WaiterCount
) -> dict[str, RateLimitQueue]:
    """Return the queue of each operation."""
    clock = steady_clock()
    return {
        name: RateLimitQueue(store, stop, room=rooms.get(name), clock=clock, waiting=waiting)
        for name, store in limiters.items()
    }


def deliverer(  # noqa: PLR0913 - it puts all parts together
    context: RunContext,
    record: RunLedger,
    transport: Transport,
    *,
    queues: Mapping[str, Queue],
    judge: Judge,
    stop: Stop,
    waiting: WaiterCount,
) -> Deliverer:
    """Put the parts of a delivery together."""
    campaign = context.campaign
    policy = Policy(campaign.retry.attempts, campaign.retry.longest_wait, context.request.varies)
    caller = CallRunner(transport, queues, stop, policy=policy, parts_of=parts_counter(context), waiting=waiting)
    record.count(lambda: (caller.call_counts.calls, caller.call_counts.throttled))
    return Deliverer(
        caller=caller,
        journal=record,
        exchange=campaign.channel_facts.exchange,
        token_of=_tokens(record.facts.identity),
        admission=admission(
            context.rates, judge, record.facts.identity, _sms_segments(context, 1), consent_reader(context)
        ),
        mark=campaign.doubt.attribute,
        now=judge.now,
        replay_within=replay_within(campaign),
    )


def replay_within(campaign: Campaign) -> dict[str, float]:
    """Return for how many seconds the token of each operation may be used again."""
    channel = campaign.channel_facts
    return {name: channel.TOKENS.get(name, campaign.retry.replay_within) for name in channel.OPERATIONS.values()}


def permitted(rates: Rates, limiters: Mapping[str, FileStore], operation: str) -> float:
    """Return the rate at which an operation may be called now (a second): what was learned, else what was granted.

    It is only shown, so a file that cannot be read is no reason to stop.
    """
    store, pace = limiters.get(operation), math.nan
    with suppress(LedgerError):
        pace = store.look().estimator.paced_at if store else math.nan
    return pace if pace > 0 else rates.quota(operation)[0] * rates.options.rate_share


def _sms_segments(context: RunContext, otherwise: int) -> Callable[[Call], int]:
    """Return what counts the segments of a call; of a message that is not sent in segments it says `otherwise`."""
    texts, is_segmented = context.request.texts, context.campaign.channel_facts.SEGMENTED
    return (lambda call: texts.segments(call.parameters)) if is_segmented else lambda _: otherwise


def _one(_: Call) -> int:
    """Count no parts where nothing limits them."""
    return 1


def _tokens(identity: RunIdentity) -> Callable[[str, int, Delivery], str]:
    """Name each call by who, what and which run: the same however often, and in whatever order, the list is read.

    The text of the message is no part of it: a text that changed after a first try must not become a second message.
    """
    run = [identity.campaign, identity.run, identity.instance]

    def token(operation: str, step: int, delivery: Delivery) -> str:
        row = delivery.recipient.identity or delivery.recipient.key, delivery.decisions
        further = [delivery.occurrence] if delivery.occurrence else []
        return digest([*run, operation, step, *row, *further]).hex()

    return token
