"""Email: create the contact, then send its message; stop the contact if the campaign asks for it.

A draft whose mail is finally rejected is stopped in any case: left alone it would count against the instance's quota
of open emails until it expires. Stopping is tidying up: whether it works or not, it changes nothing about the mail.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from bulk.channels.channel import Lifetime, Starter
from bulk.errors import CallFailed, CallRejected
from bulk.model import Call, Exchange, Parameters

NAME: Final = "email"
KIND: Final = "email"
LANDLINES: Final = False
OUTBOUND: Final = True
SEGMENTED: Final = False
OPERATIONS: Final = {
    "create_contact": "CreateContact",
    "request": "StartOutboundEmailContact",
    "stop_contact": "StopContact",
}
OPTIONAL: Final = frozenset({"stop_contact"})
DEFAULTS: Final[Mapping[str, Parameters]] = {
    "create_contact": {"Channel": "EMAIL", "InitiationMethod": "OUTBOUND"},
    "request": {"DestinationEmailAddress": {"EmailAddress": "{{ email }}"}},
}
SUPPLIED: Final = {"request": frozenset({"ContactId"}), "stop_contact": frozenset({"ContactId"})}
DESTINATION: Final = ("request", "DestinationEmailAddress.EmailAddress")
SENDER: Final = "FromEmailAddress.EmailAddress"
TEXTS: Final = ("EmailMessage.RawMessage.Subject", "EmailMessage.RawMessage.Body")
TEMPLATE: Final = "EmailMessage.TemplatedMessageConfig"
LIFETIME: Final = Lifetime("ExpiryDurationInMinutes", usual=14 * 24 * 60, longest=90 * 24 * 60)
TOKENS: Final[Mapping[str, float]] = {}
STARTER: Final = Starter(
    what="An email",
    tables="""\
FromEmailAddress.EmailAddress = "shop@example.com"      # of the instance
DestinationEmailAddress.EmailAddress = {destination}

[request.EmailMessage.RawMessage]
ContentType = "text/plain"          # or text/html, in which the cells are escaped
Subject     = "A word from us"
Body        = {text}

# Or a message template kept in Amazon Connect, in place of [request.EmailMessage.RawMessage]:
# [request.EmailMessage.TemplatedMessageConfig]
# KnowledgeBaseId   = "44444444-4444-4444-8444-444444444444"
# MessageTemplateId = "55555555-5555-4555-8555-555555555555"
# TemplateAttributes.CustomAttributes = {{ first_name = {first_name} }}

# CreateContact. Amazon Connect wants a user for each outgoing email; a list of users is taken in turn.
[create_contact]
UserInfo.UserId = "66666666-6666-4666-8666-666666666666"

# StopContact once the email is accepted: frees the user's slot and the instance's limit of open emails (1000).
# Leave the line out to keep the contact open.
[stop_contact]
""",
    text="see you soon.",
    contacts="""\
customer_id,name,email,arrives
00017,Ann Lee,ann.lee@example.com,2027-01-12
00018,José Núñez,jose@example.org,2027-01-12
00019,"Smith, Mary",mary.smith@example.net,
00020,高橋 さくら,sakura@example.com,2027-01-13
00021,Олена Шевченко,olena@example.org,2027-01-14
00022,نور حسن,nour@example.net,2027-01-14
""",
)


def exchange(parameters: Mapping[str, Parameters]) -> Exchange:
    """Create the contact and send its message."""
    created = yield Call(OPERATIONS["create_contact"], parameters["create_contact"], opens=True)
    contact = {"InstanceId": parameters["request"]["InstanceId"], "ContactId": created["ContactId"]}
    stop = Call(OPERATIONS["stop_contact"], {**parameters.get("stop_contact", {}), **contact}, optional=True, ends=True)
    try:
        sent = yield Call(OPERATIONS["request"], {**parameters["request"], **contact}, writes=True)
    except CallRejected:
        with suppress(CallFailed):
            yield stop
        raise
    if "stop_contact" in parameters:
        with suppress(CallFailed):
            yield stop
    contact_id: str = sent["ContactId"]
    return contact_id
