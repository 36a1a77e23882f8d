"""SMS: one call, StartOutboundChatContact."""

from collections.abc import Mapping
from typing import Final

from bulk.channels.channel import Lifetime, Starter
from bulk.model import Call, Exchange, Parameters

NAME: Final = "sms"
KIND: Final = "phone"
LANDLINES: Final = False
OUTBOUND: Final = True
SEGMENTED: Final = True
OPERATIONS: Final = {"request": "StartOutboundChatContact"}
OPTIONAL: Final[frozenset[str]] = frozenset()
DEFAULTS: Final[Mapping[str, Parameters]] = {
    "request": {
        "SourceEndpoint": {"Type": "CONNECT_PHONENUMBER_ARN"},
        "DestinationEndpoint": {"Type": "TELEPHONE_NUMBER", "Address": "{{ phone }}"},
        "SegmentAttributes": {"connect:Subtype": {"ValueString": "connect:SMS"}},
        "InitialSystemMessage": {"ContentType": "text/plain"},
    }
}
SUPPLIED: Final[Mapping[str, frozenset[str]]] = {}
DESTINATION: Final = ("request", "DestinationEndpoint.Address")
SENDER: Final = "SourceEndpoint.Address"
TEXTS: Final = ("InitialSystemMessage.Content",)
TEMPLATE: Final = "InitialTemplatedSystemMessage"
LIFETIME: Final = Lifetime("ChatDurationInMinutes", usual=25 * 60, longest=7 * 24 * 60)
TOKENS: Final = {"StartOutboundChatContact": 7 * 86400.0}  # "StartOutboundChatContact", ClientToken
STARTER: Final = Starter(
    what="An SMS",
    tables="""\
ContactFlowId = "22222222-2222-4222-8222-222222222222"
SourceEndpoint.Address = "arn:aws:connect:us-west-2:123456789012:phone-number/33333333-3333-4333-8333-333333333333"
DestinationEndpoint.Address = {destination}

# At most 1024 characters. An if, a word for an empty cell, and more: Jinja.
InitialSystemMessage.Content = {text}

# An open chat counts against the instance's limit (500) until the flow ends it or this time is over.
ChatDurationInMinutes = 60
""",
    text="see you soon. Reply STOP to opt out.",
    contacts="""\
customer_id,first_name,phone,date
0001,Ann,+1 206 555 0101,2027-01-12
0002,José,+1 (206) 555-0102,2027-01-12
0003,,+1 206-555-0103,2027-01-13
0004,さくら,+1 206 555 0104,2027-01-13
0005,Олена,+12065550105,2027-01-14
0006,"Li, Wei",+1 206 555 0106,2027-01-14
""",
)


def exchange(parameters: Mapping[str, Parameters]) -> Exchange:
    """Start the outbound chat contact whose first message is the SMS."""
    started = yield Call(OPERATIONS["request"], parameters["request"], opens=True, writes=True)
    contact_id: str = started["ContactId"]
    return contact_id
