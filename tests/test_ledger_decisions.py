"""How a row of the ledger ends, and what is decided about it by hand: these columns of this row alone.

As in `test_ledger_writes`, the second of four rows is written about, the last is another run's.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ledgers import Written, called, intent, tables

from bulk.errors import LedgerError
from bulk.ledger import Decision, Ledger, RunLedger
from bulk.model import Announcement, Outcome, Reply, Status

AT, NOW = 1.7e9, 1.8e9


def call(step: int = 0, *, delivery: int = 2, at: float = AT, **more: Any) -> Announcement:
    return replace(intent(delivery, step, f"token {step}", at=at), **more)


@pytest.fixture
async def run(ledger: Ledger) -> RunLedger:
    return await called(ledger)


async def test_a_row_ends_as_its_outcome_says(run: RunLedger) -> None:
    written = Written(run)
    at = datetime.fromtimestamp(AT + 1, UTC)
    await run.finish(2, Outcome(Status.SENT, "c", 2, "Code", "to ann.lee@example.com", "r", at))
    assert await written() == {
        "delivery 2": {
            "state": "sent",
            "contact_id": "c",
            "attempts": 2,
            "error_code": "Code",
            "error_message": "to a…@example.com",
            "request_id": "r",
            "finished_at": AT + 1,
        }
    }


async def test_a_row_that_was_rejected_was_not_reached_by_its_last_call(run: RunLedger) -> None:
    written = Written(run)
    await run.finish(2, Outcome(Status.REJECTED, None, 1), token="token 0")
    assert await written() == {
        "delivery 2": {"state": "rejected", "attempts": 1, "finished_at": NOW},
        "dispatch 2 token 0": {"announced": 0},
    }


async def test_what_has_a_contact_is_sent_and_keeps_it_whatever_came_after(run: RunLedger) -> None:
    await run.answer(2, 0, Reply({"ContactId": "c"}), attempts=1, settled=True)
    await run.intend(call(1, attempts=1))
    written = Written(run)
    await run.finish(2, Outcome(Status.UNKNOWN, "another", 1))
    assert await written() == {"delivery 2": {"state": "sent"}}


Word = Callable[[RunLedger], Awaitable[object]]
NOT_THERE: dict[str, Word] = {
    "an answer to another call": lambda run: run.answer(2, 1, Reply({}), attempts=1),
    "the call of another row": lambda run: run.intend(call(delivery=5)),
    "the end of another row": lambda run: run.finish(5, Outcome(Status.REJECTED)),
    "the opening of another contact": lambda run: run.opened(2, "token 1", AT),
    "an announcement taken back": lambda run: run.withdraw(3, attempts=1),
    "an announcement renewed": lambda run: run.intend(call(delivery=3, renews=True)),
}
"""What is said of a row, a call or an announcement that is not there: the third row is at its end."""


@pytest.mark.parametrize("word", NOT_THERE)
async def test_what_is_said_of_what_is_not_there_stops_the_writing(tmp_path: Path, word: str) -> None:
    ledger = Ledger.open(tmp_path, gather=0.0)
    run = await called(ledger)
    await run.finish(3, Outcome(Status.REJECTED))
    await run.flush()

    async def say() -> None:
        await NOT_THERE[word](run)
        await run.flush()

    with pytest.raises(LedgerError, match="1 of 1 writes met no delivery"):
        await say()
    with pytest.raises(LedgerError):
        ledger.close()


# Decided


async def unknown(run: RunLedger) -> Written:
    """Have all of the rows but the third, which stays in doubt, end as unknown."""
    await run.answer(2, 0, Reply({"ContactId": "draft"}), attempts=1)
    await run.intend(call(1))
    run.write(lambda writing, _: writing.execute("UPDATE delivery SET doubted_at = 5.0"))
    for delivery in (1, 2, 4):
        await run.finish(delivery, Outcome(Status.UNKNOWN, None, 1, "Timeout", "no answer", "r"))
    await run.flush()
    return Written(run)


FORGOTTEN = dict.fromkeys(
    ["intended_at", "digest", "doubted_at", "error_code", "error_message", "request_id", "finished_at"]
)


async def test_a_row_sent_again_by_hand_is_as_new_but_for_its_answers_and_its_count(run: RunLedger) -> None:
    written = await unknown(run)
    assert run.resolve(Decision.RESEND, [2, 3, 4]) == 1
    assert await written() == {"delivery 2": {"state": "pending", "decisions": 1, "announced": 0, **FORGOTTEN}}


async def test_a_row_that_was_rejected_and_is_sent_again_has_no_answers_either(run: RunLedger) -> None:
    await unknown(run)
    run.resolve(Decision.RESEND, [2])
    await run.intend(call(1))
    await run.finish(2, Outcome(Status.REJECTED, "none", 1, "Code", "why", "r"))
    await run.flush()
    written = Written(run)
    await run.intend(call(attempts=8, at=AT + 9, reopens=True))
    announced = {"state": "intended", "decisions": 2, "step": 0, "token": "token 0", "intended_at": AT + 9}
    ended = dict.fromkeys(["contact_id", "error_code", "error_message", "request_id", "finished_at", "replies"])
    assert await written() == {
        "delivery 2": {**announced, **ended, "attempts": 8},
        "dispatch 2 token 0": {"announced": 2, "last_at": AT + 9},
    }


async def test_a_row_sent_again_may_end_without_a_call(run: RunLedger) -> None:
    written = await unknown(run)
    at = datetime.fromtimestamp(AT, UTC)
    await run.finish(2, Outcome(Status.SKIPPED, None, 4, finished_at=at), reopens=True)
    ended = {"state": "skipped", "decisions": 1, "announced": 0, "attempts": 4}
    assert await written() == {"delivery 2": {**FORGOTTEN, **ended, "finished_at": AT}}


@pytest.mark.parametrize(
    "decision, end",
    [
        (Decision.MARK_SENT, ("sent", "marked_sent", "marked as sent by hand")),
        (Decision.GIVE_UP, ("rejected", "given_up", "given up by hand: no answer")),
    ],
)
async def test_decided_by_hand_a_row_is_at_its_end(
    run: RunLedger, decision: Decision, end: tuple[str, str, str]
) -> None:
    written = await unknown(run)
    assert run.resolve(decision, {2}) == 1
    decided = dict(zip(("state", "error_code", "error_message"), end, strict=True))
    expected = {**decided, "decisions": 1, "finished_at": NOW}
    before = written.before["delivery 2"]
    assert await written() == {"delivery 2": {name: it for name, it in expected.items() if it != before[name]}}


async def test_all_rows_of_the_run_are_decided_where_none_is_named_also_those_in_doubt(run: RunLedger) -> None:
    written = await unknown(run)
    assert run.resolve(Decision.GIVE_UP) == 3
    assert sorted(await written()) == ["delivery 1", "delivery 2", "delivery 3"]
    assert tables(run)["delivery 3"]["error_message"] == "given up by hand"
