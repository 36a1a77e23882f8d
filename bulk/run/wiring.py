"""The parts of a delivery, introduced to each other: nobody knows anybody but through here."""

import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from functools import partial
from pathlib import Path

from bulk.delivery.call_runner import CallRunner, Policy, Transport
from bulk.delivery.delivery import Deliverer
from bulk.files import state_folder
from bulk.ledger import Ledger, RunLedger
from bulk.ledger.lock import sole_sender
from bulk.model import Call, Delivery, digest
from bulk.pacing.open_contacts import OpenContactLimit
from bulk.pacing.queue import RateLimitQueue, WaiterCount
from bulk.pacing.shared import FileStore, steady_clock
from bulk.request import Texts
from bulk.run.admission import admission
from bulk.run.context import RunContext
from bulk.run.eligibility import Judge
from bulk.run.environment import destination, guesses, start_afresh, whose
from bulk.run.plan import DryRun
from bulk.run.pool import Pool
from bulk.run.results import read_as
from bulk.run.send_pass import SendPass
from bulk.stop import Stop
from bulk.text.segments import parts

log = logging.getLogger("bulk")


@asynccontextmanager
async def opened_pass(
    opened: RunContext, stop: Stop, survey: DryRun, pool: Pool | None = None
) -> AsyncIterator[SendPass]:
    """Open all that a sending needs: the lock, the way out, the ledger. Where there is no way out, look instead."""
    pool = pool or Pool()
    options = opened.options
    if options.state_dir is not None:  # a rehearsal's is a folder inside it, so the one that was named is seen to here
        state_folder(Path(options.state_dir))
    with sole_sender(opened.state_dir, opened.campaign.name, options.run_id):
        start_afresh(opened)
        async with destination(opened) as (transport, place):
            clock = steady_clock()
            with pool.ledger(opened.state_dir, now=clock, at_once=opened.rates.at_once()) as ledger:
                accept = options.accept_changes or options.dry_run
                identity = opened.identity(*place)
                book = ledger.begin(identity, opened.digests, fixed=opened.fixed, accept_changes=accept)
                opened = read_as(opened, book)
                if options.only:
                    book.only({options.only})
                judge = Judge.of(opened.terms, ledger, book.facts, now=clock, waits=transport is not None)
                if transport is None:
                    yield SendPass(opened, book, survey, judge, stop)
                    return
                waiting = WaiterCount()
                home = Pool() if options.sandbox else pool  # a sandbox of its own has quotas of its own
                with paces_of(opened, await whose(transport, place), await guesses(opened), home) as paces:
                    turns = turns_of(opened, place, ledger, paces, stop=stop, waiting=waiting)
                    driving = carrier(opened, book, transport, turns=turns, judge=judge, stop=stop)
                    yield SendPass(opened, book, driving, judge, stop, waiting)


@contextmanager
def paces_of(
    opened: RunContext, whose: tuple[str, ...], guesses: Mapping[str, float | None], pool: Pool
) -> Iterator[dict[str, FileStore]]:
    """Open the pace of each operation, in step with the other processes that share the state directory.

    `whose` rates these are, and at which learning begins (`guesses`). Runs of one `pool` keep a rate together, whatever
    their state directories.
    """
    with ExitStack() as stack:
        paces: dict[str, FileStore] = {}
        for name in opened.campaign.way.OPERATIONS.values():
            place = (*whose, name)
            folder = pool.pace_folder(place, opened.state_dir)
            shared = FileStore(folder, place, opened.rates.limiter(name, guesses.get(name)))
            paces[name] = stack.enter_context(closing(shared))
        yield paces
        for name, shared in paces.items():
            learned = shared.change(lambda pace: (pace, pace.learner))
            if learned.is_free and learned.knows:
                log.info("%s: %.3g calls a second were learned", name, learned.estimate)


def turns_of(
    opened: RunContext,
    place: tuple[str, str],
    ledger: Ledger,
    paces: Mapping[str, FileStore],
    *,
    stop: Stop,
    waiting: WaiterCount,
) -> dict[str, RateLimitQueue]:
    """Return the turns of each operation. `place` is endpoint and Region.

    The room for open contacts begins with those that the ledger says are open; what other processes open meanwhile, the
    ledger's guard finds.
    """
    clock = steady_clock()
    return {
        name: RateLimitQueue(
            shared, stop, room=_room(opened, name, place, ledger, clock()), clock=clock, waiting=waiting
        )
        for name, shared in paces.items()
    }


def _room(
    opened: RunContext, operation: str, place: tuple[str, str], ledger: Ledger, now: float
) -> OpenContactLimit | None:
    limit = opened.rates.room(operation)
    if limit is None:
        return None
    ledger.index_open()
    lasts = opened.rates.open_for()
    return OpenContactLimit(limit, lasts, ledger.still_open(opened.identity(*place), since=now - lasts, limit=limit))


def carrier(
    opened: RunContext,
    book: RunLedger,
    transport: Transport,
    *,
    turns: Mapping[str, RateLimitQueue],
    judge: Judge,
    stop: Stop,
) -> Deliverer:
    """Introduce the parts of a delivery to each other."""
    campaign = opened.campaign
    policy = Policy(campaign.retry.attempts, campaign.retry.longest_wait, opened.request.varies)
    count = partial(_segments, opened.request.texts) if campaign.pacing.parts_per_second else _one
    caller = CallRunner(transport, turns, stop, policy=policy, parts_of=count)
    book.count(lambda: (caller.tally.calls, caller.tally.throttled))
    return Deliverer(
        caller=caller,
        journal=book,
        exchange=campaign.way.exchange,
        token_of=_tokens(opened),
        admission=admission(opened, judge, book.facts.identity),
        now=judge.now,
        replay_within=replay_within(opened),
    )


def replay_within(opened: RunContext) -> dict[str, float]:
    """Return for how many seconds the token of each operation may be used again."""
    campaign = opened.campaign
    way = campaign.way
    return {name: way.TOKENS.get(name, campaign.retry.replay_within) for name in way.OPERATIONS.values()}


def _segments(texts: Texts, call: Call) -> int:
    """Return how many segments a call sends: one where its text is not ours."""
    return sum(map(parts, texts.of_row(call.parameters).values())) or 1


def _one(_: Call) -> int:
    """Count no parts where nothing limits them."""
    return 1


def _tokens(opened: RunContext) -> Callable[[str, int, Delivery], str]:
    """Name each call by who, what and which run: the same however often, and in whatever order, the list is read.

    The text of the message is no part of it: a text that changed after a first try must not become a second message.
    """
    run = [opened.campaign.name, opened.options.run_id, opened.instance]

    def token(operation: str, step: int, delivery: Delivery) -> str:
        row = delivery.recipient.identity or delivery.recipient.key, delivery.decisions
        further = [delivery.occurrence] if delivery.occurrence else []
        return digest([*run, operation, step, *row, *further]).hex()

    return token
