"""Declared faults and magic recipients, without HTTP."""

import copy
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sandbox_requests import CHAT, DRAFT, INBOUND, MAIL, accepted, account, send, token

from bulk.sandbox.account import Account
from bulk.sandbox.effects import Effect
from bulk.sandbox.fault_file import read_file
from bulk.sandbox.simulator import NUMBERS, TRICKS


def _faulty(*rules: dict[str, Any], **top: Any) -> Account:
    here = account()
    here.set_faults({"rules": list(rules), **top}, 0.0)
    return here


def _statuses(here: Account, count: int, *, now: float = 0.0) -> list[int]:
    return [send(here, "CreateContact", DRAFT, now=now).status for _ in range(count)]


def _to(number: str) -> dict[str, Any]:
    chat = copy.deepcopy(CHAT)
    chat["DestinationEndpoint"]["Address"] = number
    return chat | {"ClientToken": token()}


def test_the_first_calls_meet_the_fault_and_no_others() -> None:
    assert _statuses(_faulty({"fault": "throttle", "first": 2}), 4) == [429, 429, 200, 200]


def test_every_third_call_meets_the_fault() -> None:
    assert _statuses(_faulty({"fault": "error", "every": 3}), 7) == [200, 200, 500, 200, 200, 500, 200]


def test_a_fault_without_a_how_often_meets_every_call() -> None:
    assert _statuses(_faulty({"fault": "throttle"}), 3) == [429] * 3


@settings(max_examples=25)
@given(st.integers(), st.floats(0, 1))
def test_the_same_seed_makes_the_same_day(seed: int, probability: float) -> None:
    rule = {"fault": "error", "probability": probability}
    assert _statuses(_faulty(rule, seed=seed), 30) == _statuses(_faulty(rule, seed=seed), 30)


def test_another_seed_makes_another_day() -> None:
    rule = {"fault": "error", "probability": 0.5}
    assert _statuses(_faulty(rule, seed=1), 60) != _statuses(_faulty(rule, seed=2), 60)


def test_a_rule_draws_its_lots_whatever_the_other_rules_do() -> None:
    rule = {"fault": "error", "probability": 0.5}
    alone = _statuses(_faulty(rule), 40)
    beside = _statuses(_faulty(rule, {"fault": "delay", "seconds": [0, 1], "probability": 0.5}), 40)
    assert alone == beside


def test_a_reset_begins_the_day_anew() -> None:
    here = _faulty({"fault": "error", "probability": 0.5})
    first = _statuses(here, 40)
    here.reset(0.0)
    assert _statuses(here, 40) == first


def test_a_rule_for_one_operation_leaves_the_others_alone() -> None:
    here = _faulty({"fault": "throttle", "operation": "StartOutboundChatContact"})
    assert send(here, "CreateContact", DRAFT).status == 200
    assert send(here, "StartOutboundChatContact", CHAT).status == 429


def test_a_rule_for_a_destination_finds_it_in_each_operation() -> None:
    here = _faulty({"fault": "throttle", "destinations": ["+14155550123", "ann@example.com"]})
    draft = accepted(here, "CreateContact", DRAFT)
    assert send(here, "StartOutboundChatContact", CHAT).status == 429
    assert send(here, "StartEmailContact", INBOUND).status == 429
    assert send(here, "StartOutboundEmailContact", MAIL | {"ContactId": draft}).status == 429
    assert send(here, "StartOutboundChatContact", _to("+14155550124")).status == 200


def test_a_rule_holds_between_its_seconds() -> None:
    here = _faulty({"fault": "throttle", "between": [10, 20]})
    assert [send(here, "CreateContact", DRAFT, now=now).status for now in (9.9, 10.0, 19.9, 20.0)] == [
        200,
        429,
        429,
        200,
    ]


def test_delays_add_up_and_the_first_other_fault_happens() -> None:
    here = _faulty(
        {"fault": "delay", "seconds": 0.5},
        {"fault": "throttle"},
        {"fault": "error"},
        {"fault": "delay", "seconds": [1, 2]},
    )
    answer = send(here, "CreateContact", DRAFT)
    assert answer.code == "ThrottlingException"
    assert 1.5 <= answer.delay <= 2.5


def test_a_dropped_answer_leaves_one_accepted_contact_that_a_retry_finds() -> None:
    here = _faulty({"fault": "drop_after", "first": 1})
    request = CHAT | {"ClientToken": "t"}
    assert send(here, "StartOutboundChatContact", request).fate is Effect.DROP_AFTER
    (contact,) = here.contacts
    assert accepted(here, "StartOutboundChatContact", request) == contact.id
    calls = here.calls["StartOutboundChatContact"]
    assert (calls.received, calls.accepted, calls.replayed, calls.dropped) == (2, 1, 1, 1)


def test_a_call_dropped_before_it_is_seen_leaves_nothing() -> None:
    here = _faulty({"fault": "drop_before", "first": 1})
    assert send(here, "StartOutboundChatContact", CHAT).fate is Effect.DROP_BEFORE
    assert len(here.contacts) == 0
    assert here.calls["StartOutboundChatContact"].dropped == 1


def test_a_throttle_may_bear_the_other_name() -> None:
    here = _faulty({"fault": "throttle", "first": 1}, throttle_code="TooManyRequestsException")
    assert send(here, "CreateContact", DRAFT).code == "TooManyRequestsException"
    here.set_quotas({"rate": 0, "burst": 1}, 0.0)
    assert [send(here, "CreateContact", DRAFT).code for _ in range(2)] == [None, "TooManyRequestsException"]


def test_an_error_takes_its_status_from_the_model() -> None:
    here = _faulty({"fault": "error", "code": "AccessDeniedException", "message": "no"})
    answer = send(here, "CreateContact", DRAFT)
    assert (answer.status, answer.code, answer.body) == (
        403,
        "AccessDeniedException",
        b'{"Message": "no", "message": "no"}',
    )


def test_a_status_alone_is_answered_without_a_body() -> None:
    answer = send(_faulty({"fault": "error", "status": 503}), "CreateContact", DRAFT)
    assert (answer.status, answer.code, answer.body) == (503, None, b"")


@pytest.mark.parametrize(
    "declared, text",
    [
        ({"sed": 1}, r"faults\.sed: there is no such key; did you mean seed\?"),
        ({"rules": {}}, "rules: must be a list of tables"),
        ({"rules": [7]}, r"rules\[0\]: must be a table"),
        ({"rules": [{}]}, r"rules\[0\]: needs fault, one of throttle"),
        ({"rules": [{"fault": "drop_befor"}]}, r"rules\[0\]\.fault: 'drop_befor' is not known; did you mean drop_"),
        ({"rules": [{"fault": "error", "evry": 3}]}, r"rules\[0\]\.evry: there is no such key; did you mean every\?"),
        ({"rules": [{"fault": "error", "every": 0}]}, r"rules\[0\]\.every: must be a whole number, 1 or more, is 0"),
        ({"rules": [{"fault": "error", "every": 2, "first": 1}]}, "first and every exclude each other"),
        ({"rules": [{"fault": "error", "probability": 1.5}]}, "probability: must be a number from 0 to 1"),
        (
            {"rules": [{"fault": "error", "code": "InternalServiceExeption"}]},
            r"did you mean InternalServiceException\?",
        ),
        ({"rules": [{"fault": "error", "operation": "StartChat"}]}, r"rules\[0\]\.operation: 'StartChat' is not known"),
        ({"rules": [{"fault": "delay", "seconds": [2, 1]}]}, r"seconds: must be seconds: a number, or \[least, most\]"),
        ({"rules": [{"fault": "delay", "seconds": math.inf}]}, "seconds: must be seconds: a number"),
        ({"rules": [{"fault": "delay"}]}, r"rules\[0\]: a delay needs seconds"),
        ({"rules": [{"fault": "hang", "between": [60, 0]}]}, r"between: must be \[from, to\] in seconds, the earlier"),
        ({"rules": [{"fault": "delay", "between": 5}]}, r"between: must be \[from, to\] in seconds"),
        ({"rules": [{"fault": "error", "status": 200}]}, "status: must be an HTTP status, 400 to 599"),
        ({"rules": [{"fault": "error", "destinations": "+1"}]}, "destinations: must be a list of texts"),
        ({"throttle_code": "Slow"}, "throttle_code: 'Slow' is not known"),
    ],
)
def test_a_wrong_declaration_is_refused_with_the_place_and_the_remedy(declared: dict[str, Any], text: str) -> None:
    here = account()
    with pytest.raises(ValueError, match=text):
        here.set_faults(declared, 0.0)
    assert here.settings.faults.given == {}


def test_a_faults_file_is_toml_or_json(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text('seed = 7\n[[rules]]\nfault = "throttle"\nfirst = 2\n')
    (tmp_path / "bad.json").write_text('{"seed": 7, "rules": [{"fault": "throttle", "first": 2}]}')
    assert read_file(tmp_path / "bad.toml") == read_file(tmp_path / "bad.json")


@pytest.mark.parametrize("name, text", [("a.toml", "is not TOML"), ("a.json", "is not JSON"), ("b.json", "must be an")])
def test_a_faults_file_that_is_neither_is_said_to_be_so(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text("[]" if name == "b.json" else "[[")
    with pytest.raises(ValueError, match=f"{name}: {text}"):
        read_file(tmp_path / name)


FIRST_AND_SECOND = {
    "reject": ((400, Effect.SERVED), (400, Effect.SERVED)),
    "throttle-once": ((429, Effect.SERVED), (200, Effect.SERVED)),
    "error-once": ((500, Effect.SERVED), (200, Effect.SERVED)),
    "lose-once": ((200, Effect.DROP_AFTER), (200, Effect.SERVED)),
    "drop-once": ((200, Effect.DROP_BEFORE), (200, Effect.SERVED)),
    "slow": ((200, Effect.SERVED), (200, Effect.SERVED)),
    "full-once": ((429, Effect.SERVED), (200, Effect.SERVED)),
    "hang-once": ((200, Effect.HANG), (200, Effect.SERVED)),
    "throttle": ((429, Effect.SERVED), (429, Effect.SERVED)),
    "drop": ((200, Effect.DROP_BEFORE), (200, Effect.DROP_BEFORE)),
}


def test_every_magic_recipient_is_tested() -> None:
    assert set(FIRST_AND_SECOND) == set(TRICKS) == set(NUMBERS.values())


@pytest.mark.parametrize("number, name", NUMBERS.items())
def test_a_magic_number_does_what_the_table_says(number: str, name: str) -> None:
    here = account()
    first, second = (send(here, "StartOutboundChatContact", _to(number)) for _ in range(2))
    assert ((first.status, first.fate), (second.status, second.fate)) == FIRST_AND_SECOND[name]
    assert (first.delay > 0) == (name == "slow")


def test_a_magic_address_takes_labels_and_each_is_another_recipient() -> None:
    here = account()
    for label in ("", "+1", "+2"):
        address = {"FromEmailAddress": {"EmailAddress": f"full-once{label}@simulator.example"}}
        answers = [send(here, "StartEmailContact", INBOUND | address) for _ in range(2)]
        assert [answer.code for answer in answers] == ["ServiceQuotaExceededException", None]


def test_an_address_elsewhere_is_not_magic() -> None:
    address = {"FromEmailAddress": {"EmailAddress": "reject@example.com"}}
    accepted(account(), "StartEmailContact", INBOUND | address)
