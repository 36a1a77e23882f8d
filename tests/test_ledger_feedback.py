"""What came back about people, and why they were written to: bulk.ledger.feedback and bulk.ledger.consents."""

from dataclasses import replace

import pytest
from ledgers import IDENTITY, begin, intent

from bulk.ledger import Ledger, RunLedger, consents, feedback
from bulk.ledger.feedback import KINDS, Addressee, Feedback
from bulk.model import Outcome, Recipient, Status

AT, NOW = 1.7e9, 1.8e9


@pytest.fixture
async def runs(ledger: Ledger) -> tuple[RunLedger, RunLedger]:
    """A run of deliveries 1 to 4, of which nobody knows the last one's destination, and another of 5 and 6."""
    run, other = begin(ledger), ledger.begin(replace(IDENTITY, run="other"), {})
    run.claim([Recipient(row, f"key-{row}", f"{row}@example.com" if row < 3 else None, {}) for row in range(4)])
    other.claim([Recipient(row, f"key-{row}", f"{row}@example.com", {}) for row in range(2)])
    return run, other


def record(run: RunLedger, *told: Feedback) -> None:
    run.write(lambda writing, _: feedback.record(writing, told))


def came(delivery: int, kind: str, at: float | None, tracked_at: float = NOW, *, listed: bool = False) -> Feedback:
    return Feedback(delivery, kind, at, listed, tracked_at)


def kept(run: RunLedger) -> list[Feedback]:
    ask = "SELECT delivery, kind, at, listed, tracked_at FROM feedback"
    return run.read(lambda connection, _: [Feedback(*row) for row in connection.execute(ask)])


# What came back


def test_what_comes_back_is_kept_under_words_that_stay() -> None:
    assert KINDS == ("stop", "bounce", "soft_bounce", "complaint")


def test_what_is_told_again_adds_what_was_not_known(runs: tuple[RunLedger, RunLedger]) -> None:
    run, _ = runs
    record(run, came(1, "stop", None), came(2, "stop", AT, listed=True))
    record(run, came(1, "stop", AT + 1, NOW + 1, listed=True), came(2, "stop", AT + 2, NOW + 2))
    record(run, came(1, "bounce", None, NOW + 3))
    assert kept(run) == [
        came(1, "bounce", None, NOW + 3),
        came(1, "stop", AT + 1, listed=True),
        came(2, "stop", AT, listed=True),
    ]


def test_the_kinds_of_a_run_are_told_by_row(runs: tuple[RunLedger, RunLedger]) -> None:
    run, other = runs
    told = [(3, "stop"), (1, "stop"), (1, "bounce"), (5, "complaint")]
    record(run, *(came(delivery, kind, AT) for delivery, kind in told))
    kinds = [one.read(feedback.kinds_of) for one in (run, other)]
    assert [[*one.items()] for one in kinds] == [[(1, ["bounce", "stop"]), (3, ["stop"])], [(5, ["complaint"])]]


def test_who_is_on_no_list_yet_is_told_by_kind_until_they_are(runs: tuple[RunLedger, RunLedger]) -> None:
    run, other = runs
    told = [(1, "stop"), (1, "bounce"), (2, "stop"), (3, "complaint"), (5, "stop")]
    record(run, *(came(delivery, kind, AT, listed=delivery == 3) for delivery, kind in told))

    def unlisted(run: RunLedger, *kinds: str) -> set[tuple[int, str]]:
        return set(run.read(lambda connection, number: feedback.unlisted(connection, number, kinds)))

    assert unlisted(run, *KINDS) == {(1, "stop"), (1, "bounce"), (2, "stop")}
    assert unlisted(run, "stop", "complaint") == {(1, "stop"), (2, "stop")}
    assert unlisted(other, *KINDS) == {(5, "stop")}
    run.write(lambda writing, _: feedback.mark_listed(writing, [(1, "stop"), (4, "stop")]))
    assert unlisted(run, *KINDS) == {(1, "bounce"), (2, "stop")}
    assert unlisted(other, *KINDS) == {(5, "stop")}
    assert came(1, "stop", AT, listed=True) in kept(run)


async def test_addressees_are_those_whom_a_message_may_have_reached_at_its_last_try(
    runs: tuple[RunLedger, RunLedger],
) -> None:
    run, other = runs
    await run.intend(intent(1, 0, "draft", at=AT + 9, reaches=False))
    for step, at in ((1, AT + 3), (2, AT + 1)):
        await run.intend(intent(1, step, f"mail {step}", at=at))
    await run.finish(1, Outcome(Status.SENT, "contact", 1))
    await run.intend(replace(intent(2, 0, "opens", at=AT), writes=False))
    await run.intend(intent(3, 0, "taken back", at=AT))
    await run.withdraw(3, attempts=1, token="taken back")
    await run.intend(intent(4, 0, "to nobody known", at=AT))
    await run.intend(intent(5, 0, "another run", at=AT))
    await run.flush()
    ann, ben = run.people("0@example.com")[0], run.people("1@example.com")[0]
    assert run.read(feedback.addressees) == [Addressee(1, "contact", ann, AT + 3)]
    assert other.read(feedback.addressees) == [Addressee(5, None, ann, AT)]
    await run.intend(intent(2, 1, "mail", at=AT + 5))
    assert run.read(feedback.addressees)[1:] == [Addressee(2, None, ben, AT + 5)]


def test_objects_are_known_by_run_in_the_version_that_was_read_last(runs: tuple[RunLedger, RunLedger]) -> None:
    run, other = runs

    def note(run: RunLedger, name: str, etag: str) -> None:
        run.write(lambda writing, number: feedback.note_object(writing, number, name, etag))

    for one, name, etag in ((run, "a", "1"), (run, "b", "1"), (run, "a", "2"), (other, "a", "3")):
        note(one, name, etag)
    assert (run.read(feedback.known_objects), other.read(feedback.known_objects)) == ({"a": "2", "b": "1"}, {"a": "3"})


# Why they were written to


async def test_of_each_row_the_consent_of_its_latest_message_is_told_in_the_order_of_the_list(
    runs: tuple[RunLedger, RunLedger],
) -> None:
    run, other = runs
    later = ("yes", "web", None)
    for step, at, said in ((0, AT, ("no", "fair", "May")), (1, AT + 9, later), (2, AT + 5, ("maybe", None, None))):
        await run.intend(replace(intent(2, step, f"token {step}", at=at), consent=said))
    await run.finish(2, Outcome(Status.SENT, "contact", 1))
    await other.intend(replace(intent(5, 0, "token", at=AT), consent=("other", None, None)))
    await run.flush()
    run.write(lambda writing, _: writing.execute("UPDATE delivery SET row = NULL WHERE id IN (1, 4)"))
    run.write(lambda writing, _: writing.execute("UPDATE delivery SET row = 7 WHERE id = 2"))

    def rows(run: RunLedger) -> list[consents.Tried]:
        return run.read(lambda connection, number: list(consents.rows(connection, number)))

    nothing = (None, None, None)
    assert rows(run) == [
        consents.Tried(3, 2, "2…@example.com", "pending", None, None, nothing, None),
        consents.Tried(2, 7, "1…@example.com", "sent", "contact", NOW, later, AT + 9),
        consents.Tried(1, None, "0…@example.com", "pending", None, None, nothing, None),
        consents.Tried(4, None, None, "pending", None, None, nothing, None),
    ]
    assert [(one.delivery, one.consent[0]) for one in rows(other)] == [(5, "other"), (6, None)]


def test_what_is_said_of_consent_is_kept_short_and_without_destinations() -> None:
    cells = ("x" * 250, None, "by ann.lee@example.com", "")
    assert consents.kept(cells) == ("x" * 200, None, "by a…@example.com", "")
