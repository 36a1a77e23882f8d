"""Attributes and tags of a contact, read and changed after it began, or even ended.

Source: API Reference, "GetContactAttributes", "UpdateContactAttributes", "TagContact", "UntagContact".
"""

import json
from typing import Any

from bulk.sandbox.contact import Request, attributes_of
from bulk.sandbox.errors import ServiceError
from bulk.sandbox.state import Contacts

_MOST_BYTES = 32_768
_MOST_TAGS = 6

Done = tuple[dict[str, Any], bool]


def get_attributes(contacts: Contacts, request: Request, _: float) -> Done:
    contact = contacts.find(request.place, request.parameters["InitialContactId"])
    return {"Attributes": attributes_of(contact)}, False


def update_attributes(contacts: Contacts, request: Request, _: float) -> Done:
    contact = contacts.find(request.place, request.parameters["InitialContactId"])
    before = attributes_of(contact)
    attributes = before | request.parameters["Attributes"]
    if sum(len(text.encode("utf-8", "surrogatepass")) for pair in attributes.items() for text in pair) > _MOST_BYTES:
        why = f"Attributes: must have at most {_MOST_BYTES:,} UTF-8 bytes over all keys and values of the contact"
        raise ServiceError("InvalidRequestException", why)
    contact.attributes = json.dumps(attributes)
    contacts.storage.save(contact)
    contacts.storage.index.change(contact.seq, before, attributes)
    return {}, False


def tag(contacts: Contacts, request: Request, _: float) -> Done:
    contact = contacts.find(request.place, request.parameters["ContactId"])
    tags = json.loads(contact.tags or "{}") | request.parameters["Tags"]
    if len(tags) > _MOST_TAGS:
        raise ServiceError("InvalidRequestException", f"Tags: a contact has at most {_MOST_TAGS}")
    contact.tags = json.dumps(tags)
    contacts.storage.save(contact)
    return {}, False


def untag(contacts: Contacts, request: Request, _: float) -> Done:
    contact = contacts.find(request.place, request.parameters["ContactId"])
    tags = json.loads(contact.tags or "{}")
    contact.tags = json.dumps(
        {name: value for name, value in tags.items() if name not in request.parameters["TagKeys"]}
    )
    contacts.storage.save(contact)
    return {}, False
