"""What the sandbox remembers, in virtual time."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox_requests import CHAT, DRAFT, INBOUND, INSTANCE, MAIL, PLACE, accepted, account, message, send, token

DAY = 24 * 3600.0


def _one(here: Any, now: float = 0.0) -> dict[str, Any]:
    (contact,) = here.contacts
    found: dict[str, Any] = contact.as_dict(now)
    return found


@pytest.mark.parametrize(
    "operation, parameters",
    [("StartOutboundChatContact", CHAT), ("CreateContact", DRAFT), ("StartEmailContact", INBOUND)],
)
def test_a_token_seen_before_gives_the_same_contact_and_no_second_one(
    operation: str, parameters: dict[str, Any]
) -> None:
    here = account()
    request = parameters | {"ClientToken": "once"}
    first = accepted(here, operation, request)
    again = accepted(here, operation, dict(reversed(request.items())), now=3600.0)
    assert first == again
    assert len(here.contacts) == 1
    assert (here.calls[operation].accepted, here.calls[operation].replayed) == (1, 1)


@pytest.mark.parametrize(
    "operation, parameters, code",
    [
        ("StartOutboundChatContact", CHAT, "ConflictException"),
        ("CreateContact", DRAFT, "IdempotencyException"),
        ("StartEmailContact", INBOUND, "IdempotencyException"),
    ],
)
def test_a_token_with_other_parameters_is_a_conflict(operation: str, parameters: dict[str, Any], code: str) -> None:
    here = account()
    accepted(here, operation, parameters | {"ClientToken": "once"})
    answer = send(here, operation, parameters | {"ClientToken": "once", "Attributes": {"other": "1"}})
    assert (answer.status, answer.code) == (409, code)
    assert len(here.contacts) == 1


def test_a_token_belongs_to_its_operation_and_instance() -> None:
    here = account()
    ids = {
        accepted(here, "StartOutboundChatContact", CHAT | {"ClientToken": "t"}),
        accepted(here, "StartOutboundChatContact", CHAT | {"ClientToken": "t", "InstanceId": "another"}),
        accepted(here, "CreateContact", DRAFT | {"ClientToken": "t"}),
    }
    assert len(ids) == 3


def test_a_token_is_forgotten_after_seven_days() -> None:
    here = account()
    request = CHAT | {"ClientToken": "t"}
    first = accepted(here, "StartOutboundChatContact", request)
    assert accepted(here, "StartOutboundChatContact", request, now=7 * DAY) == first
    assert accepted(here, "StartOutboundChatContact", request, now=7 * DAY + 1) != first


def test_a_call_without_a_token_always_makes_a_contact() -> None:
    here = account()
    assert accepted(here, "StartOutboundChatContact", CHAT) != accepted(here, "StartOutboundChatContact", CHAT)


def test_a_replay_spends_a_token_of_the_rate() -> None:
    here = account(rate=0, burst=2)
    request = CHAT | {"ClientToken": "t"}
    assert [send(here, "StartOutboundChatContact", request).status for _ in range(3)] == [200, 200, 429]


def test_each_operation_has_its_own_bucket() -> None:
    here = account(rate=0, burst=1)
    assert send(here, "CreateContact", DRAFT).status == 200
    assert send(here, "CreateContact", DRAFT).code == "ThrottlingException"
    assert send(here, "StartOutboundChatContact", CHAT).status == 200


def test_a_call_over_the_rate_is_throttled_before_its_body_is_read() -> None:
    here = account(rate=0, burst=1)
    assert send(here, "CreateContact", b"{").code == "SerializationException"
    assert send(here, "CreateContact", b"{").code == "ThrottlingException"


def test_a_draft_becomes_a_mail_once() -> None:
    here = account()
    contact = accepted(here, "CreateContact", DRAFT | {"ClientToken": "a"})
    mail = MAIL | {"ContactId": contact, "ClientToken": "b"}
    assert _one(here)["Message"] is None
    assert accepted(here, "StartOutboundEmailContact", mail) == contact
    assert accepted(here, "StartOutboundEmailContact", mail) == contact
    found = _one(here)
    assert (found["Message"], found["Mailed"], found["Destination"]) == (mail, True, "ann@example.com")
    second = send(here, "StartOutboundEmailContact", mail | {"ClientToken": "c"})
    assert (second.code, message(second)) == (
        "InvalidRequestException",
        "ContactId: this contact's email was already sent.",
    )


def test_a_mails_token_with_another_text_is_a_conflict() -> None:
    here = account()
    mail = MAIL | {"ContactId": accepted(here, "CreateContact", DRAFT), "ClientToken": "b"}
    accepted(here, "StartOutboundEmailContact", mail)
    changed = mail | {"DestinationEmailAddress": {"EmailAddress": "bob@example.com"}}
    assert send(here, "StartOutboundEmailContact", changed).code == "IdempotencyException"


def test_a_mail_for_a_contact_that_is_not_there_is_not_found() -> None:
    here = account()
    contact = accepted(here, "CreateContact", DRAFT)
    for wrong in ({"ContactId": "nobody"}, {"ContactId": contact, "InstanceId": "another"}):
        assert send(here, "StartOutboundEmailContact", MAIL | wrong).code == "ResourceNotFoundException"


@pytest.mark.parametrize(
    "operation, parameters",
    [
        ("StartOutboundChatContact", CHAT),
        ("StartEmailContact", INBOUND),
        ("CreateContact", {"InstanceId": INSTANCE, "Channel": "TASK", "InitiationMethod": "API"}),
    ],
)
def test_only_a_draft_can_be_mailed(operation: str, parameters: dict[str, Any]) -> None:
    here = account()
    mail = MAIL | {"ContactId": accepted(here, operation, parameters)}
    assert send(here, "StartOutboundEmailContact", mail).code == "InvalidRequestException"


def test_an_ended_draft_cannot_be_mailed() -> None:
    here = account()
    mail = MAIL | {"ContactId": accepted(here, "CreateContact", DRAFT)}
    assert send(here, "StartOutboundEmailContact", mail, now=14 * DAY).code == "InvalidRequestException"


def test_a_stopped_contact_has_ended_and_cannot_be_stopped_again() -> None:
    here = account()
    stop = {"InstanceId": INSTANCE, "ContactId": accepted(here, "StartOutboundChatContact", CHAT)}
    assert send(here, "StopContact", stop, now=5.0).status == 200
    found = _one(here, 6.0)
    assert (found["State"], found["EndedAt"], found["DisconnectReason"]) == ("ended", 5.0, "API")
    again = send(here, "StopContact", stop, now=6.0)
    assert (again.status, again.code) == (410, "ContactNotFoundException")


def test_stopping_a_contact_that_never_was_is_not_found() -> None:
    answer = send(account(), "StopContact", {"InstanceId": INSTANCE, "ContactId": "nobody"})
    assert (answer.status, answer.code) == (404, "ResourceNotFoundException")


@pytest.mark.parametrize(
    "operation, parameters, life",
    [
        ("StartOutboundChatContact", CHAT, 25 * 3600),
        ("StartOutboundChatContact", CHAT | {"ChatDurationInMinutes": 60}, 3600),
        ("CreateContact", DRAFT, 14 * DAY),
        ("CreateContact", DRAFT | {"ExpiryDurationInMinutes": 30}, 1800),
        (
            "StartEmailContact",
            INBOUND
            | {"SegmentAttributes": {"connect:ContactExpiry": {"ValueMap": {"ExpiryDuration": {"ValueInteger": 135}}}}},
            135 * 60,
        ),
    ],
)
def test_a_contact_ends_when_its_duration_is_over(operation: str, parameters: dict[str, Any], life: float) -> None:
    here = account()
    accepted(here, operation, parameters)
    assert _one(here, life - 0.001)["State"] == "open"
    assert _one(here, life)["State"] == "ended"


def test_a_flow_that_disconnects_ends_a_contact_but_not_a_draft() -> None:
    here = account(ends_after=2.0)
    contact = accepted(here, "CreateContact", DRAFT)
    assert _one(here, 100.0)["State"] == "open"
    accepted(here, "StartOutboundEmailContact", MAIL | {"ContactId": contact}, now=100.0)
    found = _one(here, 102.0)
    assert (found["EndedAt"], found["DisconnectReason"]) == (102.0, "CONTACT_FLOW_DISCONNECT")


def test_a_full_chat_quota_is_a_limit_that_ends_with_the_contacts() -> None:
    here = account(open_contacts={"chat": 2})
    short = CHAT | {"ChatDurationInMinutes": 60}
    assert [send(here, "StartOutboundChatContact", short).status for _ in range(2)] == [200, 200]
    full = send(here, "StartOutboundChatContact", short, now=3599.0)
    assert (full.status, full.code) == (429, "LimitExceededException")
    assert send(here, "StartOutboundChatContact", short, now=3600.0).status == 200
    calls = here.calls["StartOutboundChatContact"]
    assert (calls.accepted, calls.throttled, calls.failed) == (3, 0, 1)


def test_a_full_email_quota_costs_402_until_one_is_stopped() -> None:
    here = account(open_contacts={"email": 1})
    first = accepted(here, "CreateContact", DRAFT)
    for operation, parameters in (("CreateContact", DRAFT), ("StartEmailContact", INBOUND)):
        full = send(here, operation, parameters)
        assert (full.status, full.code) == (402, "ServiceQuotaExceededException")
    send(here, "StopContact", {"InstanceId": INSTANCE, "ContactId": first}, now=1.0)
    assert send(here, "StartEmailContact", INBOUND, now=1.0).status == 200


def test_a_replay_is_answered_when_the_quota_is_full() -> None:
    here = account(open_contacts={"chat": 1})
    request = CHAT | {"ClientToken": "t"}
    assert accepted(here, "StartOutboundChatContact", request) == accepted(here, "StartOutboundChatContact", request)


def test_open_contacts_are_counted_per_instance() -> None:
    here = account(open_contacts={"chat": 1})
    accepted(here, "StartOutboundChatContact", CHAT)
    accepted(here, "StartOutboundChatContact", CHAT | {"InstanceId": "another"})


@given(st.lists(st.tuples(st.sampled_from(["start", "stop", "wait"]), st.integers(0, 30)), max_size=40))
def test_no_more_contacts_than_the_quota_are_ever_open(steps: list[tuple[str, int]]) -> None:
    here, now = account(open_contacts={"chat": 3}, ends_after=60.0), 0.0
    started: list[str] = []
    for what, number in steps:
        now += number if what == "wait" else 0
        if what == "start":
            answer = send(here, "StartOutboundChatContact", CHAT | {"ClientToken": token()}, now=now)
            started += [json.loads(answer.body)["ContactId"]] if answer.status == 200 else []
        if what == "stop" and started:
            one = started[number % len(started)]
            send(here, "StopContact", {"InstanceId": INSTANCE, "ContactId": one}, now=now)
        still = sum(not contact.ended(now) for contact in here.contacts)
        assert still == here.contacts.open("chat", PLACE, now=now) <= 3


def test_an_instance_that_the_account_lacks_is_not_found() -> None:
    here = account(instances=[INSTANCE])
    accepted(here, "StartOutboundChatContact", CHAT)
    answer = send(here, "StartOutboundChatContact", CHAT | {"InstanceId": "another"})
    assert answer.code == "ResourceNotFoundException"


def test_a_contact_shows_what_was_asked_and_what_became_of_it() -> None:
    here = account()
    request = CHAT | {"ClientToken": "t"}
    contact_id = accepted(here, "StartOutboundChatContact", request, now=7.0)
    assert _one(here, 8.0) == {
        "ContactId": contact_id,
        "Account": PLACE.partition("/")[0],
        "Region": "us-west-2",
        "Operation": "StartOutboundChatContact",
        "Channel": "CHAT",
        "InitiationMethod": "OUTBOUND",
        "InstanceId": INSTANCE,
        "Destination": "+14155550123",
        "ClientToken": "t",
        "Parameters": request,
        "Message": None,
        "Attributes": {"customer_id": "17"},
        "Tags": {},
        "Mailed": False,
        "State": "open",
        "StartedAt": 7.0,
        "EndedAt": None,
        "DisconnectReason": None,
    }


def test_a_reset_forgets_everything_but_the_settings() -> None:
    here = account(rate=0, burst=1)
    accepted(here, "StartOutboundChatContact", CHAT | {"ClientToken": "t"})
    here.reset(1.0)
    assert len(here.contacts) == 0
    assert here.calls["StartOutboundChatContact"].received == 0
    assert send(here, "StartOutboundChatContact", CHAT | {"ClientToken": "t"}, now=1.0).status == 200
    assert send(here, "StartOutboundChatContact", CHAT, now=1.0).status == 429


def test_quotas_change_while_it_runs() -> None:
    here = account(rate=0, burst=1)
    accepted(here, "StartOutboundChatContact", CHAT)
    here.set_quotas({"rate": None}, 0.0)
    for _ in range(50):
        accepted(here, "StartOutboundChatContact", CHAT)


@pytest.mark.parametrize(
    "given_quotas, text",
    [
        ({"rates": 3}, "rates: there is no such key"),
        ({"quotas": {"SendMessage": [1, 2]}}, r"quotas\.SendMessage: there is no such operation"),
        ({"open_contacts": {"sms": 5}}, r"open_contacts\.sms: there are chat, email"),
        ({"open_contacts": {"chat": -1}}, r"open_contacts\.chat: must be a whole number"),
        ({"ends_after": "soon"}, "ends_after: must be seconds"),
    ],
)
def test_a_wrong_setting_is_refused_and_changes_nothing(given_quotas: dict[str, Any], text: str) -> None:
    here = account()
    before = here.quotas()
    with pytest.raises(ValueError, match=text):
        here.set_quotas({"rate": 7} | given_quotas, 0.0)
    assert here.quotas() == before
