"""Asks about each contact of a run until its end is known. Answers are stored at once, several together.

Source: Amazon Connect API Reference, "DescribeContact".
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import anyio

from bulk.delivery.enquiry import Enquirer
from bulk.errors import CallFailed, Halted, LedgerError, unwrapped
from bulk.ledger import ContactEnd, Ledger, RunRecord
from bulk.ledger import ends as ledger_ends
from bulk.run.contact_events import GONE, ContactFacts, end_of, facts_of
from bulk.run.context import RunRef
from bulk.run.enquiries import check_remembered, enquirer
from bulk.run.environment import destination
from bulk.stop import Stop, Stopped
from bulk.threads import in_thread

OPERATION = "DescribeContact"
AT_ONCE = 8  # questions under way
TOGETHER = 10  # contacts that are recorded together: at the quota, those of a second


@dataclass(slots=True)
class Keeping:
    """What keeps in the ledger what was told. `told` counts it."""

    ledger: Ledger
    record: RunRecord
    told: int = 0

    def keep(self, ends: Sequence[ContactEnd]) -> None:
        self.ledger.write(self.record, lambda writing, _: ledger_ends.record(writing, ends))
        self.told += len(ends)


async def ask_all(ref: RunRef, keeping: Keeping, stop: Stop) -> None:
    """Ask about each contact whose end is not known, and keep what is told, whatever ends it."""
    waiting = await in_thread(keeping.record.read, ledger_ends.still_open)
    if not waiting:
        return
    check_remembered(ref)
    async with destination(ref) as (transport, place):
        assert transport is not None  # noqa: S101 - only a dry run has none
        _check_place(ref, keeping.record, place)
        asking = enquirer(ref, transport, (OPERATION,), stop)
        left, told = iter(waiting), list[ContactEnd]()
        try:
            with unwrapped():
                async with anyio.create_task_group() as group:
                    for _ in range(min(AT_ONCE, len(waiting))):
                        group.start_soon(partial(_ask, asking, left, told, keeping, instance=ref.instance))
        finally:
            with anyio.CancelScope(shield=True):
                await in_thread(keeping.keep, told)


async def _ask(
    asking: Enquirer, left: Iterator[tuple[int, str]], told: list[ContactEnd], keeping: Keeping, *, instance: str
) -> None:
    """Ask about one contact after the other, until there are none, or the stop."""
    for delivery, contact in left:
        try:
            told.append(await _end_of(asking, delivery, contact, instance=instance))
        except Stopped:
            return
        if len(told) >= TOGETHER:
            some = told.copy()
            told.clear()
            await in_thread(keeping.keep, some)


async def _end_of(asking: Enquirer, delivery: int, contact: str, *, instance: str) -> ContactEnd:
    try:
        answer = await asking.ask(OPERATION, {"InstanceId": instance, "ContactId": contact}, of_one=True)
    except CallFailed as failure:
        if "NotFound" not in failure.code:
            raise Halted(str(failure)) from failure
        return ContactEnd(delivery, contact, GONE, None, None, None, None, "asked", time.time())
    facts = facts_of(answer.members.get("Contact") or {}) or ContactFacts(contact, None, None, None, None)
    return end_of(delivery, facts, "asked", time.time())._replace(contact_id=contact)


def _check_place(ref: RunRef, record: RunRecord, place: tuple[str, str]) -> None:
    """Raise `LedgerError` where another instance would be asked than the one that was sent to."""
    known, asked = record.facts.identity, ref.identity(*place)
    if known != asked:
        raise LedgerError(
            f"run {known.run!r} belongs to {known.endpoint}, {known.region}, instance {known.instance}, and this would "
            f"ask {asked.endpoint}, {asked.region}, instance {asked.instance}. Ask where it was sent"
        )
