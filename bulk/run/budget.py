"""Keeps a run within its budget, whatever happens to it.

A row takes its share before its first call, and gives it back where the service certainly accepted nothing of it. One
for which too little is left waits for those under way; once there are none of them, the run ends with rows left.
"""

import logging
from dataclasses import dataclass

import anyio

from bulk.account.prices import Price
from bulk.delivery.announcements import Deferred
from bulk.delivery.attempts import CallCounts
from bulk.errors import ExitCode
from bulk.ledger import RunRecord
from bulk.model import Delivery, Outcome, Status
from bulk.request import Texts
from bulk.run.context import RunContext
from bulk.run.cost import EPSILON, cost_of, counted, known_price, went_to
from bulk.run.row import Executor
from bulk.stop import Stop, Stopped
from bulk.threads import in_thread

log = logging.getLogger("bulk")

_NOT_ACCEPTED = {Status.REJECTED, Status.REFUSED, Status.SKIPPED}


def guarded(context: RunContext, record: RunRecord, executor: Executor, stop: Stop) -> Executor:
    """Return what drives deliveries within the budget of a campaign, where it has one. Raises `CampaignError`."""
    at_most = context.campaign.budget.at_most
    if at_most is None:
        return executor
    cost = cost_of(context, 0, 0, region=went_to(context, record))
    price = known_price(cost)
    purse = Purse(at_most, price.of(*counted(record)))
    segmented = context.campaign.channel_facts.SEGMENTED
    return WithinBudget(executor, record, purse, price, context.request.texts if segmented else None, stop)


class Purse:
    """What may be spent, what is spent, and the shares of the rows under way, which may come back."""

    def __init__(self, at_most: float, spent: float = 0.0) -> None:
        self.at_most = at_most
        self.spent = spent
        self._under_way = 0
        self._changed = anyio.Event()

    async def take(self, amount: float) -> bool:
        """Set a share aside, waiting for those under way where that may help; return whether there was enough left."""
        while self.spent + amount > self.at_most + EPSILON:
            if not self._under_way:
                return False
            await self._changed.wait()
        self.spent += amount
        self._under_way += 1
        return True

    def settle(self, unspent: float) -> None:
        """Record that a row which took a share has ended, and how much of that was not spent."""
        self.spent -= unspent
        self._under_way -= 1
        self._changed.set()
        self._changed = anyio.Event()


@dataclass(slots=True)
class WithinBudget:
    """Drives deliveries as long as the budget allows; then it stops the run, whose rest can be resumed."""

    executor: Executor
    record: RunRecord
    purse: Purse
    price: Price
    texts: Texts | None
    stop: Stop

    @property
    def call_counts(self) -> CallCounts:
        """What went over the wire."""
        return self.executor.call_counts

    @property
    def full(self) -> tuple[str, ...]:
        """The operations that wait until the service has room again."""
        return self.executor.full

    def probes_in(self) -> dict[str, float]:
        """Return in how many seconds each full operation is tried again."""
        return self.executor.probes_in()

    async def deliver(self, delivery: Delivery) -> Outcome:
        """Drive one delivery to its outcome. Raises `Stopped` where there is nothing left for it."""
        if delivery.refusal is not None or await self._is_counted(delivery):
            return await self.executor.deliver(delivery)
        segments = self.texts.segments(delivery.parameters["request"]) if self.texts is not None else 1
        amount = self.price.of(1, segments)
        if not await self.purse.take(amount):
            self._end()
            raise Stopped
        unspent = 0.0
        try:
            outcome = await self.executor.deliver(delivery)
            unspent = amount if outcome.status in _NOT_ACCEPTED else 0.0
        except Deferred:
            unspent = 0.0 if await in_thread(self.record.wrote, delivery.id) else amount
            raise
        finally:
            self.purse.settle(unspent)
        return outcome

    async def _is_counted(self, delivery: Delivery) -> bool:
        """Whether an earlier pass announced the message, so that it is in what was spent."""
        return delivery.progress.intended_at is not None and await in_thread(self.record.wrote, delivery.id)

    def _end(self) -> None:
        reason = f"[budget] at_most: {self.purse.spent:,.2f} of {self.purse.at_most:,.2f} may have been spent"
        if not self.stop.asked:
            log.warning("%s, and one more message would exceed it: the rest is left", reason)
        self.stop.ask(reason, ExitCode.ROWS_LEFT)
