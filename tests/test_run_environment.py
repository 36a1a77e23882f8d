"""Where a run goes (`run.environment`): it …"""

from pathlib import Path
from typing import Any

import pytest
from run_refs import AT, ROLE, ref
from sandbox_runs import DRAFT, EMAIL

from bulk.aws.connect import Connect, Endpoint
from bulk.errors import CampaignError
from bulk.run.context import RunRef
from bulk.run.environment import (
    applied_rates,
    endpoint_of,
    rate_owner,
)


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")


# The endpoint


def test_takes_the_machines_own_settings_where_nothing_is_said() -> None:
    assert endpoint_of(ref()) == Endpoint()


def test_goes_where_the_campaign_says() -> None:
    assert endpoint_of(ref({"at": AT})) == Endpoint("https://campaign.example", "eu-west-2", "campaign", role_arn=ROLE)


def test_goes_where_the_options_say_whatever_the_campaign_does() -> None:
    options: dict[str, Any] = {
        "endpoint_url": "http://option.example",
        "region": "us-east-1",
        "profile": "option",
        "ca_bundle": "ca.pem",
        "connect_timeout": 3.0,
        "read_timeout": 4.0,
        "allow_http": True,
    }
    assert endpoint_of(ref({"at": AT}, **options)) == Endpoint(
        "http://option.example", "us-east-1", "option", Path("ca.pem"), 3.0, 4.0, allow_http=True, role_arn=ROLE
    )


@pytest.mark.parametrize(
    "option, at, region",
    [(None, None, "ca-central-1"), (None, "eu-west-2", "eu-west-2"), ("us-east-1", "eu-west-2", "us-east-1")],
)
def test_takes_the_region_of_the_option_else_of_the_campaign_else_of_the_environment(
    option: str | None, at: str | None, region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "ca-central-1")
    assert endpoint_of(ref({"at": {"region": at}}, region=option)).region == region


@pytest.mark.parametrize("region", ["us-west-2", "us-gov-west-1", "ap-southeast-12", "us-iso-east-1"])
def test_knows_what_a_region_looks_like(region: str) -> None:
    assert endpoint_of(ref(region=region)).region == region


@pytest.mark.parametrize("region", ["mars", "us-west", "US-WEST-2", "us-west-2a", "u-west-2", "useast1"])
@pytest.mark.parametrize("said_by", ["option", "campaign", "environment"])
def test_refuses_a_region_that_can_be_none(region: str, said_by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if said_by == "environment":
        monkeypatch.setenv("AWS_REGION", region)
    one = (
        ref({"at": {"region": region}})
        if said_by == "campaign"
        else ref(region=region if said_by == "option" else None)
    )
    with pytest.raises(CampaignError) as raised:
        endpoint_of(one)
    assert str(raised.value) == f"{region!r} is no AWS Region: give one such as us-west-2 (--region, AWS_REGION, [at])"


def test_takes_any_name_for_the_region_of_an_endpoint_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for one in (
        ref(endpoint_url="http://x", region="mars"),
        ref({"at": {"endpoint_url": "http://x", "region": "mars"}}),
    ):
        assert endpoint_of(one).region == "mars"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://x")
    assert endpoint_of(ref(region="mars")).region == "mars"


# Whose rate it is


@pytest.mark.parametrize(
    "url, owner",
    [
        ("sandbox", ("sandbox", "us-west-2")),
        ("http://127.0.0.1:9", ("x", "http://127.0.0.1:9", "us-west-2")),
    ],
)
async def test_keeps_the_rate_of_an_account_at_an_endpoint_in_a_region(url: str, owner: tuple[str, ...]) -> None:
    async with Connect(Endpoint("http://127.0.0.1:9", "us-west-2"), at_once=1) as connect:
        assert await rate_owner(connect, (url, "us-west-2")) == owner


async def test_shares_the_rate_of_an_account_at_all_endpoints_of_aws() -> None:
    class Account:
        async def account(self) -> str:
            return "123456789012"

    connect: Any = Account()
    place = "https://connect.us-west-2.amazonaws.com", "us-west-2"
    assert await rate_owner(connect, place) == ("123456789012", "", "us-west-2")


@pytest.mark.parametrize(
    "one", [ref(sandbox=True), ref(endpoint_url="http://127.0.0.1:9"), ref(sandbox=True, region="us-west-2")]
)
async def test_asks_no_quota_of_a_sandbox_or_an_endpoint_of_ones_own(one: RunRef) -> None:
    assert await applied_rates(one) == {}


async def test_asks_for_the_quota_of_what_is_learned_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, Endpoint]] = []

    async def applied(name: str, endpoint: Endpoint) -> float:
        asked.append((name, endpoint))
        return 7.0

    monkeypatch.setattr("bulk.run.environment.applied_rate", applied)
    mails = {"channel": "email", "request": EMAIL, "create_contact": DRAFT}
    one = ref(mails | {"pacing": {"rate": 3, "CreateContact": {"rate": "auto"}}}, region="us-west-2")
    assert await applied_rates(one) == {"CreateContact": 7.0}
    assert asked == [("CreateContact", endpoint_of(one))]
