"""Events out of their envelopes and files, up to the bounds, and what replies and transcripts tell of contacts."""

import json
from pathlib import Path
from typing import Any

import pytest

from bulk.ledger import ContactEnd
from bulk.run.contact_events import ContactFacts, end_of, facts_of
from bulk.run.event_documents import NO_JSON, NO_OBJECT, Malformed, events_in, events_of, unwrapped
from bulk.run.event_intake import complaint

WHOLE = 64 << 20  # bytes of a file that is read as one object
EVENT = {"ContactId": "c-1"}
REPLY = {"ContactId": "c-1", "ParticipantRole": "CUSTOMER", "Type": "MESSAGE"}


@pytest.mark.parametrize("envelopes, is_opened", [(0, True), (1, True), (4, True), (5, False)])
@pytest.mark.parametrize("kind", ["detail", "Message"])
def test_an_event_is_taken_out_of_four_envelopes_and_no_more(kind: str, envelopes: int, *, is_opened: bool) -> None:
    told: dict[str, Any] = EVENT
    for _ in range(envelopes):
        told = {"detail": told} if kind == "detail" else {"Type": "Notification", "Message": json.dumps(told)}
    assert (unwrapped(told) == EVENT) == is_opened


@pytest.mark.parametrize(
    "told",
    [
        EVENT,
        {"Type": "Notification", "Message": "no JSON"},
        {"Type": "Notification", "Message": "[1]"},
        {"Type": "Notification", "Message": "[" * 100_000},
        {"Type": "Notification", "Message": {"ContactId": "c-2"}},
        {"Type": "SubscriptionConfirmation", "Message": json.dumps(EVENT)},
        {"Message": json.dumps(EVENT)},
        {"detail": "words"},
    ],
    ids=range(8),
)
def test_what_is_in_no_envelope_stays_as_it_is(told: dict[str, Any]) -> None:
    assert unwrapped(told) == told


@pytest.mark.parametrize(
    "text, found",
    [
        ("", []),
        (" \n ", []),
        (' {"a": 1} , \t\r\n{"b": {"c": 2}}{} ', [{"a": 1}, {"b": {"c": 2}}, {}]),
        ('{"a": 1} nope {"b": 2}', [{"a": 1}, Malformed("here", NO_JSON)]),
        ('{"a": 1}, "words", {"b": 2}', [{"a": 1}, Malformed("here", NO_OBJECT)]),
    ],
)
def test_objects_of_a_text_are_read_up_to_what_is_none(text: str, found: list[Any]) -> None:
    assert list(events_of(text, "here")) == found


def test_what_is_no_event_is_said_with_its_place() -> None:
    assert str(Malformed("e, line 2", NO_JSON)) == ("e, line 2: no JSON; events are one JSON object a line (NDJSON)")


@pytest.mark.parametrize("over", [0, 1])
def test_an_object_over_several_lines_is_read_in_files_up_to_64_mib(tmp_path: Path, over: int) -> None:
    path = tmp_path / "e"
    path.write_bytes(b"{\n" + b" " * (WHOLE - 9 + over) + b'"a": 1}')
    trouble = [Malformed("e, line 1", NO_JSON), Malformed("e, line 2", NO_OBJECT)]
    assert path.stat().st_size == WHOLE + over
    assert list(events_in(path, "e")) == (trouble if over else [{"a": 1}])


def test_an_object_over_several_lines_comes_out_of_its_envelope_and_other_values_are_no_event(tmp_path: Path) -> None:
    path = tmp_path / "e"
    path.write_text(json.dumps({"detail": EVENT}, indent=2))
    assert list(events_in(path, "e")) == [EVENT]
    path.write_text("[\n{}\n]")
    assert list(events_in(path, "e")) == [Malformed("e, line 1", NO_JSON), {}, Malformed("e, line 3", NO_JSON)]
    path.write_text('{"a":\n"\u00e9"}', encoding="utf-8")
    assert list(events_in(path, "e")) == [{"a": "é"}]


def test_a_file_of_which_a_later_line_alone_is_no_event_is_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "e"
    path.write_text('{"a": 1}\n{\n"b": 2}\n')
    trouble = [Malformed("e, line 2", NO_JSON), Malformed("e, line 3", NO_OBJECT)]
    assert list(events_in(path, "e")) == [{"a": 1}, *trouble]


@pytest.mark.parametrize("more, last", [(0, []), (1, ["and 1 more"]), (1234, ["and 1,234 more"])])
def test_five_things_that_are_no_events_are_named_and_the_others_counted(more: int, last: list[str]) -> None:
    troubles = [Malformed(f"line {number}", "no JSON") for number in range(5 + more)]
    assert complaint(troubles).splitlines() == [*(f"line {number}: no JSON" for number in range(5)), *last]
    assert complaint(troubles[:2]) == "line 0: no JSON\nline 1: no JSON"


# Contacts


@pytest.mark.parametrize(
    "told, messages",
    [
        (REPLY, 1),
        ({"contactId": "c-1", "participantRole": "CUSTOMER"}, 1),
        ({**REPLY, "Type": "EVENT"}, None),
        ({**REPLY, "ParticipantRole": "AGENT"}, None),
        ({**REPLY, "Transcript": "words"}, 1),
        ({**EVENT, "Transcript": []}, 0),
        ({**EVENT, "Transcript": [REPLY, "words", {**REPLY, "ParticipantRole": "SYSTEM"}, REPLY]}, 2),
        ({**REPLY, "ChatMetrics": {"CustomerMetrics": {"MessagesSent": 5}}}, 5),
    ],
)
def test_replies_are_counted_alone_and_in_transcripts(told: dict[str, Any], messages: int | None) -> None:
    assert facts_of(told) == ContactFacts("c-1", None, None, None, messages)


def test_what_is_kept_of_a_contact_says_whose_it_is_who_told_and_when() -> None:
    facts = ContactFacts("c-1", 1.0, 2.0, "CUSTOMER_DISCONNECT", 3)
    assert end_of(7, facts, "event", 9.0) == ContactEnd(
        7, "c-1", "ended", 1.0, 2.0, "CUSTOMER_DISCONNECT", 3, "event", 9.0
    )
    open_one = ContactFacts("c-1", 1.0, None, None, None)
    assert end_of(7, open_one, "asked", 9.0) == ContactEnd(7, "c-1", "open", 1.0, None, None, None, "asked", 9.0)
