"""Which contacts may be open still, from the ledger: it …"""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from ledgers import DIGEST, IDENTITY, begin, intent

from bulk.ledger import Ledger, RunIdentity
from bulk.model import Outcome, Recipient, Reply, Status

NOW = 1.8e9  # Unix seconds
HOUR = 3600.0


async def opened(ledger: Ledger, times: Sequence[float], status: Status, *, of: RunIdentity = IDENTITY) -> None:
    """Have a run announce a call at each of these times, and end all of them so; `PENDING` leaves them unanswered."""
    run = ledger.begin(of, {})
    rows = [Recipient(row, f"{status}-{row}", "ann@example.com", {}) for row in range(len(times))]
    for claim, at in zip(run.claim(rows), times, strict=True):
        await run.intend(intent(claim.id, 0, "token", digest=DIGEST, at=at))
        if status is not Status.PENDING:
            token = "token" if status is Status.REJECTED else None  # certainly not accepted
            await run.finish(claim.id, Outcome(status, "contact" if status is Status.SENT else None, 1), token=token)
    await run.flush()


def ask(ledger: Ledger, *, limit: int = 100, of: RunIdentity = IDENTITY) -> list[float]:
    ledger.index_open()
    return ledger.still_open(of, since=NOW - HOUR, limit=limit)


async def test_gives_the_newest_that_are_not_too_old_the_oldest_first(ledger: Ledger) -> None:
    await opened(ledger, [NOW - 10, NOW - 30, NOW - 2 * HOUR, NOW - 20], Status.SENT)
    assert ask(ledger) == [NOW - 30, NOW - 20, NOW - 10]
    assert ask(ledger, limit=2) == [NOW - 20, NOW - 10]


async def test_what_opened_at_that_very_time_is_too_old(ledger: Ledger) -> None:
    await opened(ledger, [NOW - HOUR, NOW - HOUR + 1], Status.SENT)
    assert ask(ledger) == [NOW - HOUR + 1]


@pytest.mark.parametrize(
    "status, found", [(Status.SENT, 1), (Status.UNKNOWN, 1), (Status.PENDING, 1), (Status.REJECTED, 0)]
)
async def test_counts_what_was_or_may_have_been_accepted(ledger: Ledger, status: Status, found: int) -> None:
    await opened(ledger, [NOW - 10], status)
    assert len(ask(ledger)) == found


@pytest.mark.parametrize("name", ["channel", "endpoint", "region", "instance"])
async def test_counts_only_what_is_of_one_kind_and_place(ledger: Ledger, name: str) -> None:
    await opened(ledger, [NOW - 10], Status.SENT, of=replace(IDENTITY, campaign="another", **{name: "elsewhere"}))
    assert ask(ledger) == []
    await opened(ledger, [NOW - 20], Status.SENT, of=replace(IDENTITY, campaign="a third"))
    assert ask(ledger) == [NOW - 20]


async def test_leaves_out_what_a_call_of_our_own_has_ended(ledger: Ledger) -> None:
    run = begin(ledger)
    (claim,) = run.claim([Recipient(0, "a", "ann@example.com", {})])
    for step in range(2):
        await run.intend(intent(claim.id, step, f"token {step}", at=NOW - 10, reaches=not step))
        await run.answer(claim.id, step, Reply({"ContactId": "contact"}), attempts=1, settled=step == 1)
    await run.intend(intent(claim.id, 2, "token 2", at=NOW - 10, reaches=False))
    await run.end(claim.id, "token 0", NOW - 5)
    await run.finish(claim.id, Outcome(Status.SENT, "contact", 3))
    await run.flush()
    assert ask(ledger) == []


async def test_is_asked_of_its_index_alone(ledger: Ledger) -> None:
    await opened(ledger, [NOW - 10], Status.SENT)
    ledger.index_open()
    statements: list[str] = []
    reader = ledger._source.reader
    reader.set_trace_callback(statements.append)
    ask(ledger)
    reader.set_trace_callback(None)
    plan = " ".join(row[3] for statement in statements for row in reader.execute(f"EXPLAIN QUERY PLAN {statement}"))
    assert "USING INDEX dispatch_open (last_at>?)" in plan
    assert "TEMP B-TREE" not in plan
