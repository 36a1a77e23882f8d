"""May a call change contacts in a declared account? Decided by its policies and its resources."""

from collections.abc import Mapping
from typing import Any

from bulk.sandbox.inquiry import Asked, last_part, not_found
from bulk.sandbox.services import Services
from bulk.sandbox.wire import signature

_USER_OPERATIONS = frozenset({"CreateContact"})


def admit(services: Services, authorization: str | None, operation: str, parameters: Mapping[str, Any]) -> None:
    """Raise `ServiceError` where the key may not make the call, or the call names what is not there."""
    directory = services.directory
    if not directory.given:
        if "InstanceId" in parameters:
            directory.meet(last_part(parameters["InstanceId"]))
        return
    signed = signature(authorization)
    if signed is None:
        return
    asked = services.ask(signed, parameters)
    if "InstanceId" not in parameters:  # of message templates, which are signed for as `wisdom`
        services.authorize(authorization, f"wisdom:{operation}", _template(asked), {})
        return
    instance = asked.id("InstanceId")
    services.authorize(authorization, f"connect:{operation}", [_resource(asked, instance)], _context(parameters))
    directory.meet(instance)
    _check_things(asked, operation, instance)


def _template(asked: Asked) -> list[str]:
    base, template = (str(asked.parameters.get(name, "*")) for name in ("knowledgeBaseId", "messageTemplateId"))
    return [asked.arn("wisdom", f"knowledge-base/{base}"), asked.arn("wisdom", f"message-template/{base}/{template}")]


def _resource(asked: Asked, instance: str) -> str:
    contact = asked.parameters.get("ContactId", "*")
    return asked.arn("connect", f"instance/{instance}/contact/{contact}")


def _context(parameters: Mapping[str, Any]) -> dict[str, str]:
    subtype = ((parameters.get("SegmentAttributes") or {}).get("connect:Subtype") or {}).get("ValueString")
    context = {"connect:InstanceId": str(parameters["InstanceId"])}
    return context | ({"connect:Subtype": subtype} if subtype else {})


def _check_things(asked: Asked, operation: str, instance: str) -> None:
    directory, parameters = asked.directory, asked.parameters
    found = directory.find("instances", instance)
    if found is None or (found["region"] and found["region"] != asked.region) or found["status"] != "ACTIVE":
        not_found("INSTANCE")
    if "ContactFlowId" in parameters and directory.find("flows", asked.id("ContactFlowId"), instance=instance) is None:
        not_found("CONTACT_FLOW")
    number = (parameters.get("SourceEndpoint") or {}).get("Address", "").rpartition("/")[2]
    if number and directory.find("numbers", number, instance=instance) is None:
        not_found("PHONE_NUMBER")
    user = (parameters.get("UserInfo") or {}).get("UserId")
    if operation in _USER_OPERATIONS and user and directory.find("users", user, instance=instance) is None:
        not_found("USER")
