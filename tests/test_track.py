"""How contacts ended: asked for, read from events, kept, and shown beside the results."""

import gzip
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from cli_runs import Service, at, campaign, environment
from cli_runs import bulk as program
from sandbox_runs import Runs, rows

import bulk
from bulk.run.contact_events import facts_of

FAST: dict[str, Any] = {"rate": 10_000, "burst": 10_000}


@pytest.fixture
async def sent(runs: Runs) -> Runs:
    runs.sandbox.set_quotas(ends_after=0)
    await runs.send(rows("abcdef"))
    return runs


async def track(runs: Runs, **options: Any) -> bulk.Tracking:
    return await bulk.track(runs.campaign, **FAST, **runs.options, **options)


async def test_it_tells_how_each_contact_ended_and_who_answered(sent: Runs) -> None:
    sent.sandbox.set_quotas(answers=0.5)
    told = await track(sent)
    assert (told.contacts, told.ended, told.open, told.gone, told.untracked) == (6, 6, 0, 0, 0)
    assert told.reasons == {"CONTACT_FLOW_DISCONNECT": 6}
    assert told.answered + told.silent == 6
    assert 0 < told.answered < 6
    assert "does not tell" in told.as_dict()["note"]


async def test_what_has_ended_is_not_asked_about_again_and_what_is_open_is(runs: Runs) -> None:
    await runs.send(rows("ab"))
    assert (await track(runs)).open == 2
    runs.sandbox.set_quotas(ends_after=0)
    await runs.send(rows("abc"))
    told = await track(runs)
    assert (told.asked, told.ended, told.open) == (3, 1, 2)
    assert (await track(runs)).asked == 2
    assert runs.received("DescribeContact") == 7


async def test_it_goes_on_where_it_was_cut_short(sent: Runs) -> None:
    sent.faults({"fault": "error", "code": "AccessDeniedException", "operation": "DescribeContact", "every": 4})
    with pytest.raises(bulk.Halted, match="Is connect:DescribeContact allowed"):
        await track(sent)
    sent.faults()
    told = await track(sent)
    assert told.ended == 6
    assert told.asked < 6


async def test_where_nobody_may_ask_it_says_so_once_and_a_stop_ends_it_at_once(sent: Runs) -> None:
    sent.faults({"fault": "error", "code": "AccessDeniedException", "operation": "DescribeContact"})
    with pytest.raises(bulk.Halted, match="Is connect:DescribeContact allowed"):
        await track(sent)
    stop = bulk.Stop()
    stop.ask("interrupted", 130)
    assert (await track(sent, stop=stop)).untracked == 6


async def test_a_contact_that_is_not_there_is_gone_and_nothing_else_of_the_row_changes(sent: Runs) -> None:
    before = (await bulk.status(sent.campaign, **sent.options)).summary
    sent.sandbox.reset()
    assert (await track(sent)).gone == 6
    assert (await bulk.status(sent.campaign, **sent.options)).summary.sent == before.sent == 6


async def test_it_asks_where_the_run_was_sent_and_nowhere_else(sent: Runs) -> None:
    with pytest.raises(bulk.LedgerError, match="Ask where it was sent"):
        await bulk.track(sent.campaign, **{**sent.options, "region": "eu-west-2"})


def events(runs: Runs, **changed: Any) -> list[dict[str, Any]]:
    """Return contact events as EventBridge hands them on, of each contact and of somebody else's."""
    ids = [one["ContactId"] for one in runs.sandbox.contacts] + ["somebody-else"]
    about = {"eventType": "DISCONNECTED", "disconnectTimestamp": "2026-11-26T20:00:00Z", **changed}
    return [{"source": "aws.connect", "detail": {"contactId": id_, **about}} for id_ in ids]


async def test_it_reads_contact_events_from_a_file_and_from_a_folder(sent: Runs, tmp_path: Path) -> None:
    told = events(sent, disconnectReason="CUSTOMER_DISCONNECT")
    one, folder = tmp_path / "events.ndjson", tmp_path / "stream"
    one.write_text("\n".join(json.dumps(event) for event in told[:3]) + "\n")
    first = await track(sent, events=one)
    assert (first.asked, first.ended, first.untracked, first.reasons) == (3, 3, 3, {"CUSTOMER_DISCONNECT": 3})
    folder.mkdir()
    records = [{"ContactId": e["detail"]["contactId"], "DisconnectTimestamp": "2026-11-26T20:00:00Z"} for e in told]
    with gzip.open(folder / "part-0.gz", "wt") as file:
        file.write("".join(json.dumps(record) for record in records))  # as a stream writes them: not a line each
    assert (await track(sent, events=folder)).ended == 6
    assert sent.received("DescribeContact") == 0


async def test_an_event_that_comes_late_does_not_open_what_has_ended(sent: Runs, tmp_path: Path) -> None:
    await track(sent)
    path = tmp_path / "late.ndjson"
    path.write_text("\n".join(json.dumps(event) for event in events(sent, disconnectTimestamp=None)))
    assert (await track(sent, events=path)).ended == 6


@pytest.mark.parametrize("text", ["{", "[1]\n", '{"detail": {}}\nnope\n'])
async def test_a_file_that_holds_no_events_is_named_with_its_line(sent: Runs, tmp_path: Path, text: str) -> None:
    path = tmp_path / "events.ndjson"
    path.write_text(text)
    with pytest.raises(bulk.CampaignError, match=r"events\.ndjson, line \d: no JSON"):
        await track(sent, events=path)
    with pytest.raises(bulk.CampaignError, match="No such file"):
        await track(sent, events=tmp_path / "none")


def test_what_is_told_is_read_in_either_spelling() -> None:
    told = {"ChatMetrics": {"CustomerMetrics": {"MessagesSent": 2}}, "InitiationTimestamp": 5}
    facts = facts_of({"Id": "a", **told})
    assert facts is not None
    assert (facts.state, facts.messages, facts.initiated_at) == ("open", 2, 5.0)
    assert facts_of({"contactId": "a", "disconnectTimestamp": "no time"}) == facts_of({"ContactId": "a"})
    assert facts_of({"contactId": 7}) is None


async def test_results_show_it_beside_each_row(sent: Runs, tmp_path: Path) -> None:
    await track(sent)
    path, people = tmp_path / "ends.parquet", pl.DataFrame(rows("abcdefg"))
    await bulk.results(sent.campaign, path, contacts=people, with_track=True, **sent.options)
    frame = pl.read_parquet(path)
    assert frame["key"].to_list() == list("abcdefg")
    assert frame["contact_state"].to_list() == ["ended"] * 6 + [None]
    assert frame["answered"].to_list() == [False] * 6 + [None]
    assert frame["disconnected_at"].null_count() == 1
    await bulk.results(sent.campaign, tmp_path / "ends.csv", contacts=people, with_track=True, **sent.options)
    assert "CONTACT_FLOW_DISCONNECT" in (tmp_path / "ends.csv").read_text()


async def test_a_ledger_of_before_is_read_without_ends_and_kept(sent: Runs, tmp_path: Path) -> None:
    with closing(sqlite3.connect(sent.folder / "state" / "ledger.db")) as ledger, ledger:
        ledger.execute("DROP TABLE contact_end")
        ledger.execute("DROP TABLE mark")
        ledger.execute("DELETE FROM migration WHERE name = 'marks_and_ends'")
    people = pl.DataFrame(rows("abcdef"))
    await bulk.results(sent.campaign, tmp_path / "a.parquet", contacts=people, with_track=True, **sent.options)
    assert pl.read_parquet(tmp_path / "a.parquet")["contact_state"].null_count() == 6
    assert (await track(sent)).ended == 6


async def test_the_command_says_that_it_is_no_receipt(
    tmp_path: Path, sandbox: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, where = campaign(tmp_path, rows=2), at(sandbox.url)
    for name, value in environment(**where).items():
        monkeypatch.setenv(name, value)
    await bulk.send(path, endpoint_url=sandbox.url)
    told = program("track", "campaign.toml", cwd=tmp_path, **where)
    assert (told.code, told.out) == (0, "reminders, run default: 2 contacts: 2 open\nanswered by 0, not by 2\n")
    assert "no receipt of delivery" in told.err
