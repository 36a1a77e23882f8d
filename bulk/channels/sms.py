"""SMS: one call, StartOutboundChatContact."""

from collections.abc import Mapping
from typing import Final

from bulk.model import Call, Exchange, Parameters

NAME: Final = "sms"
KIND: Final = "phone"
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
TEXTS: Final = ("InitialSystemMessage.Content",)


def exchange(parameters: Mapping[str, Parameters]) -> Exchange:
    """Start the outbound chat contact whose first message is the SMS."""
    started = yield Call(OPERATIONS["request"], parameters["request"], opens=True, writes=True)
    contact_id: str = started["ContactId"]
    return contact_id
