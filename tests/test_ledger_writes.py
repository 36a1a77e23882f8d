"""What each word of the journal writes (bulk.ledger.statements, bulk.ledger.intents): these columns of this row alone.

Four rows are there: of them the second is written about, all of them are called under the same tokens, and the last is
another run's.
"""

from dataclasses import replace
from typing import Any

import pytest
from ledgers import DIGEST, Written, begin, called, intent, tables

from bulk.ledger import Ledger, RunLedger
from bulk.model import Announcement, Recipient, Reply

AT, NOW = 1.7e9, 1.8e9  # when the calls are announced, and what the ledger's clock says


def call(step: int = 0, *, delivery: int = 2, at: float = AT, **more: Any) -> Announcement:
    return replace(intent(delivery, step, f"token {step}", at=at), **more)


@pytest.fixture
async def run(ledger: Ledger) -> RunLedger:
    return await called(ledger)


# Announced


async def test_a_call_is_announced_with_its_dispatch_its_mark_and_what_is_said_of_consent(ledger: Ledger) -> None:
    run = begin(ledger)
    run.claim([Recipient(0, "key", "ann@example.com", {})])
    written = Written(run)
    person = run.people("ann@example.com")[0]
    await run.intend(
        call(2, delivery=1, attempts=3, segments=4, opens=False, attribute="bulk", consent=("yes", "fair", "May"))
    )
    announced = {"step": 2, "token": "token 2", "digest": DIGEST, "announced": 1, "intended_at": AT, "attempts": 3}
    call_ = {"delivery": 1, "token": "token 2"}
    assert await written() == {
        "delivery 1": {"state": "intended", **announced},
        "dispatch 1 token 2": {
            **call_,
            "person": person,
            "opens": 0,
            "writes": 1,
            "last_at": AT,
            "announced": 1,
            "segments": 4,
        },
        "mark 1 token 2": {**call_, "attribute": "bulk", "first_at": AT},
        "consent 1 token 2": {**call_, "said": "yes", "source": "fair", "at": "May", "kept_at": AT},
    }


async def test_announced_once_more_a_call_keeps_its_first_time_and_what_was_kept_of_it(run: RunLedger) -> None:
    await run.intend(call(attribute="bulk", consent=("yes", "fair", "May")))
    written = Written(run)
    await run.intend(call(at=AT + 9, attempts=7, attribute="other", consent=("no", "web", "June")))
    assert await written() == {
        "delivery 2": {"announced": 3, "attempts": 7},
        "dispatch 2 token 0": {"announced": 3, "last_at": AT + 9},
        "mark 2 token 0": {"attribute": "other"},
    }


async def test_a_further_call_is_announced_from_its_own_time_and_is_no_dispatch_where_it_reaches_nobody(
    run: RunLedger,
) -> None:
    written = Written(run)
    await run.intend(call(1, at=AT + 9, opens=False, writes=False))
    assert await written() == {"delivery 2": {"step": 1, "token": "token 1", "intended_at": AT + 9}}


async def test_a_call_that_was_taken_back_is_announced_anew(run: RunLedger) -> None:
    await run.withdraw(2, attempts=1, token="token 0")
    await run.flush()
    written = Written(run)
    await run.intend(call(at=AT + 9, digest=b"other", attempts=2))
    assert await written() == {
        "delivery 2": {
            "state": "intended",
            "announced": 1,
            "intended_at": AT + 9,
            "digest": b"other",
            "attempts": 2,
        },
        "dispatch 2 token 0": {"announced": 1, "last_at": AT + 9},
    }


@pytest.mark.parametrize("doubted, since", [(AT - 5, AT - 5), (AT + 5, AT), (None, AT)])
async def test_a_call_of_a_row_that_a_copy_may_not_know_is_as_old_as_the_doubt(
    run: RunLedger, doubted: float | None, since: float
) -> None:
    await run.withdraw(2, attempts=1)
    await run.flush()
    run.write(lambda writing, _: writing.execute("UPDATE delivery SET doubted_at = ? WHERE id = 2", (doubted,)))
    await run.intend(call())
    assert tables(run)["delivery 2"]["intended_at"] == since


@pytest.mark.parametrize("doubtful, since", [(True, {}), (False, {"intended_at": AT + 9})])
async def test_renewed_a_call_is_as_old_as_its_last_try_unless_an_earlier_one_is_in_doubt(
    run: RunLedger, since: dict[str, float], *, doubtful: bool
) -> None:
    written = Written(run)
    await run.intend(call(at=AT + 9, attempts=4, renews=True, doubtful=doubtful))
    assert await written() == {"delivery 2": {"attempts": 4, **since}, "dispatch 2 token 0": {"last_at": AT + 9}}


async def test_renewed_a_call_that_reaches_nobody_leaves_the_dispatches_alone(run: RunLedger) -> None:
    written = Written(run)
    await run.intend(call(at=AT + 9, renews=True, opens=False, writes=False))
    assert await written() == {"delivery 2": {"intended_at": AT + 9}}


# Answered, taken back, ended


@pytest.mark.parametrize(
    "members, settled, kept, end",
    [
        ({"ContactId": "c", "Other": "x"}, False, '[{"ContactId":"c"},"r"]', {}),
        ({"Other": "x"}, False, '[{},"r"]', {}),
        (
            {"ContactId": "c"},
            True,
            '[{"ContactId":"c"},"r"]',
            {"contact_id": "c", "request_id": "r", "finished_at": NOW},
        ),
    ],
)
async def test_an_answer_is_kept_and_with_the_one_that_settles_the_row_its_end(
    run: RunLedger, members: dict[str, str], kept: str, end: dict[str, Any], *, settled: bool
) -> None:
    written = Written(run)
    await run.answer(2, 0, Reply(members, "r"), attempts=5, settled=settled)
    pending = {"state": "pending", "announced": 0, "intended_at": None, "attempts": 5}
    assert await written() == {"delivery 2": {**pending, "replies": f"[{kept}]", **end}}


async def test_answers_are_kept_in_their_order(run: RunLedger) -> None:
    await run.answer(2, 0, Reply({"ContactId": "c"}), attempts=1)
    await run.intend(call(1))
    await run.answer(2, 1, Reply({}, "r"), attempts=1)
    assert tables(run)["delivery 2"]["replies"] == '[[{"ContactId":"c"},null],[{},"r"]]'


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_a_call_taken_back_is_in_doubt_as_long_as_an_earlier_announcement_of_it_is(
    run: RunLedger, times: int
) -> None:
    for _ in range(times - 1):
        await run.intend(call(attempts=1))
    written = Written(run)
    await run.withdraw(2, attempts=6, token="token 0")
    none_left = {"state": "pending", "intended_at": None} if times == 1 else {}
    assert await written() == {
        "delivery 2": {"attempts": 6, "announced": times - 1, **none_left},
        "dispatch 2 token 0": {"announced": times - 1},
    }


async def test_a_call_that_reached_nobody_is_taken_back_without_a_dispatch(run: RunLedger) -> None:
    written = Written(run)
    await run.withdraw(2, attempts=0)
    assert await written() == {"delivery 2": {"state": "pending", "announced": 0, "intended_at": None}}


async def test_when_a_contact_opened_and_when_we_ended_it_is_kept_with_its_call(run: RunLedger) -> None:
    await run.intend(call(1))
    written = Written(run)
    await run.opened(2, "token 0", AT + 3)
    await run.end(2, "token 0", AT + 4)
    assert await written() == {"dispatch 2 token 0": {"last_at": AT + 3, "ended_at": AT + 4}}


@pytest.mark.parametrize("times, last", [((AT + 2, AT + 1), 1), ((AT + 1, AT + 2), 2), ((AT, AT), 2)])
async def test_a_contact_opened_under_a_token_of_before_is_the_last_that_opened(
    run: RunLedger, times: tuple[float, float], last: int
) -> None:
    for step, at in enumerate(times, 1):
        await run.intend(call(step, at=at))
    await run.intend(call(3, at=AT + 3, opens=False))
    written = Written(run)
    await run.end(2, "a token of a decision", AT + 4)
    assert await written() == {f"dispatch 2 token {last}": {"ended_at": AT + 4}}
