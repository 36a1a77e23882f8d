"""The parts of a delivery, introduced to each other: nobody knows anybody but through here."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from functools import partial

from bulk.calling import Caller, Policy, Transport
from bulk.delivery import Carrier
from bulk.ledger import Ledger, RunLedger
from bulk.limits import Room
from bulk.model import Call, Delivery, digest
from bulk.run.admission import admission
from bulk.run.judging import Judge
from bulk.run.opening import Opened
from bulk.run.pace import open_for, pace, parts_of
from bulk.run.pace import room as room_for
from bulk.sharing import SharedPace, steady_clock
from bulk.stopping import Stop
from bulk.turns import Turns, Waiting

log = logging.getLogger("bulk")


@contextmanager
def turns_of(
    opened: Opened,
    place: tuple[str, str],
    ledger: Ledger,
    guesses: Mapping[str, float | None],
    *,
    stop: Stop,
    waiting: Waiting,
) -> Iterator[dict[str, Turns]]:
    """Return the turns of each operation, in step with the other processes that share the state directory.

    `place` is endpoint and Region, `guesses` are the rates at which learning begins. The room for open contacts begins
    with those that the ledger says are open; what other processes open meanwhile, the ledger's guard finds.
    """
    clock, operations = steady_clock(), opened.campaign.way.OPERATIONS.values()
    with ExitStack() as stack:
        paces: dict[str, SharedPace] = {}
        for name in operations:
            shared = SharedPace(opened.state_dir, (*place, name), pace(opened, name, guesses.get(name)))
            paces[name] = stack.enter_context(closing(shared))
        yield {
            name: Turns(shared, stop, room=_room(opened, name, place, ledger, clock()), clock=clock, waiting=waiting)
            for name, shared in paces.items()
        }
        for name, shared in paces.items():
            learned = shared.change(lambda pace: (pace, pace.learner))
            if learned.is_free and learned.knows:
                log.info("%s: %.3g calls a second were learned", name, learned.estimate)


def _room(opened: Opened, operation: str, place: tuple[str, str], ledger: Ledger, now: float) -> Room | None:
    limit = room_for(opened, operation)
    if limit is None:
        return None
    ledger.index_open()
    lasts = open_for(opened)
    return Room(limit, lasts, ledger.still_open(opened.identity(*place), since=now - lasts, limit=limit))


def carrier(
    opened: Opened, book: RunLedger, transport: Transport, *, turns: Mapping[str, Turns], judge: Judge, stop: Stop
) -> Carrier:
    """Introduce the parts of a delivery to each other."""
    campaign = opened.campaign
    policy = Policy(campaign.retry.attempts, campaign.retry.longest_wait, opened.request.varies)
    count = partial(parts_of, opened) if campaign.pacing.parts_per_second else _one
    caller = Caller(transport, turns, stop, policy=policy, parts_of=count)
    book.count(lambda: (caller.tally.calls, caller.tally.throttled))
    return Carrier(
        caller=caller,
        journal=book,
        exchange=campaign.way.exchange,
        token_of=_tokens(opened),
        admission=admission(opened, judge, book.facts.identity),
        now=judge.now,
        replay_within=replay_within(opened),
    )


def replay_within(opened: Opened) -> dict[str, float]:
    """Return for how many seconds the token of each operation may be used again."""
    campaign = opened.campaign
    way = campaign.way
    return {name: way.TOKENS.get(name, campaign.retry.replay_within) for name in way.OPERATIONS.values()}


def _one(_: Call) -> int:
    """Count no parts where nothing limits them."""
    return 1


def _tokens(opened: Opened) -> Callable[[str, int, Delivery], str]:
    """Name each call by who, what and which run: the same however often, and in whatever order, the list is read.

    The text of the message is no part of it: a text that changed after a first try must not become a second message.
    """
    run = [opened.campaign.name, opened.options.run_id, opened.instance]

    def token(operation: str, step: int, delivery: Delivery) -> str:
        row = delivery.recipient.identity or delivery.recipient.key, delivery.decisions
        further = [delivery.occurrence] if delivery.occurrence else []
        return digest([*run, operation, step, *row, *further]).hex()

    return token
