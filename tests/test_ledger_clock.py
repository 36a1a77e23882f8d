"""The ledger by a clock that a test sets: how long rows are in doubt, and the counts of a pass while it lasts."""

from pathlib import Path

import pytest
from ledgers import IDENTITY, intent

from bulk.ledger import Ledger
from bulk.model import CLOCK_STEP, Recipient

AT = 1.8e9


class Clock:
    now = AT

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("back, known", [(0.0, True), (CLOCK_STEP, True), (CLOCK_STEP + 0.5, False)])
async def test_a_clock_that_was_set_back_leaves_nobody_who_knows_how_long_a_row_is_in_doubt(
    tmp_path: Path, back: float, *, known: bool
) -> None:
    clock = Clock()
    with Ledger.open(tmp_path, gather=0.0, now=clock) as ledger:
        run = ledger.begin(IDENTITY, {})
        (claim,) = run.claim([Recipient(0, "a", "a@example.com", {})])
        await run.intend(intent(claim.id, 0, "token", at=AT - 60))
        run.close_pass()
        clock.now -= back
        (again,) = ledger.begin(IDENTITY, {}).claim([Recipient(0, "a", "a@example.com", {})])
        assert (again.progress.intended_at == AT - 60) is known


async def test_the_calls_of_a_pass_are_kept_while_it_lasts_and_add_up(tmp_path: Path) -> None:
    clock, counts = Clock(), [(0, 0)]
    with Ledger.open(tmp_path, gather=0.0, now=clock) as ledger:
        for total in ((5, 2), (9, 4)):
            run = ledger.begin(IDENTITY, {})
            run.count(lambda: counts[0])
            (claim,) = run.claim([Recipient(0, "a", "a@example.com", {})])
            counts[0] = (5, 2) if total == (5, 2) else (4, 2)
            await run.intend(intent(claim.id, 0, "token", at=AT))
            await run.flush()
            found = ledger.find(IDENTITY.campaign, IDENTITY.run)
            assert found is not None
            assert (found.facts.calls, found.facts.throttled) == total
            run.close_pass(calls=counts[0][0], throttled=counts[0][1])
            run._writer.beside.clear()
