"""A refusal is kept in the ledger, so it names the trouble, the limit and the remedy, and nothing of a cell."""

import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from compiled_requests import DRAFT, SMS, built, mail, recipient, sms
from hypothesis import given, settings
from hypothesis import strategies as st

import bulk
from bulk.model import Refusal

SECRET = "Secret Name Here"
COLUMNS = ["phone", "first_name", "x"]
MAP = {"connect:Subtype": {"ValueString": "connect:SMS"}}
MEMBERS: list[dict[str, Any]] = [
    {"ChatDurationInMinutes": "{{ x }}"},
    {"Attributes": "{{ x }}"},
    {"Attributes": {"{{ x }}": "1"}},
    {"Attributes": {"k": "{{ x.nothing }}"}},
    {"Attributes": {"k": "{{ x + 1 }}"}},
    {"Attributes": {"k": "{{ {}[x] }}"}},
    {"Attributes": {"k": "{{ x | int + [] }}"}},
    {"Attributes": {"k": "{{ '%d' % x }}"}},
    {"Attributes": {"k": "{{ x.index('?') }}"}},
    {"Attributes": {"k": "{{ x.encode(x) }}"}},
    {"InitialSystemMessage": {"ContentType": "{{ x }}", "Content": "Hi"}},
    {"SegmentAttributes": {"connect:Subtype": {"ValueString": "{{ x }}"}}},
    {"SegmentAttributes": {**MAP, "{{ x }}": {"ValueString": "1"}}},
    {"SegmentAttributes": {**MAP, "k": "{{ x }}"}},
    {"SourceEndpoint": {"Type": "CONNECT_PHONENUMBER_ARN", "Address": "{{ x }}"}},
    {"SourceEndpoint": {"Type": "{{ x }}", "Address": "arn:aws:connect:us-west-2:123456789012:phone-number/3f0b"}},
    {"SupportedMessagingContentTypes": ["text/plain", "{{ x }}"]},
]
CELLS = [
    SECRET,
    json.dumps({SECRET: SECRET}),
    json.dumps({"ValueString": {SECRET: [SECRET]}}),
    {SECRET: [SECRET]},
    [SECRET],
]


@pytest.mark.parametrize("member", MEMBERS, ids=str)
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_refusal_holds_nothing_of_a_cell(member: dict[str, Any], cell: Any) -> None:
    found = sms({**SMS, **member}, COLUMNS).build(recipient({"phone": "1", "first_name": "A", "x": cell}))
    if isinstance(found, Refusal):
        assert "ecret" not in found.message


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(MEMBERS), st.text("abcxyz'\" é123", min_size=5, max_size=60))
def test_no_message_repeats_a_text_of_the_row(member: dict[str, Any], text: str) -> None:
    cell = f"qj{text}jq"
    found = sms({**SMS, **member}, COLUMNS).build(recipient({"phone": "1", "first_name": "A", "x": cell}))
    if isinstance(found, Refusal):
        assert "qj" not in found.message
        assert "jq" not in found.message


KEY = "Attributes.…: as a key is text of 3 characters, which is not made of letters, digits, - and _ alone."
WHOLE = "ChatDurationInMinutes: is text of 4 characters, which is not a whole number."
BOUND = "ChatDurationInMinutes: is out of bounds; it must be 60 to 10,080."
LONG = "ContactFlowId: is 501 characters long; at most 500 are allowed. Shorten it."
FAILED = "Attributes.k: the template failed: 'str object' has no attribute 'city'"


@pytest.mark.parametrize(
    "member, cell, said",
    [
        ({"ChatDurationInMinutes": "{{ x }}"}, "soon", WHOLE),
        ({"ChatDurationInMinutes": "{{ x }}"}, "5", BOUND),
        ({"Attributes": "{{ x }}"}, '{"a b": "1"}', KEY),
        ({"Attributes": {"{{ x }}": "1"}}, "a b", KEY),
        ({"ContactFlowId": "{{ x }}"}, "x" * 501, LONG),
        ({"Attributes": {"k": "{{ x.city }}"}}, "Ann", FAILED),
    ],
)
def test_it_names_the_member_the_limit_and_the_kind_of_fault(member: dict[str, Any], cell: str, said: str) -> None:
    found = sms({**SMS, **member}, COLUMNS).build(recipient({"phone": "1", "first_name": "A", "x": cell}))
    assert isinstance(found, Refusal)
    assert found.message == f"[request] {said}"


def test_what_the_campaign_itself_writes_is_shown() -> None:
    with pytest.raises(bulk.CampaignError, match=r"ChatDurationInMinutes: is 'soon', which is not a whole number"):
        sms({**SMS, "ChatDurationInMinutes": "soon"}, COLUMNS)


def test_the_ledger_and_the_results_hold_no_cell_of_a_refused_row(tmp_path: Path) -> None:
    request = {**SMS, "ChatDurationInMinutes": "{{ x }}", "Attributes": "{{ y }}"}
    campaign = bulk.Campaign(name="c", channel="sms", request=request, folder=tmp_path)
    frame = pl.DataFrame({"phone": ["+14155550123"], "first_name": ["A"], "x": [SECRET], "y": [f'{{"{SECRET}": "1"}}']})
    run = asyncio.run(bulk.send(campaign, contacts=frame, sandbox=True, state_dir=tmp_path / "state"))
    assert run.summary.refused == 1
    with sqlite3.connect(tmp_path / "state" / "ledger.db") as ledger:
        assert SECRET not in "\n".join(ledger.iterdump())
    ((message,),) = run.results().select("error_message").rows()
    assert "Secret" not in message
    assert "ChatDurationInMinutes: is text of 16 characters, which is not a whole number" in message


# Keys


def keyed(written: dict[str, Any], **cells: Any) -> Any:
    columns = ["phone", "first_name", *cells]
    found = sms({**SMS, **written}, columns).build(recipient({"phone": "1", "first_name": "A", **cells}))
    return found if isinstance(found, Refusal) else found["request"]


def test_a_key_may_be_a_template() -> None:
    attributes = {"{{ k }}": "{{ v }}", "pre_{{ k }}": "1", "fixed": "2", "{{ 'c' }}": "3"}
    made = {"a": "x", "pre_a": "1", "fixed": "2", "c": "3"}
    assert keyed({"Attributes": attributes}, k="a", v="x")["Attributes"] == made
    references = {"{{ k }}": {"Type": "URL", "Value": "https://{{ v }}"}}
    created = mail(["email", "body", "k", "v"], create_contact={**DRAFT, "References": references})
    row = {"email": "a@x.org", "body": "b", "k": "page", "v": "x.org"}
    found = built(created, row, destination="a@x.org")["create_contact"]["References"]
    assert found == {"page": {"Type": "URL", "Value": "https://x.org"}}


@pytest.mark.parametrize(
    "key, said",
    [("b", "two of its keys are the same"), ("", "a key is empty"), (None, "a key is empty")],
)
def test_a_key_that_a_row_makes_useless_refuses_the_row(key: Any, said: str) -> None:
    found = keyed({"Attributes": {"{{ k }}": "1", "b": "2"}}, k=key)
    assert (found.code, found.message) == ("template_error", f"[request] Attributes: the template failed: {said}")


def test_an_entry_without_key_and_value_is_left_out() -> None:
    assert keyed({"Attributes": {"{{ k }}": "{{ v }}", "b": "2"}}, k="", v="")["Attributes"] == {"b": "2"}


@pytest.mark.parametrize(
    "attributes, said",
    [
        ({"{{ nothing }}": "1"}, "[request] Attributes.{{ nothing }}: the list has no column 'nothing'."),
        ({"{{ row }}": "1"}, "[request] Attributes.{{ row }}: {{ row }} is the whole row and no text"),
        ({"{{ first name }}": "1"}, "{{ first name }} does not name a column: write {{ first_name }}."),
    ],
)
def test_a_key_that_is_no_template_is_an_error_of_the_campaign(attributes: dict[str, Any], said: str) -> None:
    with pytest.raises(bulk.CampaignError) as error:
        sms({**SMS, "Attributes": attributes}, ["phone", "first_name"])
    assert said in str(error.value)


def test_a_member_of_a_structure_is_named_and_not_made() -> None:
    with pytest.raises(bulk.CampaignError, match="is no parameter that is known here"):
        sms({**SMS, "ParticipantDetails": {"{{ x }}": "1"}}, COLUMNS)


def test_a_time_that_cannot_be_read_is_not_repeated(tmp_path: Path) -> None:
    campaign = bulk.Campaign(name="c", channel="sms", request=SMS, expires="{{ x }}", folder=tmp_path)
    frame = pl.DataFrame({"phone": ["+14155550123"], "first_name": ["A"], "x": [SECRET]})
    run = asyncio.run(bulk.send(campaign, contacts=frame, sandbox=True))
    ((code, message),) = run.results().select("error_code", "error_message").rows()
    assert code == "invalid_expiry"
    assert message.startswith("expires: what the row says is no time; write 2026-12-24T18:00")
    assert "ecret" not in message
