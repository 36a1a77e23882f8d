"""The IAM actions that a campaign needs, each with its resources, and no more than that.

The resources are those of the Service Authorization Reference ("Actions, resources, and condition keys for Amazon
Connect", and its sisters). Where a type of resource is not certain for an action, the action is bound by condition
keys instead: to the instance, and to the kind of contact.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bulk.account import quotas
from bulk.account.references import ANY, References, is_template, last_part

_PATTERN = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Permission:
    """Some actions on some resources, under conditions (test → key → value), and what they are for."""

    name: str
    actions: tuple[str, ...]
    resources: tuple[str, ...] = (ANY,)
    conditions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def to_send(named: References, contacts: str | None) -> list[Permission]:
    """Return what sending takes. `contacts` is where the list is."""
    return [*_calls(named), *_stops(named), *reading_list(contacts), *_opt_outs(named)]


def to_check(named: References) -> list[Permission]:
    """Return what the examination of the account takes besides."""
    instance = f"instance/{named.instance}"
    found = [_reading("ReadInstance", "connect:DescribeInstance", named.arn("connect", instance))]
    if named.flow:
        flow = named.arn("connect", f"{instance}/contact-flow/{_known(named.flow)}")
        found.append(_reading("ReadFlow", "connect:DescribeContactFlow", flow))
    found += [*_of_sender(named, instance), *_of_users(named, instance), *_of_template(named, instance)]
    found += [Permission("ReadQuotas", actions)] if (actions := _of_quotas(named)) else []
    return [*found, Permission("ReadOwnPermissions", ("iam:SimulatePrincipalPolicy",))]


def _of_quotas(named: References) -> tuple[str, ...]:
    """Return the actions by which quotas are asked for: by their codes, or by name where no code is known."""
    made = list(named.operations.values())
    by_code = made[0] in quotas.OPEN or any(name in quotas.RATES for name in made)
    by_name = any(name not in quotas.RATES for name in made)
    asked = {"servicequotas:GetServiceQuota": by_code, "servicequotas:ListServiceQuotas": by_name}
    return tuple(action for action, is_used in asked.items() if is_used)


def _calls(named: References) -> Iterator[Permission]:
    """Yield the permission of each operation that opens a contact or sends a message."""
    for operation in named.operations.values():
        if operation == "StopContact":
            continue
        wanted = {} if named.instance == ANY else {"connect:InstanceId": f"*{named.instance}"}
        chat = operation == "StartOutboundChatContact" and named.subtype and not is_template(named.subtype)
        if chat:
            wanted["connect:Subtype"] = str(named.subtype)
        conditions = {"StringLike": wanted} if wanted else {}
        yield Permission(operation, (f"connect:{operation}",), conditions=conditions)


def _stops(named: References) -> Iterator[Permission]:
    if "StopContact" in named.operations.values():
        contacts = named.arn("connect", f"instance/{named.instance}/contact/*")
        yield Permission("StopContact", ("connect:StopContact",), (contacts,))


def reading_list(contacts: str | None) -> Iterator[Permission]:
    """Yield what reading a list in S3 takes."""
    if contacts is None or not contacts.startswith("s3://"):
        return
    bucket, _, key = contacts.removeprefix("s3://").partition("/")
    several = key.endswith("/") or bool(_PATTERN & set(last_part(key)))
    prefix = key[: key.rindex("/") + 1] if "/" in key else ""
    yield Permission("ReadList", ("s3:GetObject",), (f"arn:aws:s3:::{bucket}/{prefix + ANY if several else key}",))
    if several:
        conditions = {"StringEquals": {"s3:prefix": prefix}} if prefix else {}
        yield Permission("FindLists", ("s3:ListBucket",), (f"arn:aws:s3:::{bucket}",), conditions)


def _opt_outs(named: References) -> Iterator[Permission]:
    table = named.campaign.contact_list
    name = table.opt_out_list
    if table.ses_suppression:
        yield Permission("ReadSuppressed", ("ses:ListSuppressedDestinations",))
    if name == "auto":
        yield from _own_opt_outs(named)
    elif name:
        opt_outs = name if name.startswith("arn:") else named.arn("sms-voice", f"opt-out-list/{name}")
        yield Permission("ReadOptOuts", ("sms-voice:DescribeOptedOutNumbers",), (opt_outs,))


def _own_opt_outs(named: References) -> Iterator[Permission]:
    """Yield what finding and reading the opt-out list of the sending number takes."""
    if named.subtype != "connect:SMS" or not named.sender:
        return
    if ":connect:" in named.sender:
        yield _reading("FindNumber", "connect:DescribePhoneNumber", named.sender)
    yield Permission("FindOptOuts", ("sms-voice:DescribePhoneNumbers",))
    every = named.arn("sms-voice", f"opt-out-list/{ANY}")
    yield _reading("ReadOptOuts", "sms-voice:DescribeOptedOutNumbers", every)


def _of_sender(named: References, instance: str) -> Iterator[Permission]:
    if not named.sender:
        return
    if not named.is_numbered:
        yield _reading("FindAddress", "connect:SearchEmailAddresses", named.arn("connect", instance))
        return
    is_known = named.sender.startswith("arn:") and not is_template(named.sender)
    number = named.sender if is_known else named.arn("connect", f"phone-number/{_known(named.sender)}")
    yield _reading("ReadNumber", "connect:DescribePhoneNumber", number)
    if named.subtype == "connect:SMS":
        yield Permission("ReadSmsNumber", ("sms-voice:DescribePhoneNumbers",))


def _of_users(named: References, instance: str) -> Iterator[Permission]:
    known = sorted({_known(user) for user in named.users})
    if known:
        users = tuple(named.arn("connect", f"{instance}/agent/{user}") for user in known)
        yield Permission("ReadUsers", ("connect:DescribeUser",), users)


def _of_template(named: References, instance: str) -> Iterator[Permission]:
    found = named.template
    if found is None:
        return
    base, template = _known(found.knowledge_base), _known(found.template).partition(":")[0]
    resources = (
        named.arn("wisdom", f"knowledge-base/{base}"),
        named.arn("wisdom", f"message-template/{base}/{template}"),
    )
    yield Permission("ReadTemplate", ("wisdom:GetMessageTemplate",), resources)
    yield _reading("FindTemplates", "connect:ListIntegrationAssociations", named.arn("connect", instance))


def _known(text: str) -> str:
    return ANY if is_template(text) else last_part(text)


def _reading(name: str, action: str, resource: str) -> Permission:
    return Permission(name, (action,), (resource,))
