"""The way to where a run goes, opened (`run.environment`): it …"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from run_refs import FRAME, ref
from sandbox_runs import CHAT, INSTANCE

from bulk.aws.connect import Endpoint
from bulk.errors import CampaignError
from bulk.ledger import Ledger
from bulk.pacing import virtual_time
from bulk.run.context import RunRef, open_campaign
from bulk.run.environment import (
    destination,
    in_scratch,
    open_from,
    start_afresh,
)
from bulk.run.options import Options
from bulk.run.rehearsal import Sandboxes
from bulk.sandbox import OPEN_CONTACTS, Sandbox


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")


# The sandbox of a rehearsal


class Noted(Sandboxes):
    """Starts sandboxes as they are, and notes their settings."""

    settings: dict[str, Any]

    @asynccontextmanager
    async def open(self, **settings: Any) -> AsyncIterator[Sandbox]:
        self.settings = settings
        async with super().open(**settings) as sandbox:
            yield sandbox


async def rehearsed(one: RunRef) -> tuple[tuple[str, str], dict[str, Any]]:
    noted = Noted()
    async with destination(one, noted) as (connect, place):
        assert connect is not None
        assert connect.url.startswith("http://127.0.0.1:")
    return place, noted.settings


async def test_grants_a_rehearsal_what_the_campaign_takes_the_service_to_grant(tmp_path: Path) -> None:
    place, settings = await rehearsed(
        ref({"pacing": {"rate": 7, "burst": 9}}, sandbox=True, faults={"rules": []}, templates=tmp_path)
    )
    token = settings.pop("control_token")
    assert len(token) >= 40
    assert place == ("sandbox", "us-east-1")
    assert settings == {
        "quotas": {CHAT: (7.0, 9)},
        "open_contacts": {},
        "faults": {"rules": []},
        "templates": tmp_path,
        "state_dir": None,
        "clock": None,
    }


async def test_keeps_what_was_accepted_where_a_state_directory_is_named(tmp_path: Path) -> None:
    one = ref(run_id="a b", sandbox=True, state_dir=tmp_path, region="eu-west-2")
    place, settings = await rehearsed(one)
    assert settings["state_dir"] == tmp_path / "sandbox" / "accepted" / "spring.a%20b"
    assert place == ("sandbox", "eu-west-2")


async def test_takes_the_region_of_the_campaign_for_a_rehearsal() -> None:
    assert (await rehearsed(ref({"at": {"region": "eu-west-2"}}, sandbox=True)))[0] == ("sandbox", "eu-west-2")


def test_bounds_open_contacts_as_aws_does_in_virtual_time() -> None:
    async def whole() -> dict[str, Any]:
        return (await rehearsed(ref(sandbox=True, virtual_time=True)))[1]

    settings = virtual_time.run(whole)
    assert settings["open_contacts"] == OPEN_CONTACTS
    assert callable(settings["clock"])


async def test_starts_a_sandbox_of_its_own_where_nobody_asks_about_it() -> None:
    async with destination(ref(sandbox=True)) as (connect, place):
        assert connect is not None
        assert place == ("sandbox", "us-east-1")


async def test_signs_as_the_sandbox_whatever_the_environment_has() -> None:
    async with destination(ref(sandbox=True)) as (connect, _):
        assert connect is not None
        assert await connect.account() == "sandbox"


async def test_goes_to_an_endpoint_with_as_many_connections_as_calls() -> None:
    async with destination(ref(endpoint_url="http://127.0.0.1:9", region="us-west-2", at_once=7)) as (connect, place):
        assert connect is not None
        assert connect._client.meta.config.max_pool_connections == 7
        assert place == ("http://127.0.0.1:9", "us-west-2")
    async with destination(ref(sandbox=True, at_once=7)) as (connect, _):
        assert connect is not None
        assert connect._client.meta.config.max_pool_connections == 7


# Where nothing goes out


async def nowhere(one: RunRef) -> tuple[str, str]:
    async with destination(one) as (connect, place):
        assert connect is None
    return place


async def test_goes_in_a_dry_run_where_the_run_went_so_far(tmp_path: Path) -> None:
    one = ref(dry_run=True, state_dir=tmp_path)
    assert await nowhere(one) == ("", "")
    with Ledger.open(tmp_path) as ledger:
        ledger.begin(one.identity("https://there", "us-west-2"), {})
    assert await nowhere(one) == ("https://there", "us-west-2")
    assert await nowhere(ref(dry_run=True, state_dir=tmp_path, run_id="another")) == ("", "")


def test_plays_with_a_copy_of_the_ledger(tmp_path: Path) -> None:
    one = ref(state_dir=tmp_path)
    with Ledger.open(tmp_path) as ledger:
        ledger.begin(one.identity("", ""), {})
    for is_rehearsal, runs in ((False, 1), (True, None)):
        context = open_campaign(one.campaign, Options(contacts=FRAME, state_dir=tmp_path, sandbox=is_rehearsal))
        scratch = in_scratch(context)
        folder = Path(str(scratch.options.state_dir))
        assert folder != tmp_path
        assert folder in [getattr(hold, "path", None) for hold in context.contacts.holds]
        copied = Ledger.read(folder)
        assert (copied and len(copied.runs())) == runs
        if copied:
            copied.close()
    nothing = in_scratch(open_campaign(one.campaign, Options(contacts=FRAME, state_dir=tmp_path / "new")))
    assert Ledger.read(nothing.state_dir) is None


@pytest.mark.parametrize(
    "options, is_forgotten", [({"sandbox": True}, True), ({}, False), ({"sandbox": True, "state_dir": ...}, False)]
)
def test_forgets_the_last_rehearsal_alone(options: dict[str, Any], is_forgotten: bool, tmp_path: Path) -> None:
    given = {name: tmp_path if value is ... else value for name, value in options.items()}
    one = ref({"folder": tmp_path}, **given)
    files = [one.state_dir / name for name in ("ledger.db", "ledger.db-wal", "pace/a")]
    (one.state_dir / "pace").mkdir(parents=True)
    for file in files:
        file.touch()
    start_afresh(one)
    assert [file.exists() for file in files] == [not is_forgotten] * 3


# The list, wherever it is


async def test_asks_who_opted_out_when_it_is_to_send(monkeypatch: pytest.MonkeyPatch) -> None:
    async def put_in(*_: object) -> list[str]:
        return ["nobody says no"]

    monkeypatch.setattr("bulk.run.opt_outs.put_in", put_in)
    campaign = ref().campaign
    told = await open_from(campaign, Options(contacts=FRAME))
    assert told.eligibility.suppression.warnings == ["nobody says no"]
    untold = await open_from(campaign, Options(contacts=FRAME), to_send=False)
    assert untold.eligibility.suppression.warnings == []


@pytest.mark.parametrize("by", ["option", "campaign"])
async def test_fetches_a_list_that_is_in_s3_and_lets_it_go_with_the_campaign(
    by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders: list[Path] = []

    async def fetch(url: str, _: Endpoint, folder: Path) -> Path:
        assert url == "s3://bucket/people.csv"
        folders.append(folder)
        (folder / "people.csv").write_text(
            "phone,key,name\n+12065550100,1,Ann\n" if len(folders) == 1 else "name\nAnn\n"
        )
        return folder / "people.csv"

    monkeypatch.setattr("bulk.run.environment.fetch", fetch)
    campaign = ref({"contacts": "s3://bucket/people.csv"} if by == "campaign" else {}).campaign
    options = Options(contacts="s3://bucket/people.csv" if by == "option" else None)
    context = await open_from(campaign, options)
    assert context.contacts.count() == 1
    assert [getattr(hold, "path", None) for hold in context.contacts.holds] == folders
    with pytest.raises(CampaignError):
        await open_from(campaign, options)
    assert [folder.exists() for folder in folders] == [True, False]


def test_knows_the_instance() -> None:
    assert ref().instance == INSTANCE
