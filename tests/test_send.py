"""A campaign sent (`run.send`): what is said before, and the run that comes of it. It …"""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sandbox_runs import SMS, Runs, rows

import bulk
from bulk.campaign import Campaign
from bulk.errors import CampaignError, ExitCode, Halted, LedgerError
from bulk.ledger import Ledger, RunFacts
from bulk.model import Status
from bulk.run.options import Options
from bulk.run.send import Run, Starting, kept, prepared, sent
from bulk.run.state_place import StatePlace
from bulk.run.summary import Summary
from bulk.stop import Stop

FRAME = pl.DataFrame({"phone": ["+12065550100", "+12065550101", "nobody"], "key": ["1", "2", "3"], "name": ["Ann"] * 3})
SUMMARY = Summary("spring", "monday", "sms", 1234, 1000, 0, 0, 0, 0, 234, 5, 0, 1.5, None, None)


def campaign(folder: Path, **tables: Any) -> Campaign:
    common = {"name": "spring", "channel": "sms", "request": SMS, "list": {"key": "key"}, "folder": folder}
    return Campaign(**{**common, "pacing": {"rate": 500, "burst": 500}, **tables})


def messages(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(record.levelname, record.getMessage()) for record in caplog.records if record.name == "bulk"]


# The run that comes of it


class Printer:
    """What IPython prints with."""

    told = ""

    def text(self, text: str) -> None:
        self.told += text


def test_shows_a_run_in_one_line_and_as_a_table() -> None:
    run, printer = Run(SUMMARY, 4, lambda: FRAME), Printer()
    run._repr_pretty_(printer, False)  # noqa: FBT003 - IPython's protocol
    assert printer.told == "<Run monday of spring: 1,000 of 1,234 rows sent>"
    assert run._repr_html_() == SUMMARY._repr_html_()
    assert run.results() is FRAME


@pytest.mark.parametrize(
    "code, halted, lost, expected",
    [
        (0, None, None, (0, None)),
        (0, None, "gone", (3, "gone")),
        (4, None, "gone", (3, "gone")),
        (5, None, "gone", (3, "gone")),
        (130, None, "gone", (130, "gone")),
        (3, "why", "gone", (3, "why")),
    ],
)
def test_is_halted_where_its_end_could_not_be_kept_elsewhere(
    code: int, halted: str | None, lost: str | None, expected: tuple[int, str | None]
) -> None:
    run = Run(replace(SUMMARY, halted=halted), code, lambda: FRAME)
    found = kept(run, StatePlace(Options(), lost=lost))
    assert (found.exit_code, found.summary.halted) == expected
    assert replace(found, exit_code=code, summary=run.summary) == run


async def test_adds_up_what_it_did_and_the_ledger_has_it(tmp_path: Path) -> None:
    one = campaign(tmp_path)
    options: dict[str, Any] = {"contacts": FRAME, "sandbox": True, "state_dir": tmp_path / "state"}
    run = await bulk.send(one, **options, limit=1)
    assert (run.exit_code, run.summary.sent, run.summary.pending + run.summary.refused) == (4, 1, 2)
    run = await bulk.send(one, **options)
    path = tmp_path / "results" / "spring-default.sandbox.csv"
    told = run.summary
    counts: dict[str, Any] = {"rows": 3, "sent": 2, "refused": 1, "calls": 1, "sent_before": 1, "results": str(path)}
    expected = replace(
        SUMMARY, run="default", pending=0, rehearsal=True, seconds=told.seconds, last_sent=told.last_sent
    )
    assert told == replace(expected, **counts)
    assert (run.exit_code, path.exists(), run.results()["status"].to_list()) == (1, True, ["sent", "sent", "refused"])
    assert run.preview.counts == {Status.SENT: 2, Status.REFUSED: 1}
    ledger = Ledger.read(tmp_path / "state" / "sandbox")
    assert ledger is not None
    with ledger:
        (facts,) = ledger.runs()
    assert (facts.passes, facts.rows, facts.halted, facts.calls, facts.throttled) == (2, 3, None, 2, 0)


async def test_says_that_the_list_changed_and_that_rows_are_left(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    people = tmp_path / "people.csv"
    people.write_text("key,phone,name\n1,+12065550100,Ann\n")
    context = await prepared(campaign(tmp_path), Options(contacts=people, sandbox=True))

    async def grow() -> None:
        people.write_text("key,phone,name\n1,+12065550100,Ann\n2,+12065550101,Bob\n")

    run = await sent(context, Stop(), None, 1.0, starting=Starting(when_open=grow))
    assert run.exit_code == ExitCode.ROWS_LEFT
    said = "the contact list changed while it was sent: send again, so that no row of it is left"
    assert ("WARNING", said) in messages(caplog)


async def test_ends_though_the_list_cannot_even_be_counted(tmp_path: Path) -> None:
    people, stop = tmp_path / "people.csv", Stop()
    people.write_text("key,phone,name\n1,+12065550100,Ann\n")
    context = await prepared(campaign(tmp_path), Options(contacts=people, sandbox=True, state_dir=tmp_path / "state"))

    async def lose() -> None:
        people.write_text('key,phone,name\n1,"+12065550100,Ann\n')
        stop.ask("interrupted", 130)

    run = await sent(context, stop, None, 1.0, starting=Starting(when_open=lose))
    assert (run.exit_code, run.summary.calls) == (130, 0)


async def test_adds_up_what_it_did_though_the_list_is_gone_at_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(*_: object) -> None:
        raise FileNotFoundError(2, "No such file or directory", "people.csv")

    monkeypatch.setattr("bulk.run.results.look", look)
    run = await bulk.send(campaign(tmp_path), contacts=FRAME, sandbox=True, state_dir=tmp_path / "state")
    assert (run.exit_code, run.summary.sent, run.summary.refused, run.summary.results) == (1, 2, 1, None)


async def test_says_what_is_seen_at_the_end_of_a_list_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="bulk")
    context = await prepared(campaign(tmp_path), Options(contacts=FRAME, sandbox=True))
    context.contacts._unused = ["seen at first"]
    caplog.clear()

    async def see() -> None:
        context.contacts._unused = ["seen at first", "a footer"]

    run = await sent(context, Stop(), None, 1.0, starting=Starting(when_open=see))
    told = messages(caplog)
    assert (told.count(("INFO", "a footer")), told.count(("INFO", "seen at first"))) == (1, 0)
    assert (run.exit_code, run.summary.virtual_time) == (1, None)


async def test_says_why_it_halted_and_the_ledger_has_that_too(runs: Runs) -> None:
    runs.faults({"fault": "error", "code": "AccessDeniedException", "status": 403})
    run = await runs.send(rows("a"))
    facts = kept_of(runs)
    assert (run.exit_code, run.summary.sent, run.summary.calls) == (3, 0, 1)
    assert run.summary.halted
    assert (facts.halted, facts.calls, facts.throttled, facts.rows) == (run.summary.halted, 1, 0, 1)
    runs.faults({"fault": "throttle", "first": 1})
    run = await runs.send(rows("a"))
    assert (run.exit_code, run.summary.sent, run.summary.throttled, run.summary.halted) == (0, 1, 1, None)
    facts = kept_of(runs)
    assert (facts.halted, facts.calls, facts.throttled) == (None, 3, 1)


def kept_of(runs: Runs) -> RunFacts:
    """Return the only run as the ledger keeps it."""
    ledger = Ledger.read(runs.folder / "state")
    assert ledger is not None
    with ledger:
        (facts,) = ledger.runs()
    return facts


async def test_raises_the_halt_where_the_ledger_cannot_be_read_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_: object) -> None:
        raise LedgerError("the disk is gone")

    monkeypatch.setattr("bulk.run.send.results_of", unreadable)
    with pytest.raises(Halted, match=r"^the disk is gone$") as raised:
        await bulk.send(campaign(tmp_path), contacts=FRAME, sandbox=True)
    assert isinstance(raised.value.__cause__, LedgerError)
    stop = Stop()
    stop.ask("a cause", ExitCode.HALTED)
    with pytest.raises(Halted, match=r"^a cause$"):
        await bulk.send(campaign(tmp_path), contacts=FRAME, sandbox=True, stop=stop)


async def test_has_ended_where_only_closing_the_ledger_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_: object) -> None:
        raise LedgerError("the disk is gone")

    context = await prepared(campaign(tmp_path), Options(contacts=FRAME, sandbox=True))
    with monkeypatch.context() as patch:
        patch.setattr("bulk.ledger.ledger.Ledger.close", failing)
        assert (await sent(context, Stop(), None, 1.0)).summary.sent == 2

    async def fail() -> None:
        raise LedgerError("the disk is gone")

    with pytest.raises(LedgerError):
        await sent(context, Stop(), None, 1.0, starting=Starting(when_open=fail))


async def test_warns_of_rows_without_an_answer_that_the_list_lost(runs: Runs, caplog: pytest.LogCaptureFixture) -> None:
    runs.faults({"fault": "hang"})
    await runs.cut_short(rows("ab"), "StartOutboundChatContact", 2)
    runs.faults()
    run = await runs.send(rows("c"))
    assert (run.exit_code, run.summary.sent) == (1, 1)
    said = "2 rows in doubt or unknown are not in the list any more: `bulk resolve` lists them"
    assert ("WARNING", said) in messages(caplog)


# What is said before


async def test_says_what_a_person_should_know_and_warns_of_what_leaves_nobody_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def put_in(*_: object) -> list[str]:
        return ["nobody says no"]

    monkeypatch.setattr("bulk.run.opt_outs.put_in", put_in)
    caplog.set_level(logging.INFO, logger="bulk")
    one = campaign(tmp_path, pacing={"rate": "auto"})
    context = await prepared(one, Options(contacts=FRAME, sandbox=True))
    assert messages(caplog) == [
        *(("WARNING" if note == "nobody says no" else "INFO", note) for note in context.notes),
        *(("INFO", note) for note in context.rates.remarks()),
    ]
    assert "nobody says no" in context.notes
    assert context.rates.remarks()


@pytest.mark.parametrize("options", [{"cluster": "tcp://there:1", "sandbox": True}, {"results": "results.doc"}])
async def test_finds_what_is_wrong_with_the_way_out_and_the_results(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(CampaignError):
        await prepared(campaign(tmp_path), Options(contacts=FRAME, **options))


async def test_tells_a_dry_run_of_changes_that_a_sending_would_refuse_and_leaves_the_ledger_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="bulk")
    with Ledger.open(tmp_path / "state") as ledger:
        context = await prepared(campaign(tmp_path), Options(contacts=FRAME, state_dir=tmp_path / "state"))
        ledger.begin(context.identity("e", "r"), {**context.digests, "request.Gone": "1"}, fixed=context.fixed)
    assert context.state_dir == tmp_path / "state"
    caplog.clear()
    dry = await prepared(campaign(tmp_path), Options(contacts=FRAME, state_dir=tmp_path / "state", dry_run=True))
    assert dry.state_dir != tmp_path / "state"
    assert ["request.Gone" in text for _, text in messages(caplog)] == [True]
