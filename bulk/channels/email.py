"""Email: create the contact, then send its message; stop the contact where that is asked for.

A draft whose mail is finally rejected is stopped in any case: left alone it would count against the instance's quota
of open emails until it expires. Stopping is tidying up: whether it works or not, it changes nothing about the mail.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from bulk.errors import CallFailed, CallRejected
from bulk.model import Call, Exchange, Parameters

NAME: Final = "email"
KIND: Final = "email"
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
TEXTS: Final = ("EmailMessage.RawMessage.Subject", "EmailMessage.RawMessage.Body")


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
