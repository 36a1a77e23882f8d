"""The target of a run: instance, Region, account, sender; and what looks wrong about it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bulk.aws.connect import Connect, is_aws, region_of
from bulk.aws.lookups import applied_rate
from bulk.operations import at
from bulk.run.context import RunContext, RunRef
from bulk.run.environment import SANDBOX, endpoint_of
from bulk.run.rates import DEFAULT, QUOTAS

_ARN = re.compile(r"arn:aws[\w-]*:[\w-]+:([a-z0-9-]*):(\d*):[^\s\"']*")
_STARTER_ID = re.compile(r"([1-9])\1{7}-\1{4}-4\1{3}-8\1{3}-\1{12}")
_ACCOUNT = re.compile(r"\d{12}")
FOREIGN = re.compile(
    r"\{\{[^{}\n]{1,40}\}\}|\*\|[^|*\n]{1,40}\|\*|(?<![\w%/=.&?-])%%?[A-Za-z_]\w{2,39}%%?(?![\w%])|"
    r"\$\{\w{1,40}\}|(?<!\{)\{[A-Za-z_]\w{0,39}\}(?!\})|<<\w{1,40}>>"
)
"""Placeholders of other programs, as they stand in a text that is ready to go out."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a sending goes. `credentials` says where those come from, `account` whose they are, where that is known.

    `sender`, `flow` and `template` are as the campaign has them; `contacts` is the list's name. `rates` are calls a
    second by operation; `quotas` those that the account has, as far as it told.
    """

    instance: str
    region: str | None
    endpoint: str | None
    sender: str | None
    flow: str | None
    contacts: str
    profile: str | None = None
    account: str | None = None
    credentials: str | None = None
    rates: Mapping[str, float | str] = field(default_factory=dict)
    quotas: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_real(self) -> bool:
        """Whether that is Amazon Connect itself."""
        return self.endpoint is None or is_aws(self.endpoint)


def target_of(context: RunContext) -> Target:
    """Return where a campaign goes, as far as that is known without asking anybody."""
    endpoint, request = endpoint_of(context), context.campaign.request
    rates, channel, sandbox = context.rates, context.campaign.channel_facts, context.options.sandbox
    sender = at(request, *channel.SENDER.split("."))
    return Target(
        instance=context.instance,
        region=(endpoint.region or "us-east-1") if sandbox else region_of(endpoint),
        endpoint=SANDBOX if sandbox else endpoint.url,
        sender=None if sender is None else str(sender),
        flow=str(request["ContactFlowId"]) if request.get("ContactFlowId") else None,
        contacts=context.contacts.name,
        profile=None if sandbox else endpoint.profile,
        rates={
            name: "auto" if rates.is_auto(name) else rates.quota(name)[0] * context.options.rate_share
            for name in rates.made
        },
    )


async def identified(ref: RunRef, target: Target) -> Target:
    """Return the same with the account, and what it may do, asked for. Raises what keeps a client from being opened."""
    endpoint = endpoint_of(ref)
    async with Connect(endpoint, at_once=1) as connect:
        owner, source = await connect.account(), connect.credentials_from
        known = replace(target, region=connect.region, endpoint=connect.url, credentials=source)
    if not is_aws(known.endpoint or ""):
        return known
    asked = {name: await applied_rate(name, endpoint) for name in known.rates}
    quotas = {name: rate for name, rate in asked.items() if rate is not None}
    return replace(known, account=owner if _ACCOUNT.fullmatch(owner) else None, quotas=quotas)


def warnings_of(target: Target, tables: Mapping[str, Any]) -> Iterator[str]:
    """Yield what looks wrong with where a campaign goes."""
    texts = [(f"[{table}] {path}", text) for table, values in tables.items() for path, text in _texts(values, "")]
    starters = list(dict.fromkeys(path.partition("] ")[2] for path, text in texts if _STARTER_ID.search(text)))
    if starters and target.endpoint != SANDBOX:
        yield f"{', '.join(starters)}: ids of the starter, which are nobody's: put in those of your instance"
    for path, text in texts:
        for arn in _ARN.finditer(text):
            if arn[1] and target.region and arn[1] != target.region:
                yield f"{path} is in Region {arn[1]}, and the sending goes to {target.region}"
            if arn[2] and target.account and arn[2] != target.account:
                yield f"{path} belongs to account {arn[2]}, and these credentials to {target.account}"
    yield from _rates(target)


def _rates(target: Target) -> Iterator[str]:
    for name, rate in target.rates.items():
        quota, usual = target.quotas.get(name), QUOTAS.get(name, DEFAULT)[0]
        if isinstance(rate, str):
            continue
        if quota is not None and rate > quota:
            yield f"rate {rate:g}: above the account's quota for {name}, {quota:g} calls a second"
        elif quota is None and target.is_real and rate > usual:
            default = f"above AWS's default for {name}, {usual:g} a second"
            yield f"rate {rate:g}: {default}: right only where your quota was raised"


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield every text of nested parameters with its dotted path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _texts(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, path)
