"""A declared account that has all that two campaigns need, and a corpus of things that may be wrong with one."""

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

INSTANCE = "11111111-1111-4111-8111-111111111111"
OTHER = "99999999-9999-4999-8999-999999999999"
FLOW, NUMBER, USER = "flow-1", "number-1", "user-1"
BASE, TEMPLATE = "base-1", "template-1"
SOURCE = "arn:aws:sms-voice:us-west-2:123456789012:phone-number/phone-1"
ALL = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}

SMS: dict[str, Any] = {
    "name": "reminders",
    "channel": "sms",
    "request": {
        "InstanceId": INSTANCE,
        "ContactFlowId": FLOW,
        "SourceEndpoint": {"Address": f"arn:aws:connect:us-west-2:123456789012:phone-number/{NUMBER}"},
        "InitialSystemMessage": {"Content": "Hi {{ name }}."},
    },
}
EMAIL: dict[str, Any] = {
    "name": "news",
    "channel": "email",
    "hold": {"open_contacts": 900},
    "request": {
        "InstanceId": INSTANCE,
        "FromEmailAddress": {"EmailAddress": "orders@shop.example"},
        "EmailMessage": {
            "MessageSourceType": "TEMPLATE",
            "TemplatedMessageConfig": {
                "KnowledgeBaseId": BASE,
                "MessageTemplateId": TEMPLATE,
                "TemplateAttributes": {"CustomAttributes": {"first_name": "{{ name }}"}},
            },
        },
    },
    "create_contact": {"UserInfo": {"UserId": [USER, "user-2"]}},
    "stop_contact": {},
}
RIGHT: dict[str, Any] = {
    "instances": [{"id": INSTANCE, "region": "us-west-2"}, {"id": OTHER, "region": "us-west-2"}],
    "flows": [{"id": FLOW, "instance": INSTANCE}],
    "numbers": [{"id": NUMBER, "instance": INSTANCE, "source": SOURCE}],
    "sms_numbers": [{"id": "phone-1"}],
    "addresses": [{"address": "orders@shop.example", "instance": INSTANCE}],
    "users": [{"id": USER, "instance": INSTANCE}, {"id": "user-2", "instance": INSTANCE}],
    "knowledge_bases": [{"id": BASE, "instance": INSTANCE}],
    "templates": [{"id": TEMPLATE, "knowledge_base": BASE, "channel": "EMAIL", "attributes": ["first_name"]}],
    "quotas": {
        "L-408DD6C6": 2.0,
        "L-650BD10F": 10.0,
        "L-D4BA6F6E": 500.0,
        "L-B117F12F": 1000.0,
        "Rate of CreateContact API requests": 2.0,
        "Rate of StartOutboundEmailContact API requests": 2.0,
        "Rate of StartEmailContact API requests": 2.0,
    },
    "keys": {"*": {"policy": ALL}},
}


class Fault(NamedTuple):
    """Something wrong with an account: what it does to the declaration, and the subject that must be found wrong."""

    name: str
    campaign: dict[str, Any]
    change: Callable[[dict[str, Any]], object]
    subject: str


def denied(action: str) -> Callable[[dict[str, Any]], object]:
    statement = {"Effect": "Deny", "Action": action, "Resource": "*"}
    return lambda account: account["keys"]["*"].update(policy={"Statement": [*ALL["Statement"], statement]})


def granted(statement: dict[str, Any]) -> Callable[[dict[str, Any]], object]:
    reading = [{"Effect": "Allow", "Action": ["*:Describe*", "iam:*", "servicequotas:*"], "Resource": "*"}]
    return lambda account: account["keys"]["*"].update(policy={"Statement": [*reading, statement]})


def of(kind: str, place: int = 0, **changed: Any) -> Callable[[dict[str, Any]], object]:
    return lambda account: account[kind][place].update(changed)


def gone(kind: str, place: int = 0) -> Callable[[dict[str, Any]], object]:
    return lambda account: account[kind].pop(place)


def quota(name: str, value: float) -> Callable[[dict[str, Any]], object]:
    return lambda account: account["quotas"].update({name: value})


WHATSAPP: dict[str, Any] = {
    "name": "offers",
    "channel": "whatsapp",
    "request": {
        **{name: SMS["request"][name] for name in ("InstanceId", "ContactFlowId", "SourceEndpoint")},
        "InitialTemplatedSystemMessage": {
            "KnowledgeBaseId": BASE,
            "MessageTemplateId": TEMPLATE,
            "TemplateAttributes": {"CustomAttributes": {"first_name": "{{ name }}"}},
        },
    },
}
INBOUND: dict[str, Any] = {
    "name": "tickets",
    "channel": "inbound-email",
    "request": {
        "InstanceId": INSTANCE,
        "ContactFlowId": FLOW,
        "DestinationEmailAddress": "orders@shop.example",
        "EmailMessage": {"RawMessage": {"Subject": "Hi", "Body": "Hi {{ name }}", "ContentType": "text/plain"}},
    },
}

_START, _CREATE = "permission connect:StartOutboundChatContact", "permission connect:CreateContact"
_ELSEWHERE = {"StringLike": {"connect:InstanceId": f"*{OTHER}"}}
_CHAT_ELSEWHERE = {
    "Effect": "Allow",
    "Action": "connect:StartOutboundChatContact",
    "Resource": "*",
    "Condition": _ELSEWHERE,
}
_FAST = {**SMS, "pacing": {"rate": 20}}
_FAST_EMAIL = {**EMAIL, "pacing": {"CreateContact": {"rate": 5}}}
_MANY = {**SMS, "hold": {"open_contacts": 2000}}

_SMS_ALONE = {**_CHAT_ELSEWHERE, "Condition": {"StringLike": {"connect:Subtype": "connect:SMS"}}}
_MAY, _VOICE, _MAIL_RATE = "permission connect", "permission sms-voice", "rate of StartOutboundEmailContact"
_LISTED = {**SMS, "contacts": "s3://campaigns/today/list.csv"}
_FOLDER = {**SMS, "contacts": "s3://campaigns/today/"}
_OPT_OUTS = {**SMS, "list": {"opt_out_list": "Default"}}
_FINDS = {**SMS, "list": {"opt_out_list": "auto"}}
_SES = {**EMAIL, "list": {"ses_suppression": True}}
_NUMBERED = {**WHATSAPP, "name": "numbered"}
_STOPS = {**EMAIL, "pacing": {"StopContact": {"rate": 8}}}
_FAST_MAIL = {**EMAIL, "pacing": {"StartOutboundEmailContact": {"rate": 9}}}


def _expired_session(account: dict[str, Any]) -> None:
    account["keys"]["*"].update(user="assumed-role/Sender/session", status="expired")


def _lacking(account: dict[str, Any]) -> None:
    account["templates"][0].update(channel="WHATSAPP", attributes=["first_name", "city"])


FAULTS = [
    Fault("the key has expired", SMS, lambda account: account["keys"]["*"].update(status="expired"), "credentials"),
    Fault("the key is unknown", SMS, lambda account: account["keys"]["*"].update(status="unknown"), "credentials"),
    Fault("the key is of another account", SMS, lambda account: account.update(account="210987654321"), "credentials"),
    Fault("the action is not granted", SMS, granted({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}), _START),
    Fault("the action is denied", SMS, denied("connect:StartOutbound*"), _START),
    Fault("the action is granted for another instance", SMS, granted(_CHAT_ELSEWHERE), _START),
    Fault("creating is denied", EMAIL, denied("connect:CreateContact"), _CREATE),
    Fault("stopping is denied", EMAIL, denied("connect:StopContact"), "permission connect:StopContact"),
    Fault("the instance is gone", SMS, gone("instances"), "instance"),
    Fault("the instance is in another Region", SMS, of("instances", region="eu-west-2"), "instance"),
    Fault("the instance is being made", SMS, of("instances", status="CREATION_IN_PROGRESS"), "instance"),
    Fault("the instance failed", EMAIL, of("instances", status="CREATION_FAILED", reason="No role"), "instance"),
    Fault("the flow is gone", SMS, gone("flows"), "flow"),
    Fault("the flow is another instance's", SMS, of("flows", instance=OTHER), "flow"),
    Fault("the flow is only saved", SMS, of("flows", status="SAVED"), "flow"),
    Fault("the flow is archived", SMS, of("flows", state="ARCHIVED"), "flow"),
    Fault("the flow is a whisper", SMS, of("flows", type="OUTBOUND_WHISPER"), "flow"),
    Fault("the number is gone", SMS, gone("numbers"), "number"),
    Fault("the number is another instance's", SMS, of("numbers", instance=OTHER), "number"),
    Fault("the number could not be claimed", SMS, of("numbers", status="FAILED", message="no stock"), "number"),
    Fault("the number is not yet claimed", SMS, of("numbers", status="IN_PROGRESS"), "number"),
    Fault("the number is for voice", SMS, of("numbers", source=""), "number"),
    Fault("the SMS number is gone", SMS, gone("sms_numbers"), "number for SMS"),
    Fault("the SMS number is pending", SMS, of("sms_numbers", status="PENDING"), "number for SMS"),
    Fault("the SMS number can do MMS alone", SMS, of("sms_numbers", capabilities=["MMS"]), "number for SMS"),
    Fault("the SMS number is one-way", SMS, of("sms_numbers", two_way=False), "number for SMS"),
    Fault("the rate is too high", _FAST, quota("L-408DD6C6", 2.0), "rate of StartOutboundChatContact"),
    Fault("the account's rate is low", SMS, quota("L-408DD6C6", 1.0), "rate of StartOutboundChatContact"),
    Fault("more chats than may be open", _MANY, quota("L-D4BA6F6E", 500.0), "open chats"),
    Fault("the address is gone", EMAIL, gone("addresses"), "address"),
    Fault("the address is another instance's", EMAIL, of("addresses", instance=OTHER), "address"),
    Fault("the user is gone", EMAIL, gone("users"), "user user-1"),
    Fault("one of two users is gone", EMAIL, gone("users", 1), "user user-2"),
    Fault("the user is another instance's", EMAIL, of("users", instance=OTHER), "user user-1"),
    Fault("the template is gone", EMAIL, gone("templates"), "template"),
    Fault("the template is for SMS", EMAIL, of("templates", channel="SMS"), "template"),
    Fault("the template is not active", EMAIL, of("templates", active=False), "template"),
    Fault(
        "an attribute is not filled in",
        EMAIL,
        of("templates", attributes=["first_name", "city"]),
        "attributes of the template",
    ),
    Fault(
        "the knowledge base is another instance's",
        EMAIL,
        of("knowledge_bases", instance=OTHER),
        "templates of the instance",
    ),
    Fault("sending mail is denied", EMAIL, denied("connect:StartOutboundEmail*"), f"{_MAY}:StartOutboundEmailContact"),
    Fault("inbound mail is denied", INBOUND, denied("connect:StartEmailContact"), f"{_MAY}:StartEmailContact"),
    Fault("everything of Amazon Connect is denied", SMS, denied("connect:*"), _START),
    Fault("chats are granted for another channel", WHATSAPP, granted(_SMS_ALONE), _START),
    Fault("the list may not be read", _LISTED, denied("s3:GetObject"), "permission s3:GetObject"),
    Fault("lists may not be found", _FOLDER, denied("s3:ListBucket"), "permission s3:ListBucket"),
    Fault(
        "opt-outs may not be read", _OPT_OUTS, denied("sms-voice:DescribeOpted*"), f"{_VOICE}:DescribeOptedOutNumbers"
    ),
    Fault(
        "the number's list may not be found",
        _FINDS,
        denied("sms-voice:DescribePhone*"),
        f"{_VOICE}:DescribePhoneNumbers",
    ),
    Fault("SES may not be read", _SES, denied("ses:*"), "permission ses:ListSuppressedDestinations"),
    Fault("the session has expired", EMAIL, _expired_session, "credentials"),
    Fault(
        "the key of mail is of another account",
        _NUMBERED,
        lambda account: account.update(account="1" * 12),
        "credentials",
    ),
    Fault("the instance is gone for mail", EMAIL, gone("instances"), "instance"),
    Fault("the instance of inbound mail failed", INBOUND, of("instances", status="CREATION_FAILED"), "instance"),
    Fault("the flow is a customer queue's", SMS, of("flows", type="CUSTOMER_QUEUE"), "flow"),
    Fault("the flow transfers to agents", SMS, of("flows", type="AGENT_TRANSFER"), "flow"),
    Fault("the flow of WhatsApp is gone", WHATSAPP, gone("flows"), "flow"),
    Fault("the flow of inbound mail is only saved", INBOUND, of("flows", status="SAVED"), "flow"),
    Fault("the number of WhatsApp is gone", WHATSAPP, gone("numbers"), "number"),
    Fault("the address of inbound mail is gone", INBOUND, gone("addresses"), "address"),
    Fault("the template of WhatsApp is for email", WHATSAPP, lambda _: None, "template"),
    Fault("the template of WhatsApp is gone", WHATSAPP, gone("templates"), "template"),
    Fault("the template of WhatsApp lacks a value", WHATSAPP, _lacking, "attributes of the template"),
    Fault("the knowledge base is gone", EMAIL, gone("knowledge_bases"), "template"),
    Fault("every user is gone", EMAIL, lambda account: account["users"].clear(), "user user-2"),
    Fault("more stops than the account has", _STOPS, quota("L-650BD10F", 2.0), "rate of StopContact"),
    Fault("mail is sent too fast", _FAST_MAIL, quota("Rate of StartOutboundEmailContact", 2.0), _MAIL_RATE),
    Fault("a rate is found by its name", _FAST_EMAIL, quota("Rate of CreateContact", 2.0), "rate of CreateContact"),
    Fault("fewer emails may be open", EMAIL, quota("L-B117F12F", 100.0), "open emails"),
]


def account(fault: Fault | None = None) -> dict[str, Any]:
    """Return the account that has everything, or what a fault leaves of it."""
    declared = copy.deepcopy(RIGHT)
    if fault is not None:
        fault.change(declared)
    return declared
