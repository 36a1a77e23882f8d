"""What the operations take and refuse."""

import string
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulk.operations import UNKNOWN, Violation, operation

CHAT = operation("StartOutboundChatContact")
MAIL = operation("StartOutboundEmailContact")
INBOUND = operation("StartEmailContact")
CREATE = operation("CreateContact")
OPERATIONS = [CHAT, MAIL, INBOUND, CREATE, operation("StopContact")]

ARN = "arn:aws:connect:us-west-2:123456789012:phone-number/3f0b"


def sms(**more: Any) -> dict[str, Any]:
    return {
        "InstanceId": "8f3c",
        "ContactFlowId": "846ec553",
        "SourceEndpoint": {"Type": "CONNECT_PHONENUMBER_ARN", "Address": ARN},
        "DestinationEndpoint": {"Type": "TELEPHONE_NUMBER", "Address": "+14155550123"},
        "SegmentAttributes": {"connect:Subtype": {"ValueString": "connect:SMS"}},
        **more,
    }


def mail(message: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    to = {"EmailAddress": "ann@example.com"}
    return {"InstanceId": "8f3c", "ContactId": "c1", "DestinationEmailAddress": to, "EmailMessage": message, **more}


RAW: dict[str, Any] = {
    "MessageSourceType": "RAW",
    "RawMessage": {"Subject": "Hi", "Body": "Text", "ContentType": "text/plain"},
}
TEMPLATE: dict[str, Any] = {
    "MessageSourceType": "TEMPLATE",
    "TemplatedMessageConfig": {"KnowledgeBaseId": "k", "MessageTemplateId": "m", "TemplateAttributes": {}},
}


def inbound(**more: Any) -> dict[str, Any]:
    parts = {"InstanceId": "8f3c", "FromEmailAddress": {"EmailAddress": "ann@example.com"}, "EmailMessage": RAW}
    return {**parts, "DestinationEmailAddress": "help@example.com", **more}


def draft(**more: Any) -> dict[str, Any]:
    parts = {"InstanceId": "8f3c", "Channel": "EMAIL", "InitiationMethod": "OUTBOUND", "UserInfo": {"UserId": "u1"}}
    return {**parts, **more}


EXPIRY = "connect:ContactExpiry.ValueMap.ExpiryDuration.ValueInteger"


def expiry(minutes: int) -> dict[str, Any]:
    return {"connect:ContactExpiry": {"ValueMap": {"ExpiryDuration": {"ValueInteger": minutes}}}}


def dated(value: str) -> dict[str, Any]:
    return {"due": {"Type": "DATE", "Value": value}}


def troubles(found: Any) -> dict[str, str]:
    return {trouble.path: trouble.message for trouble in found}


# The model


def test_an_operation_knows_its_members_and_errors() -> None:
    assert "InitialTemplatedSystemMessage" in CHAT.members
    assert CHAT.required >= {"InstanceId", "ContactFlowId", "SegmentAttributes"}
    assert "LimitExceededException" in CHAT.errors


def test_an_unknown_operation_is_answered_with_the_nearest() -> None:
    with pytest.raises(LookupError, match="Did you mean 'StartOutboundChatContact'"):
        operation("StartOutboundChatContacts")


@pytest.mark.parametrize("name", ["StartTaskContact", "StartOutboundVoiceContact", "SendOutboundEmail"])
def test_operations_of_further_channels_compile_too(name: Any) -> None:
    assert operation(name).check({})


# Bringing to form


@pytest.mark.parametrize("value", [60, "60", " 60 ", 60.0, "60.0", Decimal(60)])
def test_a_whole_number_is_read_from_what_a_list_may_hold(value: Any) -> None:
    assert CHAT.coerce({"ChatDurationInMinutes": value}) == {"ChatDurationInMinutes": 60}


@pytest.mark.parametrize(
    "value", ["60.5", 60.5, True, "an hour", float("nan"), float("inf"), Decimal("NaN"), "9" * 5000]
)
def test_what_is_no_whole_number_is_left_for_the_check_to_name(value: Any) -> None:
    coerced = CHAT.coerce(sms(ChatDurationInMinutes=value))
    assert list(troubles(CHAT.check(coerced))) == ["ChatDurationInMinutes"]


@pytest.mark.parametrize(
    "value, text",
    [
        (7, "7"),
        (1.5, "1.5"),
        (Decimal("1.10"), "1.10"),
        (Decimal("1E+3"), "1000"),
        (True, "true"),
        (date(2026, 11, 20), "2026-11-20"),
        (datetime(2026, 11, 20, 9, 30, tzinfo=UTC), "2026-11-20T09:30:00+00:00"),
    ],
)
def test_a_scalar_becomes_text_where_text_is_wanted(value: Any, text: Any) -> None:
    assert CHAT.coerce({"Attributes": {"a": value}}) == {"Attributes": {"a": text}}


def test_a_number_of_thousands_of_digits_is_refused_and_breaks_nothing() -> None:
    found = CHAT.check(CHAT.coerce(sms(Attributes={"a": 10**5_000}, ChatDurationInMinutes=10**5_000)))
    assert set(troubles(found)) == {"Attributes.a", "ChatDurationInMinutes"}


def test_a_number_too_wide_to_write_out_stays_short() -> None:
    assert CHAT.coerce({"Attributes": {"a": Decimal("1E+999999")}}) == {"Attributes": {"a": "1E+999999"}}


def test_json_becomes_a_map_or_a_list_and_keeps_its_numbers_as_written() -> None:
    coerced = CHAT.coerce({"Attributes": '{"a": 1.10, "b": null}', "SupportedMessagingContentTypes": '["text/plain"]'})
    assert coerced == {"Attributes": {"a": "1.10"}, "SupportedMessagingContentTypes": ["text/plain"]}


def test_a_map_becomes_json_where_the_member_is_serialized() -> None:
    coerced = CHAT.coerce(
        {"InitialTemplatedSystemMessage": {"TemplateAttributes": {"CustomerProfileAttributes": {"firstName": "Zoë"}}}}
    )
    inner = coerced["InitialTemplatedSystemMessage"]["TemplateAttributes"]
    assert inner == {"CustomerProfileAttributes": '{"firstName": "Zoë"}'}


def test_empties_are_dropped_from_the_bottom_up() -> None:
    assert (
        CHAT.coerce({"Attributes": {"a": "", "b": None}, "ParticipantDetails": {"DisplayName": ""}, "ClientToken": ""})
        == {}
    )


def test_a_required_container_stays_when_it_is_empty() -> None:
    config = {"KnowledgeBaseId": "k", "MessageTemplateId": "m", "TemplateAttributes": {"CustomAttributes": {}}}
    coerced = MAIL.coerce(mail({"MessageSourceType": "TEMPLATE", "TemplatedMessageConfig": config}))
    assert coerced["EmailMessage"]["TemplatedMessageConfig"]["TemplateAttributes"] == {}
    assert not MAIL.check(coerced)


def test_an_empty_template_attribute_is_kept_so_that_no_placeholder_shows() -> None:
    config = {"KnowledgeBaseId": "k", "MessageTemplateId": "m", "TemplateAttributes": {"CustomAttributes": {"a": None}}}
    coerced = MAIL.coerce({"EmailMessage": {"TemplatedMessageConfig": config}})
    assert coerced["EmailMessage"]["TemplatedMessageConfig"]["TemplateAttributes"] == {"CustomAttributes": {"a": ""}}


def test_a_template_config_that_holds_only_blanks_is_dropped_whole() -> None:
    blank = {
        "KnowledgeBaseId": "",
        "MessageTemplateId": "",
        "TemplateAttributes": {"CustomAttributes": {"KeyName": ""}, "CustomerProfileAttributes": ""},
    }
    assert "TemplatedMessageConfig" not in MAIL.coerce(mail({**RAW, "TemplatedMessageConfig": blank}))["EmailMessage"]


def test_an_empty_attribute_is_left_out_elsewhere() -> None:
    assert CHAT.coerce({"Attributes": {"a": "", "b": "x"}}) == {"Attributes": {"b": "x"}}


# The whole shapes of the reference


NESTED = {
    "connect:Subtype": {"ValueString": "connect:SMS"},
    "connect:ContactExpiry": {"ValueMap": {"ExpiryDuration": {"ValueInteger": 135}}},
    "deep": {"ValueMap": {"a": {"ValueMap": {"b": {"ValueMap": {"c": {"ValueString": "d"}}}}}}},
    "list": {"ValueList": [{"ValueString": "x"}, {"ValueInteger": 2}, {"ValueMap": {"k": {"ValueArn": ARN}}}]},
    "arn": {"ValueArn": ARN},
}
CUSTOM = {
    "KnowledgeBaseId": "k",
    "MessageTemplateId": "m",
    "TemplateAttributes": {"CustomAttributes": {"a": "b"}, "CustomerProfileAttributes": "{}"},
}
ADDRESS = {"EmailAddress": "help@example.com", "DisplayName": "Help"}
REFERENCES = {
    "order": {
        "Type": "URL",
        "Value": "https://example.com/1",
        "Status": "AVAILABLE",
        "Arn": ARN,
        "StatusReason": "none",
    }
}
OPTIONAL = {"Attributes": {"a-b_1": "c"}, "SegmentAttributes": NESTED, "RelatedContactId": "r", "ClientToken": "t"}
COMPLETE = [
    (
        CHAT,
        sms(
            **OPTIONAL,
            ChatDurationInMinutes=60,
            ParticipantDetails={"DisplayName": "Ann"},
            InitialSystemMessage={"ContentType": "text/plain", "Content": "Hi"},
            SupportedMessagingContentTypes=["text/plain", "text/markdown"],
        ),
    ),
    (CHAT, sms(InitialTemplatedSystemMessage=CUSTOM)),
    (MAIL, mail(RAW, FromEmailAddress=ADDRESS, AdditionalRecipients={"CcEmailAddresses": [ADDRESS]}, ClientToken="t")),
    (MAIL, mail({"MessageSourceType": "TEMPLATE", "TemplatedMessageConfig": CUSTOM})),
    (
        INBOUND,
        inbound(
            **OPTIONAL,
            Description="d",
            References=REFERENCES,
            Name="n",
            AdditionalRecipients={"ToAddresses": [ADDRESS], "CcAddresses": [ADDRESS]},
            Attachments=[{"FileName": "a b.pdf", "S3Url": "https://example.com/a"}],
            ContactFlowId="f",
            EmailMessage={
                "MessageSourceType": "RAW",
                "RawMessage": {**RAW["RawMessage"], "Subject": "", "Headers": {"IN_REPLY_TO": "<1@example.com>"}},
            },
        ),
    ),
    (
        CREATE,
        draft(
            **OPTIONAL | {"SegmentAttributes": NESTED | {"connect:Subtype": {"ValueString": "connect:ExternalAudio"}}},
            References=REFERENCES,
            ExpiryDurationInMinutes=1440,
            InitiateAs="CONNECTED_TO_USER",
            Name="n",
            Description="d",
            PreviousContactId="p",
        ),
    ),
]


@pytest.mark.parametrize("api, parameters", COMPLETE)
def test_every_parameter_of_the_reference_can_be_set(api: Any, parameters: Any) -> None:
    assert troubles(api.check(parameters)) == {}


@pytest.mark.parametrize("api", [CHAT, MAIL, INBOUND, CREATE])
def test_the_complete_examples_leave_no_member_out(api: Any) -> None:
    assert {name for found, parameters in COMPLETE if found is api for name in parameters} == set(api.members)


# What is refused


CC = [ADDRESS]
REFUSED = [
    (CHAT, sms(InstanceId="x" * 101), "InstanceId", "101 characters long; at most 100"),
    (CHAT, sms(ContactFlowID="x"), "ContactFlowID", "Did you mean 'ContactFlowId'"),
    (CHAT, sms(SourceEndpoint="arn"), "SourceEndpoint", "text where a map of Type, Address"),
    (
        CHAT,
        sms(SourceEndpoint={"Type": "TELEPHONE_NUMBER", "Address": ARN}),
        "SourceEndpoint.Type",
        "CONNECT_PHONENUMBER_ARN",
    ),
    (
        CHAT,
        sms(SourceEndpoint={"Type": "CONNECT_PHONENUMBER_ARN", "Address": "+14155550123"}),
        "SourceEndpoint.Address",
        "ARN",
    ),
    (CHAT, sms(SourceEndpoint={"Address": ARN}), "SourceEndpoint.Type", "required"),
    (
        CHAT,
        sms(DestinationEndpoint={"Type": "TELEPHONE_NUMBER", "Address": "4155550123"}),
        "DestinationEndpoint.Address",
        "E.164",
    ),
    (
        CHAT,
        sms(DestinationEndpoint={"Type": "VOIP", "Address": "+14155550123"}),
        "DestinationEndpoint.Type",
        "TELEPHONE_NUMBER",
    ),
    (CHAT, sms(SegmentAttributes={}), "SegmentAttributes.connect:Subtype.ValueString", "connect:SMS, connect:WhatsApp"),
    (
        CHAT,
        sms(SegmentAttributes={"connect:Subtype": {"ValueString": "SMS"}}),
        "SegmentAttributes.connect:Subtype.ValueString",
        "'SMS'",
    ),
    (
        CHAT,
        sms(SegmentAttributes={**NESTED, "x": {"ValueString": "a", "ValueInteger": 1}}),
        "SegmentAttributes.x",
        "exactly one of",
    ),
    (CHAT, sms(SegmentAttributes={**NESTED, "x": {}}), "SegmentAttributes.x", "exactly one of"),
    (
        CHAT,
        sms(SegmentAttributes={**NESTED, "x": {"ValueList": [{"ValueInteger_": 1}]}}),
        "SegmentAttributes.x.ValueList[0].ValueInteger_",
        "ValueInteger",
    ),
    (CHAT, sms(Attributes={"a b": "c"}), "Attributes.a b", "letters, digits"),
    (CHAT, sms(Attributes={"a:b": "c"}), "Attributes.a:b", "letters, digits"),
    (CHAT, sms(Attributes={"a": "é" * 16_384}), "Attributes", "32,769 bytes"),
    (CHAT, sms(Attributes={"a": 1}), "Attributes.a", "a number where text"),
    (CHAT, sms(ChatDurationInMinutes=59), "ChatDurationInMinutes", "60 to 10,080"),
    (CHAT, sms(ChatDurationInMinutes=10_081), "ChatDurationInMinutes", "60 to 10,080"),
    (CHAT, sms(ParticipantDetails={}), "ParticipantDetails.DisplayName", "required"),
    (CHAT, sms(SupportedMessagingContentTypes=["text/markdown"]), "SupportedMessagingContentTypes", "lacks text/plain"),
    (CHAT, sms(SupportedMessagingContentTypes=["text/plain", "x"]), "SupportedMessagingContentTypes[1]", "'x'"),
    (CHAT, sms(ClientToken="t" * 501), "ClientToken", "at most 500"),
    (MAIL, mail({**RAW, **TEMPLATE}), "EmailMessage", "both"),
    (MAIL, mail({"MessageSourceType": "RAW"}), "EmailMessage.RawMessage", "missing"),
    (MAIL, mail({**TEMPLATE, "MessageSourceType": "RAW"}), "EmailMessage.RawMessage", "missing"),
    (MAIL, mail({**RAW, "MessageSourceType": "raw"}), "EmailMessage.MessageSourceType", "Did you mean 'RAW'"),
    (
        MAIL,
        mail(RAW, AdditionalRecipients={"CcEmailAddresses": CC * 50}),
        "AdditionalRecipients.CcEmailAddresses",
        "1 to 49",
    ),
    (
        MAIL,
        mail({**RAW, "RawMessage": {**RAW["RawMessage"], "ContentType": "text/richtext"}}),
        "EmailMessage.RawMessage.ContentType",
        "text/html",
    ),
    (
        MAIL,
        mail({**RAW, "RawMessage": {**RAW["RawMessage"], "Subject": "x" * 999}}),
        "EmailMessage.RawMessage.Subject",
        "at most 998",
    ),
    (
        MAIL,
        mail({**RAW, "RawMessage": {**RAW["RawMessage"], "Body": "x" * 5_242_881}}),
        "EmailMessage.RawMessage.Body",
        "at most 5,242,880",
    ),
    (
        MAIL,
        mail(RAW, DestinationEmailAddress={"EmailAddress": "ann at example.com"}),
        "DestinationEmailAddress.EmailAddress",
        "name@example.com",
    ),
    (
        MAIL,
        mail(RAW, DestinationEmailAddress={"EmailAddress": "a@b.c "}),
        "DestinationEmailAddress.EmailAddress",
        "name@example.com",
    ),
    (INBOUND, inbound(EmailMessage=TEMPLATE), "EmailMessage.MessageSourceType", "must be RAW"),
    (INBOUND, inbound(EmailMessage={"MessageSourceType": "RAW"}), "EmailMessage.RawMessage", "required"),
    (
        INBOUND,
        inbound(AdditionalRecipients={"ToAddresses": CC * 25, "CcAddresses": CC * 25}),
        "AdditionalRecipients",
        "51 recipients",
    ),
    (INBOUND, inbound(Attachments=[{"FileName": "a", "S3Url": "https://x"}] * 51), "Attachments", "1 to 50"),
    (
        INBOUND,
        inbound(Attachments=[{"FileName": "a\nb", "S3Url": "https://x"}]),
        "Attachments[0].FileName",
        "not of the form",
    ),
    (
        INBOUND,
        inbound(References={"a": {"Type": "EMAIL", "Value": "x"}}),
        "References.a.Type",
        "one of: URL, NUMBER, STRING, DATE",
    ),
    (INBOUND, inbound(References={"a": {"Type": "STRING", "Value": "x" * 4_095}}), "References", "4,102 bytes"),
    (
        INBOUND,
        inbound(EmailMessage={**RAW, "RawMessage": {**RAW["RawMessage"], "Headers": {"SUBJECT": "x"}}}),
        "EmailMessage.RawMessage.Headers.SUBJECT",
        "one of: REFERENCES",
    ),
    (CREATE, draft(UserInfo={}), "UserInfo.UserId", "needs the user"),
    (CREATE, draft(InitiationMethod="API"), "InitiationMethod", "OUTBOUND, AGENT_REPLY, FLOW"),
    (CREATE, draft(Channel="CHAT"), "InitiationMethod", "makes no such contact"),
    (CREATE, draft(Channel="SMS"), "Channel", "one of: VOICE, CHAT, TASK, EMAIL"),
    (CREATE, draft(ExpiryDurationInMinutes=2**31), "ExpiryDurationInMinutes", "129,600"),
    (CREATE, draft(ExpiryDurationInMinutes=129_601), "ExpiryDurationInMinutes", "129,600"),
    (CREATE, draft(ExpiryDurationInMinutes=0), "ExpiryDurationInMinutes", "129,600"),
    (CREATE, draft(SegmentAttributes=expiry(129_601)), f"SegmentAttributes.{EXPIRY}", "129,601 minutes"),
    (INBOUND, inbound(SegmentAttributes=expiry(0)), f"SegmentAttributes.{EXPIRY}", "between 1 and 129,600"),
    (CREATE, draft(PreviousContactId="c0"), "PreviousContactId", "connect:ExternalAudio alone"),
    (CREATE, draft(InitiateAs="COMPLETED"), "InitiateAs", "only a TASK can be"),
    (CREATE, draft(References=dated("2026-11-26")), "References.due.Value", "is '2026-11-26'; the value of a DATE"),
    (CREATE, draft(References=dated("١٧٦٤")), "References.due.Value", "in digits alone"),
    (INBOUND, inbound(References={"due": {"Type": "DATE"}}), "References.due.Value", "is missing"),
]


@pytest.mark.parametrize(
    "api, parameters, path, said", REFUSED, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_bad_value_is_named_by_its_path_with_the_remedy(api: Any, parameters: Any, path: Any, said: Any) -> None:
    assert said in troubles(api.check(parameters))[path]


@pytest.mark.parametrize(
    "api, parameters",
    [
        (CHAT, sms(Attributes={"a": "é" * 16_383, "b": ""})),
        (CHAT, sms(ChatDurationInMinutes=10_080)),
        (MAIL, mail(RAW, AdditionalRecipients={"CcEmailAddresses": CC * 49})),
        (INBOUND, inbound(Attachments=[{"FileName": "a", "S3Url": "https://x"}] * 50)),
        (INBOUND, inbound(AdditionalRecipients={"ToAddresses": CC * 25, "CcAddresses": CC * 24})),
        (CREATE, draft(InitiationMethod="FLOW", UserInfo={})),
        (CREATE, draft(References={"a": {"Type": "EMAIL_MESSAGE_REDACTED", "Status": "DRAFTING"}})),
        (CREATE, draft(Channel="TASK", InitiationMethod="API", UserInfo={})),
        (CREATE, draft(Channel="TASK", InitiationMethod="API", UserInfo={}, InitiateAs="COMPLETED")),
        (CREATE, draft(ExpiryDurationInMinutes=129_600, SegmentAttributes=expiry(129_600))),
        (CREATE, draft(PreviousContactId=UNKNOWN, References={"due": {"Type": "DATE", "Value": UNKNOWN}})),
        (CREATE, draft(References=dated("1764115200"))),
        (INBOUND, inbound(References=dated("1764115200000"), SegmentAttributes=expiry(1))),
        (CREATE, draft(References={"a": {"Type": "VOICEMAIL_RECORDING_REDACTED", "Status": "AVAILABLE"}})),
    ],
)
def test_a_value_at_the_limit_is_taken(api: Any, parameters: Any) -> None:
    assert troubles(api.check(parameters)) == {}


@pytest.mark.parametrize(
    "subtype, kind, most",
    [
        ("connect:SMS", "text/plain", 1_024),
        ("connect:WhatsApp", "text/plain", 4_096),
        ("connect:WhatsApp", "text/markdown", 1_024),
        ("connect:WhatsApp", "application/json", 12_000),
        ("connect:WhatsApp", "application/vnd.amazonaws.connect.message.interactive.response", 12_288),
    ],
)
def test_an_initial_message_is_bounded_by_subtype_and_type(subtype: Any, kind: Any, most: Any) -> None:
    def check(length: int) -> Any:
        message = {"ContentType": kind, "Content": "😀" * length}
        return CHAT.check(
            sms(SegmentAttributes={"connect:Subtype": {"ValueString": subtype}}, InitialSystemMessage=message)
        )

    assert not check(most)
    assert f"at most {most:,}" in troubles(check(most + 1))["InitialSystemMessage.Content"]


def test_an_sms_is_plain_text() -> None:
    message = {"ContentType": "text/markdown", "Content": "*Hi*"}
    assert "InitialSystemMessage.ContentType" in troubles(CHAT.check(sms(InitialSystemMessage=message)))


def test_only_one_initial_message_is_taken() -> None:
    message = {"ContentType": "text/plain", "Content": "Hi"}
    found = CHAT.check(sms(InitialSystemMessage=message, InitialTemplatedSystemMessage=CUSTOM))
    assert "one of the two" in troubles(found)["InitialSystemMessage"]


def test_what_is_missing_is_told_from_what_is_wrong() -> None:
    found = {trouble.path: trouble.code for trouble in CHAT.check({"InstanceId": 7, "Flow": ""})}
    assert found["ContactFlowId"] == "missing_parameter"
    assert found["InstanceId"] == "invalid_parameter"
    assert found["Flow"] == "unknown_parameter"


def test_a_sensitive_value_is_told_by_its_length_alone() -> None:
    found = MAIL.check(mail(RAW, DestinationEmailAddress={"EmailAddress": "secret-person"}))
    assert "secret" not in str(found)
    assert "13 characters" in str(found)


def test_what_is_not_known_yet_passes_every_check() -> None:
    for api in OPERATIONS:
        assert not api.check(dict.fromkeys(api.members, UNKNOWN))


def test_members_of_which_each_row_fills_one_may_stand_side_by_side() -> None:
    unknown = {"Subject": UNKNOWN, "Body": UNKNOWN, "ContentType": UNKNOWN}
    config = {"KnowledgeBaseId": UNKNOWN, "MessageTemplateId": UNKNOWN, "TemplateAttributes": {}}
    both = {"MessageSourceType": UNKNOWN, "RawMessage": unknown, "TemplatedMessageConfig": config}
    either = {"ValueString": UNKNOWN, "ValueInteger": UNKNOWN}
    assert not MAIL.check(mail(both))
    assert not CHAT.check(sms(SegmentAttributes={**NESTED, "x": either}))


def test_a_trouble_reads_as_path_and_message() -> None:
    assert str(Violation("A.B", "is wrong.")) == "A.B: is wrong."


# Invariants

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(UNKNOWN)
NAMES = st.sampled_from(sorted({name for api in OPERATIONS for name in api.members})) | st.sampled_from(
    ["ValueMap", "ValueList", "ValueString", "ValueInteger", "connect:Subtype", "Type", "Address", "RawMessage", "Body"]
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(OPERATIONS), st.dictionaries(NAMES | st.text(max_size=5), JSON, max_size=6))
def test_neither_coerce_nor_check_ever_raises(api: Any, value: Any) -> None:
    coerced = api.coerce(value)
    api.check(value)
    api.check(coerced)
    assert api.coerce(coerced) == coerced or UNKNOWN in str(coerced)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.text(string.ascii_letters, min_size=1, max_size=8), st.text(min_size=1, max_size=50), max_size=8)
)
def test_text_is_never_changed_by_coming_to_form(attributes: Any) -> None:
    assert CHAT.coerce({"Attributes": attributes}) == ({"Attributes": attributes} if attributes else {})


def test_a_value_nested_beyond_reason_is_refused_and_breaks_nothing() -> None:
    deep: Any = {"ValueString": "x"}
    for _ in range(5_000):
        deep = {"ValueMap": {"k": deep}}
    parameters = sms(SegmentAttributes={**NESTED, "deep": deep})
    assert "too deeply" in str(CHAT.check(CHAT.coerce(parameters)))
    assert CHAT.check(CHAT.coerce({"Attributes": "[" * 200_000}))
