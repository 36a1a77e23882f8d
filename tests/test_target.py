"""Where a sending goes, and what of that looks wrong: it …"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

import polars as pl
import pytest
from sandbox_runs import SMS

from bulk.campaign import Campaign
from bulk.run import target as module
from bulk.run.context import RunRef, open_campaign
from bulk.run.options import Options
from bulk.run.target import Target, identified, target_of, warnings_of

CHAT, STOP = "StartOutboundChatContact", "StopContact"
AWS = "https://connect.us-west-2.amazonaws.com"
TARGET = Target("i-1", "us-west-2", None, None, None, "june.csv", rates={CHAT: 2.0})
STARTER = "22222222-2222-4222-8222-222222222222"


def campaign(**changed: Any) -> Campaign:
    request = {**SMS, "InstanceId": "i-1", "ContactFlowId": "f-1", **changed.pop("request", {})}
    return Campaign(name="june", channel="sms", request=request, **changed)


def goes_to(source: Campaign, **options: Any) -> Target:
    frame = pl.DataFrame({"phone": ["+12065550100"], "name": ["Ann"], "key": ["a"]})
    return target_of(open_campaign(source, Options(contacts=frame, **options)))


def test_names_all_of_where_a_rehearsal_goes() -> None:
    expected = Target(
        instance="i-1",
        region="us-east-1",
        endpoint="sandbox",
        sender=SMS["SourceEndpoint"]["Address"],
        flow="f-1",
        contacts="frame",
        rates={CHAT: 3.0},
    )
    given: dict[str, Any] = {"pacing": {"rate": 6}, "at": {"profile": "shop"}}
    assert goes_to(campaign(**given), sandbox=True, rate_share=0.5) == expected
    there = goes_to(campaign(**given), sandbox=True, rate_share=0.5, region="eu-west-2")
    assert there == replace(expected, region="eu-west-2")


def test_names_what_the_campaign_says_of_where_a_run_goes() -> None:
    source = campaign(at={"profile": "shop", "region": "us-west-2"}, pacing={"rate": "auto"})
    assert goes_to(source, endpoint_url=AWS) == Target(
        instance="i-1",
        region="us-west-2",
        endpoint=AWS,
        sender=SMS["SourceEndpoint"]["Address"],
        flow="f-1",
        contacts="frame",
        profile="shop",
        rates={CHAT: "auto"},
    )


def test_knows_no_flow_where_a_request_needs_none() -> None:
    assert goes_to(campaign(request={"ContactFlowId": "{{ key }}"}), sandbox=True).flow == "{{ key }}"


@pytest.mark.parametrize(
    "endpoint, real", [(None, True), (AWS, True), ("http://127.0.0.1:9", False), ("sandbox", False)]
)
def test_is_real_where_that_is_amazon_connect_itself(endpoint: str | None, *, real: bool) -> None:
    assert replace(TARGET, endpoint=endpoint).is_real is real


# What looks wrong


def warned(target: Target = TARGET, **request: Any) -> list[str]:
    return [*warnings_of(target, {"request": request, "create_contact": {}})]


def test_warns_of_ids_of_the_starter_once_each_and_not_in_a_rehearsal() -> None:
    tables: Mapping[str, Any] = {
        "request": {"InstanceId": STARTER, "Flow": {"Id": f"flow/{STARTER}", "Other": [STARTER, 7, None]}},
        "create_contact": {"InstanceId": STARTER, "Id": "22222222-2222-4222-8222-222222222223"},
    }
    said = "InstanceId, Flow.Id, Flow.Other: ids of the starter, which are nobody's: put in those of your instance"
    assert [*warnings_of(TARGET, tables)] == [said]
    assert [*warnings_of(replace(TARGET, endpoint="sandbox"), tables)] == []


def test_warns_of_an_arn_of_another_region_or_account_wherever_it_stands() -> None:
    owned = replace(TARGET, account="111111111111")
    arn = "arn:aws:connect:{}:{}:instance/i"
    east, west = arn.format("us-east-1", "222222222222"), arn.format("us-west-2", "111111111111")
    assert warned(owned, Flow={"Arns": [west, f"{west} and {east}"]}) == [
        "[request] Flow.Arns is in Region us-east-1, and the sending goes to us-west-2",
        "[request] Flow.Arns belongs to account 222222222222, and these credentials to 111111111111",
    ]
    assert warned(owned, Arn=arn.format("", "")) == []
    assert warned(owned, Arn=arn.format("us-east-1", "")) == [
        "[request] Arn is in Region us-east-1, and the sending goes to us-west-2"
    ]
    assert warned(owned, Arn=arn.format("", "222222222222")) == [
        "[request] Arn belongs to account 222222222222, and these credentials to 111111111111"
    ]
    assert warned(TARGET, Arn=arn.format("us-west-2", "222222222222")) == []
    assert warned(replace(TARGET, region=None), Arn=east) == []


def test_warns_of_rates_above_what_the_account_or_any_account_has() -> None:
    def of(
        rates: Mapping[str, float | str], quotas: Mapping[str, float] | None = None, endpoint: str | None = None
    ) -> list[str]:
        return warned(replace(TARGET, rates=rates, quotas=quotas or {}, endpoint=endpoint))

    usual = f"rate 2.5: above AWS's default for {CHAT}, 2 a second: right only where your quota was raised"
    assert of({STOP: "auto", CHAT: 2.5}) == [usual]
    assert of({STOP: 10.0, CHAT: 2.0}) == []
    assert of({STOP: 10.5}) == [
        f"rate 10.5: above AWS's default for {STOP}, 10 a second: right only where your quota was raised"
    ]
    assert of({CHAT: 2.5}, endpoint="http://127.0.0.1:9") == []
    assert of({CHAT: 2.5}, {CHAT: 2.5}) == []
    assert of({CHAT: 2.5}, {CHAT: 2.25}) == [f"rate 2.5: above the account's quota for {CHAT}, 2.25 calls a second"]
    assert of({CHAT: 1.5}, {CHAT: 1.0}, "http://127.0.0.1:9") == [
        f"rate 1.5: above the account's quota for {CHAT}, 1 calls a second"
    ]


# Whose it is


class Client:
    """A client of Amazon Connect that knows whose credentials it has: AWS itself is not there to be asked."""

    url, region, credentials_from = AWS, "eu-west-2", "environment"

    def __init__(self, owner: str, url: str = AWS) -> None:
        self.owner, self.url = owner, url

    def __call__(self, _endpoint: Any, *, at_once: int) -> Self:
        assert at_once
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close nothing."""

    async def account(self) -> str:
        return self.owner


async def known(monkeypatch: pytest.MonkeyPatch, client: Client) -> Target:
    async def rate(name: str, _endpoint: Any) -> float | None:
        return {CHAT: 4.0}.get(name)

    monkeypatch.setattr(module, "Connect", client)
    monkeypatch.setattr(module, "applied_rate", rate)
    return await identified(RunRef(campaign(), Options()), replace(TARGET, rates={CHAT: 2.0, STOP: 2.0}))


async def test_asks_aws_whose_account_it_is_and_what_that_may_do(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = replace(
        TARGET,
        rates={CHAT: 2.0, STOP: 2.0},
        region="eu-west-2",
        endpoint=AWS,
        credentials="environment",
        account="111111111111",
        quotas={CHAT: 4.0},
    )
    assert await known(monkeypatch, Client("111111111111")) == expected
    assert await known(monkeypatch, Client("a key's id")) == replace(expected, account=None)


async def test_asks_nobody_else_for_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    told = await known(monkeypatch, Client("111111111111", "http://127.0.0.1:9"))
    assert (told.endpoint, told.account, told.quotas) == ("http://127.0.0.1:9", None, {})
    assert (told.region, told.credentials) == ("eu-west-2", "environment")
