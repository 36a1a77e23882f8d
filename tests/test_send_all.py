"""Several campaigns sent together, in one process, to a sandbox over real HTTP."""

from pathlib import Path
from typing import Any

import anyio
import pytest
from sandbox_runs import CHAT, Runs

import bulk
from bulk.ledger.lock import sole_sender

CREEPING = {"rate": 20, "burst": 1}


def list_of(runs: Runs, name: str, rows: int, *, area: int) -> Path:
    """Write a list of so many people of an area of their own."""
    path = runs.folder / f"{name}.csv"
    path.write_text("key,phone,name\n" + "".join(f"{row},+1{area}555{row:04},Ann\n" for row in range(rows)))
    return path


def campaign(runs: Runs, name: str, *, rows: int = 5, area: int = 206, **settings: Any) -> bulk.Campaign:
    """Return a campaign of this name, whose contacts tell that they are its."""
    request = {**runs.settings["request"], "Attributes": {"key": "{{ key }}", "of": name}}
    contacts = str(list_of(runs, name, rows, area=area))
    common = {**runs.settings, "request": request, "contacts": contacts, "folder": runs.folder}
    return bulk.Campaign(**{**common, "name": name, **settings})


async def together(runs: Runs, *campaigns: bulk.Campaign, **options: Any) -> list[bulk.Run]:
    return await bulk.send_all(campaigns, endpoint_url=runs.sandbox.url, region="us-west-2", **options)


async def alone(runs: Runs, one: bulk.Campaign) -> bulk.Run:
    return await bulk.send(one, endpoint_url=runs.sandbox.url, region="us-west-2")


def sent_by(runs: Runs) -> list[str]:
    return sorted(contact["Parameters"]["Attributes"]["of"] for contact in runs.sandbox.contacts)


def told(runs: list[bulk.Run]) -> list[tuple[int, int]]:
    return [(run.summary.sent, run.exit_code) for run in runs]


async def test_each_campaign_keeps_its_own_run_results_and_exit_code(runs: Runs) -> None:
    ended = await together(runs, campaign(runs, "one"), campaign(runs, "two", rows=3))
    assert [run.summary.campaign for run in ended] == ["one", "two"]
    assert told(ended) == [(5, 0), (3, 0)]
    assert sent_by(runs) == ["one"] * 5 + ["two"] * 3
    assert [run.summary.results for run in ended] == [
        str(runs.folder / "results" / f"{name}-default.csv") for name in ("one", "two")
    ]
    assert set(ended[0].results()["contact_id"]).isdisjoint(ended[1].results()["contact_id"])


async def test_what_was_sent_together_goes_on_alone_and_nothing_is_sent_twice(runs: Runs) -> None:
    one, two = campaign(runs, "one"), campaign(runs, "two")
    assert told(await together(runs, one, two, limit=3)) == [(3, 4), (3, 4)]
    assert (await alone(runs, one)).summary.calls == 2
    assert [run.summary.calls for run in await together(runs, one, two)] == [0, 2]
    assert sent_by(runs) == ["one"] * 5 + ["two"] * 5


async def test_the_halt_of_one_leaves_the_others_going(runs: Runs) -> None:
    refused = [f"+1415555{row:04}" for row in range(30)]
    runs.faults({"fault": "error", "code": "AccessDeniedException", "status": 403, "destinations": refused})
    good = campaign(runs, "good", rows=20, pacing=CREEPING)
    halted, going = await together(runs, campaign(runs, "bad", rows=30, area=415), good)
    assert (halted.exit_code, halted.summary.sent, going.exit_code, going.summary.sent) == (3, 0, 0, 20)
    assert "AccessDenied" in str(halted.summary.halted)
    assert going.summary.halted is None


async def test_a_stop_ends_all_of_them_with_what_is_in_flight_finished(runs: Runs) -> None:
    runs.faults({"fault": "delay", "seconds": 0.3})
    patient: dict[str, Any] = {"rows": 60, "pacing": CREEPING, "stop": {"grace": "5s"}}
    campaigns = [campaign(runs, name, **patient) for name in ("one", "two")]
    stop, ended = bulk.Stop(), []
    async with anyio.create_task_group() as group:
        group.start_soon(runs._stop_after, stop, CHAT, 8)
        ended = await together(runs, *campaigns, stop=stop, at_once=8)
    runs.faults()
    assert [run.exit_code for run in ended] == [143, 143]
    assert sum(run.summary.sent for run in ended) == len(runs.sandbox.contacts) == runs.received(CHAT)
    assert all(run.summary.in_doubt == 0 < run.summary.pending for run in ended)
    assert told(await together(runs, *campaigns, rate=900.0, burst=100)) == [(60, 0), (60, 0)]
    assert runs.received(CHAT) == 120


async def test_the_same_run_given_twice_is_an_error_before_anything_is_sent(runs: Runs) -> None:
    one = campaign(runs, "one")
    with pytest.raises(bulk.CampaignError, match="are the same run"):
        await together(runs, campaign(runs, "two"), one, one)
    assert sent_by(runs) == []


async def test_campaigns_that_would_write_the_same_results_are_an_error(runs: Runs) -> None:
    with pytest.raises(bulk.CampaignError, match="--results names one file"):
        await together(runs, campaign(runs, "one"), campaign(runs, "two"), results=runs.folder / "both.csv")
    with pytest.raises(bulk.CampaignError, match="no campaign"):
        await together(runs)


async def test_nothing_is_sent_by_any_where_one_campaign_is_wrong(runs: Runs) -> None:
    wrong = campaign(runs, "wrong", list={"key": "nothing"})
    with pytest.raises(bulk.BulkError, match=r"^wrong: .*nothing"):
        await together(runs, campaign(runs, "one"), wrong)
    assert runs.received(CHAT) == 0


async def test_nothing_is_sent_by_any_where_another_process_sends_one_of_them(runs: Runs) -> None:
    one, two = campaign(runs, "one"), campaign(runs, "two")
    with (
        sole_sender(runs.folder / ".bulk", "two", "default"),
        pytest.raises(bulk.RunBusy, match=r"^two: run 'default'"),
    ):
        await together(runs, one, two)
    assert runs.received(CHAT) == 0
    assert told(await together(runs, one, two)) == [(5, 0), (5, 0)]


async def test_one_that_cannot_go_on_before_its_first_call_leaves_the_others_going(runs: Runs) -> None:
    one, two = campaign(runs, "one"), campaign(runs, "two", rows=2000)
    assert told([await alone(runs, two)]) == [(2000, 0)]
    with (runs.folder / "two.csv").open("ab") as file:
        file.write(b'9999,"+12065559999,Ann\n')  # a quote that never ends
    ended = await together(runs, one, two)
    assert told(ended[:1]) == [(5, 0)]
    assert (ended[1].exit_code, ended[1].summary.calls) == (2, 0)
    assert "two.csv" in str(ended[1].summary.halted)


async def test_campaigns_of_one_state_directory_share_a_writer_and_count_their_calls_apart(runs: Runs) -> None:
    await together(runs, campaign(runs, "one", rows=7), campaign(runs, "two", rows=9))
    stood = [await bulk.status(campaign(runs, name)) for name in ("one", "two")]
    assert [run.summary.calls for run in stood] == [7, 9]


async def test_progress_is_told_with_the_name_of_each_campaign(runs: Runs) -> None:
    seen: dict[str, int] = {}
    campaigns = [campaign(runs, name, rows=12, pacing=CREEPING) for name in ("one", "two")]
    await together(runs, *campaigns, watch=lambda name, told: seen.update({name: told.sent}), every=0.05)
    assert seen.keys() == {"one", "two"}
    assert all(0 < number <= 12 for number in seen.values())
