"""Limits that Amazon Connect documents besides its service model, or after the installed version, as data.

Sources, by title: [NEWER] the `connect` model of botocore 1.44.5; [API] "Amazon Connect API Reference",
the page of each operation; [SPECS] "Connect Customer feature specifications" and [QUOTAS] "Connect Customer
service quotas", both in the Administrator Guide.
"""

from collections.abc import Mapping

from bulk.operations.types import Traits

AMENDED: Mapping[str, Traits] = {
    "EmailAttachments": {"max": 50},
    "ReferenceType": {
        "enum": (
            *("URL", "ATTACHMENT", "CONTACT_ANALYSIS", "NUMBER", "STRING", "DATE", "EMAIL", "EMAIL_MESSAGE"),
            *("EMAIL_MESSAGE_PLAIN_TEXT", "EMAIL_MESSAGE_PLAIN_TEXT_REDACTED", "EMAIL_MESSAGE_REDACTED"),
            *("VOICEMAIL_RECORDING", "VOICEMAIL_RECORDING_REDACTED"),
            *("VOICEMAIL_ANALYSIS", "VOICEMAIL_ANALYSIS_REDACTED"),
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

_PLACEHOLDERS: Traits = {
    "keep_empty": True
}  # a template attribute that is absent leaves its placeholder in the message
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

LONGEST_EXPIRY = 129_600
"""Minutes for which a contact may stay open: 90 days. [QUOTAS]"""

EXTERNAL_AUDIO = "connect:ExternalAudio"

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
    "CreateContact": {"ExpiryDurationInMinutes": {"min": 1, "max": LONGEST_EXPIRY}},
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
