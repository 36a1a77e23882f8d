"""WhatsApp: the call of an SMS, StartOutboundChatContact, whose message is a template that Meta has approved.

A business may begin a conversation with a template alone; a text of one's own it may send only within 24 hours after
the person has written ("Set up WhatsApp Business messaging", Amazon Connect administrator guide).
"""

from typing import Final

from bulk.channels.channel import Starter
from bulk.channels.sms import DEFAULTS as SMS
from bulk.channels.sms import (
    DESTINATION,
    KIND,
    LIFETIME,
    OPERATIONS,
    OPTIONAL,
    SENDER,
    SUPPLIED,
    TEMPLATE,
    TEXTS,
    TOKENS,
    exchange,
)

__all__ = [
    "DEFAULTS",
    "DESTINATION",
    "KIND",
    "LANDLINES",
    "LIFETIME",
    "NAME",
    "OPERATIONS",
    "OPTIONAL",
    "OUTBOUND",
    "SEGMENTED",
    "SENDER",
    "STARTER",
    "SUPPLIED",
    "TEMPLATE",
    "TEXTS",
    "TOKENS",
    "exchange",
]

NAME: Final = "whatsapp"
LANDLINES: Final = True
OUTBOUND: Final = True
SEGMENTED: Final = False
DEFAULTS: Final = {
    "request": {**SMS["request"], "SegmentAttributes": {"connect:Subtype": {"ValueString": "connect:WhatsApp"}}}
}
STARTER: Final = Starter(
    what="A WhatsApp message",
    tables="""\
ContactFlowId = "22222222-2222-4222-8222-222222222222"
SourceEndpoint.Address = "arn:aws:connect:us-west-2:123456789012:phone-number/33333333-3333-4333-8333-333333333333"
DestinationEndpoint.Address = {destination}

# An open chat counts against the instance's limit (500) until the flow ends it or this time is over.
ChatDurationInMinutes = 60

# The message template, which Meta has approved, and what fills its placeholders.
[request.InitialTemplatedSystemMessage]
KnowledgeBaseId   = "44444444-4444-4444-8444-444444444444"
MessageTemplateId = "55555555-5555-4555-8555-555555555555"
TemplateAttributes.CustomAttributes = {{ first_name = {first_name} }}
""",
    contacts="""\
customer_id,first_name,phone
0001,Ann,+1 206 555 0101
0002,José,+1 (206) 555-0102
0003,,+1 206-555-0103
0004,さくら,+1 206 555 0104
0005,Олена,+12065550105
0006,"Li, Wei",+1 206 555 0106
""",
)
