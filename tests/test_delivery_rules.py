"""The rules between two tries of a call, whatever lies between them, in virtual time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from fakes import CREATE, MAIL, SMS, STOP, Notes, Wire, caller, fault, full, ok, throttled, timeout, wire

from bulk.channels import CHANNELS
from bulk.delivery.announcements import Admission, Deferred
from bulk.delivery.delivery import Deliverer
from bulk.errors import CallFailed
from bulk.model import Delivery, Outcome, Parameters, Recipient, Refusal, Status

NOW = 1.8e9
NO = Refusal("suppressed", "named in stop.csv", Status.SKIPPED)
TEXT: dict[str, Parameters] = {"request": {"InstanceId": "i"}}
LETTER: dict[str, Parameters] = {"create_contact": {"InstanceId": "i"}, "request": {"InstanceId": "i"}}

CERTAINLY_NOT: dict[str, Callable[[], CallFailed]] = {"full": full, "throttled": throttled}
PERHAPS: dict[str, Callable[[], CallFailed]] = {"fault": fault, "no answer": timeout}
CALLS = {  # channel, answers before the call, the call, parameters
    "sms": ("sms", [], SMS, TEXT),
    "draft": ("email", [], CREATE, LETTER),
    "mail": ("email", [ok("draft")], MAIL, LETTER),
    "inbound": ("inbound-email", [], "StartEmailContact", TEXT),
}


@dataclass
class Conversation:
    """One recipient driven over a scripted wire; the rules say no once `after` tries have been let through."""

    channel: str
    line: Wire
    parameters: dict[str, Parameters]
    why: float | Refusal = NO
    after: int = 1
    lives: float = 3600.0
    notes: Notes = field(init=False)

    def ask(self, _: Delivery) -> None:
        if self.after <= 0:
            raise Deferred(self.why)
        self.after -= 1

    async def go(self) -> Outcome:
        self.notes = Notes(self.line.diary)
        carries = Deliverer(
            caller(self.line, operations=(SMS, CREATE, MAIL, STOP, "StartEmailContact")),
            self.notes,
            CHANNELS[self.channel].exchange,
            token_of=lambda operation, step, _: f"{operation}/{step}",
            replay_within=dict.fromkeys((SMS, CREATE, MAIL, "StartEmailContact"), self.lives),
            admission=Admission(self.ask),
            now=lambda: NOW,
        )
        return await carries.deliver(Delivery(1, Recipient(0, "ann", "ann@example.com", {}), self.parameters))


def conversation(call: str, event: Callable[[], CallFailed], **more: Any) -> tuple[Conversation, str]:
    channel, before, operation, parameters = CALLS[call]
    line = wire(*before, event(), again=[ok("stopped")])
    return Conversation(channel, line, parameters, after=len(before) + 1, **more), operation


@pytest.mark.parametrize("event", CERTAINLY_NOT)
@pytest.mark.parametrize("call", CALLS)
async def test_a_no_after_what_was_certainly_not_accepted_leaves_the_row_out(call: str, event: str) -> None:
    one, operation = conversation(call, CERTAINLY_NOT[event])
    outcome = await one.go()
    assert (outcome.status, outcome.error_code) == (Status.SKIPPED, "suppressed")
    assert one.line.operations.count(operation) == 1
    assert "withdraw after 1" in one.line.diary or call == "mail"


@pytest.mark.parametrize("event", CERTAINLY_NOT)
async def test_the_draft_of_a_mail_that_is_left_out_is_ended(event: str) -> None:
    one, _ = conversation("mail", CERTAINLY_NOT[event])
    await one.go()
    assert one.line.operations == [CREATE, MAIL, STOP]
    assert one.notes.ended == [f"{CREATE}/0"]


@pytest.mark.parametrize("event", PERHAPS)
@pytest.mark.parametrize("call", CALLS)
async def test_a_no_after_what_may_have_been_accepted_leaves_the_row_unknown(call: str, event: str) -> None:
    one, operation = conversation(call, PERHAPS[event])
    outcome = await one.go()
    assert (outcome.status, outcome.error_code) == (Status.UNKNOWN, "suppressed")
    assert outcome.error_message is not None
    assert "not tried again: named in stop.csv" in outcome.error_message
    assert one.line.operations.count(operation) == 1
    assert STOP not in one.line.operations


@pytest.mark.parametrize("event", CERTAINLY_NOT)
@pytest.mark.parametrize("call", CALLS)
async def test_a_window_that_closes_before_a_call_is_accepted_has_the_row_wait(call: str, event: str) -> None:
    one, operation = conversation(call, CERTAINLY_NOT[event], why=NOW + 3600.0)
    with pytest.raises(Deferred) as waits:
        await one.go()
    assert waits.value.until == NOW + 3600.0
    assert one.line.operations.count(operation) == 1
    assert one.line.diary[-1].startswith("withdraw")


@pytest.mark.parametrize("event", PERHAPS)
async def test_a_row_in_doubt_waits_for_its_window_while_its_token_lives(event: str) -> None:
    one, _ = conversation("sms", PERHAPS[event], why=NOW + 1800.0)
    with pytest.raises(Deferred):
        await one.go()
    assert not any(entry.startswith(("withdraw", "finish")) for entry in one.line.diary)


@pytest.mark.parametrize("event", PERHAPS)
async def test_a_row_in_doubt_whose_window_opens_too_late_is_unknown_at_once(event: str) -> None:
    one, _ = conversation("sms", PERHAPS[event], why=NOW + 7200.0)
    outcome = await one.go()
    assert (outcome.status, outcome.error_code) == (Status.UNKNOWN, "closed_hours")


async def test_the_second_call_of_a_mail_is_asked_about_like_the_first() -> None:
    one = Conversation("email", wire(ok("draft"), ok("stopped")), LETTER, after=1)
    assert (await one.go()).status is Status.SKIPPED
    assert one.line.operations == [CREATE, STOP]


async def test_a_draft_keeps_for_the_next_window() -> None:
    one = Conversation("email", wire(ok("draft")), LETTER, after=1, why=NOW + 60.0)
    with pytest.raises(Deferred):
        await one.go()
    assert one.line.operations == [CREATE]


@pytest.mark.parametrize("event", PERHAPS)
@pytest.mark.parametrize("call", CALLS)
async def test_a_rejection_after_what_may_have_been_accepted_is_unknown(call: str, event: str) -> None:
    channel, before, _, parameters = CALLS[call]
    no = CallFailed("anything", "InvalidRequestException", "no", status=400)
    one = Conversation(channel, wire(*before, PERHAPS[event](), no), parameters, after=9)
    outcome = await one.go()
    assert (outcome.status, outcome.error_code) == (Status.UNKNOWN, "InvalidRequestException")
    assert one.notes.not_accepted == []


async def test_a_rejection_at_once_takes_the_dispatch_back() -> None:
    no = CallFailed("anything", "InvalidRequestException", "no", status=400)
    one = Conversation("sms", wire(no), TEXT, after=9)
    assert (await one.go()).status is Status.REJECTED
    assert one.notes.not_accepted == [f"{SMS}/0"]
