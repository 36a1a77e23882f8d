"""`[at]`: where a campaign says that it goes. It …"""

from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest
from aws_services import Pretended, pretending, sts, sts_refuses
from sandbox_runs import Runs, rows

import bulk
from bulk.ledger import Ledger
from bulk.sandbox import Sandbox

ROLE = "arn:aws:iam::123456789012:role/sender"
NOWHERE = "http://127.0.0.1:9"


async def sent(runs: Runs, at: dict[str, Any], keys: str = "ab", **options: Any) -> bulk.Run:
    runs.settings["at"] = at
    here: dict[str, Any] = {"state_dir": runs.folder / "state", "results": runs.folder / "results.csv"}
    return await bulk.send(runs.campaign, contacts=pl.DataFrame(rows(keys)), **here, **options)


def region_of(runs: Runs) -> str:
    ledger = Ledger.read(runs.folder / "state")
    assert ledger is not None
    with ledger:
        (known,) = ledger.runs()
        return known.identity.region


async def test_a_campaign_goes_where_it_says(runs: Runs) -> None:
    run = await sent(runs, {"endpoint_url": runs.sandbox.url, "region": "eu-west-2"})
    assert (run.summary.sent, region_of(runs)) == (2, "eu-west-2")
    assert len(runs.sandbox.contacts) == 2


async def test_options_win_over_it_and_it_over_the_environment(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "ca-central-1")
    at = {"endpoint_url": NOWHERE, "region": "eu-west-2", "profile": "nobody"}
    monkeypatch.setenv("AWS_CONFIG_FILE", str(runs.folder / "config"))
    (runs.folder / "config").write_text("[profile somebody]\naws_access_key_id = a\naws_secret_access_key = b\n")
    run = await sent(runs, at, endpoint_url=runs.sandbox.url, profile="somebody")
    assert (run.summary.sent, region_of(runs)) == (2, "eu-west-2")
    again = await sent(
        runs, {**at, "region": "eu-west-3"}, endpoint_url=runs.sandbox.url, profile="somebody", region="eu-west-2"
    )
    assert again.summary.sent_before == 2


async def test_a_profile_that_is_not_there_is_said_before_anything_is_sent(runs: Runs) -> None:
    with pytest.raises(bulk.CampaignError, match="nobody"):
        await sent(runs, {"endpoint_url": runs.sandbox.url, "region": "eu-west-2", "profile": "nobody"})


async def through_role(
    runs: Runs, tokens: Pretended, connect: Pretended, patch: pytest.MonkeyPatch, keys: str = "ab"
) -> bulk.Run:
    patch.setenv("AWS_ENDPOINT_URL_STS", tokens.url)
    patch.setenv("AWS_ACCESS_KEY_ID", "AKIDBASE")
    return await sent(runs, {"endpoint_url": connect.url, "region": "eu-west-2", "role_arn": ROLE}, keys)


async def test_a_role_is_assumed_with_the_credentials_at_hand(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    async with pretending(sts(3600)) as tokens, pretending() as connect:
        run = await through_role(runs, tokens, connect, monkeypatch)
    assert run.summary.sent == 2
    assert tokens.keys == ["AKIDBASE"]
    assert "RoleSessionName=bulk" in tokens.requests[0][3]
    assert set(connect.keys) == {"AKIDROLE1"}


async def test_a_role_that_ends_soon_is_assumed_again(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    runs.settings["pacing"] = {"rate": 2, "burst": 1}
    async with pretending(sts(3)) as tokens, pretending() as connect:
        run = await through_role(runs, tokens, connect, monkeypatch, keys="abcdef")
    assert (run.summary.sent, run.summary.calls) == (6, 6)
    assert {"AKIDROLE1", "AKIDROLE2"} <= set(connect.keys)


async def test_a_role_that_is_refused_is_said_with_what_to_look_at(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    async with pretending(sts_refuses("AccessDenied", 403)) as tokens, pretending() as connect:
        with pytest.raises(bulk.Halted, match=r"AssumeRole was refused \(AccessDenied: no\)\. Check role_arn .*\[at\]"):
            await through_role(runs, tokens, connect, monkeypatch)
    assert connect.requests == []


@pytest.mark.parametrize("at", [{"regoin": "eu-west-2"}, {"role_arn": "sender"}, {"region": ""}])
def test_a_key_or_a_role_that_cannot_be_is_an_error_of_the_campaign(at: dict[str, str]) -> None:
    with pytest.raises(bulk.CampaignError, match=rf"\[at\] {next(iter(at))}: "):
        bulk.Campaign(name="one", channel="sms", at=at)


async def test_campaigns_sent_together_go_each_to_its_own_place(runs: Runs) -> None:
    async with Sandbox(rate=1000, burst=1000) as other:
        settings = {**runs.settings, "folder": runs.folder}
        places: Sequence[tuple[str, str]] = (("one", runs.sandbox.url), ("two", other.url))
        campaigns = [
            bulk.Campaign(**{**settings, "name": name, "at": {"endpoint_url": url, "region": "us-west-2"}})
            for name, url in places
        ]
        ended = await bulk.send_all(campaigns, contacts=pl.DataFrame(rows("abc")))
        assert [run.summary.sent for run in ended] == [3, 3]
        assert (len(runs.sandbox.contacts), len(other.contacts)) == (3, 3)
