"""What one event tells of people, in whole: who said stop, whose mail bounced, who complained, and by which names."""

from typing import Any

import pytest

from bulk.run.feedback_events import PersonEvent, person_events

AT = 1_800_000_000.0
WHEN, SENT = "2027-01-15T08:00:00Z", "2027-01-15T07:59:00Z"
STOP_REPLY = {
    "ParticipantRole": "CUSTOMER",
    "Type": "MESSAGE",
    "Content": "STOP",
    "AbsoluteTime": WHEN,
    "ContactId": "c-1",
    "InitialContactId": "c-0",
}
MAIL = {"timestamp": SENT, "source": "Shop <orders@shop.example>", "destination": ["b@example.com"]}


def told(event: dict[str, Any], *words: str) -> list[PersonEvent]:
    return list(person_events(event, words))


def without(event: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in names}


def test_a_reply_that_says_stop_names_its_contact_the_first_one_and_its_time() -> None:
    assert told(STOP_REPLY) == [PersonEvent("stop", AT, frozenset({"c-0", "c-1"}))]
    assert told(without(STOP_REPLY, "InitialContactId", "AbsoluteTime")) == [
        PersonEvent("stop", None, frozenset({"c-1"}))
    ]


@pytest.mark.parametrize(
    "event",
    [
        {},
        without(STOP_REPLY, "ContactId", "InitialContactId"),
        {**STOP_REPLY, "Content": "Thank you"},
        {**STOP_REPLY, "Content": ["STOP"]},
        {**STOP_REPLY, "ParticipantRole": "AGENT"},
        {**STOP_REPLY, "ContactId": 7, "InitialContactId": None},
    ],
)
def test_what_names_no_contact_or_says_no_stop_tells_nothing(event: dict[str, Any]) -> None:
    assert told(event) == []


def test_each_message_of_a_transcript_is_read_and_the_contact_is_named_around_them() -> None:
    said = without(STOP_REPLY, "ContactId", "InitialContactId")
    event = {"ContactId": "c-9", "Transcript": ["words", {**said, "ParticipantRole": "AGENT"}, said, STOP_REPLY]}
    assert told(event) == [
        PersonEvent("stop", AT, frozenset({"c-9"})),
        PersonEvent("stop", AT, frozenset({"c-0", "c-1", "c-9"})),
    ]


def test_a_message_that_says_stop_names_the_number_alone() -> None:
    event = {"originationNumber": "+12065550001", "messageBody": "stop", "ContactId": "c-1"}
    assert told(event) == [PersonEvent("stop", None, frozenset(), "+12065550001")]
    assert told({**event, "messageBody": "yes"}) == []
    assert told({**event, "messageBody": None}) == []


def test_the_words_of_a_campaign_stop_replies_transcripts_and_messages() -> None:
    said = {**STOP_REPLY, "Content": "basta"}
    number = {"originationNumber": "+1206", "messageBody": "basta"}
    for event in (said, {"Transcript": [said]}, number):
        assert (len(told(event)), len(told(event, "basta"))) == (0, 1)


# Mail


@pytest.mark.parametrize("named", ["eventType", "notificationType"])
@pytest.mark.parametrize(
    "kind, about, means",
    [
        ("Bounce", {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": "a@example.com"}]}, "bounce"),
        (
            "Bounce",
            {"bounceType": "Transient", "bouncedRecipients": [{"emailAddress": "A B <a@example.com>"}]},
            "soft_bounce",
        ),
        ("Bounce", {"bouncedRecipients": ["<a@example.com >"]}, "soft_bounce"),
        ("Complaint", {"complainedRecipients": [{"emailAddress": "a@example.com"}]}, "complaint"),
    ],
)
def test_mail_that_came_back_names_whom_it_went_to_who_sent_it_and_both_times(
    named: str, kind: str, about: dict[str, Any], means: str
) -> None:
    event = {named: kind, "mail": MAIL, kind.lower(): {**about, "timestamp": WHEN}}
    assert told(event) == [PersonEvent(means, AT, frozenset(), "a@example.com", "orders@shop.example", AT - 60)]


def test_mail_of_another_kind_names_its_destinations_and_means_nothing() -> None:
    event = {
        "eventType": "DeliveryDelay",
        "mail": {**MAIL, "destination": ["b@example.com", 7, "c@example.com"], "source": None},
        "deliveryDelay": {"timestamp": WHEN},
    }
    assert told(event) == [
        PersonEvent("", AT, frozenset(), "b@example.com", None, AT - 60),
        PersonEvent("", AT, frozenset(), "c@example.com", None, AT - 60),
    ]
    assert told({"mail": {"destination": ["b@example.com"]}, "bounce": "words"}) == [
        PersonEvent("", None, frozenset(), "b@example.com", None, None)
    ]


@pytest.mark.parametrize("people", [None, "a@example.com", [{"emailAddress": 7}, {}, 7]])
def test_mail_that_names_nobody_tells_nothing(people: Any) -> None:
    assert told({"eventType": "Bounce", "mail": MAIL, "bounce": {"bouncedRecipients": people}}) == []
    assert told({"eventType": "Send", "mail": {"destination": people}}) == []


def test_the_values_of_tags_and_headers_may_be_the_contact() -> None:
    mail = {
        **MAIL,
        "tags": {"contact": ["c-1", 7], "other": "c-2", "none": None},
        "headers": [{"name": "X-Contact", "value": "c-3"}, {"name": "X", "value": 7}, "words"],
    }
    (one,) = told({"eventType": "Send", "mail": mail})
    assert one.contacts == {"c-1", "c-2", "c-3"}
    (one,) = told({"eventType": "Send", "mail": {**MAIL, "tags": ["c-1"], "headers": "c-2"}})
    assert one.contacts == frozenset()
