"""Operations that read a declared account and change nothing.

Sources: the pages of the operations in the API References of Amazon Connect, Amazon Q in Connect, Service Quotas, AWS
End User Messaging SMS, Amazon SES and AWS STS, and for the resources the Service Authorization Reference.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bulk.sandbox import instance, policies
from bulk.sandbox.directory import Directory
from bulk.sandbox.errors import ServiceError
from bulk.sandbox.inquiry import MISSING, Asked, Members, not_found


def get_template(asked: Asked) -> Members:
    base, name = asked.id("knowledgeBaseId"), asked.id("messageTemplateId")
    if asked.directory.find("knowledge_bases", base) is None:
        not_found("KNOWLEDGE_BASE")
    found = asked.directory.find("templates", name, knowledge_base=base)
    if found is None:
        not_found("MESSAGE_TEMPLATE")
    if str(asked["messageTemplateId"]).endswith(":$ACTIVE_VERSION") and not found["active"]:
        raise ServiceError(MISSING, "The message template has no active version.", status=404)
    text = " ".join(f"{{{{{name}}}}}" for name in found["attributes"])
    told = {
        "messageTemplateId": found["id"],
        "messageTemplateArn": asked.arn("wisdom", f"message-template/{base}/{name}"),
        "knowledgeBaseId": base,
        "knowledgeBaseArn": asked.arn("wisdom", f"knowledge-base/{base}"),
        "name": "pretend",
        "content": _content(str(found["channel"]), text),
        "attributeTypes": ["CUSTOM"] if found["attributes"] else [],
        "isActive": found["active"],
        "versionNumber": found["version"],
        "messageTemplateContentSha256": "0" * 64,
    }
    return {"messageTemplate": told | ({"channelSubtype": found["channel"]} if found["channel"] else {})}


def _content(channel: str, text: str) -> Members:
    body = {"plainText": {"content": text}}
    return {"email": {"subject": "", "body": body}} if channel == "EMAIL" else {"sms": {"body": body}}


def get_quota(asked: Asked) -> Members:
    value = _quota(asked.directory, str(asked["QuotaCode"]))
    if value is None:
        raise ServiceError("NoSuchResourceException", "The specified quota does not exist.", status=400)
    return {"Quota": _told(str(asked["QuotaCode"]), value)}


_USUAL = {"L-408DD6C6": 2.0, "L-650BD10F": 10.0, "L-D4BA6F6E": 500.0, "L-B117F12F": 1000.0}
"""What a new account has, by the codes that are known."""


def _quota(directory: Directory, code: str) -> float | None:
    return directory.quotas.get(code) if directory.quotas is not None else _USUAL.get(code)


def _told(code: str, value: float) -> Members:
    name = code if not code.startswith("L-") else "Quota"
    return {"ServiceCode": "connect", "QuotaCode": code, "QuotaName": name, "Value": value}


def list_quotas(asked: Asked) -> Members:
    quotas = _USUAL if asked.directory.quotas is None else asked.directory.quotas
    return {"Quotas": [_told(code, value) for code, value in quotas.items() if value is not None]}


def get_caller(asked: Asked) -> Members:
    return {"UserId": asked.key, "Account": asked.account, "Arn": asked.who}


def simulate_policy(asked: Asked) -> Members:
    policy = asked.directory.key(asked.key)["policy"]
    context = {one["ContextKeyName"]: one["ContextKeyValues"][0] for one in asked.parameters.get("ContextEntries", [])}
    resources = asked.parameters.get("ResourceArns") or ["*"]
    return {
        "EvaluationResults": [
            {
                "EvalActionName": action,
                "EvalResourceName": resources[0],
                "EvalDecision": policies.allows(policy, action, resources, context),
            }
            for action in asked["ActionNames"]
        ]
    }


def describe_sms_numbers(asked: Asked) -> Members:
    names = [str(one).rpartition("/")[2] for one in asked.parameters.get("PhoneNumberIds") or []]
    found = [asked.directory.find("sms_numbers", name) for name in names]
    if None in found:
        raise ServiceError(MISSING, "The phone number was not found.", status=400)
    told = [
        {
            "PhoneNumberArn": asked.arn("sms-voice", f"phone-number/{one['id']}"),
            "PhoneNumberId": one["id"],
            "PhoneNumber": one["number"],
            "Status": one["status"],
            "NumberCapabilities": list(one["capabilities"]),
            "TwoWayEnabled": one["two_way"],
            "OptOutListName": one["opt_out_list"],
        }
        for one in found
        if one is not None
    ]
    return {"PhoneNumbers": told}


def opted_out(asked: Asked) -> Members:
    name = asked.id("OptOutListName")
    found = asked.directory.find("opt_out_lists", name)
    if found is None:
        raise ServiceError(MISSING, "The opt-out list was not found.", status=400)
    numbers = [{"OptedOutNumber": number, "EndUserOptedOut": True} for number in found["numbers"]]
    return {"OptOutListName": name, "OptedOutNumbers": numbers}


def suppressed_addresses(asked: Asked) -> Members:
    told = [
        {"EmailAddress": one["address"], "Reason": one["reason"], "LastUpdateTime": 0}
        for one in asked.directory.all("suppressed")
    ]
    return {"SuppressedDestinationSummaries": told}


@dataclass(frozen=True, slots=True)
class Read:
    """An operation that reads: the permission it asks for (none: everybody has it), on what, and how it answers."""

    action: str | None
    resources: Callable[[Asked], list[str]]
    answer: Callable[[Asked], Members]


def _anywhere(_: Asked) -> list[str]:
    return ["*"]


def _of(service: str, path: str, *members: str) -> Callable[[Asked], list[str]]:
    return lambda asked: [asked.arn(service, path.format(*map(asked.id, members)))]


_INSTANCE = _of("connect", "instance/{}", "InstanceId")

READS: Mapping[str, Mapping[str, Read]] = {
    "connect": {
        "DescribeInstance": Read("connect:DescribeInstance", _INSTANCE, instance.describe_instance),
        "DescribeContactFlow": Read(
            "connect:DescribeContactFlow",
            _of("connect", "instance/{}/contact-flow/{}", "InstanceId", "ContactFlowId"),
            instance.describe_flow,
        ),
        "DescribePhoneNumber": Read(
            "connect:DescribePhoneNumber", _of("connect", "phone-number/{}", "PhoneNumberId"), instance.describe_number
        ),
        "DescribeUser": Read(
            "connect:DescribeUser",
            _of("connect", "instance/{}/agent/{}", "InstanceId", "UserId"),
            instance.describe_user,
        ),
        "SearchEmailAddresses": Read("connect:SearchEmailAddresses", _INSTANCE, instance.search_addresses),
        "ListIntegrationAssociations": Read(
            "connect:ListIntegrationAssociations", _INSTANCE, instance.list_integrations
        ),
    },
    "wisdom": {
        "GetMessageTemplate": Read(
            "wisdom:GetMessageTemplate",
            lambda asked: [
                asked.arn("wisdom", f"knowledge-base/{asked.id('knowledgeBaseId')}"),
                asked.arn("wisdom", f"message-template/{asked.id('knowledgeBaseId')}/{asked.id('messageTemplateId')}"),
            ],
            get_template,
        )
    },
    "servicequotas": {
        "GetServiceQuota": Read("servicequotas:GetServiceQuota", _anywhere, get_quota),
        "ListServiceQuotas": Read("servicequotas:ListServiceQuotas", _anywhere, list_quotas),
    },
    "sms-voice": {
        "DescribePhoneNumbers": Read("sms-voice:DescribePhoneNumbers", _anywhere, describe_sms_numbers),
        "DescribeOptedOutNumbers": Read(
            "sms-voice:DescribeOptedOutNumbers", _of("sms-voice", "opt-out-list/{}", "OptOutListName"), opted_out
        ),
    },
    "ses": {
        "ListSuppressedDestinations": Read("ses:ListSuppressedDestinations", _anywhere, suppressed_addresses),
    },
    "sts": {"GetCallerIdentity": Read(None, _anywhere, get_caller)},
    "iam": {"SimulatePrincipalPolicy": Read("iam:SimulatePrincipalPolicy", _anywhere, simulate_policy)},
}
"""Signing name of a service → its operations that are served."""
