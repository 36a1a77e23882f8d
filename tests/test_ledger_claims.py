from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledgers import DIGEST, begin, intent, outcomes

from bulk.errors import LedgerError
from bulk.ledger import Claim, ClaimKind, Ledger, RunLedger
from bulk.model import Outcome, Recipient, Refusal, Reply, Status

NEW, UNSETTLED, FINAL, DUPLICATE, STRANGER = ClaimKind


def listed(keys: Sequence[str]) -> list[Recipient]:
    return [Recipient(row, key, f"+1415555{ord(key[0]):04}", {}) for row, key in enumerate(keys)]


def kinds(claims: Sequence[Claim]) -> list[ClaimKind]:
    return [claim.kind for claim in claims]


async def end(run: RunLedger, claim: Claim, status: Status = Status.SENT) -> None:
    await run.intend(intent(claim.id, 0, "token", digest=DIGEST, at=1.8e9, reopens=claim.reopens is not None))
    await run.finish(claim.id, Outcome(status, "contact" if status is Status.SENT else None, 1))


async def test_a_resumed_run_goes_on_with_what_is_not_done(ledger: Ledger) -> None:
    run = begin(ledger)
    claims = run.claim(listed("abcd"))
    assert kinds(claims) == [NEW] * 4
    await end(run, claims[0])
    await end(run, claims[1], Status.REJECTED)
    await run.intend(intent(claims[2].id, 0, "token", digest=DIGEST, at=1.7e9))
    await run.flush()
    again = begin(ledger).claim(listed("abcd"))
    assert kinds(again) == [FINAL, FINAL, UNSETTLED, NEW]
    assert [claim.status for claim in again] == [Status.SENT, Status.REJECTED, Status.UNKNOWN, Status.PENDING]
    assert again[2].progress.intended_at == 1.7e9
    assert again[2].progress.digest == DIGEST
    assert [claim.id for claim in again[2:]] == [claim.id for claim in claims[2:]]


async def test_a_list_sorted_anew_is_known_by_its_keys(ledger: Ledger) -> None:
    run = begin(ledger)
    claims = run.claim(listed("abcd"))
    await end(run, claims[0])
    await run.flush()
    again = begin(ledger)
    moved = again.claim(listed("dcba"))
    assert [claim.id for claim in moved[:3]] == [claims[3].id, claims[2].id, claims[1].id]
    assert moved[3].kind is FINAL
    again.close_pass(rows=4)
    statuses = [outcome.status for outcome in outcomes(again, listed("dcba"))]
    assert statuses == [Status.PENDING] * 3 + [Status.SENT]


def test_a_list_may_grow_anywhere(ledger: Ledger) -> None:
    first = begin(ledger).claim(listed("abc"))
    again = begin(ledger).claim(listed("xabyc"))
    assert [claim.id for claim in (again[1], again[2], again[4])] == [claim.id for claim in first]
    assert kinds(again) == [NEW] * 5


async def test_a_row_that_vanished_stays_in_the_ledger_and_is_not_counted(ledger: Ledger) -> None:
    run = begin(ledger)
    await end(run, run.claim(listed("abc"))[0])
    await run.flush()
    run.close_pass(rows=3)
    shorter = begin(ledger)
    shorter.claim(listed("bc"))
    shorter.close_pass(rows=2)
    assert shorter.counts() == dict.fromkeys(Status, 0) | {Status.PENDING: 2}
    assert kinds(begin(ledger).claim(listed("abc"))) == [FINAL, NEW, NEW]


def test_a_second_row_with_the_same_key_is_a_duplicate_in_every_pass(ledger: Ledger) -> None:
    for fresh in (True, False):
        run = begin(ledger)
        claims = run.claim(listed("aba")) + run.claim([replace(listed("b")[0], row=3)])
        assert kinds(claims) == [NEW, NEW, DUPLICATE, DUPLICATE]
        assert [claim.first_row for claim in claims[2:]] == [0, 1]
        assert [claim.fresh for claim in claims[2:]] == [fresh, fresh]
        run.close_pass(rows=4)
        assert run.counts()[Status.SKIPPED] == 2


def test_a_duplicate_is_one_no_more_when_the_first_row_has_gone(ledger: Ledger) -> None:
    run = begin(ledger)
    run.claim(listed("aab"))
    again = begin(ledger)
    assert kinds(again.claim(listed("ab"))) == [NEW, NEW]
    again.close_pass(rows=2)
    assert again.counts()[Status.SKIPPED] == 0


def test_a_refused_row_is_recorded_when_it_is_claimed(ledger: Ledger) -> None:
    refusal = Refusal("invalid_phone", "+14155550097 is too short, also as (415) 555-0097 or ann.lee@example.com")
    skip = Refusal("suppressed", "on the list do-not-contact.csv", Status.SKIPPED)
    rows = [replace(listed("a")[0], refusal=refusal), replace(listed("xb")[1], refusal=skip)]
    run = begin(ledger)
    claims = run.claim(rows)
    assert [(claim.kind, claim.status, claim.fresh) for claim in claims] == [
        (FINAL, Status.REFUSED, True),
        (FINAL, Status.SKIPPED, True),
    ]
    first, second = outcomes(run, rows)
    assert [first.status, second.status] == [Status.REFUSED, Status.SKIPPED]
    assert first.error_code == "invalid_phone"
    assert first.error_message is not None
    assert first.error_message.startswith("+141…97 is too short")
    assert "ann" not in first.error_message
    assert [claim.fresh for claim in begin(ledger).claim(rows)] == [False, False]


async def test_a_refusal_does_not_hide_what_was_tried(ledger: Ledger) -> None:
    run = begin(ledger)
    claims = run.claim(listed("abc"))
    await end(run, claims[0])
    await run.intend(intent(claims[1].id, 0, "token", digest=DIGEST, at=1.8e9))
    await run.flush()
    refusal = Refusal("suppressed", "asked to be left alone", Status.SKIPPED)
    again = begin(ledger).claim([replace(row, refusal=refusal) for row in listed("abc")])
    assert [(claim.kind, claim.status) for claim in again] == [
        (FINAL, Status.SENT),
        (UNSETTLED, Status.UNKNOWN),
        (FINAL, Status.SKIPPED),
    ]


async def test_a_row_sent_again_by_decision_keeps_the_tokens_of_that_decision(ledger: Ledger) -> None:
    run = begin(ledger)
    await end(run, run.claim(listed("a"))[0], Status.REJECTED)
    await run.flush()
    again = begin(ledger)
    again.only({Status.REJECTED})
    (claim,) = again.claim(listed("a"))
    await again.intend(intent(claim.id, 0, "another token", reopens=True))
    await again.flush()
    (resumed,) = begin(ledger).claim(listed("a"))
    assert (resumed.kind, resumed.decisions) == (UNSETTLED, 1)


def test_a_list_whose_rows_are_known_by_their_place_may_change_at_its_end_alone(ledger: Ledger) -> None:
    begin(ledger).claim(listed("abc"))
    ledger._writing().run(lambda connection: connection.execute("UPDATE run SET naming = 1"))
    again = begin(ledger)
    again.keep_repeats()
    assert kinds(again.claim(listed("abcd"))) == [NEW] * 4
    moved = begin(ledger)
    moved.keep_repeats()
    with pytest.raises(LedgerError, match=r"changed in row 1 since .*--run NEW"):
        moved.claim(listed("axbcd"))
    assert [outcome.status for outcome in outcomes(moved, listed("abcd"))] == [Status.PENDING] * 4


async def test_a_second_reading_sends_no_row_again_that_the_first_did(ledger: Ledger) -> None:
    run = begin(ledger)
    claims = run.claim(listed("ab"))
    for claim in claims:
        await end(run, claim, Status.REJECTED)
    await run.flush()
    again = begin(ledger)
    again.only({Status.REJECTED})
    first, _ = again.claim(listed("ab"))
    await end(again, first, Status.REJECTED)
    await again.flush()
    again.read_again()
    assert kinds(again.claim(listed("ab"))) == [FINAL, NEW]


async def test_rows_that_this_pass_has_sent_were_not_sent_before_it(ledger: Ledger) -> None:
    run = begin(ledger)
    for claim in run.claim(listed("ab")):
        await end(run, claim)
    await run.flush()
    run.read_again()
    run.claim(listed("ab"))
    assert run.sent_before == (0, 0)


async def test_a_refusal_of_a_row_that_has_a_draft_keeps_the_draft(ledger: Ledger) -> None:
    run = begin(ledger)
    (claim,) = run.claim(listed("a"))
    await run.intend(intent(claim.id, 0, "token", digest=DIGEST, at=1.8e9))
    await run.answer(claim.id, 0, Reply({"ContactId": "draft"}), attempts=1)
    refused = replace(listed("a")[0], refusal=Refusal("invalid_email", "no address"))
    assert begin(ledger).claim([refused])[0].kind is NEW  # its draft is to be ended
    (claim,) = begin(ledger).claim(listed("a"))
    assert [reply["ContactId"] for reply in claim.progress.replies] == ["draft"]


async def test_a_mail_whose_draft_was_being_stopped_after_a_no_is_not_in_doubt(ledger: Ledger) -> None:
    run = begin(ledger)
    (claim,) = run.claim(listed("a"))
    await run.intend(intent(claim.id, 0, "token 0", digest=DIGEST, at=1.8e9))
    await run.answer(claim.id, 0, Reply({"ContactId": "draft"}), attempts=1)
    await run.intend(intent(claim.id, 1, "token 1", digest=DIGEST, at=1.8e9))
    await run.withdraw(claim.id, attempts=2)
    await run.intend(intent(claim.id, 2, "token 2", digest=DIGEST, at=1.8e9))
    again = begin(ledger)
    (resumed,) = again.claim(listed("a"))
    assert (resumed.kind, resumed.progress.intended_at, len(resumed.progress.replies)) == (NEW, None, 1)
    await again.intend(intent(claim.id, 1, "token 1", digest=b"another text....", at=1.8e9))


async def test_a_mail_that_is_out_is_sent_whatever_becomes_of_its_row(ledger: Ledger) -> None:
    run = begin(ledger)
    (claim,) = run.claim(listed("a"))
    await run.intend(intent(claim.id, 0, "token", digest=DIGEST, at=1.8e9))
    await run.answer(claim.id, 0, Reply({"ContactId": "mail"}, "request"), attempts=1, settled=True)
    refused = replace(listed("a")[0], refusal=Refusal("invalid_email", "no address"))
    for resumed, kind in ((refused, FINAL), (listed("a")[0], UNSETTLED)):
        again = begin(ledger)
        assert again.claim([resumed])[0].kind is kind
        (outcome,) = outcomes(again, [resumed])
        assert (outcome.status, outcome.contact_id, outcome.request_id) == (Status.SENT, "mail", "request")
        assert again.counts()[Status.SENT] == 1
        assert (again.unknown(), again.unanswered()) == ([], 0)
    await again.finish(claim.id, Outcome(Status.REFUSED, error_code="template_error"))
    await again.flush()
    (outcome,) = outcomes(again, listed("a"))
    assert (outcome.status, outcome.contact_id) == (Status.SENT, "mail")


def test_rows_without_a_key_are_told_apart(ledger: Ledger) -> None:
    refusal = Refusal("missing_key", "the key is empty")
    rows = [Recipient(row, "", None, {}, refusal) for row in range(3)]
    run = begin(ledger)
    assert kinds(run.claim(rows)) == [FINAL] * 3
    run.close_pass(rows=3)
    assert run.counts()[Status.REFUSED] == 3


async def test_only_some_rows_are_sent_again_and_the_rest_is_left_alone(ledger: Ledger) -> None:
    run = begin(ledger)
    claims = run.claim(listed("abcd"))
    for claim, status in zip(claims, (Status.SENT, Status.REJECTED, Status.REJECTED), strict=False):
        await end(run, claim, status)
    await run.flush()
    again = begin(ledger)
    again.only({Status.REJECTED})
    some = again.claim(listed("abcde"))
    assert kinds(some) == [FINAL, NEW, NEW, FINAL, FINAL]
    assert some[1].decisions == 1
    assert some[1].progress.attempts == 1
    await end(again, some[1])
    await again.flush()
    cut_short = begin(ledger)
    cut_short.only({Status.REJECTED})
    assert kinds(cut_short.claim(listed("abcde"))) == [FINAL, FINAL, NEW, FINAL, FINAL]
    assert kinds(begin(ledger).claim(listed("abcde"))) == [
        FINAL,
        FINAL,
        FINAL,
        NEW,
        NEW,
    ]  # no call, no reopening


async def test_a_row_in_doubt_is_left_so_where_others_are_sent_again(ledger: Ledger) -> None:
    run = begin(ledger)
    in_doubt, rejected = run.claim(listed("ab"))
    await run.intend(intent(in_doubt.id, 0, "token", digest=DIGEST, at=1.8e9))
    await end(run, rejected, Status.REJECTED)
    await run.flush()
    again = begin(ledger)
    again.only({Status.REJECTED})
    left, resent = again.claim(listed("ab"))
    assert (left.kind, left.status, left.fresh, resent.kind) == (FINAL, Status.UNKNOWN, False, NEW)


def test_a_list_that_did_not_change_is_claimed_without_a_write(ledger: Ledger) -> None:
    rows = listed([*"abca", "dd", *"efg"])
    begin(ledger).claim(rows)
    again = begin(ledger)
    writer = ledger._writing()
    before = writer.run(lambda connection: connection.total_changes)
    again.claim(rows)
    assert writer.run(lambda connection: connection.total_changes) == before


KEYS = st.text("abcdefgh", max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(passes=st.lists(st.tuples(KEYS, st.integers(1, 5)), min_size=1, max_size=4), unread=st.integers(0, 3))
def test_any_lists_in_any_batches_are_counted_row_by_row(
    tmp_path_factory: pytest.TempPathFactory, passes: list[tuple[str, int]], unread: int
) -> None:
    numbers: dict[str, int] = {}
    with Ledger.open(tmp_path_factory.mktemp("state"), gather=0.0) as ledger:
        for keys, size in passes:
            run, rows, met = begin(ledger), listed(keys), set[str]()
            end = len(rows) if (keys, size) == passes[-1] else max(0, len(rows) - unread)
            for start in range(0, end, size):
                batch = rows[start : min(start + size, end)]
                for row, claim in zip(batch, run.claim(batch), strict=True):
                    assert claim.kind is (DUPLICATE if row.key in met else NEW)
                    if claim.kind is NEW:
                        assert numbers.setdefault(row.key, claim.id) == claim.id
                    else:
                        assert claim.first_row == keys.index(row.key)
                    met.add(row.key)
        run.close_pass(rows=len(rows))
        counts = run.counts()
        assert (counts[Status.PENDING], counts[Status.SKIPPED]) == (len(met), len(keys) - len(met))
        statuses = [outcome.status for outcome in outcomes(run, rows)]
        assert statuses.count(Status.SKIPPED) == counts[Status.SKIPPED]


class Unread(list[Recipient]):
    """Rows of a list of which nobody may ask more than the name."""

    def __getitem__(self, place: object) -> Recipient:  # type: ignore[override]  # on purpose
        raise AssertionError(place)


async def test_of_a_row_that_is_done_only_the_name_is_read(ledger: Ledger) -> None:
    run = begin(ledger)
    for claim in run.claim(listed("abc")):
        await end(run, claim)
    await run.flush()
    assert kinds(begin(ledger).claim(Unread(listed("bca")), ["b", "c", "a"])) == [FINAL] * 3


async def test_a_mail_that_is_out_is_sent_without_an_error_while_its_contact_is_stopped(ledger: Ledger) -> None:
    run = begin(ledger)
    (claim,) = run.claim(listed("a"))
    await run.intend(intent(claim.id, 0, "token", digest=DIGEST, at=1.7e9))
    await run.answer(claim.id, 0, Reply({"ContactId": "mail"}, "request"), attempts=1, settled=True)
    await run.intend(intent(claim.id, 1, "stop", digest=DIGEST, at=1.7e9))
    await run.flush()
    (outcome,) = outcomes(run, listed("a"))
    assert (outcome.status, outcome.contact_id, outcome.error_code, outcome.error_message) == (
        Status.SENT,
        "mail",
        None,
        None,
    )
