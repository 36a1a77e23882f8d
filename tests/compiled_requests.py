"""Requests compiled for tests: an SMS and a mail, and what a row makes of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from bulk.model import Recipient, Refusal
from bulk.request import Request

ARN = "arn:aws:connect:us-west-2:123456789012:phone-number/3f0b"
SMS: dict[str, Any] = {
    "InstanceId": "8f3c",
    "ContactFlowId": "846ec553",
    "SourceEndpoint": {"Type": "CONNECT_PHONENUMBER_ARN", "Address": ARN},
    "DestinationEndpoint": {"Type": "TELEPHONE_NUMBER", "Address": "{{ phone }}"},
    "SegmentAttributes": {"connect:Subtype": {"ValueString": "connect:SMS"}},
    "InitialSystemMessage": {"ContentType": "text/plain", "Content": "Hi {{ first_name }}"},
}
RAW: dict[str, Any] = {
    "InstanceId": "8f3c",
    "DestinationEmailAddress": {"EmailAddress": "{{ email }}"},
    "EmailMessage": {"RawMessage": {"Subject": "S", "Body": "{{ body }}", "ContentType": "text/html"}},
}
DRAFT: dict[str, Any] = {"Channel": "EMAIL", "InitiationMethod": "OUTBOUND", "UserInfo": {"UserId": "u1"}}
MAIL_OPERATIONS = {
    "create_contact": "CreateContact",
    "request": "StartOutboundEmailContact",
    "stop_contact": "StopContact",
}
LATER = {"request": {"ContactId"}, "stop_contact": {"ContactId"}}


def sms(request: Mapping[str, Any], columns: Sequence[str]) -> Request:
    return Request.compile(
        {"request": request},
        {"request": "StartOutboundChatContact"},
        columns=columns,
        destination=("request", "DestinationEndpoint.Address"),
    )


def mail(columns: Sequence[str], **tables: Mapping[str, Any]) -> Request:
    return Request.compile(
        {"create_contact": DRAFT, "request": RAW, **tables},
        MAIL_OPERATIONS,
        columns=columns,
        destination=("request", "DestinationEmailAddress.EmailAddress"),
        supplied=LATER,
    )


def recipient(cells: Mapping[str, Any], *, row: int = 0, destination: str = "+14155550123") -> Recipient:
    return Recipient(row, f"key-{row}", destination, cells)


def built(request: Request, cells: Mapping[str, Any], *, row: int = 0, destination: str = "+14155550123") -> Any:
    found = request.build(recipient(cells, row=row, destination=destination))
    assert not isinstance(found, Refusal), found
    return found


def refused(request: Request, cells: Mapping[str, Any]) -> Refusal:
    found = request.build(recipient(cells))
    assert isinstance(found, Refusal)
    return found
