"""The table of `scripts/conformance`: what is called, and which error it is told; none is "". `$NAME` is a contact."""

from typing import Any, NamedTuple

INSTANCE = "8f3c1c7e-0000-4000-8000-000000000001"
BASE, TEMPLATE = "11111111-2222-4333-8444-555555555555", "aaaaaaaa-2222-4333-8444-555555555555"
REQUEST, PARAMETER = "InvalidRequestException", "InvalidParameterException"
MISSING = "ResourceNotFoundException"


class Case(NamedTuple):
    """One call."""

    name: str
    operation: str
    parameters: dict[str, Any]
    code: str = ""
    keys: tuple[str, ...] | None = None
    service: str = "connect"


ON = {"InstanceId": INSTANCE}
CHAT: dict[str, Any] = ON | {
    "ContactFlowId": "flow",
    "SourceEndpoint": {
        "Type": "CONNECT_PHONENUMBER_ARN",
        "Address": "arn:aws:connect:us-west-2:123456789012:phone-number/1",
    },
    "DestinationEndpoint": {"Type": "TELEPHONE_NUMBER", "Address": "+12065550100"},
    "SegmentAttributes": {"connect:Subtype": {"ValueString": "connect:SMS"}},
    "InitialSystemMessage": {"ContentType": "text/plain", "Content": "Grüße 👋"},
    "Attributes": {"customer_id": "17"},
    "ClientToken": "one",
}
DRAFT = ON | {"Channel": "EMAIL", "InitiationMethod": "OUTBOUND", "UserInfo": {"UserId": "agent"}}
RAW: dict[str, Any] = {
    "MessageSourceType": "RAW",
    "RawMessage": {"Subject": "s", "Body": "<p>b</p>", "ContentType": "text/html"},
}
MAIL = ON | {"DestinationEmailAddress": {"EmailAddress": "ann@example.com"}, "EmailMessage": RAW}
INBOUND = ON | {
    "FromEmailAddress": {"EmailAddress": "ann@example.com"},
    "DestinationEmailAddress": "help@shop.example",
    "EmailMessage": RAW,
}
FILE = {"FileName": "a.pdf", "S3Url": "https://files.example/a.pdf"}
RANGE = {"TimeRange": {"Type": "INITIATION_TIMESTAMP", "StartTime": 1, "EndTime": 4_000_000_000}}
WHICH = {"knowledgeBaseId": BASE, "messageTemplateId": TEMPLATE}
FOUND = {"SearchableContactAttributes": {"Criteria": [{"Key": "customer_id", "Values": ["17"]}]}}


AFTER, NOBODY = ON | {"InitialContactId": "$chat"}, ON | {"InitialContactId": "none"}


def source(account: str) -> dict[str, Any]:
    arn = f"arn:aws:connect:us-west-2:{account}:phone-number/1"
    return CHAT | {"SourceEndpoint": {"Type": "CONNECT_PHONENUMBER_ARN", "Address": arn}}


def said(text: str, kind: str = "text/plain") -> dict[str, Any]:
    return CHAT | {
        "ClientToken": text[:20] + str(len(text)),
        "InitialSystemMessage": {"ContentType": kind, "Content": text},
    }


def written(text: str) -> dict[str, Any]:
    return RAW | {"RawMessage": RAW["RawMessage"] | {"Body": text}}


def number(text: str) -> dict[str, Any]:
    return CHAT | {"ClientToken": text, "DestinationEndpoint": {"Type": "TELEPHONE_NUMBER", "Address": text}}


def reference(**one: str) -> dict[str, Any]:
    return DRAFT | {"References": {"r": one}}


CASES = (
    Case("chat", "StartOutboundChatContact", CHAT, "", ("ContactId",)),
    Case("again", "StartOutboundChatContact", CHAT, "", ("ContactId",)),
    Case("changed", "StartOutboundChatContact", CHAT | {"ContactFlowId": "other"}, "ConflictException"),
    Case("arabic", "StartOutboundChatContact", number("+1٢٠٦٥٥٥٠١٠٠"), REQUEST),
    Case("national", "StartOutboundChatContact", number("2065550100"), REQUEST),
    Case("long", "StartOutboundChatContact", CHAT | {"ChatDurationInMinutes": 10_081, "ClientToken": "2"}, REQUEST),
    Case("draft", "CreateContact", DRAFT, "", ("ContactArn", "ContactId")),
    Case("mail", "StartOutboundEmailContact", MAIL | {"ContactId": "$draft"}, "", ("ContactId",)),
    Case("mail twice", "StartOutboundEmailContact", MAIL | {"ContactId": "$draft"}, REQUEST),
    Case("no draft", "StartOutboundEmailContact", MAIL | {"ContactId": "none"}, "ResourceNotFoundException"),
    Case("date", "CreateContact", reference(Type="DATE", Value="1764115200"), "", ("ContactArn", "ContactId")),
    Case("no date", "CreateContact", reference(Type="DATE", Value="2026-11-26"), REQUEST),
    Case("previous", "CreateContact", DRAFT | {"PreviousContactId": "$draft"}, REQUEST),
    Case("90 days", "CreateContact", DRAFT | {"ExpiryDurationInMinutes": 129_600}),
    Case("91 days", "CreateContact", DRAFT | {"ExpiryDurationInMinutes": 131_040}, REQUEST),
    Case("fax", "CreateContact", DRAFT | {"Channel": "FAX"}, PARAMETER),
    Case("inbound", "StartEmailContact", INBOUND | {"Attachments": [FILE] * 50}, "", ("ContactId",)),
    Case("51 files", "StartEmailContact", INBOUND | {"Attachments": [FILE] * 51}, REQUEST),
    Case("attributes", "GetContactAttributes", ON | {"InitialContactId": "$chat"}, "", ("Attributes",)),
    Case("update", "UpdateContactAttributes", ON | {"InitialContactId": "$chat", "Attributes": {"a": "b"}}),
    Case("bad key", "UpdateContactAttributes", ON | {"InitialContactId": "$chat", "Attributes": {"a b": "c"}}, REQUEST),
    Case("tag", "TagContact", ON | {"ContactId": "$chat", "Tags": {"team/a": "1", "cost": "2"}}),
    Case("untag", "UntagContact", ON | {"ContactId": "$chat", "TagKeys": ["team/a", "none"]}),
    Case("search", "SearchContacts", ON | RANGE | {"SearchCriteria": FOUND}, "", ("Contacts", "TotalCount")),
    Case("search agents", "SearchContacts", ON | RANGE | {"SearchCriteria": {"AgentIds": ["a"]}}, REQUEST),
    Case("describe", "DescribeContact", ON | {"ContactId": "$chat"}, "", ("Contact",)),
    Case("stop", "StopContact", ON | {"ContactId": "$chat"}),
    Case("stop twice", "StopContact", ON | {"ContactId": "$chat"}, "ContactNotFoundException"),
    Case("elsewhere", "DescribeContact", {"InstanceId": "other", "ContactId": "$chat"}, "ResourceNotFoundException"),
    Case("ended attributes", "UpdateContactAttributes", AFTER | {"Attributes": {"a": "c"}}),
    Case("half", "UpdateContactAttributes", AFTER | {"Attributes": {"long": "x" * 20_000}}),
    Case("over the half", "UpdateContactAttributes", AFTER | {"Attributes": {"more": "é" * 10_000}}, REQUEST),
    Case("attributes of none", "GetContactAttributes", NOBODY, MISSING),
    Case("update of none", "UpdateContactAttributes", NOBODY | {"Attributes": {"a": "b"}}, MISSING),
    Case("tag of none", "TagContact", ON | {"ContactId": "none", "Tags": {"a": "b"}}, MISSING),
    Case(
        "seven tags", "TagContact", ON | {"ContactId": "$chat", "Tags": {str(one): "" for one in range(7)}}, PARAMETER
    ),
    Case("own tag", "TagContact", ON | {"ContactId": "$chat", "Tags": {"aws:a": "b"}}, PARAMETER),
    Case("stop of none", "StopContact", ON | {"ContactId": "none"}, MISSING),
    Case("other account", "StartOutboundChatContact", source("12345678901٢"), REQUEST),
    Case(
        "email source",
        "StartOutboundChatContact",
        CHAT | {"SourceEndpoint": {"Type": "EMAIL", "Address": "a"}},
        REQUEST,
    ),
    Case("1,024 letters", "StartOutboundChatContact", said("é" * 1_024)),
    Case("1,025 letters", "StartOutboundChatContact", said("é" * 1_025), REQUEST),
    Case("emoji", "StartOutboundChatContact", said("👩‍👩‍👧‍👦 \u2028 \x7f ñ 日本")),
    Case("markdown", "StartOutboundChatContact", said("*a*", "text/markdown"), REQUEST),
    Case("large body", "StartEmailContact", INBOUND | {"EmailMessage": written("x" * 5_000_000)}),
    Case("too large", "StartEmailContact", INBOUND | {"EmailMessage": written("x" * 5_242_881)}, REQUEST),
    Case("program", "StartEmailContact", INBOUND | {"Attachments": [FILE | {"FileName": "a.exe"}]}, REQUEST),
    Case("no digits", "CreateContact", reference(Type="DATE", Value="١٧٦٤١١٥٢٠٠"), REQUEST),
    Case("template", "GetMessageTemplate", WHICH, "", ("messageTemplate",), "qconnect"),
    Case(
        "render",
        "RenderMessageTemplate",
        WHICH | {"attributes": {"customAttributes": {"name": "Ann"}}},
        "",
        ("attributesNotInterpolated", "content"),
        "qconnect",
    ),
    Case(
        "templates",
        "SearchMessageTemplates",
        {"knowledgeBaseId": BASE, "searchExpression": {}},
        "",
        ("results",),
        "qconnect",
    ),
    Case(
        "no template",
        "GetMessageTemplate",
        WHICH | {"messageTemplateId": BASE},
        "ResourceNotFoundException",
        service="qconnect",
    ),
)
