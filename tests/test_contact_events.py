"""What is told of contacts, in either spelling, and the files in which it comes. It …"""

import gzip
import json
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from bulk.run.contact_events import ContactFacts, facts_of
from bulk.run.event_documents import Malformed, events_in, files_in

AT = 1_800_000_000.0
EVENT = {
    "contactId": "c-1",
    "initiationTimestamp": "2027-01-15T08:00:00.000Z",
    "disconnectTimestamp": "2027-01-15T08:00:30+00:00",
    "disconnectReason": "CUSTOMER_DISCONNECT",
    "chatMetrics": {"customerMetrics": {"messagesSent": 3}},
}
RECORD = {f"{name[0].upper()}{name[1:]}": value for name, value in EVENT.items()} | {
    "ChatMetrics": {"CustomerMetrics": {"MessagesSent": 3}}
}
FACTS = ContactFacts("c-1", AT, AT + 30, "CUSTOMER_DISCONNECT", 3)


@pytest.mark.parametrize("told", [EVENT, RECORD, {**EVENT, "contactId": None, "Id": "c-1", "ContactId": None}])
def test_the_same_facts_are_read_from_either_spelling(told: dict[str, Any]) -> None:
    assert facts_of(told) == FACTS


def test_a_time_without_an_offset_is_one_of_utc_wherever_the_machine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as machine:
        machine.setenv("TZ", "America/New_York")
        time.tzset()
        one = facts_of({**EVENT, "initiationTimestamp": "2027-01-15T08:00:00"})
    time.tzset()
    assert one == FACTS


def test_a_contact_is_open_until_it_is_told_when_it_was_disconnected() -> None:
    assert FACTS.state == "ended"
    one = facts_of({"Id": "c-2"})
    assert one == ContactFacts("c-2", None, None, None, None)
    assert one is not None
    assert one.state == "open"


@pytest.mark.parametrize(
    "told", [{}, {"ContactId": ""}, {"ContactId": 7}, {"ContactId": "a\nb"}, {"ContactId": "c" * 300}]
)
def test_what_names_no_contact_tells_nothing(told: dict[str, Any]) -> None:
    assert facts_of(told) is None


@pytest.mark.parametrize(
    "at, seconds",
    [
        ("2027-01-15T08:00:00", AT),
        ("2027-01-15T09:00:00+01:00", AT),
        (datetime.fromtimestamp(AT, UTC), AT),
        (datetime.fromtimestamp(AT, timezone(timedelta(hours=5))), AT),
        (1800000000, AT),
        (AT + 0.5, AT + 0.5),
        ("soon", None),
        ("", None),
        (None, None),
        ([1], None),
        (10**400, None),
    ],
)
def test_a_time_is_read_in_each_form_and_else_unknown(at: Any, seconds: float | None) -> None:
    one = facts_of({"Id": "c", "InitiationTimestamp": at, "DisconnectTimestamp": at})
    assert one is not None
    assert (one.initiated_at, one.disconnected_at) == (seconds, seconds)


@pytest.mark.parametrize(
    "metrics, messages",
    [
        ({"MessagesSent": 0}, 0),
        ({"NumResponses": 4}, 4),
        ({"MessagesSent": 2, "NumResponses": 4}, 2),
        ({"MessagesSent": True, "NumResponses": 4}, 4),
        ({"MessagesSent": "2"}, None),
        ([], None),
        (None, None),
    ],
)
def test_what_the_person_sent_is_counted_where_it_is_told(metrics: Any, messages: int | None) -> None:
    one = facts_of({"Id": "c", "ChatMetrics": {"CustomerMetrics": metrics}})
    assert one is not None
    assert one.messages == messages


# Files


def read(path: Path) -> list[str]:
    """Return the contacts that are told of, and what is no event in words."""
    events = (one for file in files_in(path) for one in events_in(file, str(file)))
    found = (one if isinstance(one, Malformed) else facts_of(one) for one in events)
    return [str(one) if isinstance(one, Malformed) else one.contact_id for one in found if one]


def told(*contacts: str) -> list[str]:
    return [json.dumps({"ContactId": contact}) for contact in contacts]


@pytest.mark.parametrize("between", ["\n", "\n\n", " ", "\t", ",", ", \n", ""])
def test_objects_follow_one_another_on_a_line_each_or_not(tmp_path: Path, between: str) -> None:
    (tmp_path / "events").write_text(between.join(told("a", "b", "c")))
    assert read(tmp_path / "events") == ["a", "b", "c"]


def test_an_event_is_read_as_eventbridge_hands_it_on(tmp_path: Path) -> None:
    lines = [{"detail": {"contactId": "a"}, "id": "x"}, {"detail": "words", "Id": "b"}, {"detail": {}, "Id": "none"}]
    (tmp_path / "events").write_text("\n".join(map(json.dumps, lines)))
    assert read(tmp_path / "events") == ["a", "b"]


def test_a_folder_is_read_file_by_file_in_order_packed_or_not(tmp_path: Path) -> None:
    (tmp_path / "2027" / "01").mkdir(parents=True)
    (tmp_path / "2027" / "01" / "b.json.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf" + told("b")[0].encode()))
    (tmp_path / "2027" / "a.json").write_text("\ufeff" + told("a")[0])
    (tmp_path / "z").write_text(told("z")[0])
    assert read(tmp_path) == ["b", "a", "z"]


@pytest.mark.parametrize("wrong, why", [("{", "no JSON;"), ("[1]", "no JSON object;"), ("[" * 100_000, "no JSON;")])
def test_what_is_no_event_is_named_by_file_and_line_and_the_others_are_read(
    tmp_path: Path, wrong: str, why: str
) -> None:
    (tmp_path / "events").write_text("\n".join([*told("a"), wrong, *told("b")]))
    first, trouble, last = read(tmp_path / "events")
    assert (first, last) == ("a", "b")
    assert trouble.startswith(f"{tmp_path / 'events'}, line 2: {why}")


def test_one_event_over_several_lines_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "event").write_text(json.dumps({"ContactId": "a"}, indent=2))
    assert read(tmp_path / "event") == ["a"]


def test_a_file_that_cannot_be_read_is_named_with_the_cause(tmp_path: Path) -> None:
    (tmp_path / "cut.gz").write_bytes(gzip.compress(told("a")[0].encode())[:-9])
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    assert read(tmp_path / "none") == [f"{tmp_path / 'none'}: the events cannot be read: No such file or directory"]
    assert read(tmp_path / "cut.gz")[-1].startswith(
        f"{tmp_path / 'cut.gz'}: the events cannot be read: Compressed file"
    )
    assert read(tmp_path / "binary") == [f"{tmp_path / 'binary'}: the events are no text in UTF-8"]
