"""What a delivery hands to the ledger, to the last argument, in virtual time: it …"""

from collections.abc import Callable
from typing import Any

import pytest
from delivery_journal import NOW, Told
from fakes import CREATE, MAIL, SMS, STOP, Answer, full, no, ok, throttled, timeout
from virtual import in_virtual_time

from bulk.delivery.announcements import Admission, Deferred
from bulk.delivery.marks import mark_of
from bulk.errors import Halted
from bulk.model import Delivery, Progress, Refusal, Status, digest
from bulk.pacing.open_contacts import OpenContactLimit

pytestmark = in_virtual_time

TEXT = {"request": {"InstanceId": "i", "ContactFlowId": "f"}}
LETTER = {"create_contact": {"InstanceId": "i"}, "request": {"InstanceId": "i", "EmailMessage": {}}}
TIDY = {**LETTER, "stop_contact": {"InstanceId": "i"}}
REJECTED = no("InvalidRequestException", 400)
NO = Refusal("suppressed", "named in stop.csv", Status.SKIPPED)


def refusing(why: float | Refusal, after: int = 0) -> Callable[[Delivery], None]:
    asked = iter(range(100))

    def ask(_: Delivery) -> None:
        if next(asked) >= after:
            raise Deferred(why)

    return ask


# How it ends


async def test_tells_of_a_rejected_call_under_which_token_nothing_was_accepted() -> None:
    run = Told("sms", REJECTED)
    await run(TEXT)
    assert run.told == [("finish", 5, "rejected", f"{SMS}/0", False)]


@pytest.mark.parametrize(
    "script, status", [([ok()], "sent"), ([timeout()] * 5, "unknown"), ([timeout(), REJECTED], "unknown")]
)
async def test_names_no_token_where_something_may_have_been_accepted(script: list[Answer], status: str) -> None:
    run = Told("sms", *script)
    await run(TEXT)
    assert run.told == [("finish", 5, status, None, False)]


async def test_tells_of_each_answer_and_of_the_mail_that_it_settles_the_row() -> None:
    run = Told("email", ok("draft"), ok("mail"), ok("gone"))
    await run(TIDY)
    answers = [one for one in run.told if one[0] == "answer"]
    assert answers == [("answer", 5, 0, "draft", 1, False), ("answer", 5, 1, "mail", 2, True)]


async def test_tells_which_contact_was_ended_and_when() -> None:
    run = Told("email", ok("draft"), ok("mail"), ok("gone"))
    await run(TIDY)
    (end,) = [one for one in run.told if one[0] == "end"]
    assert end == ("end", 5, f"{CREATE}/0", pytest.approx(0.3, abs=0.01))
    assert not [one for one in run.told if one[0] == "opened"]


async def test_ends_a_contact_that_an_earlier_run_opened() -> None:
    run = Told("email", ok("gone"))
    await run(TIDY, Progress(2, (ok("draft"), ok("mail"))))
    assert [one[2] for one in run.told if one[0] == "end"] == [f"{CREATE}/0"]


async def test_tells_when_a_contact_opened_where_open_contacts_are_counted() -> None:
    run = Told("email", ok("draft"), ok("mail"), admission=Admission(counts_open=True))
    await run(LETTER)
    assert [one for one in run.told if one[0] == "opened"] == [
        ("opened", 5, f"{CREATE}/0", pytest.approx(0.1, abs=0.01))
    ]


async def test_a_contact_that_it_ended_leaves_its_room_to_the_next() -> None:
    answers = [ok("draft"), ok("mail"), ok("gone")]
    run = Told("email", *answers, *answers, room=OpenContactLimit(1, 1000.0))
    for _ in range(2):
        await run(TIDY)
    assert run.line.requests[-1].at < 1.0


# A row that a decision sends again


@pytest.mark.parametrize("before", [Status.UNKNOWN, Status.REJECTED, Status.SKIPPED])
async def test_a_decision_is_recorded_with_the_first_call_and_not_again_with_the_end(before: Status) -> None:
    run = Told("email", throttled(), ok("draft"), ok("mail"))
    await run(LETTER, reopens=before)
    assert [one.reopens for one in run.book.announced] == [True, False]
    assert run.told[-1] == ("finish", 5, "sent", None, False)


async def test_a_row_without_a_decision_reopens_nothing() -> None:
    run = Told("sms", ok())
    await run(TEXT)
    assert [one.reopens for one in run.book.announced] == [False]


@pytest.mark.parametrize("before", [Status.REJECTED, Status.SKIPPED])
async def test_a_decision_on_a_row_that_the_rules_leave_out_is_recorded_with_that(before: Status) -> None:
    run = Told("sms", admission=Admission(refusing(NO)))
    assert (await run(TEXT, reopens=before)).status is Status.SKIPPED
    assert run.told == [("finish", 5, "skipped", None, True)]


async def test_an_unknown_row_that_the_rules_leave_out_stays_unknown_and_nothing_is_written() -> None:
    run = Told("sms", admission=Admission(refusing(NO)))
    outcome = await run(TEXT, reopens=Status.UNKNOWN)
    assert (outcome.status, outcome.error_code, run.told) == (Status.UNKNOWN, "suppressed", [])


async def test_an_unknown_row_whose_call_was_announced_and_not_accepted_is_left_out() -> None:
    run = Told("sms", throttled(), admission=Admission(refusing(NO, after=1)))
    assert (await run(TEXT, reopens=Status.UNKNOWN)).status is Status.SKIPPED
    assert run.told == [("withdraw", 5, 1, f"{SMS}/0"), ("finish", 5, "skipped", None, False)]


# What is taken back


async def test_takes_an_announcement_back_once_under_the_token_of_what_would_have_reached_a_person() -> None:
    run = Told("sms", no("AccessDeniedException", 403))
    with pytest.raises(Halted):
        await run(TEXT)
    assert run.told == [("withdraw", 5, 1, f"{SMS}/0")]


async def test_takes_back_what_only_tidies_up_without_a_token() -> None:
    run = Told("email", ok("draft"), ok("mail"), no("ExpiredTokenException", 403))
    with pytest.raises(Halted):
        await run(TIDY)
    assert run.told[-1] == ("withdraw", 5, 3, None)


async def test_a_rejected_mail_is_taken_back_before_its_draft_is_stopped() -> None:
    run = Told("email", ok("draft"), REJECTED, ok("gone"))
    await run(LETTER)
    assert run.told[1:] == [
        ("withdraw", 5, 2, f"{MAIL}/1"),
        ("end", 5, f"{CREATE}/0", pytest.approx(0.3, abs=0.01)),
        ("finish", 5, "rejected", None, False),
    ]


# What is in doubt


async def test_calls_that_a_lost_ledger_may_have_made_are_in_doubt() -> None:
    run = Told("sms", REJECTED)
    assert (await run(TEXT, Progress(doubted_at=NOW - 60.0))).status is Status.UNKNOWN
    run = Told("sms")
    outcome = await run(TEXT, Progress(doubted_at=NOW - 3601.0))
    assert (outcome.status, outcome.error_code) == (Status.UNKNOWN, "token_expired")


async def test_a_call_whose_parameters_nobody_knows_is_not_taken_for_changed() -> None:
    assert (await Told("sms", ok())(TEXT, Progress(1, (), NOW - 60.0))).status is Status.SENT


async def test_only_the_call_after_the_recorded_replies_is_in_doubt() -> None:
    run = Told("email", ok("draft"), REJECTED, ok("gone"))
    outcome = await run(LETTER, Progress(1, (), NOW - 60.0, digest(LETTER)))
    assert outcome.status is Status.REJECTED
    assert run.line.operations == [CREATE, MAIL, STOP]


async def test_the_token_of_an_operation_that_promises_nothing_is_not_used_again() -> None:
    run = Told("email")
    outcome = await run(LETTER, Progress(1, (ok("draft"),), NOW - 1.0))
    assert (outcome.status, outcome.error_code) == (Status.UNKNOWN, "token_expired")
    assert outcome.error_message is not None
    assert outcome.error_message.endswith("within 0 minutes")


# Marks


async def test_a_call_that_opens_a_contact_carries_its_mark_and_no_other_does() -> None:
    run = Told("email", ok("draft"), ok("mail"), mark="bulk")
    await run(LETTER)
    draft, mail = run.line.requests
    assert draft.parameters["Attributes"] == {"bulk": mark_of(f"{CREATE}/0")}
    assert "Attributes" not in mail.parameters
    assert [one.attribute for one in run.book.announced] == ["bulk", None]
    assert {one.digest for one in run.book.announced} == {digest([LETTER, "bulk"])}


async def test_without_a_mark_a_call_is_as_the_campaign_says() -> None:
    run = Told("sms", ok())
    await run(TEXT)
    assert run.line.requests[0].parameters == TEXT["request"]
    assert [(one.attribute, one.digest) for one in run.book.announced] == [(None, digest(TEXT))]


# What is hidden


async def test_what_the_service_echoes_of_a_row_is_hidden_in_its_end() -> None:
    echo = echoing(no("InvalidRequestException", 400), "no such person: Margarete Holm")
    outcome = await Told("sms", echo)(TEXT)
    assert outcome.error_message == "no such person: …"


async def test_what_it_echoes_is_hidden_in_what_halts_the_run_too() -> None:
    echo = echoing(no("AccessDeniedException", 403), "no right to write to Margarete Holm")
    with pytest.raises(Halted) as raised:
        await Told("sms", full(), echo)(TEXT)
    assert "Margarete" not in str(raised.value)


def echoing(failure: Any, message: str) -> Any:
    failure.message = message
    failure.args = (message,)
    return failure
