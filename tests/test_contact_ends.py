"""What is known of contacts, from a ledger that is real: beside the results, and in numbers."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from ledgers import begin, intent
from polars.testing import assert_frame_equal
from sandbox_runs import EMAIL

import bulk
from bulk.ledger import ContactEnd, Ledger, RunLedger
from bulk.ledger import ends as ledger_ends
from bulk.ledger import feedback as ledger_feedback
from bulk.ledger.feedback import Feedback
from bulk.model import Outcome, Recipient, Status
from bulk.run.contact_ends import ENDS, tracked
from bulk.run.context import RunRef
from bulk.run.options import Options
from bulk.run.track_summary import NO_RECEIPT, Tracking, tracking

AT = 1_800_000_000.0
TELLS = [
    ContactEnd(1, "c-1", "ended", AT, AT + 30, "CUSTOMER_DISCONNECT", 1, "asked", AT),
    ContactEnd(2, "c-2", "ended", AT, AT + 60.5, None, 0, "event", AT),
    ContactEnd(3, "c-3", "open", AT, None, None, None, "asked", AT),
    ContactEnd(4, "c-4", "gone", None, None, None, None, "asked", AT),
    ContactEnd(5, "c-5", "ended", AT, AT, "CUSTOMER_DISCONNECT", 2, "asked", AT),
]
FEEDBACK = [
    Feedback(1, "stop", AT, listed=True, tracked_at=AT),
    Feedback(2, "stop", AT, listed=False, tracked_at=AT),
    Feedback(2, "complaint", AT, listed=False, tracked_at=AT),
    Feedback(6, "bounce", None, listed=False, tracked_at=AT),
    Feedback(6, "soft_bounce", None, listed=False, tracked_at=AT),
]


@pytest.fixture
async def run(ledger: Ledger) -> RunLedger:
    """A run of eight rows, of which seven were sent: the last of these is known of nothing."""
    run = begin(ledger)
    run.claim([Recipient(row, f"key-{row}", f"{row}@example.com", {}) for row in range(8)])
    for delivery in range(1, 8):
        at = datetime.fromtimestamp(AT, UTC)
        await run.intend(intent(delivery, 0, f"t{delivery}", at=AT))
        await run.finish(delivery, Outcome(Status.SENT, f"c-{delivery}", 1, finished_at=at))
    await run.flush()
    return run


def known(ledger: Ledger, run: RunLedger, ends: list[ContactEnd], feedback: list[Feedback]) -> None:
    ledger.write(run, lambda writing, _: ledger_ends.record(writing, ends))
    ledger.write(run, lambda writing, _: ledger_feedback.record(writing, feedback))


def beside(run: RunLedger, *contacts: str | None) -> pl.DataFrame:
    ours = pl.DataFrame({"contact_id": contacts}, schema={"contact_id": pl.String})
    columns = pl.DataFrame({"of": ["the list"]})

    def results() -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
        yield ours, columns

    ((told, other),) = tracked(results(), run)
    assert other is columns
    return told


def frame(*rows: tuple[Any, ...]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=ENDS, orient="row")


async def test_each_row_has_what_is_known_of_its_contact_in_the_order_of_the_results(
    ledger: Ledger, run: RunLedger
) -> None:
    known(ledger, run, TELLS, FEEDBACK)
    at = [datetime.fromtimestamp(AT + after, UTC) for after in (30, 60.5, 0)]
    assert_frame_equal(
        beside(run, "c-6", "c-4", None, "c-2", "c-1", "c-7", "c-3", "c-5"),
        frame(
            ("c-6", None, None, None, None, "bounce, soft_bounce"),
            ("c-4", "gone", None, None, None, None),
            (None, None, None, None, None, None),
            ("c-2", "ended", None, at[1], False, "complaint, stop"),
            ("c-1", "ended", "CUSTOMER_DISCONNECT", at[0], True, "stop"),
            ("c-7", None, None, None, None, None),
            ("c-3", "open", None, None, None, None),
            ("c-5", "ended", "CUSTOMER_DISCONNECT", at[2], True, None),
        ),
    )
    assert ENDS.names() == [
        *("contact_id", "contact_state", "disconnect_reason", "disconnected_at", "answered", "feedback")
    ]


async def test_where_nothing_is_known_all_of_it_is_null_and_keeps_its_type(run: RunLedger) -> None:
    assert_frame_equal(beside(run, "c-1"), frame(("c-1", None, None, None, None, None)))


# In numbers


def ref(**track: Any) -> RunRef:
    campaign = bulk.Campaign(name="welcome", channel="email", list={"key": "key"}, request=EMAIL, track=track)
    return RunRef(campaign, Options(sandbox=True))


async def test_the_numbers_of_a_run_are_counted_by_state_answer_reason_and_feedback(
    ledger: Ledger, run: RunLedger
) -> None:
    known(ledger, run, TELLS, FEEDBACK)
    told = tracking(ref(suppress=["stop", "bounce"]), run, 3)
    assert told == Tracking(
        campaign="welcome",
        run="default",
        contacts=7,
        ended=3,
        open=1,
        gone=1,
        untracked=2,
        answered=2,
        silent=1,
        reasons={"CUSTOMER_DISCONNECT": 2, "not told": 1},
        asked=3,
        rehearsal=True,
        stops=2,
        bounces=1,
        soft_bounces=1,
        complaints=1,
        listed=0,
        unlisted=2,
    )
    assert list(told.reasons) == ["CUSTOMER_DISCONNECT", "not told"]
    assert tracking(ref(), run).unlisted == 1


async def test_where_nothing_is_known_every_number_but_that_of_contacts_is_nought(run: RunLedger) -> None:
    nothing = {"ended": 0, "open": 0, "gone": 0, "answered": 0, "silent": 0, "asked": 0, "reasons": {}}
    back = {"stops": 0, "bounces": 0, "soft_bounces": 0, "complaints": 0, "listed": 0, "unlisted": 0, "malformed": 0}
    about = {"campaign": "welcome", "run": "default", "contacts": 7, "untracked": 7, "note": NO_RECEIPT}
    assert tracking(ref(), run).as_dict() == {**nothing, **back, **about, "rehearsal": True}
    told = Tracking("welcome", "default", 0, 0, 0, 0, 0, 0, 0, {}, 0)
    assert told.as_dict() == {**nothing, **back, **about, "contacts": 0, "untracked": 0, "rehearsal": False}
