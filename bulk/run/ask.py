"""Asks Amazon Connect about the rows of a run without an answer, as the only sender of that run."""

import time
from collections.abc import Callable, Collection

from bulk.errors import CampaignError, Halted
from bulk.ledger import Ledger, RunRecord
from bulk.ledger.lock import sole_sender
from bulk.run.context import RunRef
from bulk.run.doubt_search import OPERATIONS, DoubtSearch, Settlement
from bulk.run.enquiries import check_remembered, enquirer
from bulk.run.environment import destination
from bulk.run.results import recorded
from bulk.run.wiring import replay_within
from bulk.stop import Stop
from bulk.text.plain import counted
from bulk.threads import in_thread

Choice = Callable[[RunRecord], Collection[int] | None]
"""Which rows of the ledger are meant, None for all."""


async def ask(ref: RunRef, choose: Choice, *, wait: float | None = None) -> Settlement:
    """Look up the rows of unknown fate, and record what is found. `wait` (seconds) is that of the campaign if None.

    Raises `CampaignError` where the campaign gives its contacts no mark, `LedgerError` where the run was sent
    elsewhere, `RunBusy`, and `Halted` where Amazon Connect does not answer: what it answered before is recorded.
    """
    doubt = ref.campaign.doubt
    if ref.options.dry_run:
        raise CampaignError("--ask asks for real: leave --dry-run out")
    check_remembered(ref)
    with sole_sender(ref.state_dir, ref.campaign.name, ref.options.run_id):
        with recorded(ref) as record:
            chosen, facts = await in_thread(choose, record), record.facts
            if not await in_thread(record.unknown):
                return Settlement()
        async with destination(ref) as (transport, place):
            assert transport is not None  # noqa: S101 - only a dry run has none
            with Ledger.open(ref.state_dir) as ledger:
                run = await in_thread(ledger.begin, ref.identity(*place), facts.digests)
                search = DoubtSearch(
                    enquirer(ref, transport, OPERATIONS, Stop()),
                    run,
                    doubt.wait if wait is None else wait,
                    min(replay_within(ref.campaign).values()),
                    time.time,
                )
                try:
                    await search.settle(chosen)
                except Halted as halt:
                    raise _halted(halt, search.settlement) from halt
                finally:
                    run.close_pass(rows=facts.rows, halted=facts.halted)
    return search.settlement


def _halted(halt: Halted, told: Settlement) -> Halted:
    known = f"{counted(told.decided, 'row')} decided before" if told.decided else "nothing was decided"
    return type(halt)(f"{halt}; {known}. Ask again once that is fixed")
