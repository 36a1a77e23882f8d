"""Requests that the sandbox accepts, to be bent by its tests; and an account to send them to without HTTP."""

import itertools
import json
import math
from typing import Any

from bulk.sandbox.account import Account, Answer, Call, Settings
from bulk.sandbox.identity import account_of
from bulk.sandbox.quotas import Quotas
from bulk.sandbox.state import Limits

INSTANCE = "8f3c1c7e-0000-4000-8000-000000000001"
PLACE = f"{account_of('AKIDEXAMPLE', {})}/us-west-2/{INSTANCE}"
SIGNED = (
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261120/us-west-2/connect/aws4_request, SignedHeaders=host, Signature=0"
)
CHAT: dict[str, Any] = {
    "InstanceId": INSTANCE,
    "ContactFlowId": "846ec553-a005-41c0-8341-000000000000",
    "SourceEndpoint": {
        "Type": "CONNECT_PHONENUMBER_ARN",
        "Address": "arn:aws:connect:us-west-2:123456789012:phone-number/0b1c",
    },
    "DestinationEndpoint": {"Type": "TELEPHONE_NUMBER", "Address": "+14155550123"},
    "SegmentAttributes": {"connect:Subtype": {"ValueString": "connect:SMS"}},
    "InitialSystemMessage": {"ContentType": "text/plain", "Content": "See you on Friday."},
    "Attributes": {"customer_id": "17"},
}
DRAFT: dict[str, Any] = {
    "InstanceId": INSTANCE,
    "Channel": "EMAIL",
    "InitiationMethod": "OUTBOUND",
    "UserInfo": {"UserId": "agent-1"},
}
RAW: dict[str, Any] = {
    "MessageSourceType": "RAW",
    "RawMessage": {"Subject": "Your order", "Body": "<p>Thank you</p>", "ContentType": "text/html"},
}
MAIL: dict[str, Any] = {
    "InstanceId": INSTANCE,
    "DestinationEmailAddress": {"EmailAddress": "ann@example.com"},
    "EmailMessage": RAW,
}
INBOUND: dict[str, Any] = {
    "InstanceId": INSTANCE,
    "FromEmailAddress": {"EmailAddress": "ann@example.com"},
    "DestinationEmailAddress": "help@shop.example",
    "EmailMessage": RAW,
}
TEMPLATE: dict[str, Any] = {"KnowledgeBaseId": "kb", "MessageTemplateId": "t", "TemplateAttributes": {}}

_NUMBERS = itertools.count()


def token() -> str:
    """Return a token that was never used."""
    return f"token-{next(_NUMBERS)}"


def account(*, rate: float | None = math.inf, burst: int | None = None, **limits: Any) -> Account:
    """Return an account whose clock stands at 0."""
    return Account(Settings(Quotas(rate, burst), Limits(**limits)), 0.0)


def send(to: Account, operation: str, parameters: Any, *, now: float = 0.0, signed: str | None = SIGNED) -> Answer:
    """Send one request; bytes go as they are."""
    body = parameters if isinstance(parameters, bytes) else json.dumps(parameters).encode()
    return to.answer(Call(to.api.operations[operation], body, {}, signed), now)


def accepted(to: Account, operation: str, parameters: Any, *, now: float = 0.0) -> str:
    """Send one request that must be accepted, and give its contact id."""
    answer = send(to, operation, parameters, now=now)
    assert answer.status == 200, answer
    return str(json.loads(answer.body)["ContactId"])


def message(answer: Answer) -> str:
    """Return the sentence of an error."""
    return str(json.loads(answer.body)["Message"])
