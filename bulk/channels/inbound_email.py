"""Inbound email: one call, StartEmailContact. It starts a contact in a flow and sends nothing to the customer."""

from collections.abc import Mapping
from typing import Final

from bulk.channels.channel import Lifetime, Starter
from bulk.model import Call, Exchange, Parameters

NAME: Final = "inbound-email"
KIND: Final = "email"
LANDLINES: Final = False
OUTBOUND: Final = False
SEGMENTED: Final = False
OPERATIONS: Final = {"request": "StartEmailContact"}
OPTIONAL: Final[frozenset[str]] = frozenset()
DEFAULTS: Final[Mapping[str, Parameters]] = {
    "request": {
        "FromEmailAddress": {"EmailAddress": "{{ email }}"},
        "EmailMessage": {"MessageSourceType": "RAW"},
    }
}
SUPPLIED: Final[Mapping[str, frozenset[str]]] = {}
DESTINATION: Final = ("request", "FromEmailAddress.EmailAddress")
SENDER: Final = "DestinationEmailAddress"
TEXTS: Final = ("EmailMessage.RawMessage.Subject", "EmailMessage.RawMessage.Body")
TEMPLATE: Final = None
LIFETIME: Final = Lifetime("ExpiryDurationInMinutes", usual=14 * 24 * 60, longest=90 * 24 * 60)
TOKENS: Final[Mapping[str, float]] = {}
STARTER: Final = Starter(
    what="An inbound email contact",
    tables="""\
ContactFlowId = "22222222-2222-4222-8222-222222222222"   # the flow that routes the message
DestinationEmailAddress = "service@example.com"          # an address of the instance
FromEmailAddress.EmailAddress = {destination}

[request.EmailMessage.RawMessage]
ContentType = "text/plain"
Subject     = {subject}
Body        = {body}
""",
    columns={"subject": "A word from a customer", "body": "Please get in touch."},
    contacts="""\
id,email,name,subject,body
<1@example.com>,ann.lee@example.com,Ann Lee,Where is my order?,"Hello,

can you look, please?

Ann"
<2@example.org>,jose@example.org,José Núñez,Factura,"Hola, no he recibido la factura."
<3@example.net>,mary.smith@example.net,"Smith, Mary",Thank you,It arrived today.
<4@example.com>,sakura@example.com,高橋 さくら,住所変更のお願い,引っ越しましたので、住所の変更をお願いします。
<5@example.org>,olena@example.org,Олена Шевченко,Повернення,Хочу повернути товар.
""",
)


def exchange(parameters: Mapping[str, Parameters]) -> Exchange:
    """Start the email contact, as if the customer had written."""
    started = yield Call(OPERATIONS["request"], parameters["request"], opens=True, writes=True)
    contact_id: str = started["ContactId"]
    return contact_id
