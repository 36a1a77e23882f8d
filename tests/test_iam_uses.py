"""The policies of commands besides `send`: with each its command succeeds, and without any one line of it fails."""

import copy
import json
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import boto3
import polars as pl
import pytest
from accounts import ALL, EMAIL, RIGHT, SMS
from buckets import client, served
from gates import Gate
from test_iam import without_a_line

import bulk
from bulk.errors import BulkError
from bulk.sandbox import Sandbox

PEOPLE = pl.DataFrame({"phone": ["+12065550100", "+12065550101"], "email": ["a@x.example", "b@x.example"], "name": "A"})
FAST: dict[str, Any] = {"rate": 10_000, "burst": 10_000}


@pytest.fixture(scope="module")
def aws() -> Iterator[tuple[Gate, str]]:
    gate = Gate()
    with served(gate) as url:
        client(url).create_bucket(Bucket="gated", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
        yield gate, url


class Trial:
    """A campaign that was sent, and commands of it under a policy."""

    def __init__(self, sandbox: Sandbox, gate: Gate, url: str, folder: Path) -> None:
        self.sandbox, self.gate, self.url, self.folder = sandbox, gate, url, folder
        self.options: dict[str, Any] = {
            "endpoint_url": sandbox.url,
            "region": "us-west-2",
            "contacts": PEOPLE,
            "state_dir": folder / "state",
            "results": folder / "results.csv",
        }
        self.allow(None)

    def allow(self, policy: dict[str, Any] | None, **more: Any) -> None:
        opt_outs = [{"name": "Default", "numbers": []}]
        keys = {"*": {"policy": policy or ALL}}
        self.sandbox.set_account({**copy.deepcopy(RIGHT), "opt_out_lists": opt_outs, "keys": keys, **more})
        self.gate.policy = policy

    async def needless(self, policy: dict[str, Any], works: Callable[[], Awaitable[bool]]) -> list[str]:
        """Return the actions without which the work succeeds still; with all of them it must."""
        self.allow(policy)
        assert await works()
        found = []
        for action, less in without_a_line(policy):
            self.allow(less)
            with suppress(BulkError):
                found += [action] if await works() else []
        self.allow(None)
        return found

    def forget(self, *tables: str) -> None:
        """Have the ledger know nothing of what was tracked or read."""
        with closing(sqlite3.connect(self.folder / "state" / "ledger.db")) as ledger, ledger:
            for table in tables or ("contact_end", "feedback", "event_object"):
                ledger.execute(f"DELETE FROM {table}")

    def event(self) -> str:
        return json.dumps({"contactId": self.sandbox.contacts[0]["ContactId"], "eventType": "INITIATED"})


@pytest.fixture
def trial(
    standing_sandbox: Sandbox, aws: tuple[Gate, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Trial]:
    for service in ("S3", "SQS"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", aws[1])
    monkeypatch.setattr("bulk.aws.inquiry.RATE", 1e6)
    yield Trial(standing_sandbox, *aws, tmp_path)
    aws[0].policy = None


async def test_to_ask_how_contacts_ended(trial: Trial) -> None:
    campaign = bulk.Campaign(**SMS)
    await bulk.send(campaign, **trial.options, **FAST)
    policy = await bulk.iam(campaign, uses="track", region="us-west-2")

    async def works() -> bool:
        trial.forget()
        return (await bulk.track(campaign, **trial.options, **FAST)).untracked == 0

    assert await trial.needless(policy, works) == []


@pytest.mark.parametrize("by", ["url", "arn"])
async def test_to_read_a_queue(trial: Trial, by: str) -> None:
    await bulk.send(bulk.Campaign(**SMS), **trial.options, **FAST)
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    sqs = boto3.client("sqs", endpoint_url=trial.url, region_name="us-west-2", **keys)
    url = sqs.create_queue(QueueName=f"gated-{time.time_ns()}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    campaign = bulk.Campaign(**SMS, track={"events": arn if by == "arn" else url, "suppress": []})
    policy = await bulk.iam(campaign, uses=["track"], region="us-west-2")

    async def works() -> bool:
        trial.forget()
        policy, trial.gate.policy = trial.gate.policy, None
        sqs.delete_queue(QueueUrl=url)
        sqs.create_queue(QueueName=url.rpartition("/")[2])
        for body in (trial.event(), '{"contactId": "another"}'):
            sqs.send_message(QueueUrl=url, MessageBody=body)
        trial.gate.policy = policy
        return (await bulk.track(campaign, **trial.options)).asked == 1

    assert await trial.needless(policy, works) == []


async def test_to_read_events_in_s3(trial: Trial) -> None:
    prefix = f"events-{time.time_ns()}/"
    campaign = bulk.Campaign(**SMS, track={"events": f"s3://gated/{prefix}"})
    await bulk.send(campaign, **trial.options, **FAST)
    client(trial.url).put_object(Bucket="gated", Key=f"{prefix}1", Body=trial.event().encode())
    policy = await bulk.iam(campaign, uses=["track"], region="us-west-2")

    async def works() -> bool:
        trial.forget()
        return (await bulk.track(campaign, **trial.options)).asked == 1

    assert await trial.needless(policy, works) == []


async def test_to_ask_about_rows_in_doubt(trial: Trial) -> None:
    campaign = bulk.Campaign(**SMS, doubt={"attribute": "bulk_row"}, retry={"attempts": 1}, list={"key": "phone"})
    lost = PEOPLE["phone"].to_list()[:1]
    trial.sandbox.set_faults({"rules": [{"fault": "drop_after", "destinations": lost}]})
    await bulk.send(campaign, **trial.options, **FAST)
    policy = await bulk.iam(campaign, uses=["resolve"], region="us-west-2")
    kept = (trial.folder / "state" / "ledger.db").read_bytes()

    async def works() -> bool:
        (trial.folder / "state" / "ledger.db").write_bytes(kept)
        told = await bulk.resolve(campaign, ask=True, wait=0.0, **trial.options, **FAST)
        return told.asked is not None and told.asked.found == 1

    assert await trial.needless(policy, works) == []
    assert (await bulk.iam(bulk.Campaign(**SMS), uses="resolve"))["Statement"] == []


async def test_to_keep_the_state_in_s3(trial: Trial) -> None:
    campaign = bulk.Campaign(**SMS)

    async def works() -> bool:
        place = f"s3://gated/state/{time.time_ns()}"
        run = await bulk.send(campaign, **{**trial.options, "state_dir": place}, **FAST)
        return run.summary.sent == 2

    policy = await bulk.iam(campaign, region="us-west-2", state_dir="s3://gated/state")
    assert await trial.needless(policy, works) == []


@pytest.mark.parametrize("campaign", [SMS, EMAIL], ids=["opt-outs", "SES"])
async def test_to_read_who_said_no(trial: Trial, campaign: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    wanted = {"opt_out_list": "auto"} if campaign is SMS else {"ses_suppression": True}
    made = bulk.Campaign(**{**campaign, "list": wanted})

    async def works() -> bool:
        caplog.clear()
        plan = await bulk.check(made, **trial.options)
        return not any("cannot be read" in note for note in plan.notes)

    whole = await bulk.iam(made, region="us-west-2")
    sending = {"connect:StartOutboundChatContact", "connect:CreateContact", "connect:StartOutboundEmailContact"}
    sending |= {"connect:StopContact"}
    reading = [one for one in whole["Statement"] if not sending & set(one["Action"])]
    assert await trial.needless({**whole, "Statement": reading}, works) == []


async def test_a_policy_holds_nothing_of_commands_that_it_is_not_for() -> None:
    marked = bulk.Campaign(**SMS, doubt={"attribute": "bulk_row"}, track={"events": "s3://gated/events/"})

    async def actions(**asked: Any) -> set[str]:
        policy = await bulk.iam(marked, **asked)
        return {action for one in policy["Statement"] for action in one["Action"]}

    assert await actions() == {"connect:StartOutboundChatContact"}
    assert await actions(uses="track") == {"s3:GetObject", "s3:ListBucket"}
    assert await actions(uses="suppress") == set()
    assert await actions(uses="resolve") == {"connect:SearchContacts", "connect:GetContactAttributes"}
    with pytest.raises(bulk.CampaignError, match="not 'sned'"):
        await actions(uses=["sned"])
