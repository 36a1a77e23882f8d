"""What the sandbox takes and refuses, without HTTP."""

import copy
import json
import math
from typing import Any

import pytest
from sandbox_requests import CHAT, DRAFT, INBOUND, INSTANCE, MAIL, RAW, TEMPLATE, accepted, account, message, send

from bulk.sandbox.account import Account, Settings
from bulk.sandbox.quotas import Quotas

_DROP = object()


def _with(parameters: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(parameters)
    *steps, last = path.split("/")
    inner = changed
    for step in steps:
        inner = inner.setdefault(step, {})
    if value is _DROP:
        del inner[last]
    else:
        inner[last] = value
    return changed


def _address(count: int) -> list[dict[str, str]]:
    return [{"EmailAddress": f"c{index}@example.com"} for index in range(count)]


CHAT_MISFITS = [
    ("ContactFlowId", _DROP, "ContactFlowId: is required and missing"),
    ("ContactFlowId", None, "ContactFlowId: is required and missing"),
    ("ContactFlowId", "x" * 501, "ContactFlowId: must have at most 500 characters, has 501"),
    ("InstanceId", "", "InstanceId: must have at least 1 characters, has 0"),
    ("ContactFlow", "x", "ContactFlow: is not a member"),
    ("Attributes/n", 17, "Attributes.n: must be a string"),
    ("Attributes/n", "v" * 32_760, "Attributes: must have at most 32,768 UTF-8 bytes"),
    ("Attributes/first name", "Ann", "Attributes: key 'first name' may hold only letters"),
    ("Attributes", ["a"], "Attributes: must be a map"),
    ("ChatDurationInMinutes", 59, "ChatDurationInMinutes: must be between 60 and 10,080"),
    ("ChatDurationInMinutes", 10_081, "ChatDurationInMinutes: must be between 60 and 10,080"),
    ("ChatDurationInMinutes", "60", "ChatDurationInMinutes: must be a whole number"),
    ("ChatDurationInMinutes", True, "ChatDurationInMinutes: must be a whole number"),
    ("SourceEndpoint/Type", "X", "SourceEndpoint.Type: must be one of"),
    ("SourceEndpoint/Type", "TELEPHONE_NUMBER", "SourceEndpoint.Type: must be CONNECT_PHONENUMBER_ARN"),
    ("SourceEndpoint/Address", "+14155550100", "SourceEndpoint.Address: must be what its type"),
    ("DestinationEndpoint/Type", "EMAIL_ADDRESS", "DestinationEndpoint.Type: must be TELEPHONE_NUMBER"),
    ("DestinationEndpoint/Address", "4155550123", "DestinationEndpoint.Address: must be what its type"),
    ("DestinationEndpoint/Address", "+1٢٠٦٥٥٥٠١٢٣", "DestinationEndpoint.Address: must be what its type"),
    ("SourceEndpoint/Address", "arn:aws:connect:us-west-2:12345678901٢:phone-number/1", "SourceEndpoint.Address: must"),
    ("DestinationEndpoint/Address", _DROP, "DestinationEndpoint.Address: must be what its type"),
    ("SegmentAttributes", {}, "SegmentAttributes.connect:Subtype.ValueString: must be one of connect:SMS"),
    ("SegmentAttributes/connect:Subtype/ValueString", "connect:Guide", "ValueString: must be one of connect:SMS"),
    (
        "SegmentAttributes/x/ValueMap/y/ValueInteger",
        "7",
        "SegmentAttributes.x.ValueMap.y.ValueInteger: must be a whole",
    ),
    ("SegmentAttributes/x/ValueList", [{"ValueInteger": 2**31}], "SegmentAttributes.x.ValueList[0].ValueInteger: must"),
    ("InitialSystemMessage/Content", "x" * 1025, "InitialSystemMessage.Content: must have at most 1,024 characters"),
    ("InitialSystemMessage/ContentType", "text/markdown", "InitialSystemMessage.ContentType: must be text/plain"),
    ("InitialTemplatedSystemMessage", TEMPLATE, "InitialTemplatedSystemMessage: must not be given together"),
    ("SupportedMessagingContentTypes", ["text/markdown"], "SupportedMessagingContentTypes: must contain text/plain"),
    ("SupportedMessagingContentTypes", ["text/plain", "x/y"], "SupportedMessagingContentTypes: x/y is not supported"),
    ("ClientToken", "t" * 501, "ClientToken: must have at most 500 characters"),
]


@pytest.mark.parametrize("path, value, text", CHAT_MISFITS)
def test_an_sms_that_does_not_fit_is_refused_with_the_members_path(path: str, value: Any, text: str) -> None:
    here = account()
    answer = send(here, "StartOutboundChatContact", _with(CHAT, path, value))
    assert (answer.status, answer.code) == (400, "InvalidRequestException")
    assert text in message(answer)
    assert len(here.contacts) == 0


@pytest.mark.parametrize(
    "path, value",
    [
        ("InitialSystemMessage/Content", "x" * 1024),
        ("InitialSystemMessage", _DROP),
        ("ParticipantDetails/DisplayName", "Ann"),
        ("ChatDurationInMinutes", 10_080),
        ("RelatedContactId", None),
        ("SegmentAttributes/x/ValueMap/y/ValueMap/z/ValueList", [{"ValueArn": "arn"}, {"ValueInteger": 7}]),
        ("SupportedMessagingContentTypes", ["text/markdown", "text/plain"]),
    ],
)
def test_an_sms_at_the_edge_of_what_fits_is_accepted(path: str, value: Any) -> None:
    accepted(account(), "StartOutboundChatContact", _with(CHAT, path, value))


def test_an_sms_may_begin_with_a_template_instead_of_a_text() -> None:
    parameters = _with(CHAT, "InitialSystemMessage", _DROP) | {"InitialTemplatedSystemMessage": TEMPLATE}
    accepted(account(), "StartOutboundChatContact", parameters)


def test_a_whatsapp_message_may_be_longer_than_an_sms() -> None:
    parameters = _with(CHAT, "SegmentAttributes/connect:Subtype/ValueString", "connect:WhatsApp")
    accepted(account(), "StartOutboundChatContact", _with(parameters, "InitialSystemMessage/Content", "x" * 4096))
    answer = send(account(), "StartOutboundChatContact", _with(parameters, "InitialSystemMessage/Content", "x" * 4097))
    assert answer.status == 400


@pytest.mark.parametrize(
    "path, value, code, text",
    [
        (
            "UserInfo",
            _DROP,
            "InvalidRequestException",
            "UserInfo.UserId: is required for an EMAIL contact with OUTBOUND",
        ),
        ("Channel", "CHAT", "InvalidRequestException", "Channel: CHAT is not supported"),
        ("Channel", "FAX", "InvalidParameterException", "Channel: must be one of"),
        ("InitiationMethod", "API", "InvalidRequestException", "InitiationMethod: must be one of AGENT_REPLY"),
        ("InitiateAs", "COMPLETED", "InvalidRequestException", "InitiateAs: COMPLETED is for TASK contacts only"),
        ("References/a", {"Type": "CONTACT_ANALYSIS"}, "InvalidRequestException", "References.a.Type: must be one of"),
        ("References/a", {"Value": "v"}, "InvalidParameterException", "References.a.Type: is required and missing"),
        ("ExpiryDurationInMinutes", 129_601, "InvalidRequestException", "between 1 and 129,600 minutes"),
        (
            "SegmentAttributes/connect:ContactExpiry/ValueMap/ExpiryDuration/ValueInteger",
            129_601,
            "InvalidRequestException",
            "SegmentAttributes.connect:ContactExpiry: must be between 1 and 129,600 minutes",
        ),
        ("PreviousContactId", "c", "InvalidRequestException", "PreviousContactId: is for external audio contacts only"),
        ("References/a", {"Type": "DATE", "Value": "2026-11-26"}, "InvalidRequestException", "must be an epoch"),
        ("References/a", {"Type": "DATE", "Value": "١٧٦٤١١٥٢٠٠"}, "InvalidRequestException", "must be an epoch"),
        (
            "References/a",
            {"Type": "VOICEMAIL_ANALYSIS"},
            "InvalidRequestException",
            "References.a.Type: must be one of",
        ),
        ("Name", "n" * 1025, "InvalidParameterException", "Name: must have at most 1,024 characters"),
    ],
)
def test_a_contact_that_does_not_fit_is_refused(path: str, value: Any, code: str, text: str) -> None:
    answer = send(account(), "CreateContact", _with(DRAFT, path, value))
    assert (answer.status, answer.code) == (400, code)
    assert text in message(answer)


@pytest.mark.parametrize(
    "path, value",
    [
        ("ExpiryDurationInMinutes", 129_600),
        ("References/a", {"Type": "DATE", "Value": "1764115200"}),
        ("References/a", {"Type": "DATE", "Value": "1764115200000", "Status": "DRAFTING"}),
        ("References/a", {"Type": "EMAIL_MESSAGE_PLAIN_TEXT_REDACTED"}),
    ],
)
def test_a_contact_at_the_edge_of_what_fits_is_accepted(path: str, value: Any) -> None:
    accepted(account(), "CreateContact", _with(DRAFT, path, value))


def test_external_audio_may_follow_another_contact_and_no_other_voice_contact_can_be_made() -> None:
    here, voice = account(), {"InstanceId": INSTANCE, "Channel": "VOICE", "InitiationMethod": "TRANSFER"}
    assert "must be connect:ExternalAudio" in message(send(here, "CreateContact", voice))
    subtype = {"connect:Subtype": {"ValueString": "connect:ExternalAudio"}}
    accepted(here, "CreateContact", voice | {"SegmentAttributes": subtype, "PreviousContactId": "c"})


def test_an_inbound_mail_has_fifty_attachments_and_no_more() -> None:
    here, file = account(), {"FileName": "a.pdf", "S3Url": "https://files.example/a.pdf"}
    accepted(here, "StartEmailContact", INBOUND | {"Attachments": [file] * 50})
    assert "at most 50 items" in message(send(here, "StartEmailContact", INBOUND | {"Attachments": [file] * 51}))


def test_members_of_a_newer_model_are_refused_unless_the_sandbox_is_lenient() -> None:
    newer = _with(_with(CHAT, "Novelty", 1), "SegmentAttributes/connect:Subtype/Novelty", {"a": []})
    assert "Novelty: is not a member" in message(send(account(), "StartOutboundChatContact", newer))
    lenient = Account(Settings(Quotas(math.inf), lenient=True), 0.0)
    accepted(lenient, "StartOutboundChatContact", newer)
    assert "ContactFlowId: is required" in message(
        send(lenient, "StartOutboundChatContact", _with(newer, "ContactFlowId", _DROP))
    )


def test_a_flow_needs_no_user_to_create_an_email() -> None:
    accepted(account(), "CreateContact", {"InstanceId": INSTANCE, "Channel": "EMAIL", "InitiationMethod": "FLOW"})


@pytest.mark.parametrize(
    "path, value, text",
    [
        ("EmailMessage/RawMessage", _DROP, "RawMessage details must be provided for MessageSourceType:RAW"),
        (
            "EmailMessage/MessageSourceType",
            "TEMPLATE",
            "TemplatedMessageConfig details must be provided for MessageSourceType:TEMPLATE",
        ),
        ("EmailMessage/RawMessage/Subject", "s" * 999, "EmailMessage.RawMessage.Subject: must have at most 998"),
        ("EmailMessage/RawMessage/ContentType", "image/png", "ContentType: must be text/plain or text/html"),
        ("DestinationEmailAddress/EmailAddress", "ann@example", "EmailAddress: must match the pattern"),
        ("DestinationEmailAddress/EmailAddress", "a b@example.com", "EmailAddress: must match the pattern"),
        ("AdditionalRecipients/CcEmailAddresses", _address(50), "an email has at most 50 recipients"),
        ("AdditionalRecipients/CcEmailAddresses", _address(51), "must have at most 50 items, has 51"),
        ("AdditionalRecipients/CcEmailAddresses", [{}], "CcEmailAddresses[0].EmailAddress: is required and missing"),
    ],
)
def test_a_mail_that_does_not_fit_is_refused(path: str, value: Any, text: str) -> None:
    here = account()
    mail = MAIL | {"ContactId": accepted(here, "CreateContact", DRAFT)}
    answer = send(here, "StartOutboundEmailContact", _with(mail, path, value))
    assert (answer.status, answer.code) == (400, "InvalidRequestException")
    assert text in message(answer)


@pytest.mark.parametrize(
    "path, value, text",
    [
        ("EmailMessage/MessageSourceType", "TEMPLATE", "EmailMessage.MessageSourceType: must be one of RAW"),
        ("EmailMessage/RawMessage/Headers", {"SUBJECT": "x"}, "Headers.key 'SUBJECT': must be one of"),
        (
            "References/a",
            {"Type": "EMAIL", "Value": "x"},
            "References.a.Type: must be one of DATE, NUMBER, STRING, URL",
        ),
        ("References/a", {"Type": "URL", "Value": "é" * 2048}, "References: must have at most 4,096 UTF-8 bytes"),
        ("AdditionalRecipients", {"ToAddresses": _address(25), "CcAddresses": _address(25)}, "at most 50 recipients"),
        ("Attachments", [], "Attachments: must have at least 1 items"),
        ("Attachments", [{"FileName": "a\u0007.pdf", "S3Url": "u"}], "Attachments[0].FileName: must match the pattern"),
    ],
)
def test_an_inbound_mail_that_does_not_fit_is_refused(path: str, value: Any, text: str) -> None:
    answer = send(account(), "StartEmailContact", _with(INBOUND, path, value))
    assert (answer.status, answer.code) == (400, "InvalidRequestException")
    assert text in message(answer)


def test_a_file_of_a_forbidden_type_is_refused_with_the_reason_the_model_has_for_it() -> None:
    attachments = [{"FileName": "tool.exe", "S3Url": "https://files.example/tool.exe"}]
    answer = send(account(), "StartEmailContact", _with(INBOUND, "Attachments", attachments))
    reason = json.loads(answer.body)["Reason"]
    assert reason == {"AttachedFileInvalidRequestExceptionReason": "INVALID_FILE_TYPE"}


def test_an_inbound_mail_may_have_an_empty_subject_and_an_outbound_one_may_not() -> None:
    empty = {"EmailMessage": _with(RAW, "RawMessage/Subject", "")}
    here = account()
    accepted(here, "StartEmailContact", INBOUND | empty)
    draft = {"ContactId": accepted(here, "CreateContact", DRAFT)}
    assert send(here, "StartOutboundEmailContact", MAIL | draft | empty).status == 400


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'{"InstanceId": NaN}', b"[" * 100_000, b'{"a":' * 100_000])
def test_a_body_that_is_no_json_object_is_a_serialization_error(body: bytes) -> None:
    answer = send(account(), "StartOutboundChatContact", body)
    assert (answer.status, answer.code) == (400, "SerializationException")


def test_a_lone_surrogate_breaks_nothing() -> None:
    body = json.dumps(_with(CHAT, "Attributes/n", "\ud800") | {"ClientToken": "t"}).encode()
    assert send(account(), "StartOutboundChatContact", body).status == 200


@pytest.mark.parametrize(
    "signed, code",
    [
        (None, "MissingAuthenticationTokenException"),
        ("Bearer x", "IncompleteSignatureException"),
        ("AWS4-HMAC-SHA256 Credential=AK/20261120/us-west-2/s3/aws4_request", "InvalidSignatureException"),
        ("AWS4-HMAC-SHA256 Credential=AK/20261120/nowhere/connect/aws4_request", "InvalidSignatureException"),
    ],
)
def test_a_call_that_is_not_signed_for_connect_is_forbidden_and_costs_no_token(signed: str | None, code: str) -> None:
    here = account(rate=0, burst=1)
    answer = send(here, "StartOutboundChatContact", CHAT, signed=signed)
    assert (answer.status, answer.code) == (403, code)
    assert send(here, "StartOutboundChatContact", CHAT).status == 200
