"""The account that the sandbox pretends: what it tells of itself, and its no in AWS's own form."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from accounts import INSTANCE, RIGHT
from botocore.exceptions import ClientError
from cli_runs import Service
from cli_runs import bulk as cli
from sandbox_requests import CHAT

from bulk.aws.connect import Endpoint
from bulk.aws.inquiry import Inquiry
from bulk.errors import CallFailed
from bulk.sandbox import Sandbox
from bulk.sandbox.directory import Directory
from bulk.sandbox.policies import allows

FLOW = {"InstanceId": INSTANCE, "ContactFlowId": "flow-1"}


@pytest.fixture
async def inquiry(standing_sandbox: Sandbox) -> AsyncIterator[Inquiry]:
    async with Inquiry(Endpoint(standing_sandbox.url, "us-west-2")) as opened:
        yield opened


# Declaring it


@pytest.mark.parametrize(
    "given, said",
    [
        ({"flow": []}, "account.flow: there is no such key; there are account, quotas, keys, instances"),
        ({"flows": {}}, "account.flows: must be a list of objects"),
        ({"flows": [{"id": "f", "kind": "x"}]}, "flows[0].kind: there is no such key; there are id, instance"),
        ({"flows": [{"name": "x"}]}, "account.flows[0].id: must be a text, is None"),
        ({"keys": {"A": {"status": "old"}}}, "account.keys.A.status: there are active, expired, unknown"),
        ({"quotas": {"L-1": "two"}}, "account.quotas: must be an object of numbers"),
        ({"account": "12345"}, "account.account: an account is 12 digits, '12345' is not"),
        ({"buckets": [{"name": "b", "objects": ["a.csv"]}]}, "account.buckets[0].objects: must be an object"),
        ({"sms_numbers": [{"id": "n", "two_way": "no"}]}, "account.sms_numbers[0].two_way: must be true or false"),
        ({"sms_numbers": [{"id": "n", "capabilities": "SMS"}]}, "sms_numbers[0].capabilities: must be a list"),
        ({"templates": [{"id": "t", "version": True}]}, "account.templates[0].version: must be a whole number"),
    ],
)
def test_a_wrong_declaration_says_where_and_what_there_is(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        Directory(given)


@pytest.mark.parametrize(
    "policy, said",
    [
        ("ReadOnly", "a policy is an object with Statement"),
        ({"Statements": []}, "a policy is an object with Statement"),
        ({"Statement": "Allow"}, "Statement: must be an object, is 'Allow'"),
        (
            {"Statement": {"Effect": "allow", "Action": "*", "Resource": "*"}},
            "Effect: must be Allow or Deny, is 'allow'",
        ),
        ({"Statement": [{"Effect": "Allow", "Action": "*"}]}, "Statement: needs either Resource or NotResource"),
        (
            {"Statement": {"Effect": "Allow", "Action": "*", "NotAction": "*", "Resource": "*"}},
            "Statement: needs either Action or NotAction",
        ),
        (
            {"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"IpAddress": {}}}},
            "Condition.IpAddress: is not known here; there are StringEquals",
        ),
        (
            {"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringLike": "x"}}},
            "Condition.StringLike: must be an object, is 'x'",
        ),
    ],
)
def test_a_policy_that_would_not_do_as_it_says_is_refused(policy: Any, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"account.keys.A.policy: {said}")):
        Directory({"keys": {"A": {"policy": policy}}})


def test_the_command_says_what_is_wrong_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("[[flows]]\nname = 1")
    assert "account.flows[0].id: must be a text" in cli("sandbox", "--account-file", "a.toml", cwd=tmp_path).err
    ended = cli("sandbox", "--account-file", "none.toml", cwd=tmp_path)
    assert (ended.code, "none.toml: No such file" in ended.err) == (2, True)


def test_it_is_declared_anew_at_run_time_and_refuses_what_is_wrong(sandbox: Service) -> None:
    declared = {"flows": [{"id": "f"}]}
    assert sandbox.ask("account", "PUT", declared) == sandbox.ask("account") == declared
    assert sandbox.ask("account", "PUT", {}) == {}


# What it tells


async def test_of_an_account_that_nobody_declared_everything_is_there(inquiry: Inquiry) -> None:
    told = await inquiry.ask("connect", "DescribeContactFlow", FLOW)
    assert told["ContactFlow"]["Status"] == "PUBLISHED"


async def test_of_a_declared_kind_only_what_is_declared_is_there(inquiry: Inquiry, standing_sandbox: Sandbox) -> None:
    standing_sandbox.set_account({"flows": [{"id": "another"}]})
    with pytest.raises(CallFailed) as error:
        await inquiry.ask("connect", "DescribeContactFlow", FLOW)
    assert (error.value.code, error.value.status) == ("ResourceNotFoundException", 404)
    assert standing_sandbox.asked["DescribeContactFlow"] == 1


async def test_a_call_that_names_what_is_not_there_starts_nothing(sandbox: Service) -> None:
    import boto3  # noqa: PLC0415 - it takes a while, and few tests need it

    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "us-west-2"}
    connect = boto3.client("connect", endpoint_url=sandbox.url, **keys)
    sandbox.ask("account", "PUT", {"users": [], "numbers": [{"id": "mine"}]})
    try:
        with pytest.raises(ClientError, match="Resource not found of Type: PHONE_NUMBER"):
            connect.start_outbound_chat_contact(**CHAT)
    finally:
        sandbox.ask("account", "PUT", {})
    assert sandbox.contacts == []


async def test_a_reading_operation_keeps_the_rate_that_aws_gives_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setattr("bulk.aws.inquiry.RATE", 1e6)
    monkeypatch.setattr("bulk.aws.inquiry.ATTEMPTS", 1)
    async with Sandbox() as sandbox, Inquiry(Endpoint(sandbox.url, "us-west-2")) as opened:
        for _ in range(5):
            await opened.ask("connect", "DescribeInstance", {"InstanceId": INSTANCE})
        with pytest.raises(CallFailed, match="ThrottlingException"):
            await opened.ask("connect", "DescribeInstance", {"InstanceId": INSTANCE})


# Policies


@pytest.mark.parametrize(
    "statement, decision",
    [
        ({"Effect": "Allow", "Action": "connect:Start*", "Resource": "*"}, "allowed"),
        (
            {"Effect": "Allow", "Action": ["CONNECT:startflow"], "Resource": "arn:aws:connect:*:1:instance/a*"},
            "allowed",
        ),
        ({"Effect": "Allow", "Action": "*", "Resource": "arn:aws:connect:*:1:instance/b*"}, "implicitDeny"),
        ({"Effect": "Allow", "NotAction": "connect:Stop*", "Resource": "*"}, "allowed"),
        ({"Effect": "Allow", "NotAction": "connect:*", "Resource": "*"}, "implicitDeny"),
        ({"Effect": "Deny", "Action": "*", "NotResource": "x"}, "explicitDeny"),
        (
            {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"Connect:kind": "a"}}},
            "allowed",
        ),
        (
            {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"connect:other": "a"}}},
            "implicitDeny",
        ),
        (
            {
                "Effect": "Allow",
                "Action": "*",
                "Resource": "*",
                "Condition": {"StringNotLikeIfExists": {"connect:other": "a", "connect:kind": "b*"}},
            },
            "allowed",
        ),
    ],
)
def test_a_policy_decides_as_iam_does(statement: dict[str, Any], decision: str) -> None:
    resources = ["arn:aws:connect:us-west-2:1:instance/abc"]
    assert allows({"Statement": statement}, "connect:StartFlow", resources, {"connect:kind": "a"}) == decision


async def test_a_denial_is_in_the_form_and_the_words_of_aws(inquiry: Inquiry, standing_sandbox: Sandbox) -> None:
    standing_sandbox.set_account({**RIGHT, "keys": {"x": {"user": "user/reader", "policy": {"Statement": []}}}})
    arn = f"arn:aws:connect:us-west-2:123456789012:instance/{INSTANCE}/contact-flow/flow-1"
    with pytest.raises(CallFailed) as error:
        await inquiry.ask("connect", "DescribeContactFlow", FLOW)
    assert (error.value.code, error.value.status) == ("AccessDeniedException", 403)
    assert error.value.message == (
        "User: arn:aws:iam::123456789012:user/reader is not authorized to perform: connect:DescribeContactFlow "
        f"on resource: {arn} because no identity-based policy allows the connect:DescribeContactFlow action"
    )
