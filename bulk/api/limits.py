"""What Amazon Connect documents beyond its service model, or has changed since the installed one: as data.

Sources, by title: [NEWER] the `connect` model of botocore 1.44.5; [API] "Amazon Connect API Reference",
the page of each operation; [SPECS] "Connect Customer feature specifications" and [QUOTAS] "Connect Customer
service quotas", both in the Administrator Guide.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bulk.api.words import UNKNOWN, Traits, Trouble, Troubles, certain

AMENDED: Mapping[str, Traits] = {
    "EmailAttachments": {"max": 50},
    "ReferenceType": {
        "enum": (
            *("URL", "ATTACHMENT", "CONTACT_ANALYSIS", "NUMBER", "STRING", "DATE", "EMAIL", "EMAIL_MESSAGE"),
            *("EMAIL_MESSAGE_PLAIN_TEXT", "EMAIL_MESSAGE_PLAIN_TEXT_REDACTED", "EMAIL_MESSAGE_REDACTED"),
        )
    },
    "ReferenceStatus": {"enum": ("AVAILABLE", "DELETED", "APPROVED", "REJECTED", "PROCESSING", "FAILED", "DRAFTING")},
    "SegmentAttributeName": {
        "pattern": "[A-Za-z0-9_:-]+",
        "form": "made of letters, digits, -, _ and : alone",
    },
    "SegmentAttributeValue": {"union": True},
    "EmailAddress": {"form": "an address of the form name@example.com"},
    "CustomerProfileAttributesSerialized": {"serialized": True},
    "AttributeValue": {"sensitive": True},
    "ChatContent": {"sensitive": True},
    "DisplayName": {"sensitive": True},
    "PreSignedAttachmentUrl": {"sensitive": True},
}
"""Traits by the name of a shape, wherever it stands. [NEWER] [API]"""

_PLACEHOLDERS: Traits = {"hollow": True}  # a template attribute that is absent leaves its placeholder in the message
_ATTRIBUTE_KEY: Traits = {"pattern": "[A-Za-z0-9_-]+", "form": "made of letters, digits, - and _ alone"}
_BODY_TYPE: Traits = {"enum": ("text/plain", "text/html")}
_PHONE_NUMBER: Traits = {
    "pattern": r"\+[1-9][0-9]{1,14}",
    "form": "a phone number in E.164, such as +14155550123",
    "sensitive": True,
}
_PHONE_NUMBER_ARN: Traits = {
    "pattern": r"arn:aws[a-z-]*:[a-z-]+:[a-z0-9-]+:[0-9]{12}:\S+",
    "form": "the ARN of a phone number, such as arn:aws:connect:us-west-2:123456789012:phone-number/…",
}

EVERYWHERE: Mapping[str, Traits] = {
    "Attributes": {"bytes": 32_768},
    "Attributes.<key>": _ATTRIBUTE_KEY,
    "References": {"bytes": 4_096},
}
"""Traits by member path, of every operation. `<key>` is a map's key, `*` what a map or list holds. [API]"""

TRAITS: Mapping[str, Mapping[str, Traits]] = {
    "StartOutboundChatContact": {
        "SourceEndpoint": {"required": ("Type", "Address")},
        "SourceEndpoint.Type": {"enum": ("CONNECT_PHONENUMBER_ARN",)},
        "SourceEndpoint.Address": _PHONE_NUMBER_ARN,
        "DestinationEndpoint": {"required": ("Type", "Address")},
        "DestinationEndpoint.Type": {"enum": ("TELEPHONE_NUMBER",)},
        "DestinationEndpoint.Address": _PHONE_NUMBER,
        "InitialTemplatedSystemMessage.TemplateAttributes.CustomAttributes": _PLACEHOLDERS,
    },
    "StartOutboundEmailContact": {
        "AdditionalRecipients.CcEmailAddresses": {"max": 49},  # one To and 49 CC make the 50 of [QUOTAS]
        "EmailMessage.RawMessage.ContentType": _BODY_TYPE,
        "EmailMessage.TemplatedMessageConfig.TemplateAttributes.CustomAttributes": _PLACEHOLDERS,
    },
    "StartEmailContact": {
        "EmailMessage": {"required": ("RawMessage",)},
        "EmailMessage.RawMessage.ContentType": _BODY_TYPE,
        "References.*.Type": {"enum": ("URL", "NUMBER", "STRING", "DATE")},
    },
}
"""Traits by operation and member path. [API]"""

CONTENT_TYPES: Mapping[str, int] = {
    "text/plain": 1_024,
    "text/markdown": 1_024,
    "application/json": 12_000,
    "application/vnd.amazonaws.connect.message.interactive.response": 12_288,
}
"""Characters of an initial message by its content type. [API]"""

SUBTYPES: Mapping[str, Mapping[str, int]] = {
    "connect:SMS": {"text/plain": 1_024},
    "connect:WhatsApp": {**CONTENT_TYPES, "text/plain": 4_096},
}
"""The same by subtype, which narrows or widens it. [SPECS]"""

INITIATION_METHODS: Mapping[str, tuple[str, ...]] = {
    "EMAIL": ("OUTBOUND", "AGENT_REPLY", "FLOW"),
    "VOICE": ("TRANSFER",),
    "TASK": ("API",),
    "CHAT": (),
}
"""What CreateContact takes as InitiationMethod, by Channel. [API]"""


def at(parameters: Mapping[str, Any], *path: str) -> Any:
    """Give the value at a path, None where there is none, UNKNOWN below what is unknown."""
    value: Any = parameters
    for name in path:
        if value is None or value is UNKNOWN:
            return value
        value = value.get(name)
    return value


def _subtype(parameters: Mapping[str, Any]) -> Iterator[Trouble]:
    subtype = at(parameters, "SegmentAttributes", "connect:Subtype", "ValueString")
    if subtype is not UNKNOWN and subtype not in SUBTYPES:
        said = "is missing" if subtype is None else f"is {subtype[:40]!r}"
        path = "SegmentAttributes.connect:Subtype.ValueString"
        yield Trouble(path, f"{said}; it must be one of: {', '.join(SUBTYPES)}.", _code(subtype))


def _code(value: Any) -> str:
    return "missing_parameter" if value is None else "invalid_parameter"


def _initial_message(parameters: Mapping[str, Any]) -> Iterator[Trouble]:
    message = at(parameters, "InitialSystemMessage")
    if message is None:
        return
    template = at(parameters, "InitialTemplatedSystemMessage")
    if template is not None and certain(message) and certain(template):
        yield Trouble("InitialSystemMessage", "stands beside InitialTemplatedSystemMessage; give one of the two.")
    subtype = at(parameters, "SegmentAttributes", "connect:Subtype", "ValueString")
    allowed = SUBTYPES.get(subtype, CONTENT_TYPES)
    kind, content = at(message, "ContentType"), at(message, "Content")
    if kind is UNKNOWN:
        return
    if kind not in allowed:
        choice = ", ".join(allowed)
        yield Trouble("InitialSystemMessage.ContentType", f"is {kind[:40]!r}; it must be one of: {choice}.")
    elif content is not UNKNOWN and len(content) > allowed[kind]:
        long = f"is {len(content):,} characters long; at most {allowed[kind]:,} are allowed for {kind}"
        yield Trouble("InitialSystemMessage.Content", f"{long}. Shorten it.")


def _supported_types(parameters: Mapping[str, Any]) -> Iterator[Trouble]:
    types = at(parameters, "SupportedMessagingContentTypes")
    if types is None or types is UNKNOWN or UNKNOWN in types:
        return
    if "text/plain" not in types:
        yield Trouble("SupportedMessagingContentTypes", "lacks text/plain, which must always be in it. Add it.")
    for place, kind in enumerate(types):
        if kind not in CONTENT_TYPES and kind != "application/vnd.amazonaws.connect.message.interactive":
            path = f"SupportedMessagingContentTypes[{place}]"
            yield Trouble(path, f"is {kind[:40]!r}; it must be one of: {', '.join(CONTENT_TYPES)}.")


def _message_source(parameters: Mapping[str, Any]) -> Iterator[Trouble]:
    message = at(parameters, "EmailMessage")
    source, parts = (
        at(message, "MessageSourceType"),
        {"RAW": "RawMessage", "TEMPLATE": "TemplatedMessageConfig"},
    )
    if certain(at(message, "RawMessage") or UNKNOWN) and certain(at(message, "TemplatedMessageConfig") or UNKNOWN):
        yield Trouble("EmailMessage", "has both RawMessage and TemplatedMessageConfig; give one of the two.")
    elif source in parts and at(message, parts[source]) is None:
        path = f"EmailMessage.{parts[source]}"
        yield Trouble(path, f"is missing, and MessageSourceType is {source}: give it.", "missing_parameter")


def _recipients(parameters: Mapping[str, Any]) -> Iterator[Trouble]:
    lists = [at(parameters, "AdditionalRecipients", name) for name in ("ToAddresses", "CcAddresses")]
    count = 1 + sum(len(addresses) for addresses in lists if addresses and addresses is not UNKNOWN)
    if count > 50:
        yield Trouble(
            "AdditionalRecipients", f"makes {count} recipients in all; at most 50 are allowed. Take some out."
        )


def _initiation(parameters: Mapping[str, Any]) -> Iterator[Trouble]:
    channel, method = at(parameters, "Channel"), at(parameters, "InitiationMethod")
    if channel is UNKNOWN or method is UNKNOWN:
        return
    allowed = INITIATION_METHODS[channel]
    if method not in allowed:
        remedy = f"it must be one of: {', '.join(allowed)}" if allowed else "CreateContact makes no such contact"
        yield Trouble("InitiationMethod", f"is {method} while Channel is {channel}; {remedy}.")
    elif channel == "EMAIL" and method != "FLOW" and at(parameters, "UserInfo", "UserId") is None:
        need = f"is missing, and an email contact with {method} needs the user who sends it: give a user id."
        yield Trouble("UserInfo.UserId", need, "missing_parameter")


Rule = Callable[[Mapping[str, Any]], Iterator[Trouble]]

RULES: Mapping[str, tuple[Rule, ...]] = {
    "StartOutboundChatContact": (_subtype, _initial_message, _supported_types),
    "StartOutboundEmailContact": (_message_source,),
    "StartEmailContact": (_recipients,),
    "CreateContact": (_initiation,),
}
"""What ties several members together, by operation. [API]

A rule may trust the shapes, but any value can be UNKNOWN.
"""


def broken(operation: str, parameters: Mapping[str, Any]) -> Troubles:
    """Give the troubles of parameters that are sound member by member."""
    return [trouble for rule in RULES.get(operation, ()) for trouble in rule(parameters)]
