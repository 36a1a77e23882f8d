"""One recipient driven to one outcome, in virtual time: it …"""

import math
from dataclasses import replace
from typing import Any

import anyio
import pytest
from fakes import (
    CREATE,
    MAIL,
    SMS,
    STOP,
    Answer,
    Notes,
    Wire,
    caller,
    fault,
    no,
    ok,
    throttled,
    timeout,
    unreachable,
    wire,
)
from virtual import in_virtual_time

from bulk.channels import CHANNELS
from bulk.delivery.announcements import Admission, Deferred
from bulk.delivery.call_runner import Policy
from bulk.delivery.delivery import Deliverer
from bulk.errors import Halted
from bulk.model import Delivery, Outcome, Progress, Recipient, Status, digest
from bulk.stop import Stop, Stopped

pytestmark = in_virtual_time

NOW = 1_800_000_000.0
TEXT = {"request": {"InstanceId": "i", "ContactFlowId": "f"}}
LETTER = {"create_contact": {"InstanceId": "i"}, "request": {"InstanceId": "i", "EmailMessage": {}}}
TIDY = {**LETTER, "stop_contact": {"InstanceId": "i"}}
REJECTED = no("InvalidRequestException", 400)


def deliverer(line: Wire, notes: Notes, channel: str, *, stop: Stop | None = None, attempts: int = 3) -> Deliverer:
    return Deliverer(
        caller=caller(line, stop, policy=Policy(attempts=attempts)),
        journal=notes,
        exchange=CHANNELS[channel].exchange,
        token_of=lambda operation, step, delivery: f"{operation}/{step}/{delivery.recipient.key}/{delivery.decisions}",
        replay_within={SMS: 7 * 86400.0, CREATE: 3600.0, MAIL: 3600.0},
        now=lambda: NOW,
    )


def delivery(parameters: Any, progress: Progress | None = None) -> Delivery:
    return Delivery(5, Recipient(0, "ann", "+14155550123", {}), parameters, progress or Progress())


def tried(parameters: Any, *replies: str, seconds_ago: float = 60.0, attempts: int = 1) -> Progress:
    """What the ledger knows of a row whose call after these replies was announced, and never answered."""
    answers = tuple(ok(contact_id) for contact_id in replies)
    return Progress(attempts, answers, NOW - seconds_ago, digest(parameters))


class Sent:
    """A delivery driven to its end."""

    def __init__(self, *script: Answer) -> None:
        self.line = wire(*script)
        self.notes = Notes(self.line.diary)

    async def sms(
        self, progress: Progress | None = None, parameters: Any = TEXT, *, stop: Stop | None = None
    ) -> Outcome:
        return await deliverer(self.line, self.notes, "sms", stop=stop).deliver(delivery(parameters, progress))

    async def email(
        self, progress: Progress | None = None, parameters: Any = LETTER, *, stop: Stop | None = None
    ) -> Outcome:
        return await deliverer(self.line, self.notes, "email", stop=stop).deliver(delivery(parameters, progress))


async def test_an_accepted_message_is_sent_and_keeps_what_the_service_said() -> None:
    run = Sent(ok("c-9", "r-9"))
    outcome = await run.sms()
    assert (outcome.status, outcome.contact_id, outcome.attempts, outcome.request_id) == (Status.SENT, "c-9", 1, "r-9")
    assert outcome.finished_at is not None
    assert outcome.finished_at.timestamp() == NOW


async def test_the_intent_stands_before_the_request_and_the_outcome_after() -> None:
    run = Sent(throttled(), ok())
    await run.sms()
    assert run.line.diary == ["intend 0", f"request {SMS}", f"request {SMS}", "finish sent"]


async def test_every_call_is_announced_before_its_first_request() -> None:
    run = Sent(ok("draft"), ok("mail"), ok("gone"))
    await run.email(parameters=TIDY)
    assert run.line.diary == [
        *("intend 0", f"request {CREATE}", "answer 0 draft"),
        *("intend 1", f"request {MAIL}", "answer 1 mail"),
        *("intend 2", f"request {STOP}", "finish sent"),
    ]


async def test_the_last_reply_is_kept_in_the_outcome_alone() -> None:
    run = Sent(ok("draft"), ok("mail"))
    outcome = await run.email()
    assert outcome.contact_id == "mail"
    assert [note for note in run.line.diary if note.startswith("answer")] == ["answer 0 draft"]


async def test_the_reply_of_one_call_is_given_to_the_next() -> None:
    run = Sent(ok("draft"), ok("mail"))
    await run.email()
    assert run.line.requests[1].parameters["ContactId"] == "draft"


async def test_each_call_has_a_token_of_its_own_that_its_retries_reuse() -> None:
    run = Sent(fault(), ok("draft"), throttled(), timeout(), ok("mail"))
    await run.email()
    tokens = [request.token for request in run.line.requests]
    assert tokens == [f"{CREATE}/0/ann/0"] * 2 + [f"{MAIL}/1/ann/0"] * 3


async def test_a_token_that_the_campaign_gives_is_used() -> None:
    run = Sent(ok())
    await run.sms(parameters={"request": {**TEXT["request"], "ClientToken": "mine"}})
    assert run.line.tokens == {"mine"}
    assert run.notes.intents[0][1] == "mine"


async def test_the_attempts_add_up_over_the_calls_and_over_the_runs() -> None:
    run = Sent(throttled(), ok("draft"), fault(), ok("mail"))
    outcome = await run.email(Progress(attempts=3))
    assert outcome.attempts == 7


async def test_a_rejected_row_keeps_the_services_words() -> None:
    outcome = await Sent(REJECTED).sms()
    assert (outcome.status, outcome.error_code) == (Status.REJECTED, "InvalidRequestException")
    assert (outcome.error_message, outcome.request_id) == ("the words of InvalidRequestException", "r-0")


async def test_a_row_that_nobody_can_judge_is_unknown() -> None:
    outcome = await Sent(timeout(), timeout(), fault()).sms()
    assert (outcome.status, outcome.attempts, outcome.error_code) == (Status.UNKNOWN, 3, "InternalServiceException")


async def test_throttles_are_no_reason_to_give_up() -> None:
    outcome = await Sent(*[throttled()] * 20, ok()).sms()
    assert (outcome.status, outcome.attempts) == (Status.SENT, 21)


async def test_an_accepted_row_is_sent_and_nothing_else_whatever_came_before() -> None:
    outcome = await Sent(fault(), ok("c-1", "r-1")).sms()
    assert outcome == Outcome(Status.SENT, "c-1", 2, request_id="r-1", finished_at=outcome.finished_at)


# Drafts


async def test_the_draft_of_a_rejected_mail_is_stopped() -> None:
    run = Sent(ok("draft"), REJECTED, ok())
    outcome = await run.email()
    assert run.line.operations == [CREATE, MAIL, STOP]
    assert run.line.requests[2].parameters == {"InstanceId": "i", "ContactId": "draft"}
    assert (outcome.status, outcome.error_code) == (Status.REJECTED, "InvalidRequestException")


async def test_the_draft_of_a_doubtful_mail_is_left_alone() -> None:
    run = Sent(ok("draft"), *[timeout()] * 3)
    assert (await run.email()).status is Status.UNKNOWN
    assert STOP not in run.line.operations


async def test_a_rejected_first_call_leaves_nothing_to_stop() -> None:
    run = Sent(REJECTED)
    assert (await run.email()).status is Status.REJECTED
    assert run.line.operations == [CREATE]


STOP_FAILURES = {
    "rejected": [no("ContactNotFoundException", 410)],
    "denied": [no("AccessDeniedException", 403)],
    "lost": [timeout()] * 3,
    "conflict": [no("IdempotencyException", 409)],
}


@pytest.mark.parametrize("failures", STOP_FAILURES.values(), ids=STOP_FAILURES)
async def test_a_stop_that_fails_does_not_fail_a_sent_mail(failures: list[Answer]) -> None:
    outcome = await Sent(ok("draft"), ok("mail"), *failures).email(parameters=TIDY)
    assert (outcome.status, outcome.contact_id, outcome.error_code) == (Status.SENT, "mail", None)


@pytest.mark.parametrize("failures", STOP_FAILURES.values(), ids=STOP_FAILURES)
async def test_a_stop_that_fails_does_not_hide_why_the_mail_was_rejected(failures: list[Answer]) -> None:
    outcome = await Sent(ok("draft"), REJECTED, *failures).email()
    assert (outcome.status, outcome.error_code) == (Status.REJECTED, "InvalidRequestException")


# Going on after a crash


async def test_recorded_replies_are_fed_back_and_only_the_missing_call_is_made() -> None:
    run = Sent(ok("mail"))
    outcome = await run.email(Progress(1, (ok("draft"),)))
    assert run.line.operations == [MAIL]
    assert run.line.requests[0].parameters["ContactId"] == "draft"
    assert (outcome.status, outcome.attempts) == (Status.SENT, 2)


async def test_a_call_without_an_answer_goes_out_again_under_its_old_token() -> None:
    run = Sent(ok())
    outcome = await run.sms(tried(TEXT, seconds_ago=86400.0))
    assert outcome.status is Status.SENT
    assert run.notes.intents == [(0, f"{SMS}/0/ann/0", NOW)]


async def test_a_row_whose_parameters_changed_since_its_try_is_unknown_without_a_call() -> None:
    run = Sent()
    outcome = await run.sms(tried({"request": {"InstanceId": "i", "ContactFlowId": "other"}}))
    assert (outcome.status, outcome.error_code) == (Status.UNKNOWN, "changed")
    assert (run.line.requests, run.notes.intents) == ([], [])


async def test_a_row_whose_parameters_changed_between_its_calls_takes_the_new_ones() -> None:
    run = Sent(ok("mail"))
    progress = replace(tried(TEXT, "draft"), intended_at=None)  # nothing is in doubt: the first call was answered
    assert (await run.email(progress)).status is Status.SENT


@pytest.mark.parametrize("seconds_ago, status", [(3599.0, Status.SENT), (3601.0, Status.UNKNOWN)])
async def test_a_token_is_used_again_only_while_the_service_knows_it(seconds_ago: float, status: Status) -> None:
    run = Sent(ok("draft"), ok("mail"))
    assert (await run.email(tried(LETTER, seconds_ago=seconds_ago))).status is status
    assert len(run.line.requests) == (2 if status is Status.SENT else 0)


async def test_a_token_too_old_is_said_to_be_so() -> None:
    outcome = await Sent().email(tried(LETTER, "draft", seconds_ago=7200.0))
    assert (outcome.status, outcome.error_code) == (Status.UNKNOWN, "token_expired")
    assert outcome.error_message == "tried 120 minutes ago without an answer; a token is reused within 60 minutes"


async def test_a_row_too_old_to_be_asked_for_again_takes_no_turn_from_the_others() -> None:
    run = Sent()
    carries = replace(deliverer(run.line, run.notes, "email"), caller=caller(run.line, per_second=0.1))
    began = anyio.current_time()
    for _ in range(20):
        old = await carries.deliver(delivery(LETTER, tried(LETTER, seconds_ago=7200.0)))
        assert old.error_code == "token_expired"
    assert anyio.current_time() == began


async def test_what_only_tidies_up_is_made_again_though_its_operation_promises_nothing() -> None:
    run = Sent(ok())
    outcome = await run.email(tried(TIDY, "draft", "mail"), TIDY)
    assert (outcome.status, outcome.contact_id) == (Status.SENT, "mail")
    assert len(run.line.requests) == 1


async def test_a_conflict_on_a_second_run_is_unknown() -> None:
    outcome = await Sent(no("ConflictException", 409)).sms(tried(TEXT))
    assert outcome.status is Status.UNKNOWN


async def test_a_rejection_of_a_first_call_in_doubt_is_unknown() -> None:
    outcome = await Sent(REJECTED).sms(tried(TEXT))
    assert (outcome.status, outcome.error_code) == (Status.UNKNOWN, "InvalidRequestException")


async def test_a_rejection_of_a_second_call_in_doubt_is_unknown() -> None:
    outcome = await Sent(REJECTED).email(tried(LETTER, "draft"))
    assert (outcome.status, outcome.error_code) == (Status.UNKNOWN, "InvalidRequestException")


# Being asked whether the recipient may be written to now


def asked(script: list[Answer], channel: str, verdicts: list[Deferred | None]) -> tuple[Deliverer, Sent]:
    """A deliverer that asks before the first call, and the wire and the notes it has."""
    run = Sent(*script)

    def ask(_: Delivery) -> None:
        run.line.diary.append("asked")
        if (why := verdicts.pop(0)) is not None:
            raise why

    return replace(deliverer(run.line, run.notes, channel), admission=Admission(ask)), run


async def test_it_asks_before_every_try_of_a_call_that_reaches_a_person() -> None:
    carries, run = asked([throttled(), ok("draft"), ok("mail")], "email", [None, None, None])
    await carries.deliver(delivery(LETTER))
    first, again = ["asked", "intend 0", f"request {CREATE}"], ["asked", f"request {CREATE}"]
    assert run.line.diary[:5] == first + again
    assert run.line.diary[5:] == ["answer 0 draft", "asked", "intend 1", f"request {MAIL}", "finish sent"]


async def test_who_may_not_be_written_to_now_is_left_without_a_trace() -> None:
    carries, run = asked([], "sms", [Deferred(NOW + 3600.0)])
    with pytest.raises(Deferred):
        await carries.deliver(delivery(TEXT))
    assert run.line.diary == ["asked"]


async def test_what_may_have_been_accepted_is_settled_where_the_rules_allow_it() -> None:
    carries, run = asked([ok()], "sms", [None])
    await carries.deliver(delivery(TEXT, tried(TEXT)))
    assert run.line.diary == ["asked", "intend 0", f"request {SMS}", "finish sent"]


# Halt and stopping


async def halted(run: Sent, *, progress: Progress | None = None) -> list[str]:
    with pytest.raises(Halted):
        await run.sms(progress)
    return [note for note in run.line.diary if not note.startswith("request")]


async def test_a_halt_takes_the_intent_back_and_leaves_the_row_unsent() -> None:
    assert await halted(Sent(no("AccessDeniedException", 403))) == ["intend 0", "withdraw after 1"]


async def test_an_expired_session_rejects_no_row() -> None:
    run = Sent(no("ExpiredTokenException", 403))
    await halted(run)
    assert run.notes.outcomes == []


async def test_a_halt_where_nobody_was_reached_takes_the_intent_back() -> None:
    assert await halted(Sent(*[unreachable()] * 3)) == ["intend 0", "withdraw after 3"]


@pytest.mark.parametrize("doubt", [timeout(), fault(), no("ConnectionClosed")])
async def test_a_halt_after_a_doubtful_try_leaves_the_intent_standing(doubt: Answer) -> None:
    assert await halted(Sent(doubt, no("AccessDeniedException", 403))) == ["intend 0"]


async def test_a_halt_on_a_second_run_leaves_the_intent_of_the_first_standing() -> None:
    assert await halted(Sent(no("AccessDeniedException", 403)), progress=tried(TEXT)) == ["intend 0"]


async def test_a_halt_without_a_request_leaves_nothing_behind() -> None:
    run = Sent(Halted("no credentials"))
    assert await halted(run) == ["intend 0", "withdraw after 1"]


async def test_a_stop_between_two_tries_takes_the_intent_back() -> None:
    stop = Stop()
    run = Sent(lambda: stop.ask("enough", 0), throttled())
    with pytest.raises(Stopped):
        await run.sms(stop=stop)
    assert run.line.diary == ["intend 0", f"request {SMS}", "withdraw after 1"]


async def test_a_stop_between_two_calls_leaves_the_first_reply_recorded() -> None:
    stop = Stop()
    run = Sent(lambda: stop.ask("enough", 0), ok("draft"))
    with pytest.raises(Stopped):
        await run.email(stop=stop)
    assert run.line.diary == ["intend 0", f"request {CREATE}", "answer 0 draft"]


async def test_a_stop_before_the_first_try_announces_nothing() -> None:
    stop = Stop()
    stop.ask("enough", 0)
    run = Sent()
    with pytest.raises(Stopped):
        await run.sms(stop=stop)
    assert run.line.diary == []


async def test_a_stop_while_the_intent_is_written_down_lets_no_request_out() -> None:
    stop, run = Stop(), Sent(ok())

    async def ask() -> None:
        await anyio.sleep(0.005)  # writing an intent takes twice as long
        stop.ask("enough", 0)

    async with anyio.create_task_group() as group:
        group.start_soon(ask)
        with pytest.raises(Stopped):
            await run.sms(stop=stop)
    assert run.line.diary == ["intend 0", "withdraw after 0"]


async def test_a_doubtful_try_that_waits_for_a_full_service_is_not_repeated_under_a_forgotten_token() -> None:
    run = Sent(ok("draft"), timeout(), *[no("ServiceQuotaExceededException", 402)] * 100, ok("mail"))
    carries = replace(deliverer(run.line, run.notes, "email"), now=lambda: NOW + anyio.current_time())
    outcome = await carries.deliver(delivery(LETTER))
    assert (outcome.status, outcome.error_code) == (Status.UNKNOWN, "token_expired")
    assert run.line.requests[-1].at <= 3600.0


async def test_what_the_wire_counted_is_told() -> None:
    run = Sent(throttled(), ok())
    carries = deliverer(run.line, run.notes, "sms")
    await carries.deliver(delivery(TEXT))
    assert (carries.call_counts.calls, carries.call_counts.throttled, carries.full) == (2, 1, ())
    assert math.isclose(run.notes.intents[0][2], NOW)
