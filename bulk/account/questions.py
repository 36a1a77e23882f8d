"""The questions about an account that a campaign needs, in the order in which they are asked."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from bulk.account import quotas, verdicts
from bulk.account.finding import Finding, State
from bulk.account.permissions import Permission
from bulk.account.question import Question, Told
from bulk.account.references import ANY, References, TemplateReference, is_template, last_part

Asked = Iterator[Question | Finding]

_BY_ROW = "it is a template: each row says it for itself"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a run wants of the account: calls a second by operation (None: learned), and contacts open at once.

    `open_contacts` is the campaign's own bound, None where it has none; each stays open for `open_for` seconds unless
    its flow ends it. `contacts` is where the list is.
    """

    rates: Mapping[str, float | None] = field(default_factory=dict)
    open_contacts: int | None = None
    open_for: float = 0.0
    contacts: str | None = None


def questions(named: References, wanted: Wanted) -> Asked:
    """Yield what is to be asked, and what is known without asking."""
    yield from _region(named)
    yield from _instance(named)
    yield from _flow(named, wanted)
    yield from _number(named) if named.is_numbered else _address(named)
    yield from _template(named)
    yield from _users(named)
    yield from _quotas(named, wanted)


def simulation(principal: str, permission: Permission) -> Question:
    """Return the question whether a principal has a permission."""
    entries = [
        {"ContextKeyName": key, "ContextKeyValues": [value.lstrip(ANY)], "ContextKeyType": "string"}
        for keys in permission.conditions.values()
        for key, value in keys.items()
    ]
    parameters = {
        "PolicySourceArn": principal,
        "ActionNames": list(permission.actions),
        "ResourceArns": list(permission.resources),
        "ContextEntries": entries,
    }
    subject = f"permission {', '.join(permission.actions)}"
    judge = partial(verdicts.permission, subject, permission.actions)
    missing = ("IAM does not find whose credentials these are", None)
    return Question(subject, "iam", "SimulatePrincipalPolicy", parameters, judge, missing, State.UNCHECKED)


def _region(named: References) -> Asked:
    told, goes_to = named.arn_region, named.region
    if ANY not in {told, goes_to} and told != goes_to:
        said = f"the campaign names things in {told}, and is sent in {goes_to}"
        yield Finding("region", State.WRONG, said, f"give --region {told}, or set [at] region")


def _instance(named: References) -> Asked:
    if named.instance == ANY:
        yield Finding("instance", State.UNCHECKED, _BY_ROW)
        return
    missing = (f"there is no instance {named.instance} here", "check [request] InstanceId, the Region and the account")
    parameters = {"InstanceId": named.instance}
    yield Question("instance", "connect", "DescribeInstance", parameters, verdicts.instance, missing)


def _flow(named: References, wanted: Wanted) -> Asked:
    flow = named.flow
    if flow is None:
        return
    if is_template(flow):
        yield Finding("flow", State.UNCHECKED, _BY_ROW)
        return
    parameters = {"InstanceId": named.instance, "ContactFlowId": last_part(flow)}
    missing = (f"the instance has no flow {last_part(flow)}", "check [request] ContactFlowId")
    judge = partial(verdicts.flow, wanted.open_for)
    yield Question("flow", "connect", "DescribeContactFlow", parameters, judge, missing)


def _number(named: References) -> Asked:
    sender = named.sender
    if sender is None:
        return
    if is_template(sender):
        yield Finding("number", State.UNCHECKED, _BY_ROW)
        return
    is_sms = named.subtype == "connect:SMS"
    yield Question(
        "number",
        "connect",
        "DescribePhoneNumber",
        {"PhoneNumberId": last_part(sender)},
        partial(verdicts.number, named.instance, is_sms=is_sms),
        (f"there is no number {last_part(sender)} here", "check [request] SourceEndpoint.Address"),
        follows=_sms_number if is_sms else lambda _: (),
    )


def _sms_number(told: Told) -> Iterable[Question]:
    """Yield the question about a number to AWS End User Messaging, where it comes from there."""
    source = str(told.get("ClaimedPhoneNumberSummary", {}).get("SourcePhoneNumberArn") or "")
    if ":sms-voice:" in source:
        yield Question(
            "number for SMS",
            "pinpoint-sms-voice-v2",
            "DescribePhoneNumbers",
            {"PhoneNumberIds": [last_part(source)]},
            verdicts.sms_number,
            ("AWS End User Messaging does not have it", "import it anew into the instance"),
        )


def _address(named: References) -> Asked:
    sender = named.sender
    if sender is None:
        yield Finding("address", State.UNCHECKED, "none is named: that of the user's queue is taken")
        return
    if is_template(sender):
        yield Finding("address", State.UNCHECKED, _BY_ROW)
        return
    condition = {"FieldName": "EmailAddress", "Value": sender, "ComparisonType": "EXACT"}
    parameters = {"InstanceId": named.instance, "SearchCriteria": {"StringCondition": condition}}
    yield Question("address", "connect", "SearchEmailAddresses", parameters, partial(verdicts.address, sender))


def _template(named: References) -> Asked:
    found = named.template
    if found is None:
        return
    if is_template(found.template) or is_template(found.knowledge_base):
        yield Finding("template", State.UNCHECKED, _BY_ROW)
        return
    base, template = last_part(found.knowledge_base), last_part(found.template)
    yield Question(
        "template",
        "qconnect",
        "GetMessageTemplate",
        {"knowledgeBaseId": base, "messageTemplateId": template},
        partial(verdicts.template, found),
        (f"there is no message template {template}, or no active version of it", f"check [request] {found.path}"),
        follows=partial(_knowledge_base, named, found),
    )


def _knowledge_base(named: References, template: TemplateReference, told: Told) -> Iterable[Question]:
    """Yield the question whether a template's knowledge base is that of the instance."""
    arn = str(told.get("messageTemplate", {}).get("knowledgeBaseArn") or template.knowledge_base)
    parameters = {"InstanceId": named.instance, "IntegrationType": "Q_MESSAGE_TEMPLATES"}
    parameters |= {"IntegrationArn": arn} if arn.startswith("arn:") else {}
    judge = partial(verdicts.knowledge_base, arn)
    yield Question("templates of the instance", "connect", "ListIntegrationAssociations", parameters, judge)


def _users(named: References) -> Asked:
    for user in named.users:
        if is_template(user):
            yield Finding("user", State.UNCHECKED, _BY_ROW)
            continue
        subject, parameters = f"user {last_part(user)}", {"InstanceId": named.instance, "UserId": last_part(user)}
        missing = ("the instance has no such user", "check [create_contact] UserInfo.UserId")
        yield Question(subject, "connect", "DescribeUser", parameters, partial(verdicts.user, subject), missing)


def _quotas(named: References, wanted: Wanted) -> Asked:
    for operation in dict.fromkeys(named.operations.values()):
        yield _rate(operation, wanted.rates.get(operation))
    opens = next(iter(named.operations.values()))
    if opens in quotas.OPEN:
        code, what = quotas.OPEN[opens]
        yield _quota(f"open {what}", code, partial(verdicts.open_contacts, f"open {what}", wanted.open_contacts))


def _rate(operation: str, wanted: float | None) -> Question:
    subject, code = f"rate of {operation}", quotas.RATES.get(operation)
    if code is not None:
        return _quota(subject, code, partial(verdicts.rate, subject, wanted))
    judge = partial(verdicts.listed_rate, subject, operation, wanted)
    return Question(subject, "service-quotas", "ListServiceQuotas", {"ServiceCode": quotas.SERVICE}, judge)


def _quota(subject: str, code: str, judge: Callable[[Told], Finding]) -> Question:
    parameters = {"ServiceCode": quotas.SERVICE, "QuotaCode": code}
    missing = ("Service Quotas has no such quota here", None)
    return Question(subject, "service-quotas", "GetServiceQuota", parameters, judge, missing, State.UNCHECKED)
