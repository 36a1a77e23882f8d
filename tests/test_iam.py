"""The least policy of a campaign: with it a run succeeds, and without any one line of it the run fails."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from accounts import EMAIL, INBOUND, OTHER, RIGHT, SMS, WHATSAPP
from cli_runs import bulk as cli

import bulk
from bulk.errors import BulkError
from bulk.sandbox import Sandbox

FRAME = pl.DataFrame({"phone": ["+12065550100"], "email": ["ann@example.com"], "name": ["Ann"]})
CSV = FRAME.write_csv()
LISTED = {**SMS, "contacts": "s3://campaigns/today/list.csv", "list": {"opt_out_list": "Default"}}
SEVERAL = {**SMS, "contacts": "s3://campaigns/today/*.csv"}
CAMPAIGNS = {
    "sms": SMS,
    "whatsapp": WHATSAPP,
    "email": EMAIL,
    "email, not stopped": {name: value for name, value in EMAIL.items() if name != "stop_contact"},
    "inbound": INBOUND,
    "listed": LISTED,
    "several": SEVERAL,
}


@pytest.fixture
async def enforcing(standing_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    for service in ("S3", "PINPOINT_SMS_VOICE_V2"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", standing_sandbox.url)
    return standing_sandbox


def allow(sandbox: Sandbox, policy: dict[str, Any]) -> None:
    buckets = [{"name": "campaigns", "objects": {"today/list.csv": CSV, "yesterday/list.csv": CSV}}]
    opt_outs = [{"name": "Default", "numbers": []}]
    sandbox.set_account({**RIGHT, "buckets": buckets, "opt_out_lists": opt_outs, "keys": {"*": {"policy": policy}}})


async def failed(sandbox: Sandbox, campaign: dict[str, Any], folder: Path, caplog: pytest.LogCaptureFixture) -> bool:
    """Send, and return whether something of it failed: the run, or the ending of a contact that it asked for."""
    caplog.clear()
    contacts = {} if "contacts" in campaign else {"contacts": FRAME}
    options: dict[str, Any] = {"endpoint_url": sandbox.url, "region": "us-west-2", "state_dir": folder, **contacts}
    options["results"] = folder / "results.csv"
    try:
        run = await bulk.send(bulk.Campaign(**campaign), **options)
    except BulkError:
        return True
    return run.exit_code != 0 or run.summary.sent != 1 or "could not be stopped" in caplog.text


def without_a_line(policy: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for place, statement in enumerate(policy["Statement"]):
        for action in statement["Action"]:
            less = copy.deepcopy(policy)
            less["Statement"][place]["Action"].remove(action)
            yield action, less


@pytest.mark.parametrize("name", CAMPAIGNS)
async def test_with_the_policy_a_run_succeeds_and_without_any_line_of_it_fails(
    name: str, enforcing: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    campaign = CAMPAIGNS[name]
    policy = await bulk.iam(bulk.Campaign(**campaign), region="us-west-2")
    allow(enforcing, policy)
    assert not await failed(enforcing, campaign, tmp_path / "whole", caplog)
    needless = []
    for action, less in without_a_line(policy):
        allow(enforcing, less)
        if not await failed(enforcing, campaign, tmp_path / action.replace(":", "-"), caplog):
            needless.append(action)
    assert needless == []


async def test_a_policy_lets_nobody_write_from_another_instance_or_over_another_channel(
    enforcing: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    allow(enforcing, await bulk.iam(bulk.Campaign(**SMS), region="us-west-2"))
    elsewhere = {**SMS, "request": {**SMS["request"], "InstanceId": OTHER}}
    assert await failed(enforcing, elsewhere, tmp_path / "instance", caplog)
    assert await failed(enforcing, WHATSAPP, tmp_path / "channel", caplog)


async def test_with_account_it_holds_what_the_examination_reads_and_nothing_is_unchecked(enforcing: Sandbox) -> None:
    for campaign in (SMS, EMAIL):
        allow(enforcing, await bulk.iam(bulk.Campaign(**campaign), account=True, region="us-west-2"))
        options: dict[str, Any] = {"contacts": FRAME, "endpoint_url": enforcing.url, "region": "us-west-2"}
        plan = await bulk.check(bulk.Campaign(**campaign), account=True, **options)
        assert {one.state.value for one in plan.account} == {"ok"}


def test_the_command_prints_the_same_each_time(tmp_path: Path) -> None:
    cli("init", "email", "mine", cwd=tmp_path)
    first, again = (cli("iam", "mine/campaign.toml", cwd=tmp_path) for _ in range(2))
    assert first.code == 0
    assert first.out == again.out
    actions = [action for one in first.json["Statement"] for action in one["Action"]]
    assert actions == ["connect:CreateContact", "connect:StartOutboundEmailContact", "connect:StopContact"]
