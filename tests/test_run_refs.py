"""A campaign, and which run of it, whether or not its list is there (`run.context`): it …"""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sandbox_runs import INSTANCE, SMS

from bulk.campaign import Campaign
from bulk.ledger import RunIdentity
from bulk.loader.own_list import OwnList
from bulk.run.context import RunRef
from bulk.run.options import Options

FRAME = pl.DataFrame({"phone": ["+12065550100"]})
HOME = Path("/campaigns/spring")


def campaign(**tables: Any) -> Campaign:
    return Campaign(**{"name": "spring", "channel": "sms", "request": SMS, "folder": HOME, **tables})


def ref(campaign_: Campaign | None = None, **options: Any) -> RunRef:
    return RunRef(campaign_ or campaign(), Options(**options))


# Where it is


@pytest.mark.parametrize(
    "options, folder",
    [
        ({}, HOME / ".bulk"),
        ({"state_dir": "/state"}, Path("/state")),
        ({"state_dir": Path("/state")}, Path("/state")),
        ({"sandbox": True}, HOME / ".bulk" / "sandbox" / "spring-monday"),
        ({"state_dir": "/state", "sandbox": True}, Path("/state/sandbox")),
    ],
)
def test_keeps_a_rehearsal_apart_from_what_is_sent(options: dict[str, Any], folder: Path) -> None:
    assert ref(run_id="monday", **options).state_dir == folder


@pytest.mark.parametrize("sandbox", [False, True])
def test_honours_one_suppression_list_in_rehearsals_and_real_runs(sandbox: bool) -> None:
    assert ref(sandbox=sandbox).own_list == OwnList(HOME / ".bulk")
    assert ref(sandbox=sandbox, state_dir="/state").own_list == OwnList(Path("/state"))


@pytest.mark.parametrize(
    "of_campaign, given, path",
    [
        (None, None, None),
        ("people.csv", None, HOME / "people.csv"),
        ("people.csv", "others.csv", Path("others.csv")),
        ("people.csv", Path("/lists/others.csv"), Path("/lists/others.csv")),
        ("people.csv", FRAME, None),
        ("people.csv", "s3://bucket/others.csv", None),
        ("s3://bucket/people.csv", None, None),
    ],
)
def test_knows_where_on_this_machine_its_list_is(of_campaign: str | None, given: Any, path: Path | None) -> None:
    assert ref(campaign(contacts=of_campaign), contacts=given).list_path == path


def test_writes_results_beside_the_campaign_or_where_it_is_told() -> None:
    assert ref(run_id="monday").results_path == HOME / "results" / "spring-monday.csv"
    assert ref(run_id="monday", sandbox=True).results_path == HOME / "results" / "spring-monday.sandbox.csv"
    assert ref(run_id="monday", results="out.xlsx").results_path == Path("out.xlsx")


def test_names_a_run_by_campaign_channel_and_where_it_goes() -> None:
    assert ref(run_id="monday").identity("https://connect", "us-west-2") == RunIdentity(
        "spring", "monday", "sms", "https://connect", "us-west-2", INSTANCE
    )
    without = {name: value for name, value in SMS.items() if name != "InstanceId"}
    assert RunRef(Campaign.model_construct(request=without), Options()).instance == ""
