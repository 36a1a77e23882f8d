"""The compiled way from a row to its parameters, held against the plain one: what it builds is what that builds."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from compiled_requests import ARN, DRAFT, RAW, SMS, mail, sms
from hypothesis import given, settings
from hypothesis import strategies as st

from bulk.model import Recipient
from bulk.request import Request
from bulk.request.table import CompiledTable, TemplateFailed

COLUMNS = ["phone", "email", "first_name", "a", "b", "c", "n", "kind"]

EVERYTHING = {
    **SMS,
    "InitialSystemMessage": {"ContentType": "text/plain", "Content": "Hi {{ first_name }}, {{ a }} 100 %{{ b }}"},
    "Attributes": {"a": "{{ a }}", "fixed": "x", "b": "{{ b }}-{{ c }}"},
    "ChatDurationInMinutes": "{{ n }}",
    "ParticipantDetails": {"DisplayName": "{{ c }}"},
    "RelatedContactId": "{{ b }}",
    "SupportedMessagingContentTypes": ["text/plain", "{{ kind }}"],
    "SegmentAttributes": {
        "connect:Subtype": {"ValueString": "connect:SMS"},
        "other": {"ValueString": "{{ a }}", "ValueInteger": "{{ n }}"},
        "deep": {"ValueMap": {"x": {"ValueString": "{{ b }}"}}},
    },
}
WAYS = {
    "plain": {**SMS, "Attributes": {"customer_id": "{{ a }}"}},
    "everything": EVERYTHING,
    "whole maps": {**SMS, "Attributes": "{{ a }}", "SegmentAttributes": "{{ b }}"},
    "the type by row": {**SMS, "InitialSystemMessage": {"ContentType": "{{ kind }}", "Content": "{{ a }}"}},
    "the subtype by row": {**SMS, "SegmentAttributes": {"connect:Subtype": {"ValueString": "{{ kind }}"}}},
    "keys by row": {**SMS, "Attributes": {"{{ a }}": "{{ b }}", "k": "{{ c }}"}},
    "the row": {**SMS, "Attributes": "{{ row }}"},
}
CONFIG = {
    "KnowledgeBaseId": "{{ a }}",
    "MessageTemplateId": "t",
    "TemplateAttributes": {
        "CustomAttributes": {"x": "{{ b }}", "y": "{{ c }}"},
        "CustomerProfileAttributes": "{{ n }}",
    },
}
BODY = {"Subject": "{{ a }}", "Body": "<p>{{ b }}</p>", "ContentType": "text/html"}
EMPTY = {"Subject": "{{ a }}", "Body": "{{ b }}", "ContentType": "{{ c }}"}
COPIES = {"CcEmailAddresses": [{"EmailAddress": "{{ email }}"}, {"EmailAddress": "{{ a }}"}]}
MAILS = {
    "raw": {**RAW, "EmailMessage": {"RawMessage": BODY}},
    "by row": {**RAW, "EmailMessage": {"RawMessage": {**BODY, "ContentType": "{{ kind }}"}}},
    "templated": {**RAW, "EmailMessage": {"TemplatedMessageConfig": CONFIG}},
    "either": {**RAW, "EmailMessage": {"RawMessage": EMPTY, "TemplatedMessageConfig": CONFIG}},
    "copies": {
        **RAW,
        "AdditionalRecipients": COPIES,
    },
}
WORDS = ["", "x", " ", "text/plain", "text/html", "connect:SMS", "connect:WhatsApp", "135", "60.0", "a@x.org", ARN]
KEYS = st.sampled_from(["a", "b c", "connect:Subtype", "ValueString"])
CELLS = st.one_of(
    st.none(),
    st.sampled_from(WORDS),
    st.text(max_size=12),
    st.integers(-(2**70), 2**70) | st.floats() | st.booleans() | st.decimals(allow_nan=True),
    st.sampled_from([date(2026, 11, 20), datetime(2026, 11, 20, 9, tzinfo=UTC), Decimal("1.10"), b"x"]),
    st.sampled_from(["é" * 600, "x" * 1_025, "x" * 33_000, "€" * 12_000, "\ud800"]),
    st.lists(st.text(max_size=3), max_size=3),
    st.dictionaries(KEYS, st.text(max_size=3) | st.none(), max_size=3),
    st.sampled_from([json.dumps({"connect:Subtype": {"ValueString": "connect:SMS"}}), '{"a": 1, "b": ""}', "[1]", "{"]),
)
ROWS = st.fixed_dictionaries(dict.fromkeys(COLUMNS, CELLS))
COMPILED: Mapping[str, Request] = {
    **{name: sms(table, COLUMNS) for name, table in WAYS.items()},
    **{f"mail: {name}": mail([*COLUMNS, "body"], request=table) for name, table in MAILS.items()},
    "mail: users in turn": mail(
        [*COLUMNS, "body"], create_contact={**DRAFT, "UserInfo": {"UserId": ["u1", "{{ a }}", "u3"]}}
    ),
}


def both(table: CompiledTable, row: Recipient) -> tuple[Any, Any]:
    try:
        quick: Any = table.quick(row)
    except TemplateFailed as failure:
        quick = str(failure)
    try:
        plain: Any = table.plain(row)
    except TemplateFailed as failure:
        plain = str(failure)
    return quick, plain


@pytest.mark.parametrize("way", COMPILED)
@settings(max_examples=120, deadline=None)
@given(cells=ROWS, number=st.integers(0, 5), to=st.sampled_from(["+14155550123", "ann@x.org", "1", ""]))
def test_what_is_built_the_quick_way_is_what_the_plain_way_builds(
    way: str, cells: dict[str, Any], number: int, to: str
) -> None:
    for table in COMPILED[way]._tables:
        quick, plain = both(table, Recipient(number, "k", to, {**cells, "body": cells["a"]}))
        if isinstance(quick, str):
            assert plain == quick
        elif quick is not None:
            parameters, troubles = plain
            assert (quick, [*troubles]) == (parameters, [])


SOUND = {
    "phone": "1", "email": "a@x.org", "first_name": "Ann", "a": "x", "b": "y", "c": "z", "n": "90", "kind": "text/plain"
}  # fmt: skip


@pytest.mark.parametrize(
    "way, changed",
    [
        ("plain", {}),
        ("plain", {"a": ""}),
        ("plain", {"first_name": None, "a": None}),
        ("plain", {"a": 7, "first_name": 2.5}),
        ("whole maps", {"a": {"k": "v"}, "b": {"connect:Subtype": {"ValueString": "connect:SMS"}}}),
        ("the type by row", {}),
        ("the row", {"first_name": ""}),
        ("mail: raw", {}),
        ("mail: by row", {"kind": "text/html"}),
        ("mail: templated", {"b": ""}),
        ("mail: copies", {"a": "b@x.org"}),
        ("mail: users in turn", {}),
    ],
)
def test_a_sound_row_is_built_the_quick_way(way: str, changed: dict[str, Any]) -> None:
    cells = {**SOUND, **changed}
    for table in COMPILED[way]._tables:
        to = "a@x.org" if way.startswith("mail") else "+14155550123"
        assert table.quick(Recipient(0, "k", to, {**cells, "body": "b"})) is not None


def test_rows_share_nothing_that_one_of_them_could_change() -> None:
    (table,) = COMPILED["plain"]._tables
    first, second = (table.quick(Recipient(0, "k", "+14155550123", SOUND)) for _ in range(2))
    assert first is not None
    assert second is not None
    first["InitialSystemMessage"]["Content"] = "changed"
    assert second["InitialSystemMessage"]["Content"] == "Hi Ann"
