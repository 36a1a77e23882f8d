"""Rules that the documentation has and the model lacks. They run on requests that fit the model.

Sources: the operations' pages in the Amazon Connect API Reference, and in the Administrator Guide "Amazon
Connect feature specifications" (lengths, recipients, file types) and "Set up SMS messaging in Amazon
Connect".
"""

import re
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any

from bulk.sandbox.errors import refuse
from bulk.sandbox.references import BY_CHANNEL, INBOUND, check_references, size_of
from bulk.sandbox.search import SEARCHED, seconds
from bulk.sandbox.templates import Templates, profile_of

Parameters = Mapping[str, Any]

LONGEST_EXPIRY = 129_600
"""Minutes: 90 days."""

_PHONE_ARN = re.compile(r"arn:aws[a-z-]*:connect:[a-z0-9-]+:[0-9]{12}:phone-number/[!-~]+")
_EXTERNAL_AUDIO = "connect:ExternalAudio"
_E164 = re.compile(r"\+[1-9][0-9]{1,14}")
_ATTRIBUTE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SEGMENT_KEY = re.compile(r"[A-Za-z0-9_:-]+")  # the service's own keys are spelled `connect:…`
_CONTENT = {"connect:SMS": 1024, "connect:WhatsApp": 4096}
_CONTENT_TYPES = frozenset(
    {
        "text/plain",
        "text/markdown",
        "application/json",
        "application/vnd.amazonaws.connect.message.interactive",
        "application/vnd.amazonaws.connect.message.interactive.response",
    }
)
_INITIATION = {
    "EMAIL": frozenset({"OUTBOUND", "AGENT_REPLY", "FLOW"}),
    "TASK": frozenset({"API"}),
    "VOICE": frozenset({"TRANSFER"}),
}
_FILES = frozenset(
    "csv doc docx heic jfif jpeg jpg mov mp4 pdf png ppt pptx rtf txt wav xls xlsx".split()  # noqa: SIM905 - a table reads better
)


def start_outbound_chat(parameters: Parameters) -> None:
    _endpoint(parameters, "SourceEndpoint", "CONNECT_PHONENUMBER_ARN", pattern=_PHONE_ARN)
    _endpoint(parameters, "DestinationEndpoint", "TELEPHONE_NUMBER", pattern=_E164)
    _attributes(parameters)
    subtype = _subtype(parameters)
    if subtype not in _CONTENT:
        refuse("SegmentAttributes.connect:Subtype.ValueString", f"must be one of {', '.join(_CONTENT)}")
    _first_message(parameters, subtype)
    _supported_types(parameters.get("SupportedMessagingContentTypes"))


def _subtype(parameters: Parameters) -> str | None:
    return ((parameters.get("SegmentAttributes") or {}).get("connect:Subtype") or {}).get("ValueString")


def _endpoint(parameters: Parameters, member: str, kind: str, *, pattern: re.Pattern[str]) -> None:
    endpoint = parameters[member]
    if endpoint.get("Type") != kind:
        refuse(f"{member}.Type", f"must be {kind}")
    if not pattern.fullmatch(endpoint.get("Address") or ""):
        refuse(f"{member}.Address", f"must be what its type {kind} says: it must match {pattern.pattern}")


def _first_message(parameters: Parameters, subtype: str) -> None:
    message = parameters.get("InitialSystemMessage")
    if message is None:
        return
    if parameters.get("InitialTemplatedSystemMessage") is not None:
        refuse("InitialTemplatedSystemMessage", "must not be given together with InitialSystemMessage")
    if message["ContentType"] != "text/plain":
        refuse("InitialSystemMessage.ContentType", f"must be text/plain for {subtype}")
    if len(message["Content"]) > _CONTENT[subtype]:
        refuse(
            "InitialSystemMessage.Content",
            f"must have at most {_CONTENT[subtype]:,} characters for {subtype}",
        )


def _supported_types(types: list[str] | None) -> None:
    if types is None:
        return
    if "text/plain" not in types:
        refuse("SupportedMessagingContentTypes", "must contain text/plain")
    if unknown := set(types) - _CONTENT_TYPES:
        refuse("SupportedMessagingContentTypes", f"{min(unknown)} is not supported")


def create_contact(parameters: Parameters) -> None:
    channel, method = parameters["Channel"], parameters["InitiationMethod"]
    if channel not in _INITIATION:
        refuse("Channel", f"{channel} is not supported; there are {', '.join(_INITIATION)}")
    if method not in _INITIATION[channel]:
        refuse("InitiationMethod", f"must be one of {', '.join(sorted(_INITIATION[channel]))} for {channel}")
    by_agent = channel == "EMAIL" and method in {"OUTBOUND", "AGENT_REPLY"}
    if by_agent and not (parameters.get("UserInfo") or {}).get("UserId"):
        refuse("UserInfo.UserId", f"is required for an EMAIL contact with {method}")
    if channel == "VOICE" and _subtype(parameters) != _EXTERNAL_AUDIO:
        refuse("SegmentAttributes.connect:Subtype", f"must be {_EXTERNAL_AUDIO} for a VOICE contact")
    if parameters.get("PreviousContactId") is not None and _subtype(parameters) != _EXTERNAL_AUDIO:
        refuse("PreviousContactId", f"is for external audio contacts only: VOICE with the subtype {_EXTERNAL_AUDIO}")
    _expiry("ExpiryDurationInMinutes", parameters.get("ExpiryDurationInMinutes"))
    _segment_expiry(parameters)
    if parameters.get("InitiateAs") == "COMPLETED" and channel != "TASK":
        refuse("InitiateAs", "COMPLETED is for TASK contacts only")
    _attributes(parameters)
    check_references(parameters, BY_CHANNEL[channel])


def start_outbound_email(parameters: Parameters) -> None:
    _message(parameters["EmailMessage"])
    copies = (parameters.get("AdditionalRecipients") or {}).get("CcEmailAddresses") or []
    if len(copies) > 49:
        refuse("AdditionalRecipients.CcEmailAddresses", "an email has at most 50 recipients, one of them in To")


def start_email(parameters: Parameters) -> None:
    _message(parameters["EmailMessage"])
    others = parameters.get("AdditionalRecipients") or {}
    if len(others.get("ToAddresses") or []) + len(others.get("CcAddresses") or []) > 49:
        refuse("AdditionalRecipients", "an email has at most 50 recipients, DestinationEmailAddress is one")
    _attributes(parameters)
    _segment_expiry(parameters)
    check_references(parameters, INBOUND)
    for index, attachment in enumerate(parameters.get("Attachments") or []):
        if PurePath(attachment["FileName"]).suffix.lower().lstrip(".") not in _FILES:
            refuse(
                f"Attachments[{index}].FileName",
                "this type of file is not allowed",
                Reason={"AttachedFileInvalidRequestExceptionReason": "INVALID_FILE_TYPE"},
            )


def _segment_expiry(parameters: Parameters) -> None:
    """Check `connect:ContactExpiry`, minutes in a map of its own."""
    found: Any = (parameters.get("SegmentAttributes") or {}).get("connect:ContactExpiry") or {}
    minutes = ((found.get("ValueMap") or {}).get("ExpiryDuration") or {}).get("ValueInteger")
    _expiry("SegmentAttributes.connect:ContactExpiry", minutes)


def _expiry(member: str, minutes: int | None) -> None:
    if minutes is not None and not 1 <= minutes <= LONGEST_EXPIRY:
        refuse(member, f"must be between 1 and {LONGEST_EXPIRY:,} minutes, which are 90 days")


def _message(message: Parameters) -> None:
    source = message["MessageSourceType"]
    member = {"RAW": "RawMessage", "TEMPLATE": "TemplatedMessageConfig"}[source]
    if message.get(member) is None:
        refuse("EmailMessage", f"{member} details must be provided for MessageSourceType:{source}")
    if source == "RAW" and message["RawMessage"]["ContentType"].split(";")[0] not in {
        "text/plain",
        "text/html",
    }:
        refuse("EmailMessage.RawMessage.ContentType", "must be text/plain or text/html")


def _attributes(parameters: Parameters) -> None:
    attributes = parameters.get("Attributes") or {}
    for name in attributes:
        if not _ATTRIBUTE_KEY.fullmatch(name):
            refuse("Attributes", f"key {name[:40]!r} may hold only letters, digits, - and _")
    if sum(size_of(name) + size_of(value) for name, value in attributes.items()) > 32_768:
        refuse("Attributes", "must have at most 32,768 UTF-8 bytes over all keys and values")
    for name in parameters.get("SegmentAttributes") or {}:
        if not _SEGMENT_KEY.fullmatch(name):
            refuse("SegmentAttributes", f"key {name[:40]!r} may hold only letters, digits, -, _ and :")


def update_attributes(parameters: Parameters) -> None:
    _attributes(parameters)


def tag(parameters: Parameters) -> None:
    for name in parameters["Tags"]:
        if name.lower().startswith("aws:"):
            refuse("Tags", f"key {name[:40]!r} begins with aws:, which is AWS's own")


def search(parameters: Parameters) -> None:
    if seconds(parameters["TimeRange"]["StartTime"]) > seconds(parameters["TimeRange"]["EndTime"]):
        refuse("TimeRange", "must not end before it starts")
    for name in parameters.get("SearchCriteria") or {}:
        if name not in SEARCHED:
            refuse(f"SearchCriteria.{name}", f"is not searched by this sandbox; it searches {', '.join(SEARCHED)}")


CHECKS: Mapping[str, Callable[[Parameters], None]] = {
    "StartOutboundChatContact": start_outbound_chat,
    "CreateContact": create_contact,
    "StartOutboundEmailContact": start_outbound_email,
    "StartEmailContact": start_email,
    "UpdateContactAttributes": update_attributes,
    "TagContact": tag,
    "SearchContacts": search,
}


def check(operation: str, parameters: Parameters, templates: Templates | None) -> None:
    """Raise `ServiceError` where the request is not as documented, or names a template that there is not."""
    if operation in CHECKS:
        CHECKS[operation](parameters)
    _templated(parameters.get("InitialTemplatedSystemMessage"), templates)
    _templated((parameters.get("EmailMessage") or {}).get("TemplatedMessageConfig"), templates)


def _templated(config: Parameters | None, templates: Templates | None) -> None:
    if config is not None:
        profile_of(config)
        if templates is not None:
            templates.require(config)
