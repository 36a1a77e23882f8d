"""What the ledger knows of rows in doubt, and of the marks by which their contacts can be found. It …"""

from dataclasses import replace
from datetime import UTC, datetime

from ledgers import IDENTITY, intent

from bulk.ledger import Decision, Ledger, RunIdentity, RunLedger, marks
from bulk.ledger.marks import Doubt, Mark
from bulk.model import Outcome, Recipient, Status

NOW = 1.8e9
SENT, UNKNOWN = Outcome(Status.SENT, "c", 1), Outcome(Status.UNKNOWN, None, 1)


async def run_of(ledger: Ledger, rows: int, of: RunIdentity = IDENTITY) -> RunLedger:
    run = ledger.begin(of, {})
    run.claim([Recipient(row, f"key-{row}", f"{row}@example.com", {}) for row in range(rows)])
    return run


async def tried(run: RunLedger, delivery: int, at: float, *, attribute: str | None = "bulk", step: int = 0) -> None:
    await run.intend(replace(intent(delivery, step, f"token {delivery}/{step}", at=at), attribute=attribute))


def doubts(run: RunLedger) -> list[Doubt]:
    return run.read(marks.doubts)


async def end(run: RunLedger, delivery: int, outcome: Outcome, at: float) -> None:
    await run.finish(delivery, replace(outcome, finished_at=datetime.fromtimestamp(at, UTC)))
    await run.flush()


async def test_lists_what_was_announced_and_not_answered_with_its_mark(ledger: Ledger) -> None:
    run = await run_of(ledger, 1)
    await tried(run, 1, NOW)
    mark = Mark("token 1/0", "bulk", NOW, NOW)
    assert doubts(run) == [Doubt(1, in_doubt=True, intended_at=NOW, tried_at=NOW, marks=(mark,), whole=True)]


async def test_leaves_out_what_was_sent_or_never_tried_and_the_rows_of_other_runs(ledger: Ledger) -> None:
    run = await run_of(ledger, 3)
    await tried(run, 1, NOW)
    await end(run, 1, SENT, NOW)
    other = await run_of(ledger, 1, replace(IDENTITY, run="other"))
    await tried(other, 4, NOW)
    assert (doubts(run), [one.id for one in doubts(other)]) == ([], [4])


async def test_an_unknown_row_is_not_settled_by_the_next_pass_and_was_tried_shortly_before_its_end(
    ledger: Ledger,
) -> None:
    run = await run_of(ledger, 3)
    for delivery, seconds in enumerate((20.0, 600.0, -5.0), 1):
        await tried(run, delivery, NOW)
        await end(run, delivery, UNKNOWN, NOW + seconds)
    assert [(one.in_doubt, one.tried_at - NOW) for one in doubts(run)] == [(False, 20.0), (False, 60.0), (False, 0.0)]


async def test_a_row_is_known_as_a_whole_only_where_each_of_its_calls_has_a_mark(ledger: Ledger) -> None:
    run = await run_of(ledger, 3)
    for delivery, attributes in enumerate(((None, "bulk"), ("bulk", None), ("bulk", "bulk")), 1):
        for step, attribute in enumerate(attributes):
            await tried(run, delivery, NOW + step, attribute=attribute, step=step)
    found = doubts(run)
    assert [one.whole for one in found] == [False, False, True]
    assert [[mark.token for mark in one.marks] for one in found] == [
        ["token 1/1"],
        ["token 2/0"],
        ["token 3/0", "token 3/1"],
    ]
    assert [one.tried_at for one in found] == [NOW + 1] * 3


async def test_of_several_calls_the_last_is_what_an_end_follows(ledger: Ledger) -> None:
    run = await run_of(ledger, 1)
    for step in range(3):
        await tried(run, 1, NOW + step, step=step)
    await end(run, 1, UNKNOWN, NOW + 600)
    assert [one.tried_at - NOW for one in doubts(run)] == [62.0]


async def test_what_was_taken_back_is_no_doubt_of_it(ledger: Ledger) -> None:
    run = await run_of(ledger, 1)
    await tried(run, 1, NOW, attribute=None)
    await tried(run, 1, NOW + 1, step=1)
    await run.withdraw(1, attempts=1, token="token 1/0")
    await tried(run, 1, NOW + 2, step=1)
    (doubt,) = doubts(run)
    assert doubt.whole
    assert doubt.marks == (Mark("token 1/1", "bulk", NOW + 1, NOW + 2),)


async def test_a_call_that_a_copy_elsewhere_may_have_made_leaves_a_row_unknown_in_part(ledger: Ledger) -> None:
    run = await run_of(ledger, 1)
    await tried(run, 1, NOW)
    run.write(lambda writing, _: writing.execute("UPDATE delivery SET doubted_at = 1.0"))
    assert [one.whole for one in doubts(run)] == [False]


# A contact that is known to be there


def known_mark(
    run: RunLedger, attribute: str = "bulk", *, before: float = NOW, of: RunIdentity = IDENTITY
) -> Mark | None:
    return run.read(lambda connection, _: marks.known_mark(connection, of, attribute, before=before))


def known(run: RunLedger, attribute: str = "bulk", *, before: float = NOW, of: RunIdentity = IDENTITY) -> str | None:
    mark = known_mark(run, attribute, before=before, of=of)
    return None if mark is None else mark.token


async def test_of_the_contacts_that_are_there_the_last_before_a_time_is_known_else_the_first_after(
    ledger: Ledger,
) -> None:
    run = await run_of(ledger, 4)
    for delivery, at in enumerate((NOW - 50, NOW - 10, NOW, NOW + 5), 1):
        await tried(run, delivery, at)
        await end(run, delivery, SENT, at)
    times = (NOW - 60, NOW - 11, NOW - 1, NOW, NOW + 1, NOW + 99)
    assert [known(run, before=before) for before in times] == [f"token {delivery}/0" for delivery in (1, 1, 2, 3, 3, 4)]


async def test_a_contact_of_another_place_or_mark_is_not_known_nor_one_that_may_not_be_there(ledger: Ledger) -> None:
    run = await run_of(ledger, 2)
    await tried(run, 1, NOW)
    await end(run, 1, UNKNOWN, NOW)
    assert known(run) is None
    await tried(run, 2, NOW)
    await end(run, 2, SENT, NOW)
    assert known(run) == "token 2/0"
    assert known(run, "other") is None
    for name in ("endpoint", "region", "instance"):
        assert known(run, of=replace(IDENTITY, **{name: "elsewhere"})) is None
    assert known(run, of=replace(IDENTITY, campaign="other", run="other", channel="sms")) == "token 2/0"


async def test_a_contact_is_known_by_the_mark_of_its_last_call(ledger: Ledger) -> None:
    run = await run_of(ledger, 2)
    for delivery, step, at in (
        (1, 0, NOW - 50),
        (1, 1, NOW - 10),
        (2, 0, NOW - 30),
        (2, 1, NOW + 20),
        (2, 1, NOW + 25),
    ):
        await tried(run, delivery, at, step=step)
    for delivery in (1, 2):
        await end(run, delivery, SENT, NOW + 30)
    assert [known_mark(run, before=at) for at in (NOW - 45, NOW + 21)] == [
        Mark("token 1/1", "bulk", NOW - 10, NOW - 10),
        Mark("token 2/1", "bulk", NOW + 20, NOW + 25),
    ]


async def test_what_somebody_marked_as_sent_is_not_known_to_be_there(ledger: Ledger) -> None:
    run = await run_of(ledger, 1)
    await tried(run, 1, NOW)
    await end(run, 1, UNKNOWN, NOW)
    assert run.resolve(Decision.MARK_SENT) == 1
    assert known(run) is None


# What was found


async def test_what_is_found_is_sent_and_what_is_absent_is_sent_again_and_the_rest_is_left(ledger: Ledger) -> None:
    run = await run_of(ledger, 5)
    for delivery in range(1, 6):
        await tried(run, delivery, NOW)
    await end(run, 4, SENT, NOW)
    await end(run, 5, UNKNOWN, NOW)
    run.write(lambda writing, number: marks.settle(writing, number, {1: "found", 4: "no"}, {2, 4, 5}, now=NOW + 7))
    ask = "SELECT id, state, contact_id, decisions, finished_at FROM delivery ORDER BY id"
    assert run.read(lambda connection, _: connection.execute(ask).fetchall()) == [
        (1, "sent", "found", 1, NOW + 7),
        (2, "pending", None, 1, None),
        (3, "intended", None, 0, None),
        (4, "sent", "c", 0, NOW),
        (5, "pending", None, 1, None),
    ]


async def test_what_is_found_has_no_error_any_more_and_rows_of_another_run_are_left(ledger: Ledger) -> None:
    run, other = await run_of(ledger, 1), await run_of(ledger, 2, replace(IDENTITY, run="other"))
    for whose, delivery in ((run, 1), (other, 2), (other, 3)):
        await tried(whose, delivery, NOW)
        await end(whose, delivery, replace(UNKNOWN, error_code="expired", error_message="too late"), NOW)
    ask = "SELECT id, state, contact_id, error_code, error_message FROM delivery ORDER BY id"
    run.write(lambda writing, number: marks.settle(writing, number, {1: "found", 2: "found"}, {3}, now=NOW + 7))
    assert run.read(lambda connection, _: connection.execute(ask).fetchall()) == [
        (1, "sent", "found", None, None),
        (2, "unknown", None, "expired", "too late"),
        (3, "unknown", None, "expired", "too late"),
    ]
