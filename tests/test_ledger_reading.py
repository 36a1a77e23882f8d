"""What the ledger tells of a run, row by row and in numbers: it …"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from ledgers import IDENTITY, begin, intent

from bulk.errors import LedgerError
from bulk.ledger import Ledger, RunLedger
from bulk.ledger.facts import Tried
from bulk.model import Outcome, Recipient, Refusal, Reply, Status

AT = 1_800_000_000.0
WHEN = datetime.fromtimestamp(AT, UTC)
SENT = Outcome(Status.SENT, "c", 1, finished_at=WHEN)
UNKNOWN = Outcome(Status.UNKNOWN, None, 2, "ReadTimeout", "no answer", "r-1", WHEN)
REJECTED = Outcome(Status.REJECTED, None, 1, "Invalid", "no", "r-2", WHEN)


def people(names: str) -> list[Recipient]:
    return [Recipient(row, name, f"{name}@example.com", {}) for row, name in enumerate(names)]


async def end(run: RunLedger, delivery: int, outcome: Outcome | None, *, at: float = AT) -> None:
    """Announce a call at this time, and end its row so; None leaves it in doubt."""
    await run.intend(intent(delivery, 0, f"token {delivery}", at=at))
    if outcome is not None:
        await run.finish(delivery, outcome, token=f"token {delivery}" if outcome is REJECTED else None)
    await run.flush()


@pytest.fixture
async def run(ledger: Ledger) -> RunLedger:
    """Five rows: sent, unknown, rejected, in doubt, pending; and beside it another run."""
    run = begin(ledger)
    run.claim(people("abcde"))
    for delivery, outcome in enumerate((SENT, UNKNOWN, REJECTED, None), 1):
        await end(run, delivery, outcome)
    other = ledger.begin(replace(IDENTITY, run="other"), {})
    other.claim(people("ab"))
    await end(other, 6, SENT)
    await end(other, 7, UNKNOWN)
    return run


def lose(run: RunLedger, deliveries: Sequence[int]) -> None:
    run.write(
        lambda writing, _: [
            writing.execute("UPDATE delivery SET row = NULL WHERE id = ?", (one,)) for one in deliveries
        ]
    )


async def test_tells_of_each_row_that_was_tried_and_of_its_calls_that_may_have_been_accepted(run: RunLedger) -> None:
    await run.intend(intent(4, 1, "second", at=AT))
    await run.flush()
    masked = [row.destination for row in run.tried()]
    assert [replace(row, destination=None) for row in run.tried()] == [
        Tried(0, "sent", "c", None, frozenset({"token 1"})),
        Tried(1, "unknown", None, None, frozenset({"token 2"})),
        Tried(2, "rejected", None, None, frozenset({"token 3"})),
        Tried(3, "intended", None, None, frozenset({"token 4", "second"})),
    ]
    assert all(destination and "@example.com" not in destination[:5] for destination in masked)


async def test_counts_the_rows_by_how_they_ended_of_the_list_as_it_is(run: RunLedger) -> None:
    ended = {status: count for status, count in run.counts().items() if count}
    assert ended == {Status.SENT: 1, Status.UNKNOWN: 2, Status.REJECTED: 1, Status.PENDING: 1}
    lose(run, [1, 2])
    assert run.counts()[Status.SENT] == 1  # where the list ends nobody knows yet
    run.close_pass(rows=7)
    lose(run, [1, 2])
    counts = run.counts()
    assert (counts[Status.SENT], counts[Status.UNKNOWN], counts[Status.PENDING]) == (0, 1, 5)
    assert sum(counts.values()) == 7


async def test_duplicates_are_skipped_rows_and_strangers_refused_ones(ledger: Ledger, run: RunLedger) -> None:
    begin(ledger).claim(people("aa"))
    assert (run.counts()[Status.SKIPPED], run.counts()[Status.REFUSED]) == (1, 0)
    strangers = [*people("ac"), Recipient(2, "d", "d@example.com", {}), Recipient(3, "b", "somebody@else.example", {})]
    begin(ledger).claim(strangers, contents=lambda: [("x", "x")] * 4)
    assert (run.counts()[Status.SKIPPED], run.counts()[Status.REFUSED]) == (0, 1)


async def test_tells_what_is_undecided_in_the_order_of_the_list(run: RunLedger) -> None:
    first, second = run.unknown()
    assert (first.id, first.in_doubt, first.row) == (2, False, 1)
    assert first.outcome == replace(UNKNOWN, error_message=first.outcome.error_message)
    assert (second.id, second.in_doubt, second.row, second.intended_at) == (4, True, 3, WHEN)
    assert (second.outcome.status, second.outcome.error_code) == (Status.UNKNOWN, "unanswered")
    assert run.unanswered() == 1


async def test_counts_the_undecided_rows_that_the_list_lost(run: RunLedger) -> None:
    assert run.lost() == 0
    lose(run, [1, 2, 3, 4, 5])
    assert run.lost() == 2
    assert [one.row for one in run.unknown()] == [None, None]


async def test_tells_how_many_were_sent_and_when_the_last_was(ledger: Ledger, run: RunLedger) -> None:
    assert run.sent() == (1, WHEN)
    await end(run, 5, replace(SENT, finished_at=datetime.fromtimestamp(AT + 9, UTC)))
    assert run.sent() == (2, datetime.fromtimestamp(AT + 9, UTC))
    assert ledger.begin(replace(IDENTITY, run="empty"), {}).sent() == (0, None)


async def test_a_mail_that_is_out_is_sent_before_its_contact_is_ended(ledger: Ledger) -> None:
    run = begin(ledger)
    run.claim(people("a"))
    await run.intend(intent(1, 0, "token", at=AT))
    await run.answer(1, 0, Reply({"ContactId": "c"}, "r"), attempts=1, settled=True)
    assert (run.counts()[Status.SENT], run.unanswered(), run.unknown()) == (1, 0, [])
    await run.intend(intent(1, 1, "stop", at=AT, reaches=False))
    await run.flush()
    assert (run.counts()[Status.SENT], run.unanswered(), run.unknown()) == (1, 0, [])
    assert run.sent()[0] == 0  # it is not at its end yet


async def test_a_row_that_is_refused_has_the_code_and_no_destination_in_its_message(ledger: Ledger) -> None:
    run = begin(ledger)
    refusal = Refusal("bad", "a@example.com is none")
    run.claim([replace(people("a")[0], refusal=refusal)])
    (told,) = run.recorded()(["a"])
    assert (told[0], told[3]) == ("refused", "bad")
    assert "a@example.com" not in str(told[4])


# A run of the first version, whose repeated rows are known by their places


async def test_rows_known_by_their_place_may_not_move(ledger: Ledger) -> None:
    begin(ledger).claim(people("aab"))
    begin(ledger).write(lambda writing, _: writing.execute("UPDATE run SET naming = 1"))
    run = begin(ledger)
    run.keep_repeats()
    assert (run.fixed, run.counted) == (True, False)
    run.claim(people("ab"))
    moved = begin(ledger)
    moved.keep_repeats()
    with pytest.raises(LedgerError, match=r"the list has changed in row 1 since it was last read.*--run NEW"):
        moved.claim(people("ax"))
