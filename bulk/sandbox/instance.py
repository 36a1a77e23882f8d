"""Operations that read a declared instance. Source: their pages in the Amazon Connect API Reference."""

import json

from bulk.sandbox.directory import Thing
from bulk.sandbox.errors import ServiceError
from bulk.sandbox.inquiry import Asked, Members, not_found


def _instance(asked: Asked) -> Thing:
    found = asked.directory.find("instances", asked.id("InstanceId"))
    if found is None or (found["region"] and found["region"] != asked.region):
        not_found("INSTANCE")
    asked.directory.meet(str(found["id"]))
    return found


def describe_instance(asked: Asked) -> Members:
    found = _instance(asked)
    told = {
        "Id": found["id"],
        "Arn": asked.arn("connect", f"instance/{found['id']}"),
        "InstanceAlias": found["alias"],
        "InstanceStatus": found["status"],
    }
    return {"Instance": told | ({"StatusReason": {"Message": found["reason"]}} if found["reason"] else {})}


def describe_flow(asked: Asked) -> Members:
    instance = str(_instance(asked)["id"])
    found = asked.directory.find("flows", asked.id("ContactFlowId"), instance=instance)
    if found is None:
        not_found("CONTACT_FLOW")
    if found["status"] != "PUBLISHED" and not str(asked["ContactFlowId"]).endswith(":$SAVED"):
        raise ServiceError("ContactFlowNotPublishedException", "The flow has not been published.", status=404)
    ends = [{"Identifier": "1", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}]
    told = {
        "Id": found["id"],
        "Arn": asked.arn("connect", f"instance/{instance}/contact-flow/{found['id']}"),
        "Name": found["name"],
        "Type": found["type"],
        "State": found["state"],
        "Status": found["status"],
        "Content": json.dumps({"Version": "2019-10-30", "StartAction": "1", "Actions": ends if found["ends"] else []}),
    }
    return {"ContactFlow": told}


def describe_number(asked: Asked) -> Members:
    found = asked.directory.find("numbers", asked.id("PhoneNumberId"))
    if found is None:
        not_found("PHONE_NUMBER")
    instance = found["instance"] or asked.directory.instance
    told = {
        "PhoneNumberId": found["id"],
        "PhoneNumberArn": asked.arn("connect", f"phone-number/{found['id']}"),
        "PhoneNumber": found["number"],
        "PhoneNumberType": found["type"],
        "PhoneNumberStatus": {"Status": found["status"], "Message": found["message"]},
    }
    if instance:
        told |= {"InstanceId": instance, "TargetArn": asked.arn("connect", f"instance/{instance}")}
    source = found["source"]
    if source is None:
        source = asked.arn("sms-voice", f"phone-number/phone-{found['id']}")
    return {"ClaimedPhoneNumberSummary": told | ({"SourcePhoneNumberArn": source} if source else {})}


def search_addresses(asked: Asked) -> Members:
    instance = str(_instance(asked)["id"])
    wanted = ((asked.parameters.get("SearchCriteria") or {}).get("StringCondition") or {}).get("Value", "")
    found = asked.directory.find("addresses", wanted, instance=instance)
    told = [] if found is None else [_address(asked, instance, found)]
    return {"EmailAddresses": told, "ApproximateTotalCount": len(told)}


def _address(asked: Asked, instance: str, found: Thing) -> Members:
    arn = asked.arn("connect", f"instance/{instance}/email-address/{found['id']}")
    return {"EmailAddressId": found["id"], "EmailAddressArn": arn, "EmailAddress": found["address"]}


def describe_user(asked: Asked) -> Members:
    instance = str(_instance(asked)["id"])
    found = asked.directory.find("users", asked.id("UserId"), instance=instance)
    if found is None:
        not_found("USER")
    arn = asked.arn("connect", f"instance/{instance}/agent/{found['id']}")
    return {"User": {"Id": found["id"], "Arn": arn, "Username": found["name"]}}


def list_integrations(asked: Asked) -> Members:
    instance = str(_instance(asked)["id"])
    wanted = str(asked.parameters.get("integrationArn") or "").rpartition("/")[2]
    if asked.directory.is_declared("knowledge_bases"):
        things = asked.directory.all("knowledge_bases")
        names = [str(one["id"]) for one in things if one["instance"] in {"", instance}]
    else:
        names = [wanted] if wanted else []
    return {
        "IntegrationAssociationSummaryList": [
            {
                "InstanceId": instance,
                "IntegrationType": "Q_MESSAGE_TEMPLATES",
                "IntegrationArn": asked.arn("wisdom", f"knowledge-base/{name}"),
            }
            for name in names
            if not wanted or name == wanted
        ]
    }
