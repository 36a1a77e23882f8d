"""Inbound email: one call, StartEmailContact. It starts a contact in a flow and sends nothing to the customer."""

from collections.abc import Mapping
from typing import Final

from bulk.model import Call, Exchange, Parameters

NAME: Final = "inbound-email"
KIND: Final = "email"
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
TEXTS: Final = ("EmailMessage.RawMessage.Subject", "EmailMessage.RawMessage.Body")


def exchange(parameters: Mapping[str, Parameters]) -> Exchange:
    """Start the email contact, as if the customer had written."""
    started = yield Call(OPERATIONS["request"], parameters["request"], opens=True, writes=True)
    contact_id: str = started["ContactId"]
    return contact_id
