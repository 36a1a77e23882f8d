"""The parts of a check: which rows it builds and in which turn, what it asks for templates, what the account adds."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from sandbox_runs import DRAFT, EMAIL, SMS

from bulk.account import ANY
from bulk.aws.connect import Endpoint
from bulk.aws.templates import TemplateUse
from bulk.campaign import Campaign
from bulk.errors import CallFailed, CampaignError, SetupError
from bulk.model import Parameters, Recipient
from bulk.reports import Reason
from bulk.run import check as check_module
from bulk.run import templates as templates_module
from bulk.run.check import known, plan_of
from bulk.run.context import RunRef, open_campaign
from bulk.run.options import Options
from bulk.run.plan import DryRun, Plan
from bulk.run.preflight import _endpoint as endpoint_of_account
from bulk.run.preflight import contacts_of, references
from bulk.run.preflight import wanted as wanted_of_account
from bulk.run.target import Target
from bulk.run.templates import MOST, TemplateUses, wanted

REF = RunRef(Campaign(name="c", channel="sms", request=SMS), Options())


class Looked(DryRun):
    """Notes what it is given, in which turn."""

    def look(self, recipient: Recipient, parameters: Mapping[str, Parameters]) -> None:
        super().look(recipient, parameters)
        self.foreign[recipient.key] = parameters["create_contact"]["UserInfo"]["UserId"]


def test_users_are_taken_in_turn_by_the_rows_that_would_be_sent() -> None:
    emails = ["a@example.com", "nobody", "b@example.com", "a@example.com", "c@example.com", "", "d@example.com"]
    frame = pl.DataFrame({"email": emails, "key": list("abcadef"), "name": "Ann"})
    source = Campaign(
        name="c",
        channel="email",
        request=EMAIL,
        create_contact={**DRAFT, "UserInfo": {"UserId": ["u1", "u2"]}},
        list={"key": "key"},
    )
    context = open_campaign(source, Options(contacts=frame))
    dry_run, judge = Looked(context), SimpleNamespace(eligibility=SimpleNamespace(active=False))
    plan = plan_of(context.reader, context.request, judge, dry_run)  # type: ignore[arg-type]  # it judges nobody
    assert dry_run.foreign == {"a": "u1", "c": "u2", "d": "u1", "f": "u2"}
    assert (plan.rows, plan.sendable) == (7, 4)
    assert [(one.code, one.rows) for one in plan.reasons] == [
        (None, 4),
        ("invalid_email", 1),
        ("duplicate", 1),
        ("missing_destination", 1),
    ]


def examples(plan: Plan) -> dict[str | None, list[tuple[int, str | None]]]:
    def of(reason: Reason) -> list[tuple[int, str | None]]:
        return [(one.row, one.message) for one in reason.examples]

    return {one.code: of(one) for one in plan.reasons}


def test_three_examples_are_kept_of_each_reason_without_the_values_of_their_rows() -> None:
    names = [f"Ann Lee {row} " + "x" * 2000 for row in range(4)]
    frame = pl.DataFrame({"phone": ["+12065550100", "+12065550101", "+12065550102", "+12065550103"], "name": names})
    source = Campaign(name="c", channel="sms", request={**SMS, "Attributes": {}})
    context = open_campaign(source, Options(contacts=frame))
    judge: Any = SimpleNamespace(eligibility=SimpleNamespace(active=False))
    found = examples(plan_of(context.reader, context.request, judge, DryRun(context)))
    ((code, told),) = found.items()
    assert (code, [row for row, _ in told]) == ("invalid_parameter", [0, 1, 2])
    assert "Ann Lee" not in str(told)


# What the account adds


async def test_a_plan_is_completed_by_what_the_account_tells_and_keeps_what_else_it_warns_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = Target("i", "us-west-2", "https://connect.us-west-2.amazonaws.com", None, None, "l", rates={"A": 3.0})

    async def identified(ref: RunRef, found: Target) -> Target:
        assert ref.options.only is None
        return replace(found, account="111111111111", quotas={"A": 1.0})

    monkeypatch.setattr(check_module, "identified", identified)
    above = "rate 3: above the account's quota for A, 1 calls a second"
    request = {"InstanceId": "i", "ContactFlowId": "f", "SourceEndpoint": {"Address": "{{ key }}"}}
    source = Campaign(name="c", channel="sms", request=request)
    plan = Plan("c", "r", "sms", target=target, warnings=["a text", above])
    told = await known(source, plan, only="rejected")  # type: ignore[arg-type]  # as the command line has it
    assert told is plan
    assert (plan.target, plan.warnings) == (
        replace(target, account="111111111111", quotas={"A": 1.0}),
        [above, "a text"],
    )


@pytest.mark.parametrize("sandbox, target", [(True, Target("i", None, None, None, None, "l")), (False, None)])
async def test_a_rehearsal_and_a_plan_without_a_target_ask_nobody(*, sandbox: bool, target: Target | None) -> None:
    plan = Plan("c", "r", "sms", target=target)
    assert await known(Path("no such campaign.toml"), plan, sandbox=sandbox) is plan


# What a run names and wants of its account


def test_a_run_is_examined_in_the_region_where_it_goes() -> None:
    at = RunRef(REF.campaign, Options(region="eu-west-2"))
    assert references(at, "eu-west-1").region == "eu-west-1"
    assert references(at).region == "eu-west-2"
    assert references(REF).region == ANY


def test_a_run_wants_the_rates_that_it_goes_at_and_room_for_what_stays_open() -> None:
    given: dict[str, Any] = {"hold": {"open_contacts": 7, "open_for": "60s"}, "pacing": {"rate": 9, "burst": 4}}
    source = Campaign(name="c", channel="email", request=EMAIL, create_contact=DRAFT, **given)
    found = wanted_of_account(RunRef(source, Options(contacts="s3://bucket/list.csv")))
    assert found.rates == {"CreateContact": 9.0, "StartOutboundEmailContact": 9.0}
    assert (found.open_contacts, found.open_for, found.contacts) == (7, 60.0, "s3://bucket/list.csv")
    auto = Campaign(name="c", channel="sms", request=SMS, pacing={"rate": "auto"}, contacts="s3://bucket/own.csv")
    learned = wanted_of_account(RunRef(auto, Options()))
    assert (learned.rates, learned.contacts) == ({"StartOutboundChatContact": None}, "s3://bucket/own.csv")


@pytest.mark.parametrize("given", ["list.csv", Path("s3://bucket/list.csv"), pl.DataFrame()])
def test_a_list_on_this_machine_needs_no_permission(given: Any) -> None:
    assert contacts_of(RunRef(REF.campaign, Options(contacts=given))) is None


@pytest.mark.parametrize(
    "sender, options, region",
    [
        (SMS["SourceEndpoint"]["Address"], {}, "us-west-2"),
        ("{{ key }}", {}, "us-east-1"),
        (SMS["SourceEndpoint"]["Address"], {"region": "eu-west-2"}, "eu-west-2"),
    ],
)
async def test_a_rehearsal_is_examined_in_a_sandbox_where_the_campaign_goes(
    sender: str, options: dict[str, Any], region: str
) -> None:
    source = Campaign(name="c", channel="sms", request={**SMS, "SourceEndpoint": {"Address": sender}})
    async with endpoint_of_account(RunRef(source, Options(sandbox=True, **options))) as endpoint:
        assert (endpoint.url or "").startswith("http://127.0.0.1:")
        assert (endpoint.region, endpoint.credentials) == (region, ("sandbox", "sandbox"))
    async with endpoint_of_account(RunRef(source, Options(region="us-west-2"))) as endpoint:
        assert (endpoint.url, endpoint.region, endpoint.credentials) == (None, "us-west-2", None)


# Templates


def config(template: str, **attributes: Any) -> dict[str, Any]:
    given = {"TemplateAttributes": attributes} if attributes else {}
    return {"Config": {"KnowledgeBaseId": "kb", "MessageTemplateId": template, **given}}


def test_of_each_template_the_first_example_of_each_attribute_is_noted() -> None:
    uses = TemplateUses("Config")
    uses.note(config("a", CustomAttributes={"x": "1", "y": "2"}, CustomerProfileAttributes="{}"))
    uses.note(config("a", CustomAttributes={"x": "3", "z": "4"}, CustomerProfileAttributes="[]"))
    uses.note(config("b"))
    uses.note({"Config": None})
    uses.note({})
    assert uses.uses == {
        ("kb", "a"): TemplateUse("kb", "a", {"x": "1", "y": "2", "z": "4"}, "{}"),
        ("kb", "b"): TemplateUse("kb", "b"),
    }
    nowhere = TemplateUses(None)
    nowhere.note(config("a"))
    assert nowhere.uses == {}


def test_twenty_templates_are_asked_about() -> None:
    uses = TemplateUses("Config")
    for number in range(25):
        uses.note(config(str(number), CustomAttributes={"x": "1"}))
    uses.note(config("3", CustomAttributes={"y": "1"}))
    assert MOST == len(uses.uses) == 20
    assert uses.uses["kb", "3"].custom == {"x": "1", "y": "1"}


def used(*names: str) -> TemplateUses:
    return TemplateUses("Config", {("kb", name): TemplateUse("kb", name) for name in names})


@pytest.mark.parametrize(
    "options, asked",
    [
        ({}, None),
        ({"sandbox": True, "ask": True}, None),
        ({"endpoint_url": "https://connect.us-west-2.amazonaws.com"}, None),
        ({"sandbox": True, "endpoint_url": "http://127.0.0.1:9"}, None),
        ({"endpoint_url": "http://127.0.0.1:9"}, "http://127.0.0.1:9"),
        ({"ask": True}, ""),
        (
            {"ask": True, "endpoint_url": "https://connect.us-west-2.amazonaws.com"},
            "https://connect.us-west-2.amazonaws.com",
        ),
    ],
)
async def test_aws_is_asked_only_when_told_and_others_always(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], asked: str | None
) -> None:
    heard = list[str]()

    async def lacking(use: TemplateUse, endpoint: Endpoint) -> list[str]:
        heard.append(endpoint.url or "")
        return ["x"] if use.template == "a" else []

    monkeypatch.setattr(templates_module, "lacking", lacking)
    found, notes = await wanted(RunRef(REF.campaign, Options(**options)), used("a", "b"))
    assert heard == ([] if asked is None else [asked] * 2)
    why = "" if options.get("sandbox") else "; --ask asks Amazon Connect"
    nobody = f"nobody was asked what the message templates want: --templates names a folder of them{why}"
    assert (found, notes) == (({}, [nobody]) if asked is None else ({"a": ["x"]}, []))
    assert await wanted(REF, TemplateUses(None)) == ({}, [])


@pytest.mark.parametrize(
    "error, said",
    [(SetupError("no credentials"), "no credentials"), (CallFailed("Render", "Denied", "not you"), "Denied: not you")],
)
async def test_what_cannot_be_found_out_is_a_note_and_what_was_found_before_stands(
    monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    async def lacking(use: TemplateUse, _endpoint: Endpoint) -> list[str]:
        if use.template == "b":
            raise error
        return ["x"]

    monkeypatch.setattr(templates_module, "lacking", lacking)
    note = f"what the message template 'b' wants cannot be found out ({said})"
    asking = RunRef(REF.campaign, Options(ask=True))
    assert await wanted(asking, used("a", "b", "c")) == ({"a": ["x"]}, [note])


async def test_a_template_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    async def lacking(_use: TemplateUse, _endpoint: Endpoint) -> list[str]:
        raise CampaignError("there is none")

    monkeypatch.setattr(templates_module, "lacking", lacking)
    with pytest.raises(CampaignError, match="there is none"):
        await wanted(RunRef(REF.campaign, Options(ask=True)), used("a"))


@pytest.mark.parametrize("region, named", [(None, "us-east-1"), ("eu-west-2", "eu-west-2")])
async def test_a_folder_of_templates_is_asked_without_credentials(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, region: str | None, named: str
) -> None:
    heard = list[Endpoint]()

    async def lacking(_use: TemplateUse, endpoint: Endpoint) -> list[str]:
        heard.append(endpoint)
        return []

    monkeypatch.setattr(templates_module, "lacking", lacking)
    assert await wanted(RunRef(REF.campaign, Options(templates=tmp_path, region=region)), used("a")) == ({}, [])
    assert [(one.region, one.credentials) for one in heard] == [(named, ("sandbox", "sandbox"))]
