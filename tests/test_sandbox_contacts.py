"""What can be asked of a contact, and done to it, after it began."""

import json
import math
from typing import Any
from urllib.parse import urlencode

import pytest
from sandbox_requests import CHAT, DRAFT, INBOUND, INSTANCE, SIGNED, accepted, account, message, send

from bulk.sandbox import Sandbox
from bulk.sandbox.account import Account, Answer
from bulk.sandbox.routes import Routes

DAY = 24 * 3600


def at_route(here: Account, method: str, path: str, *, now: float = 0.0, **query: Any) -> Answer:
    """Send what has its members in the path and the query."""
    target = f"{path}?{urlencode(query, doseq=True)}" if query else path
    return here.answer(Routes(here).call(method, target, {"authorization": SIGNED}, b""), now)


def attributes(here: Account, contact: str) -> dict[str, str]:
    answer = at_route(here, "GET", f"/contact/attributes/{INSTANCE}/{contact}")
    return dict(json.loads(answer.body)["Attributes"])


def update(here: Account, contact: str, changed: dict[str, str]) -> Answer:
    request = {"InstanceId": INSTANCE, "InitialContactId": contact, "Attributes": changed}
    return send(here, "UpdateContactAttributes", request)


def test_attributes_are_those_of_the_request_and_then_as_they_were_changed() -> None:
    here = account()
    contact = accepted(here, "StartOutboundChatContact", CHAT)
    assert attributes(here, contact) == {"customer_id": "17"}
    assert update(here, contact, {"customer_id": "18", "note": "ü"}).status == 200
    assert attributes(here, contact) == {"customer_id": "18", "note": "ü"}
    (shown,) = here.contacts
    assert shown.as_dict(0.0)["Attributes"] == {"customer_id": "18", "note": "ü"}
    assert shown.as_dict(0.0)["Parameters"]["Attributes"] == {"customer_id": "17"}


def test_attributes_of_an_ended_contact_can_be_changed_too() -> None:
    here = account(ends_after=0)
    assert update(here, accepted(here, "StartOutboundChatContact", CHAT), {"a": "b"}).status == 200


def test_attributes_have_a_size_over_all_of_them() -> None:
    here = account()
    contact = accepted(here, "CreateContact", DRAFT)
    assert update(here, contact, {"a": "x" * 20_000}).status == 200
    refused = update(here, contact, {"b": "x" * 20_000})
    assert (refused.code, "32,768" in message(refused)) == ("InvalidRequestException", True)
    assert set(attributes(here, contact)) == {"a"}


def test_a_contact_has_six_tags_which_can_be_taken_off() -> None:
    here = account()
    where = {"InstanceId": INSTANCE, "ContactId": accepted(here, "CreateContact", DRAFT)}
    assert send(here, "TagContact", where | {"Tags": {f"k{n}": "v" for n in range(6)}}).status == 200
    assert send(here, "TagContact", where | {"Tags": {"k6": "v"}}).code == "InvalidRequestException"
    assert send(here, "TagContact", where | {"Tags": {"aws:k": "v"}}).code == "InvalidParameterException"
    route = f"/contact/tags/{INSTANCE}/{where['ContactId']}"
    assert at_route(here, "DELETE", route, TagKeys=["k0", "k1"]).status == 200
    described = at_route(here, "GET", f"/contacts/{INSTANCE}/{where['ContactId']}")
    assert json.loads(described.body)["Contact"]["Tags"] == {f"k{n}": "v" for n in range(2, 6)}
    assert at_route(here, "DELETE", route).code == "InvalidParameterException"


def search(here: Account, *, now: float = 100.0, **criteria: Any) -> Answer:
    request = {
        "InstanceId": INSTANCE,
        "TimeRange": {"Type": "INITIATION_TIMESTAMP", "StartTime": 0, "EndTime": 10 * DAY},
        "SearchCriteria": criteria,
    }
    return send(here, "SearchContacts", request, now=now)


def found(answer: Answer) -> list[str]:
    assert answer.status == 200, answer
    return [contact["Id"] for contact in json.loads(answer.body)["Contacts"]]


def by_attribute(match: str | None, **values: list[str]) -> dict[str, Any]:
    criteria = {"Criteria": [{"Key": key, "Values": texts} for key, texts in values.items()]}
    return {"SearchableContactAttributes": criteria | ({} if match is None else {"MatchType": match})}


def test_contacts_are_found_by_channel_method_and_attributes() -> None:
    here = account()
    chat = accepted(here, "StartOutboundChatContact", CHAT)
    mail = accepted(here, "StartEmailContact", INBOUND | {"Attributes": {"customer_id": "18", "kind": "x"}}, now=1)
    assert found(search(here)) == [mail, chat]
    assert found(search(here, Channels=["CHAT"])) == [chat]
    assert found(search(here, InitiationMethods=["INBOUND"])) == [mail]
    assert found(search(here, **by_attribute(None, customer_id=["16", "17"]))) == [chat]
    assert found(search(here, **by_attribute("MATCH_ALL", customer_id=["18"], kind=["y"]))) == []
    assert found(search(here, **by_attribute("MATCH_ANY", customer_id=["18"], kind=["y"]))) == [mail]
    assert found(search(here, **by_attribute("MATCH_NONE", customer_id=["18"]))) == [chat]
    update(here, chat, {"customer_id": "18"})
    assert found(search(here, **by_attribute(None, customer_id=["18"]))) == [mail, chat]
    subtype = {"Criteria": [{"Key": "connect:Subtype", "Values": ["connect:SMS"]}]}
    assert found(search(here, SearchableSegmentAttributes=subtype)) == [chat]


NAMED = {"Channel": "TASK", "InitiationMethod": "API", "InstanceId": INSTANCE}


@pytest.mark.parametrize(
    "match, texts, names",
    [
        ("MATCH_ANY", ["STRASSE"], ["Straße 7"]),
        ("MATCH_ANY", ["straße", "ÄRGER"], ["Straße 7", "ärger"]),
        ("MATCH_ANY", ["a\u0308rger"], ["ärger"]),
        ("MATCH_ANY", ["istanbul"], ["İSTANBUL"]),
        ("MATCH_ALL", ["stra", "7"], ["Straße 7"]),
        ("MATCH_EXACT", ["Ärger"], ["ärger"]),
        ("MATCH_NONE", ["e"], ["İSTANBUL", "\ud83d"]),
        ("MATCH_ANY", [], []),
    ],
)
def test_names_are_found_in_any_case(match: str, texts: list[str], names: list[str]) -> None:
    here, ids = account(), {}
    for name in ("Straße 7", "ärger", "İSTANBUL", "\ud83d"):
        ids[accepted(here, "CreateContact", NAMED | {"Name": name})] = name
    assert sorted(ids[one] for one in found(search(here, Name={"SearchText": texts, "MatchType": match}))) == names


def test_a_search_looks_at_what_it_finds_and_not_at_all_contacts() -> None:
    here, steps = account(), 0
    for number in range(2000):
        accepted(here, "StartOutboundChatContact", CHAT | {"Attributes": {"customer_id": str(number)}})
    found(search(here))  # the first one takes in what came before

    def count() -> None:
        nonlocal steps
        steps += 1

    here.contacts.storage._database.set_progress_handler(count, 100)
    assert len(found(search(here, **by_attribute(None, customer_id=["17", "18", "1999"])))) == 3
    assert steps < 10


def test_attributes_that_come_after_a_search_are_found_too() -> None:
    here = account()
    first = accepted(here, "StartOutboundChatContact", CHAT | {"Attributes": {"a": "old", "b": "same"}})
    assert found(search(here, **by_attribute(None, a=["old"]))) == [first]
    update(here, first, {"a": "new"})
    second = accepted(here, "StartOutboundChatContact", CHAT | {"Attributes": {"a": "new"}}, now=1)
    update(here, second, {"a": "old"})
    assert found(search(here, **by_attribute(None, a=["old"]))) == [second]
    assert found(search(here, **by_attribute(None, a=["new"], b=["same"]))) == [first]
    here.reset(2.0)
    assert found(search(here)) == []


def test_a_contact_is_found_after_the_delay_and_not_before() -> None:
    here = account(search_delay=30)
    chat = accepted(here, "StartOutboundChatContact", CHAT, now=50)
    assert found(search(here, now=79)) == []
    assert found(search(here, now=80)) == [chat]
    here.set_quotas({"search_delay": 60}, 80.0)
    assert found(search(here, now=81)) == []


def test_results_come_in_pages_and_sorted() -> None:
    here = account()
    chats = [accepted(here, "StartOutboundChatContact", CHAT, now=second) for second in range(5)]
    request = {
        "InstanceId": INSTANCE,
        "TimeRange": {"Type": "INITIATION_TIMESTAMP", "StartTime": 1, "EndTime": "1970-01-01T00:00:04Z"},
        "MaxResults": 3,
        "Sort": {"FieldName": "INITIATION_TIMESTAMP", "Order": "ASCENDING"},
    }
    first = json.loads(send(here, "SearchContacts", request, now=9).body)
    rest = json.loads(send(here, "SearchContacts", request | {"NextToken": first["NextToken"]}, now=9).body)
    assert [contact["Id"] for contact in first["Contacts"] + rest["Contacts"]] == chats[1:]
    assert (first["TotalCount"], "NextToken" in rest) == (4, False)


@pytest.mark.parametrize(
    "changed, text",
    [
        ({"TimeRange": {"Type": "INITIATION_TIMESTAMP", "StartTime": 2, "EndTime": 1}}, "must not end before"),
        ({"TimeRange": {"Type": "INITIATION_TIMESTAMP", "StartTime": "soon", "EndTime": 1}}, "Unix seconds or ISO"),
        ({"NextToken": "ü"}, "NextToken"),
        ({"NextToken": "OTk5OTk5OTk5OTk5OTk5OTk5OTk="}, "NextToken"),
        ({"NextToken": "LTE="}, "NextToken"),
        ({"SearchCriteria": {"AgentIds": ["a"]}}, "SearchCriteria.AgentIds: is not searched"),
        ({"SearchCriteria": {"SearchableContactAttributes": {"Criteria": [{"Key": "k"}] * 16}}}, "at most 15 items"),
        ({"MaxResults": 101}, "between 1 and 100"),
    ],
)
def test_a_search_that_cannot_be_made_is_refused(changed: dict[str, Any], text: str) -> None:
    time_range = {"Type": "INITIATION_TIMESTAMP", "StartTime": 0, "EndTime": 1}
    answer = send(account(), "SearchContacts", {"InstanceId": INSTANCE, "TimeRange": time_range} | changed)
    assert (answer.status, text in message(answer)) == (400, True)


def test_an_ended_contact_is_found_by_when_it_ended() -> None:
    here = account(ends_after=10)
    chat = accepted(here, "StartOutboundChatContact", CHAT)
    request = {
        "InstanceId": INSTANCE,
        "TimeRange": {"Type": "DISCONNECT_TIMESTAMP", "StartTime": 5, "EndTime": 15},
    }
    assert found(send(here, "SearchContacts", request, now=9)) == []
    assert found(send(here, "SearchContacts", request, now=10)) == [chat]


def test_more_open_chats_than_five_hundred_are_refused_as_aws_does_unless_the_rate_is_the_users_own() -> None:
    assert Sandbox()._account.quotas()["open_contacts"] == {"chat": 500, "email": 1000, "task": 2500}
    assert Sandbox(rate=math.inf)._account.quotas()["open_contacts"] == {}
    here = Sandbox(quotas={"StartOutboundChatContact": (math.inf, 1)})._account
    for _ in range(500):
        accepted(here, "StartOutboundChatContact", CHAT)
    assert send(here, "StartOutboundChatContact", CHAT).code == "LimitExceededException"
    accepted(here, "StartOutboundChatContact", CHAT | {"InstanceId": "another"})
    here.set_quotas({"ends_after": 1}, 0.0)
    accepted(here, "StartOutboundChatContact", CHAT, now=25 * 3600.0)


def test_an_expiry_that_was_set_holds_where_the_request_says_nothing() -> None:
    here = account(expires_after={"chat": 60})
    accepted(here, "StartOutboundChatContact", CHAT)
    accepted(here, "StartOutboundChatContact", CHAT | {"ChatDurationInMinutes": 90})
    here.set_quotas({"expires_after": {"email": 30}}, 0.0)
    accepted(here, "CreateContact", DRAFT)
    assert [contact.ends_at for contact in here.contacts] == [60, 5400, 30]
    assert here.quotas()["expires_after"]["email"] == 30


@pytest.mark.parametrize(
    "given, text",
    [
        ({"instances": 5}, "instances: must be a list"),
        ({"instances": "one"}, "instances: must be a list"),
        ({"search_delay": -1}, "search_delay: must be seconds"),
        ({"expires_after": {"fax": 1}}, "expires_after.fax: there are chat"),
        ({"expires_after": 5}, "expires_after: must be an object"),
        ({"quotas": {"us-west-2/SendFax": [1, 1]}}, "quotas.us-west-2/SendFax: there is no such operation"),
    ],
)
def test_a_wrong_limit_is_refused_while_it_runs(given: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        account().set_quotas(given, 0.0)
