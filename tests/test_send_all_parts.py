"""Several campaigns of one process: what is asked of them before, and how they end together (`run.send_all`). It …"""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sandbox_runs import SMS

import bulk
from bulk.campaign import Campaign
from bulk.errors import CampaignError, ExitCode
from bulk.run.rehearsal import Sandboxes
from bulk.run.send import Run
from bulk.run.send_all import gravest, send_all
from bulk.run.summary import Progress, Summary
from bulk.sandbox import Sandbox
from bulk.stop import Stop

FRAME = pl.DataFrame([{"phone": f"+1206555{row:04}", "key": str(row), "name": "Ann"} for row in range(3)])
SUMMARY = Summary("spring", "monday", "sms", 3, 3, 0, 0, 0, 0, 0, 0, 0, 1.5, None, None)


def run(code: int, calls: int = 0) -> Run:
    return Run(replace(SUMMARY, calls=calls), code, lambda: FRAME)


def campaign(folder: Path, name: str = "spring", **tables: Any) -> Campaign:
    common: dict[str, Any] = {"channel": "sms", "request": SMS, "list": {"key": "key"}, "folder": folder}
    return Campaign(**{**common, "name": name, "pacing": {"rate": 500, "burst": 500}, **tables})


def messages(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(record.levelname, record.getMessage()) for record in caplog.records if record.name == "bulk"]


# Their exit code


@pytest.mark.parametrize(
    "codes, expected",
    [
        ([], 0),
        ([0, 0], 0),
        ([0, 1], 1),
        ([1, 4], 4),
        ([4, 75], 75),
        ([75, 2], 2),
        ([2, 3], 3),
        ([3, 130], 130),
        ([130, 143], 143),
    ],
)
def test_ends_with_the_gravest_exit_code(codes: list[int], expected: int) -> None:
    assert gravest([run(code) for code in codes]) == expected
    assert gravest([run(code) for code in reversed(codes)]) == expected
    assert type(gravest([])) is int


@pytest.mark.parametrize("code, expected", [(2, 3), (75, 3), (4, 4), (130, 130)])
def test_says_of_no_process_that_made_calls_that_it_did_not_start(code: int, expected: int) -> None:
    assert gravest([run(code), run(0, calls=1)]) == expected
    assert gravest([run(code), run(0)]) == code


# What is asked of them before


async def refused(campaigns: list[Any], **options: Any) -> str:
    with pytest.raises(CampaignError) as raised:
        await send_all(campaigns, **{"contacts": FRAME, "sandbox": True, **options})
    return str(raised.value)


async def test_refuses_what_is_of_one_campaign_alone(tmp_path: Path) -> None:
    two = [campaign(tmp_path), campaign(tmp_path, "summer")]
    said = "--cluster sends one campaign: send them one after the other, or leave it out"
    assert await refused(two, cluster="local:2") == said
    said = "--results names one file, and there are several campaigns: leave it out"
    assert await refused(two, results=tmp_path / "x.csv") == said
    assert await refused([]) == "no campaign: name one at least"


async def test_refuses_one_campaign_that_is_in_no_list(tmp_path: Path) -> None:
    path = campaign(tmp_path)
    alone: list[Any] = [path, str(path)]
    for one in alone:
        assert (await refused(one)).startswith("send_all takes a list of campaigns")


async def test_refuses_one_run_twice_and_results_of_one_file(tmp_path: Path) -> None:
    one = campaign(tmp_path)
    here = f"campaign 'spring' of {tmp_path}"
    remedy = "name each campaign once, and give each a `name` of its own"
    assert await refused([one, campaign(tmp_path, "summer"), one]) == f"{here} and {here} are the same run: {remedy}"
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    (tmp_path / "a" / "results").mkdir()
    (tmp_path / "b" / "results").symlink_to(tmp_path / "a" / "results")
    both = [campaign(tmp_path / "a"), campaign(tmp_path / "b")]
    told = f"campaign 'spring' of {tmp_path / 'a'} and campaign 'spring' of {tmp_path / 'b'}"
    assert await refused(both) == f"{told} are results of the same file: {remedy}"
    assert await refused(both, state_dir=tmp_path) == f"{told} are the same run: {remedy}"
    assert len(await send_all(both, contacts=FRAME, dry_run=True)) == 2


async def test_takes_results_and_dry_runs_of_one_and_gives_them_their_own_names(tmp_path: Path) -> None:
    (one,) = await send_all([campaign(tmp_path)], contacts=FRAME, sandbox=True, results=tmp_path / "x.csv")
    assert (one.exit_code, one.summary.results) == (0, str(tmp_path / "x.csv"))
    runs = await send_all([campaign(tmp_path), campaign(tmp_path, "summer")], contacts=FRAME, dry_run=True)
    assert [(one.exit_code, one.summary.campaign, one.summary.calls) for one in runs] == [
        (0, "spring", 0),
        (0, "summer", 0),
    ]
    assert not (tmp_path / ".bulk" / "ledger.db").exists()


async def test_names_the_campaign_in_what_is_wrong_unless_its_file_is_named_already(tmp_path: Path) -> None:
    wrong = campaign(tmp_path, "summer", expires="{{ nothing }}")
    assert (await refused([campaign(tmp_path), wrong])).startswith("summer: expires: ")
    text = (
        'name = "autumn"\nchannel = "sms"\n[request]\nInstanceId = "11111111-1111-4111-8111-111111111111"\n'
        'ContactFlowId = "22222222-2222-4222-8222-222222222222"\nSourceEndpoint.Address = '
        '"arn:aws:connect:us-west-2:123456789012:phone-number/3333"\nInitialSystemMessage.Content = "{{ nothing }}"\n'
    )
    path = tmp_path / "autumn.toml"
    path.write_text(text)
    assert (await refused([campaign(tmp_path), path])).startswith(f"{path}:7: ")


# All of them together


async def test_tells_the_progress_of_each_by_its_name_or_where_names_are_alike_by_its_folder(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    people = pl.DataFrame([{"phone": f"+1206555{row:04}", "key": str(row), "name": "Ann"} for row in range(40)])
    slow: dict[str, Any] = {"pacing": {"rate": 100, "burst": 1}}
    campaigns = [
        campaign(tmp_path / "a", **slow),
        campaign(tmp_path / "b", **slow),
        campaign(tmp_path, "summer", **slow),
    ]
    seen: dict[str, Progress] = {}
    pages: list[str] = []
    runs = await send_all(
        campaigns,
        contacts=people,
        sandbox=True,
        watch=lambda name, told: seen.update({name: told}),
        every=0.05,
        sandboxes=Sandboxes(pages.append),
    )
    assert [one.exit_code for one in runs] == [0, 0, 0]
    assert seen.keys() == {*(f"campaign 'spring' of {tmp_path / folder}" for folder in ("a", "b")), "summer"}
    assert len(pages) == 3
    assert not [one for one in campaigns if (one.folder / ".bulk" / "ledger.db").exists()]


async def test_starts_them_a_moment_apart(tmp_path: Path) -> None:
    class Noted(Stop):
        slept: tuple[float, ...] = ()

        async def sleep(self, seconds: float) -> None:
            self.slept += (seconds,)
            await super().sleep(seconds)

    stop = Noted()
    campaigns = [campaign(tmp_path, name) for name in ("one", "two", "three")]
    await send_all(campaigns, contacts=FRAME, sandbox=True, stop=stop)
    assert sorted(stop.slept) == pytest.approx([0.0, 0.05, 0.1])


async def test_keeps_a_pace_for_each_rehearsal_and_one_for_each_account(
    tmp_path: Path, standing_sandbox: Sandbox
) -> None:
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        folder.mkdir()
    two = [campaign(folders[0]), campaign(folders[1], "summer")]
    await send_all(two, contacts=FRAME, sandbox=True)
    assert [len(list(folder.glob(".bulk/sandbox/*/pace/*"))) for folder in folders] == [1, 1]
    await send_all(two, contacts=FRAME, endpoint_url=standing_sandbox.url, region="us-west-2")
    assert [len(list(folder.glob(".bulk/pace/*"))) for folder in folders] == [1, 0]


async def test_stops_all_of_them_with_the_reason_and_exit_code_of_the_stop(tmp_path: Path) -> None:
    stop = Stop()
    stop.ask("interrupted", 130)
    runs = await send_all([campaign(tmp_path), campaign(tmp_path, "summer")], contacts=FRAME, sandbox=True, stop=stop)
    assert [(one.exit_code, one.summary.calls) for one in runs] == [(130, 0)] * 2


async def test_ends_where_one_does_not_go_on_before_its_first_call(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = bulk.run.send_pass.SendPass.go  # type: ignore[attr-defined]  # loaded by `bulk`

    async def go(self: Any, *given: Any) -> None:
        if self.context.campaign.name == "summer":
            raise CampaignError("the list is gone")
        await real(self, *given)

    monkeypatch.setattr("bulk.run.send_pass.SendPass.go", go)
    runs = await send_all([campaign(tmp_path), campaign(tmp_path, "summer")], contacts=FRAME, sandbox=True)
    told = [(one.exit_code, one.summary.sent, one.summary.halted, one.summary.seconds > 0) for one in runs]
    assert told == [(0, 3, None, True), (ExitCode.NOT_STARTED, 0, "the list is gone", False)]
    assert runs[1].results()["key"].to_list() == ["0", "1", "2"]
    assert [text for level, text in messages(caplog) if level == "ERROR"] == ["the list is gone"]


async def test_divides_the_open_files_among_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, logger="bulk")
    asked: list[tuple[list[int], int]] = []

    def shares(wanted: list[int], files: int) -> list[int]:
        asked.append((wanted, files))
        return [number // 2 for number in wanted]

    monkeypatch.setattr("bulk.run.send_all.shares", shares)
    seen: list[int | None] = []
    real = bulk.run.send_pass.SendPass.go  # type: ignore[attr-defined]  # loaded by `bulk`

    async def go(self: Any, *given: Any) -> None:
        seen.append(self.context.options.at_once)
        await real(self, *given)

    monkeypatch.setattr("bulk.run.send_pass.SendPass.go", go)
    pacing = {"pacing": {"rate": 500, "burst": 500, "at_once": 10}}
    two = [campaign(tmp_path), campaign(tmp_path, "summer", **pacing)]
    await send_all(two, contacts=FRAME, sandbox=True)
    assert (asked, seen) == ([([256, 10], 2)], [128, 5])
    said = "133 calls at once of all campaigns, not more: raise the limit of open files with `ulimit -n`"
    assert ("INFO", said) in messages(caplog)
    await send_all(two, contacts=FRAME, dry_run=True)
    assert asked[1:] == [([256, 10], 1)]
