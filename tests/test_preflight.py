"""The account examined before anything is sent: what is wrong is found, and nothing starts a contact."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from accounts import ALL, EMAIL, FAULTS, INBOUND, RIGHT, SMS, account

import bulk
from bulk.account import Examination, Finding, References, State, to_check
from bulk.account.references import last_part
from bulk.aws.connect import Endpoint
from bulk.aws.inquiry import Inquiry
from bulk.run.context import RunRef
from bulk.run.options import Options
from bulk.run.preflight import preflight, references, wanted
from bulk.sandbox import Sandbox

STARTING = "StartOutboundChatContact", "CreateContact", "StartOutboundEmailContact", "StartEmailContact"


@pytest.fixture
async def inquiry(standing_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Inquiry]:
    """One set of clients for many examinations, which wait for no quota."""
    monkeypatch.setattr("bulk.aws.inquiry.RATE", 1e6)
    async with Inquiry(Endpoint(standing_sandbox.url, "us-west-2")) as opened:
        yield opened


async def findings_of(inquiry: Inquiry, campaign: dict[str, Any]) -> list[Finding]:
    ref = RunRef(bulk.Campaign(**campaign), Options(region="us-west-2"))
    return await Examination(references(ref), wanted(ref), inquiry.ask).run()


async def examined(sandbox: Sandbox, campaign: dict[str, Any], **options: Any) -> list[Finding]:
    given = Options(**{"endpoint_url": sandbox.url, "region": "us-west-2", **options})
    return await preflight(RunRef(bulk.Campaign(**campaign), given))


def wrong(findings: list[Finding]) -> set[str]:
    return {one.subject for one in findings if one.state is State.WRONG}


@pytest.mark.parametrize("campaign", [SMS, EMAIL, INBOUND], ids=["sms", "email", "inbound-email"])
async def test_an_account_that_has_everything_is_found_right(
    standing_sandbox: Sandbox, campaign: dict[str, Any]
) -> None:
    standing_sandbox.set_account(account())
    findings = await examined(standing_sandbox, campaign)
    assert {one.state for one in findings} == {State.OK}
    assert findings[0].message == "arn:aws:iam::123456789012:user/pretend, of account 123456789012"


async def test_of_a_corpus_of_broken_accounts_every_fault_is_found_without_a_contact(
    standing_sandbox: Sandbox, inquiry: Inquiry
) -> None:
    missed = []
    for fault in FAULTS:
        standing_sandbox.set_account(account(fault))
        findings = await findings_of(inquiry, fault.campaign)
        by_subject = {one.subject: one for one in findings if one.state is State.WRONG}
        if fault.subject not in by_subject or not by_subject[fault.subject].remedy:
            missed.append((fault.name, sorted(by_subject)))
    assert missed == []
    assert len(FAULTS) >= 65
    assert all(standing_sandbox.calls[name]["received"] == 0 for name in STARTING)
    assert standing_sandbox.contacts == []


def reading() -> Iterator[tuple[dict[str, Any], str]]:
    for campaign in (SMS, EMAIL):
        named = References(bulk.Campaign(**campaign), "us-west-2")
        for permission in to_check(named):
            yield from ((campaign, action) for action in permission.actions)


async def test_what_may_not_be_asked_names_the_permission_and_the_rest_goes_on(
    standing_sandbox: Sandbox, inquiry: Inquiry
) -> None:
    for campaign, action in reading():
        deny = {"Effect": "Deny", "Action": action, "Resource": "*"}
        policy = {"Statement": [*ALL["Statement"], deny]}
        standing_sandbox.set_account({**account(), "keys": {"*": {"policy": policy}}})
        findings = await findings_of(inquiry, campaign)
        assert {one.permission for one in findings if one.state is State.UNCHECKED} == {action}
        assert wrong(findings) == set()


async def test_without_credentials_that_is_the_one_thing_said(
    standing_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An endpoint on this machine needs no credentials; those that are named must be there all the same."""
    (tmp_path / "config").write_text("[default]\ncredential_process = false\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    findings = await examined(standing_sandbox, SMS)
    assert [(one.subject, one.state) for one in findings] == [("credentials", State.WRONG)]
    assert findings[0].remedy == "fix that first: nothing else was asked"


async def test_a_service_that_is_not_reached_is_not_found_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setattr("bulk.aws.inquiry.ATTEMPTS", 1)
    given = Options(endpoint_url="http://127.0.0.1:9", region="us-west-2")
    findings = await preflight(RunRef(bulk.Campaign(**SMS), given))
    assert {one.state for one in findings} == {State.UNCHECKED}


async def test_another_region_than_the_number_has_is_wrong(standing_sandbox: Sandbox) -> None:
    findings = await examined(standing_sandbox, SMS, region="eu-west-2")
    assert "region" in wrong(findings)


async def test_a_flow_that_never_disconnects_is_told_with_how_long_contacts_stay(standing_sandbox: Sandbox) -> None:
    standing_sandbox.set_account({"flows": [{"id": "flow-1", "ends": False}]})
    (flow,) = [one for one in await examined(standing_sandbox, SMS) if one.subject == "flow"]
    assert flow.state is State.OK
    assert "no Disconnect block, so each contact may stay open for 25 h 0 min" in flow.message


async def test_what_a_row_says_for_itself_is_not_checkable(standing_sandbox: Sandbox) -> None:
    request = {**SMS["request"], "ContactFlowId": "{{ flow }}", "SourceEndpoint": {"Address": "{{ number }}"}}
    findings = await examined(standing_sandbox, {**SMS, "request": request})
    unchecked = {one.subject for one in findings if one.state is State.UNCHECKED}
    assert unchecked == {"flow", "number"}


async def test_a_role_is_known_to_iam_by_its_own_name(standing_sandbox: Sandbox) -> None:
    declared = {**account(), "keys": {"*": {"user": "assumed-role/Sender/session"}}}
    standing_sandbox.set_account(declared)
    findings = await examined(standing_sandbox, SMS)
    assert findings[0].message.startswith("arn:aws:sts::123456789012:assumed-role/Sender/session")
    assert wrong(findings) == set()


async def test_the_plan_of_a_check_has_the_findings_where_they_are_asked_for(
    standing_sandbox: Sandbox, tmp_path: Path
) -> None:
    frame = pl.DataFrame({"phone": ["+12065550100"], "name": ["Ann"]})
    options: dict[str, Any] = {"contacts": frame, "endpoint_url": standing_sandbox.url, "region": "us-west-2"}
    options["state_dir"] = tmp_path
    assert (await bulk.check(bulk.Campaign(**SMS), **options)).account == []
    standing_sandbox.set_account({**RIGHT, "flows": []})
    plan = await bulk.check(bulk.Campaign(**SMS), account=True, **options)
    assert plan.is_impossible
    assert wrong(plan.account) == {"flow"}
    assert plan.as_dict()["account"][0]["state"] == "ok"


def test_an_id_is_the_last_part_of_an_arn() -> None:
    assert last_part("arn:aws:connect:us-west-2:123456789012:instance/abc") == "abc"
