"""`bulk check` and message templates: what one wants and the campaign does not give."""

import json
from pathlib import Path
from typing import Any

import pytest
from sandbox_runs import SMS, rows

import bulk
from bulk.errors import CampaignError
from bulk.sandbox import Sandbox

BASE, ID = "11111111-2222-4333-8444-555555555555", "aaaaaaaa-2222-4333-8444-555555555555"


def campaign(template: str = ID, **attributes: Any) -> bulk.Campaign:
    config = {"KnowledgeBaseId": BASE, "MessageTemplateId": template, "TemplateAttributes": attributes}
    request = {name: value for name, value in SMS.items() if name != "InitialSystemMessage"}
    request["InitialTemplatedSystemMessage"] = config
    return bulk.Campaign(name="t", channel="sms", request=request)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    text = "{{Attributes.Customer.FirstName}} {{Attributes.Customer.Attributes.seat}} {{time}} {{where}}"
    content = {"sms": {"body": {"plainText": {"content": text}}}}
    template = {"messageTemplateId": ID, "channelSubtype": "SMS", "content": content}
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "reminder.json").write_text(json.dumps(template))
    return tmp_path / "templates"


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_REGION", "us-west-2")


ALL = ["Attributes.Customer.FirstName", "Attributes.Customer.Attributes.seat", "time", "where"]


@pytest.mark.parametrize(
    "attributes, lacking",
    [
        ({}, ALL),
        ({"CustomAttributes": {"time": "{{ name }}", "where": ""}}, ALL[:2]),
        ({"CustomerProfileAttributes": '{"firstName": "{{ name }}", "unknown": 1}'}, ALL[1:]),
        ({"CustomerProfileAttributes": '{"firstName": "a", "custom": {"seat": "1"}}'}, ALL[2:]),
    ],
)
async def test_a_check_names_what_a_template_of_a_folder_wants(
    folder: Path, tmp_path: Path, attributes: dict[str, Any], lacking: list[str]
) -> None:
    plan = await bulk.check(campaign(**attributes), contacts=_list(tmp_path), templates=folder)
    assert plan.lacking == ({ID: lacking} if lacking else {})


def _list(folder: Path) -> Path:
    lines = ["key,phone,name", *(f"{row['key']},{row['phone']},{row['name']}" for row in rows("ab"))]
    path = folder / "list.csv"
    path.write_text("\n".join(lines))
    return path


@pytest.mark.usefixtures("keys")
async def test_a_check_asks_an_endpoint_that_is_not_awss_and_aws_only_when_told(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Sandbox(templates=folder) as sandbox:
        listed = _list(tmp_path)
        assert (await bulk.check(campaign(), contacts=listed, endpoint_url=sandbox.url)).lacking == {ID: ALL}
        monkeypatch.setenv("AWS_ENDPOINT_URL_QCONNECT", sandbox.url)
        plan = await bulk.check(campaign(), contacts=listed)
        assert (plan.lacking, "--ask asks Amazon Connect" in plan.notes[-1]) == ({}, True)
        assert sandbox.calls["RenderMessageTemplate"]["received"] == 1
        assert (await bulk.check(campaign(), contacts=listed, ask=True)).lacking == {ID: ALL}


@pytest.mark.usefixtures("keys")
async def test_a_template_that_is_not_there_is_an_error_and_one_that_cannot_be_asked_about_a_note(
    folder: Path, tmp_path: Path
) -> None:
    listed = _list(tmp_path)
    with pytest.raises(CampaignError, match="there is no message template"):
        await bulk.check(campaign(BASE), contacts=listed, templates=folder)
    async with Sandbox() as sandbox:
        plan = await bulk.check(campaign(), contacts=listed, endpoint_url=sandbox.url)
    assert "cannot be found out (UnknownOperationException" in plan.notes[-1]
    with pytest.raises(CampaignError, match="no such folder of templates"):
        await bulk.check(campaign(), contacts=listed, templates=tmp_path / "none")


async def test_a_rehearsal_sends_with_the_templates_and_faults_it_is_given(folder: Path, tmp_path: Path) -> None:
    given: dict[str, Any] = {
        "contacts": _list(tmp_path),
        "state_dir": tmp_path / "state",
        "results": tmp_path / "r.csv",
    }
    (tmp_path / "bad.toml").write_text('[[rules]]\nfault = "error"\ncode = "InvalidRequestException"\nfirst = 1\n')
    run = await bulk.send(campaign(), sandbox=True, templates=folder, faults=tmp_path / "bad.toml", **given)
    assert (run.summary.sent, run.summary.rejected) == (1, 1)
    run = await bulk.send(campaign(BASE), sandbox=True, templates=folder, **given | {"run_id": "2"})
    assert run.summary.sent == 0
