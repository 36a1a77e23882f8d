"""What every channel keeps to, against the service's own model. A new channel is held to it by its line in `CHANNELS`.

It …
"""

import copy
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from botocore.loaders import Loader

import bulk.channels
from bulk.channels import CHANNELS, Channel
from bulk.errors import CallFailed, CallRejected, CallUnsettled
from bulk.model import Call, Exchange, Parameters, Reply
from bulk.operations import MODELS

MODEL = Loader(extra_search_paths=[str(MODELS)]).load_service_model("connect", "service-2", "2017-08-08")

every_channel = pytest.mark.parametrize("channel", CHANNELS.values(), ids=CHANNELS)


def shape_of(operation: str, side: str = "input") -> Mapping[str, Any]:
    shape: Mapping[str, Any] = MODEL["shapes"][MODEL["operations"][operation][side]["shape"]]
    return shape


def member(shape: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    """Return the shape at a dotted path; fails where there is none."""
    for name in path.split("."):
        inner = shape["value"] if shape["type"] == "map" else shape["members"][name]
        shape = MODEL["shapes"][inner["shape"]]
    return shape


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    for name, inner in value.items():
        if isinstance(inner, Mapping):
            yield from leaves(inner, f"{path}.{name}".lstrip("."))
        else:
            yield f"{path}.{name}".lstrip("."), inner


def tables(channel: Channel, *, optional: bool = True) -> dict[str, Parameters]:
    """Parameters for each table, which nothing may change."""
    wanted = [table for table in channel.OPERATIONS if optional or table not in channel.OPTIONAL]
    return {table: MappingProxyType({"InstanceId": "i", "of": table}) for table in wanted}


def calls_of(exchange: Exchange, replies: Iterator[str] | None = None) -> tuple[list[Call], str]:
    """Answer every call with a contact of its own; give the calls and what was returned."""
    names = replies or (f"contact-{number}" for number in count())
    calls = [next(exchange)]
    try:
        while True:
            calls.append(exchange.send(Reply({"ContactId": next(names)})))
    except StopIteration as end:
        return calls, end.value


def failure(kind: type[CallFailed], call: Call) -> CallFailed:
    return kind(call.operation, "InvalidRequestException", "no", status=400)


def test_each_channel_stands_under_its_own_name() -> None:
    assert [channel.NAME for channel in CHANNELS.values()] == list(CHANNELS)


def test_each_file_is_a_channel_and_has_its_line() -> None:
    files = {file.stem for file in Path(bulk.channels.__path__[0]).glob("*.py")} - {"__init__", "channel"}
    assert {name.replace("-", "_") for name in CHANNELS} == files


@every_channel
def test_its_destinations_are_phones_or_addresses(channel: Channel) -> None:
    assert channel.KIND in {"phone", "email"}


@every_channel
def test_its_operations_are_the_services(channel: Channel) -> None:
    assert set(channel.OPERATIONS.values()) <= set(MODEL["operations"])
    assert "request" in channel.OPERATIONS
    assert set(channel.OPTIONAL) < set(channel.OPERATIONS)


@every_channel
def test_its_operations_take_a_token_and_give_a_contact(channel: Channel) -> None:
    for table, operation in channel.OPERATIONS.items():
        assert "InstanceId" in shape_of(operation)["members"]
        if table not in channel.OPTIONAL:
            assert "ClientToken" in shape_of(operation)["members"]
            assert "ContactId" in shape_of(operation, "output")["members"]


@every_channel
def test_its_defaults_are_members_of_the_request_and_values_the_model_allows(channel: Channel) -> None:
    assert set(channel.DEFAULTS) <= set(channel.OPERATIONS)
    for table, parameters in channel.DEFAULTS.items():
        for path, value in leaves(parameters):
            shape = member(shape_of(channel.OPERATIONS[table]), path)
            assert shape["type"] == "string"
            assert value in shape.get("enum", [value])


@every_channel
def test_what_it_supplies_is_a_member_of_the_request(channel: Channel) -> None:
    for table, names in channel.SUPPLIED.items():
        assert set(names) <= set(shape_of(channel.OPERATIONS[table])["members"])


@every_channel
def test_its_destination_is_a_text_that_a_column_fills(channel: Channel) -> None:
    table, path = channel.DESTINATION
    assert member(shape_of(channel.OPERATIONS[table]), path)["type"] == "string"
    assert dict(leaves(channel.DEFAULTS[table]))[path].startswith("{{")


@every_channel
def test_what_the_person_reads_is_text(channel: Channel) -> None:
    assert channel.TEXTS
    for path in channel.TEXTS:
        assert member(shape_of(channel.OPERATIONS["request"]), path)["type"] == "string"


@every_channel
@pytest.mark.parametrize("optional", [True, False])
def test_it_makes_the_declared_calls_in_their_order(channel: Channel, *, optional: bool) -> None:
    parameters = tables(channel, optional=optional)
    calls, _ = calls_of(channel.exchange(parameters))
    assert [call.operation for call in calls] == [channel.OPERATIONS[table] for table in parameters]


@every_channel
def test_a_call_has_the_tables_parameters_and_what_earlier_replies_supply(channel: Channel) -> None:
    given = tables(channel)
    calls, _ = calls_of(channel.exchange(given))
    for (table, parameters), call in zip(given.items(), calls, strict=True):
        supplied = dict.fromkeys(channel.SUPPLIED.get(table, ()), "contact-0")
        assert call.parameters == {**parameters, **supplied}
        assert call.optional is (table in channel.OPTIONAL)


@every_channel
@pytest.mark.parametrize("optional", [True, False])
def test_it_returns_the_contact_of_what_was_sent(channel: Channel, *, optional: bool) -> None:
    parameters = tables(channel, optional=optional)
    _, contact = calls_of(channel.exchange(parameters))
    assert contact == f"contact-{list(parameters).index('request')}"


@every_channel
def test_recorded_replies_lead_to_the_same_next_call(channel: Channel) -> None:
    whole, _ = calls_of(channel.exchange(tables(channel)))
    for answered in range(len(whole)):
        exchange = channel.exchange(tables(channel))
        call = next(exchange)
        for number in range(answered):
            call = exchange.send(Reply({"ContactId": f"contact-{number}"}))
        assert call == whole[answered]


@every_channel
def test_two_conversations_at_once_know_nothing_of_each_other(channel: Channel) -> None:
    alone, _ = calls_of(channel.exchange(tables(channel)))
    first, second = channel.exchange(tables(channel)), channel.exchange(tables(channel))
    assert next(first) == next(second) == alone[0]
    others, _ = calls_of(channel.exchange(tables(channel)), (f"other-{number}" for number in count()))
    for number, call in enumerate(alone[1:]):
        assert first.send(Reply({"ContactId": f"contact-{number}"})) == call
    assert [call.operation for call in others] == [call.operation for call in alone]


@every_channel
def test_it_changes_nothing_of_what_it_is_given(channel: Channel) -> None:
    given = {table: dict(parameters) for table, parameters in tables(channel).items()}
    before = copy.deepcopy(given)
    calls_of(channel.exchange(given))
    assert given == before


@every_channel
@pytest.mark.parametrize("kind", [CallRejected, CallUnsettled])
def test_a_call_that_fails_ends_the_conversation_with_that_failure(channel: Channel, kind: type[CallFailed]) -> None:
    needed = len(tables(channel, optional=False))
    for failing in range(needed):
        exchange = channel.exchange(tables(channel))
        call = next(exchange)
        for number in range(failing):
            call = exchange.send(Reply({"ContactId": f"contact-{number}"}))
        thrown = failure(kind, call)
        assert ended_by(exchange, thrown) is thrown


@every_channel
@pytest.mark.parametrize("kind", [CallRejected, CallUnsettled])
def test_an_optional_call_that_fails_changes_nothing(channel: Channel, kind: type[CallFailed]) -> None:
    assert returned(channel.exchange(tables(channel)), kind) == f"contact-{list(channel.OPERATIONS).index('request')}"


def returned(exchange: Exchange, kind: type[CallFailed]) -> object:
    """Answer each call but the optional ones, which fail so, and give what the conversation returned."""
    call, number = next(exchange), 0
    try:
        while True:
            if call.optional:
                call = exchange.throw(failure(kind, call))
            else:
                call, number = exchange.send(Reply({"ContactId": f"contact-{number}"})), number + 1
    except StopIteration as end:
        return end.value


def ended_by(exchange: Exchange, thrown: CallFailed) -> CallFailed:
    """Throw a failure, answer whatever tidies up after it, and give what the conversation ended with."""
    try:
        call = exchange.throw(thrown)
        while call.optional:
            call = exchange.send(Reply({}))
    except CallFailed as error:
        return error
    raise AssertionError(f"went on with {call}")
