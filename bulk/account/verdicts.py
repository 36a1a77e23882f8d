"""Judgements on the resources of an account: pure functions of what its services answered."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bulk.account.finding import Finding, State
from bulk.account.question import Told
from bulk.account.references import TemplateReference, last_part
from bulk.text.plain import duration

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
_OTHERS = frozenset({"agent", "system", "customer", "customerprofile", "case"})
_ROLE = re.compile(r"arn:([a-z-]+):sts::(\d{12}):assumed-role/([^/]+)/.*")
DOCUMENTED = 2.0  # calls a second: "Amazon Connect service quotas", API throttling


def principal(arn: str) -> str | None:
    """Return whom IAM knows the caller as: of an assumed role the role itself; None for an account's root."""
    if role := _ROLE.fullmatch(arn):
        return f"arn:{role[1]}:iam::{role[2]}:role/{role[3]}"
    return None if arn.endswith(":root") else arn


def permission(subject: str, actions: Iterable[str], told: Told) -> Finding:
    """Judge what a simulation of the policies says."""
    results = {
        str(one.get("EvalActionName")): str(one.get("EvalDecision")) for one in told.get("EvaluationResults", ())
    }
    denied = [action for action in actions if results.get(action, "allowed") != "allowed"]
    if denied:
        said = f"denied by the policies of these credentials: {', '.join(denied)}"
        return Finding(subject, State.WRONG, said, "grant it: `bulk iam` prints the least policy")
    return Finding(subject, State.OK, "allowed")


def instance(told: Told) -> Finding:
    """Judge an instance."""
    found = told.get("Instance", {})
    status = str(found.get("InstanceStatus", "unknown"))
    if status == "ACTIVE":
        return Finding("instance", State.OK, f"{found.get('InstanceAlias', found.get('Id', ''))}, active")
    why = found.get("StatusReason", {}).get("Message")
    remedy = "wait until it is ready" if status == "CREATION_IN_PROGRESS" else "create it anew, or name another one"
    return Finding("instance", State.WRONG, f"it is {status}{f': {why}' if why else ''}", remedy)


def flow(open_for: float, told: Told) -> Finding:
    """Judge a flow: published, not archived, and one that a contact can begin in."""
    found = told.get("ContactFlow", {})
    name, kind = found.get("Name", ""), found.get("Type", "CONTACT_FLOW")
    if found.get("State") == "ARCHIVED":
        return Finding("flow", State.WRONG, f"{name} is archived", "restore it, or name another flow")
    if found.get("Status", "PUBLISHED") != "PUBLISHED":
        return Finding("flow", State.WRONG, f"{name} is not published", "publish the flow, then check again")
    if kind not in {"CONTACT_FLOW", "CAMPAIGN"}:
        said = f"{name} is of type {kind}, in which no contact begins"
        return Finding("flow", State.WRONG, said, "name a flow of type CONTACT_FLOW (inbound flow)")
    return Finding("flow", State.OK, f"{name}, published" + _unended(found.get("Content"), open_for))


def _unended(content: Any, open_for: float) -> str:
    """Return the words on a flow that never disconnects, as far as its content tells."""
    try:
        actions = json.loads(content)["Actions"] if content else None
        kinds = {str(one["Type"]) for one in actions} if actions is not None else {"DisconnectParticipant"}
    except (ValueError, TypeError, KeyError):
        return ""
    if "DisconnectParticipant" in kinds:
        return ""
    return f"; it has no Disconnect block, so each contact may stay open for {duration(open_for)}"


def number(wanted: str, told: Told, *, is_sms: bool) -> Finding:
    """Judge a number: claimed, of this instance, and for SMS from AWS End User Messaging."""
    found = told.get("ClaimedPhoneNumberSummary", {})
    said, status = str(found.get("PhoneNumber", "")), str(found.get("PhoneNumberStatus", {}).get("Status", "CLAIMED"))
    target = str(found.get("TargetArn") or found.get("InstanceId") or "")
    if status != "CLAIMED":
        why = found.get("PhoneNumberStatus", {}).get("Message")
        remedy = "wait until it is claimed" if status == "IN_PROGRESS" else "claim it anew"
        return Finding("number", State.WRONG, f"{said} is {status}{f': {why}' if why else ''}", remedy)
    if target and ":traffic-distribution-group/" not in target and last_part(target) != wanted != "*":
        told_of = f"{said} is of instance {last_part(target)}, not of {wanted}"
        return Finding("number", State.WRONG, told_of, "name a number of this instance, or move the number to it")
    if is_sms and not found.get("SourcePhoneNumberArn"):
        told_of = f"{said} is no number for SMS: it does not come from AWS End User Messaging"
        return Finding("number", State.WRONG, told_of, "name one that was imported from AWS End User Messaging SMS")
    return Finding("number", State.OK, f"{said}, of this instance" if target else f"{said}, claimed")


def sms_number(told: Told) -> Finding:
    """Judge what AWS End User Messaging says of a number: active, able to send SMS, two-way."""
    subject = "number for SMS"
    found = next(iter(told.get("PhoneNumbers", ())), None)
    if found is None:
        return Finding(subject, State.WRONG, "AWS End User Messaging does not have it", "import it anew")
    status, able = str(found.get("Status", "ACTIVE")), found.get("NumberCapabilities", ["SMS"])
    if status != "ACTIVE":
        return Finding(subject, State.WRONG, f"it is {status}", "finish its registration, and wait until it is active")
    if "SMS" not in able:
        return Finding(subject, State.WRONG, f"it can do {', '.join(able)} alone", "take a number that can do SMS")
    if not found.get("TwoWayEnabled", True):
        return Finding(
            subject, State.WRONG, "two-way SMS is off", "switch two-way SMS on, with Amazon Connect behind it"
        )
    return Finding(subject, State.OK, f"active, two-way, opt-out list {found.get('OptOutListName', 'unknown')}")


def address(wanted: str, told: Told) -> Finding:
    """Judge the search for an address of the instance."""
    found = {str(one.get("EmailAddress", "")).casefold() for one in told.get("EmailAddresses", ())}
    if wanted.casefold() in found:
        return Finding("address", State.OK, f"{wanted}, of this instance")
    return Finding(
        "address", State.WRONG, f"{wanted} is no address of this instance", "add it there, or name another one"
    )


def template(wanted: TemplateReference, told: Told) -> Iterator[Finding]:
    """Judge a message template: of this channel, active, and each of its attributes filled in."""
    found = told.get("messageTemplate", {})
    channel, name = str(found.get("channelSubtype") or wanted.channel), str(found.get("name", ""))
    if channel != wanted.channel:
        said = f"{name} is a template for {channel}, and this goes out as {wanted.channel}"
        yield Finding("template", State.WRONG, said, "name a template of this channel")
    elif found.get("isActive") is False and not wanted.template.rpartition(":")[2].isdecimal():
        yield Finding("template", State.WRONG, f"{name} has no active version", "activate a version of it")
    else:
        yield Finding("template", State.OK, f"{name}, for {channel}")
    yield _attributes(found, wanted)


def _attributes(found: Told, wanted: TemplateReference) -> Finding:
    subject = "attributes of the template"
    if wanted.attributes is None:
        return Finding(subject, State.UNCHECKED, "each row says for itself which it fills in")
    defaults = frozenset(map(str, (found.get("defaultAttributes") or {}).get("customAttributes") or {}))
    asked = frozenset(_placeholders(found.get("content")))
    if missing := sorted(asked - wanted.attributes - defaults):
        said = f"nothing fills in {', '.join(missing)}"
        return Finding(
            subject, State.WRONG, said, f"add to [request] {wanted.path}.TemplateAttributes.CustomAttributes"
        )
    unused = sorted(wanted.attributes - asked) if asked else []
    return Finding(subject, State.OK, "all filled in" + (f"; not asked for: {', '.join(unused)}" if unused else ""))


def _placeholders(content: Any) -> Iterator[str]:
    """Yield the custom attributes that a content asks for: `{{name}}`, `{{Attributes.Custom.name}}`."""
    if isinstance(content, str):
        for found in _PLACEHOLDER.findall(content):
            *kinds, name = found.split(".")
            if not _OTHERS & {kind.casefold() for kind in kinds}:
                yield name
    elif isinstance(content, Mapping):
        for value in content.values():
            yield from _placeholders(value)


def knowledge_base(arn: str, told: Told) -> Finding:
    """Judge whether the knowledge base of a template belongs to the instance."""
    subject = "templates of the instance"
    known = {str(one.get("IntegrationArn", "")) for one in told.get("IntegrationAssociationSummaryList", ())}
    if arn in known or last_part(arn) in map(last_part, known):
        return Finding(subject, State.OK, "the template's knowledge base is that of the instance")
    said = "the template's knowledge base is not that of the instance"
    return Finding(subject, State.WRONG, said, "name a template of this instance, or associate the knowledge base")


def user(subject: str, told: Told) -> Finding:
    """Judge a user, who is there."""
    return Finding(subject, State.OK, str(told.get("User", {}).get("Username", "there")))


def _value(told: Told) -> float:
    return float(told.get("Quota", {}).get("Value") or 0.0)


def rate(subject: str, wanted: float | None, told: Told) -> Finding:
    """Judge the rate that a campaign wants by that of the account."""
    return _rate(subject, _value(told), wanted)


def listed_rate(subject: str, operation: str, wanted: float | None, told: Told) -> Finding:
    """Judge it by the list of quotas, in which it is found by the name of its operation."""
    name = re.compile(rf"\b{operation}\b")
    found = next((one for one in told.get("Quotas", ()) if name.search(str(one.get("QuotaName", "")))), None)
    if found is not None:
        return _rate(subject, float(found.get("Value") or 0.0), wanted)
    over = f"; the campaign wants {wanted:g}" if wanted is not None and wanted > DOCUMENTED else ""
    said = f"Service Quotas does not list it; AWS documents {DOCUMENTED:g} a second for a new account{over}"
    return Finding(subject, State.UNCHECKED, said)


def _rate(subject: str, known: float, wanted: float | None) -> Finding:
    if wanted is None:
        return Finding(subject, State.OK, f"{known:g} a second; the campaign learns it")
    if wanted > known:
        said = f"the account has {known:g} a second, and the campaign wants {wanted:g}"
        return Finding(subject, State.WRONG, said, f"set [pacing] rate = {known:g}, or ask for more in Service Quotas")
    return Finding(subject, State.OK, f"{known:g} a second; the campaign wants {wanted:g}")


def open_contacts(subject: str, wanted: int | None, told: Told) -> Finding:
    """Judge how many contacts may be open at once."""
    known = _value(told)
    if wanted is None:
        said = f"the quota is {known:,.0f}; the campaign sets no bound of its own ([hold] open_contacts)"
        return Finding(subject, State.OK, said)
    if wanted > known:
        said = f"the quota is {known:,.0f}, and [hold] open_contacts is {wanted:,}"
        return Finding(subject, State.WRONG, said, f"set [hold] open_contacts = {known:.0f}, or ask for more")
    return Finding(subject, State.OK, f"the quota is {known:,.0f}; [hold] open_contacts is {wanted:,}")
