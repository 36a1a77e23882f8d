"""What each operation does to contacts. Source: its page in the Amazon Connect API Reference."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from bulk.sandbox.attributes import get_attributes, tag, untag, update_attributes
from bulk.sandbox.contact import Contact, Request, attributes_of, new_id
from bulk.sandbox.errors import ServiceError
from bulk.sandbox.search import search
from bulk.sandbox.state import Contacts

Done = tuple[dict[str, Any], bool]
"""The members of the answer, and whether it is the replay of an earlier one."""

_MINUTE = 60.0

_DESTINATIONS = {
    "StartOutboundChatContact": ("DestinationEndpoint", "Address"),
    "StartOutboundEmailContact": ("DestinationEmailAddress", "EmailAddress"),
    "StartEmailContact": ("FromEmailAddress", "EmailAddress"),
}


def destination(operation: str, parameters: Any) -> str | None:
    """Return the customer's number or address in a request that may be anything; None where it has none."""
    found = parameters
    for step in _DESTINATIONS.get(operation, ("",)):
        found = found.get(step) if isinstance(found, dict) else None
    return found if isinstance(found, str) else None


def start_outbound_chat(contacts: Contacts, request: Request, now: float) -> Done:
    minutes = request.parameters.get("ChatDurationInMinutes")
    life = contacts.limits.life("chat") if minutes is None else minutes * _MINUTE
    contact = _contact(request, "CHAT", "OUTBOUND", now=now, life=life)
    contact, replayed = _start(contacts, request, contact, now=now)
    return {"ContactId": contact.id}, replayed


def start_email(contacts: Contacts, request: Request, now: float) -> Done:
    life = _expiry(request.parameters) or contacts.limits.life("email")
    contact = _contact(request, "EMAIL", "INBOUND", now=now, life=life)
    contact, replayed = _start(contacts, request, contact, now=now)
    return {"ContactId": contact.id}, replayed


def create_contact(contacts: Contacts, request: Request, now: float) -> Done:
    channel, method = request.parameters["Channel"], request.parameters["InitiationMethod"]
    minutes = request.parameters.get("ExpiryDurationInMinutes")
    life = _expiry(request.parameters) or (minutes * _MINUTE if minutes else contacts.limits.life(channel.lower()))
    contact = _contact(request, channel, method, now=now, life=life)
    if request.parameters.get("InitiateAs") == "COMPLETED":
        contact.ends_at, contact.reason = now, "OTHER"
    contact, replayed = _start(contacts, request, contact, now=now)
    return {"ContactId": contact.id, "ContactArn": contact.arn}, replayed


def start_outbound_email(contacts: Contacts, request: Request, now: float) -> Done:
    if contact := contacts.recall(request, conflict="IdempotencyException", now=now):
        return {"ContactId": contact.id}, True
    contact = contacts.find(request.place, request.parameters["ContactId"])
    _require_draft(contact, now)
    contact.destination = destination(request.operation, request.parameters)
    contacts.send(contact, request, now)
    contacts.remember(request, contact, now)
    return {"ContactId": contact.id}, False


def stop(contacts: Contacts, request: Request, now: float) -> Done:
    contact = contacts.find(request.place, request.parameters["ContactId"])
    if contact.ended(now):
        raise ServiceError("ContactNotFoundException", "The contact has ended.")
    contacts.end(contact, now, "API")
    return {}, False


def describe(contacts: Contacts, request: Request, now: float) -> Done:
    contact = contacts.find(request.place, request.parameters["ContactId"])
    parameters = contact.parameters
    copied = ("Name", "Description", "RelatedContactId", "SegmentAttributes")
    described = {name: parameters[name] for name in copied if parameters.get(name) is not None}
    described |= {
        "Id": contact.id,
        "InitialContactId": contact.id,
        "Arn": contact.arn,
        "Channel": contact.channel,
        "InitiationMethod": contact.method,
        "InitiationTimestamp": contact.started_at,
        "LastUpdateTimestamp": contact.started_at,
    }
    if attributes := attributes_of(contact):
        described["Attributes"] = attributes
    if contact.tags is not None:
        described["Tags"] = json.loads(contact.tags)
    if contact.destination is not None:
        kind = "EMAIL_ADDRESS" if contact.channel == "EMAIL" else "TELEPHONE_NUMBER"
        described["CustomerEndpoint"] = {"Type": kind, "Address": contact.destination}
    if contact.channel == "CHAT":
        described["ChatMetrics"] = _chat_metrics(int(contacts.limits.answered(contact.destination)))
    if contact.ended(now):
        described |= {"DisconnectTimestamp": contact.ends_at, "DisconnectReason": contact.reason}
    return {"Contact": described}, False


def _chat_metrics(answers: int) -> dict[str, Any]:
    """Return what was said in a chat: the first message, and so many of the person."""
    customer = {"ParticipantType": "CUSTOMER", "MessagesSent": answers, "NumResponses": answers}
    return {"ChatContactMetrics": {"TotalMessages": 1 + answers}, "CustomerMetrics": customer}


OPERATIONS: Mapping[str, Callable[[Contacts, Request, float], Done]] = {
    "StartOutboundChatContact": start_outbound_chat,
    "CreateContact": create_contact,
    "StartOutboundEmailContact": start_outbound_email,
    "StartEmailContact": start_email,
    "StopContact": stop,
    "DescribeContact": describe,
    "GetContactAttributes": get_attributes,
    "UpdateContactAttributes": update_attributes,
    "SearchContacts": search,
    "TagContact": tag,
    "UntagContact": untag,
}


def _contact(request: Request, channel: str, method: str, *, now: float, life: float) -> Contact:
    return Contact(
        seq=0,
        id=new_id(),
        operation=request.operation,
        channel=channel,
        method=method,
        instance=request.instance,
        account=request.account,
        region=request.region,
        started_at=now,
        ends_at=now + life,
        token=request.token,
        destination=destination(request.operation, request.parameters),
        body=request.body,
    )


def _start(contacts: Contacts, request: Request, contact: Contact, *, now: float) -> tuple[Contact, bool]:
    """Take in a new contact, or give the one that its token already stands for."""
    chat = request.operation == "StartOutboundChatContact"
    conflict = "ConflictException" if chat else "IdempotencyException"
    if known := contacts.recall(request, conflict=conflict, now=now):
        return known, True
    full = "LimitExceededException" if chat else "ServiceQuotaExceededException"
    contacts.admit(contact, full=full, now=now)
    contacts.remember(request, contact, now)
    if contact.operation != "CreateContact":  # a draft runs no flow before it has a message
        contacts.run_flow(contact, now)
    return contact, False


def _require_draft(contact: Contact, now: float) -> None:
    if contact.channel != "EMAIL" or contact.operation != "CreateContact":
        raise ServiceError("InvalidRequestException", "ContactId: must be an EMAIL contact that CreateContact made.")
    if contact.mailed:
        raise ServiceError("InvalidRequestException", "ContactId: this contact's email was already sent.")
    if contact.ended(now):
        raise ServiceError("InvalidRequestException", "ContactId: this contact has ended.")


def _expiry(parameters: Mapping[str, Any]) -> float | None:
    """Read the minutes of `connect:ContactExpiry` from the segment attributes, as seconds."""
    found: Any = parameters.get("SegmentAttributes")
    for step in ("connect:ContactExpiry", "ValueMap", "ExpiryDuration", "ValueInteger"):
        found = found.get(step) if isinstance(found, dict) else None
    return found * _MINUTE if isinstance(found, int) else None
