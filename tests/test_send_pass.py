"""One pass over a list (`run.send_pass`), between a real ledger and a hand that carries the rows. It …"""

from pathlib import Path

import anyio
import pytest
from passes import START, Hand, Pass, PauseLoop, refused

from bulk.errors import CampaignError, ExitCode, Halted, LedgerError, ListError
from bulk.model import Outcome, Status
from bulk.run.marks import marks_of
from bulk.run.pool import Pool
from bulk.run.progress_file import path_of
from bulk.run.send_pass import SendPass

UNANSWERED = Outcome(Status.PENDING, attempts=1)
PEOPLE = "key,phone,name\n" + "".join(f"{row},+1206555{row:04},Ann\n" for row in range(3))


def messages(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(record.levelname, record.getMessage()) for record in caplog.records if record.name == "bulk"]


# The rows


def test_carries_every_row_once_and_knows_what_it_did(tmp_path: Path) -> None:
    one = Pass(tmp_path, hand=Hand({"1": refused()}))
    sending = one.go()
    assert sorted(one.hand.keys) == ["0", "1", "2"]
    assert (sending.rows, sending.total, sending.leaves_rows, sending.stop.asked) == (3, 3, False, False)
    assert (sending.seen.ended, sending.seen.before) == ({Status.SENT: 2, Status.REJECTED: 1}, 0)
    assert sending.seen.readings == 1


def test_leaves_alone_what_had_its_end_before(tmp_path: Path) -> None:
    Pass(tmp_path, hand=Hand({"1": refused()})).go()
    one = Pass(tmp_path, rows=4)
    sending = one.go()
    assert one.hand.keys == ["3"]
    assert (sending.seen.before, sending.seen.recorded, sending.rows) == (3, 3, 4)


def test_counts_none_as_recorded_where_a_decision_opens_them_again(tmp_path: Path) -> None:
    Pass(tmp_path, hand=Hand({"1": refused()})).go()
    one = Pass(tmp_path)
    sending = one.go(only=Status.REJECTED)
    assert (one.hand.keys, sending.seen.recorded) == (["1"], 0)


def test_counts_none_as_recorded_that_is_without_an_answer(tmp_path: Path) -> None:
    Pass(tmp_path, rows=2, hand=Hand({"0": Halted("the line is cut")})).go()
    assert Pass(tmp_path, rows=2).go().seen.recorded == 1


def test_counts_a_row_that_is_left_out_when_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(PEOPLE + "0,+12065550099,Twin\n,+12065550098,Nobody\n")
    one = Pass(tmp_path, contacts=tmp_path / "people.csv")
    sending = one.go()
    assert sorted(one.hand.keys) == ["0", "1", "2"]
    assert sending.seen.ended == {Status.SENT: 3, Status.SKIPPED: 1, Status.REFUSED: 1}
    assert sending.rows == 5
    assert sending.marks == marks_of(sending.context) != {}


def test_keeps_what_it_claimed_before_a_row_is_carried(tmp_path: Path) -> None:
    hand, kept = Hand(records=False), list[int]()

    async def keep() -> None:
        kept.append(len(hand.keys))

    Pass(tmp_path, rows=2500, hand=hand, pool=Pool(keep=keep)).go(at_once=500)
    assert (kept[0], len(kept)) == (0, 3)


@pytest.mark.parametrize("lot, batches", [(0, 3), (999, 3), (1000, 2), (2500, 1)])
def test_claims_as_many_rows_together_as_are_to_be_kept_together(tmp_path: Path, lot: int, batches: int) -> None:
    kept = list[None]()

    async def keep() -> None:
        kept.append(None)

    one = Pass(tmp_path, rows=2500, pool=Pool(keep=keep, lot=lambda: lot), hand=Hand(records=False))
    sending = one.go(at_once=500)
    assert (len(kept), len(one.hand.keys), sending.total) == (batches, 2500, 2500)


# What counts as a call


@pytest.mark.parametrize(
    "end, called", [(Outcome(Status.SENT, "c", 1), 2), (UNANSWERED, 2), (refused(attempts=0), 5), (refused(), 2)]
)
def test_takes_a_row_out_of_the_limit_only_when_a_call_was_made(tmp_path: Path, end: Outcome, called: int) -> None:
    one = Pass(tmp_path, rows=5, hand=Hand({str(row): end for row in range(5)}))
    one.go(limit=2)
    assert len(one.hand.keys) == called


def test_halts_where_rows_fail_alike_that_were_called(tmp_path: Path) -> None:
    tables = {"stop": {"same_error_in_a_row": 2}}
    one = Pass(tmp_path, rows=9, tables=tables, hand=Hand({str(row): refused() for row in range(9)}))
    sending = one.go(at_once=1)
    assert len(one.hand.keys) == 2
    assert sending.stop.exit_code == ExitCode.HALTED
    assert sending.halt.reason == "2 rows in a row failed alike ([stop] same_error_in_a_row): AccessDenied: no"
    uncalled = Hand({str(row): refused(attempts=0) for row in range(9)})
    assert not Pass(tmp_path / "new", rows=9, tables=tables, hand=uncalled).go(at_once=1).stop.asked


# Why it ends early


def test_raises_what_kept_it_from_starting_and_halts_once_a_call_was_made(tmp_path: Path) -> None:
    error = CampaignError("the role cannot be assumed")
    with pytest.raises(CampaignError) as raised:
        Pass(tmp_path, hand=Hand({str(row): error for row in range(3)}, makes_calls=False)).go()
    assert raised.value is error
    one = Pass(tmp_path, hand=Hand({"2": error}))
    assert one.go().halt.reason == str(error)


def test_raises_what_is_wrong_with_the_list_where_no_call_was_made(tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text(PEOPLE)
    one = Pass(tmp_path, contacts=people)
    one.go()
    people.write_text(PEOPLE + '3,"+12065550003,Ann\n')
    with pytest.raises(ListError):
        Pass(tmp_path, contacts=people).go()


def test_halts_where_the_list_cannot_be_read_on_after_a_call(tmp_path: Path) -> None:
    lines = [f"{row},+1206555{row:04},Ann" for row in range(6000)]
    people = tmp_path / "people.csv"
    people.write_text("\n".join(["key,phone,name", *lines, '9999,"+12065559999,Ann', ""]))
    one = Pass(tmp_path, contacts=people, hand=Hand(records=False))
    sending = one.go(at_once=500)
    assert one.hand.keys
    assert (sending.stop.exit_code, "people.csv" in str(sending.halt.reason)) == (ExitCode.HALTED, True)


@pytest.mark.parametrize("calls", [0, 1])
def test_halts_where_the_end_cannot_be_kept_of_a_pass_that_made_calls(
    calls: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def flush(_: object) -> None:
        raise LedgerError("the disk is full")

    monkeypatch.setattr("bulk.ledger.run_writer.RunLedger.flush", flush)
    one = Pass(tmp_path, rows=1, hand=Hand(makes_calls=bool(calls)))
    if not calls:
        with pytest.raises(LedgerError):
            one.go()
        return
    assert one.go().halt.reason == "the disk is full"


def test_ends_when_its_time_is_over(tmp_path: Path) -> None:
    one = Pass(tmp_path, rows=50, hand=Hand(seconds=1.0), tables={"stop": {"grace": "100ms"}})
    sending = one.go(at_once=1, max_duration=2.5)
    assert (sending.stop.reason, sending.stop.exit_code) == ("--max-duration: 2.5 s are over", ExitCode.ROWS_LEFT)
    assert len(one.hand.keys) == 3
    assert one.took == pytest.approx(2.6)


def test_says_how_many_contacts_could_not_be_stopped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Pass(tmp_path).go()
    assert messages(caplog) == []
    one = Pass(tmp_path)
    one.hand.call_counts.unstopped = 7
    one.go()
    said = "7 contacts could not be stopped (StopContact): they stay open until they expire"
    assert messages(caplog) == [("WARNING", said)]


# Rows in doubt


def test_counts_the_rows_without_an_answer_until_each_is_settled(tmp_path: Path) -> None:
    Pass(tmp_path, rows=2, hand=Hand({str(row): UNANSWERED for row in range(2)})).go()
    seen: list[int] = []

    async def beside(sending: SendPass) -> None:
        while True:
            seen.append(sending.waiting.unsettled)
            await anyio.sleep(0.5)

    again = Outcome(Status.SENT, "c", 2)
    sending = Pass(tmp_path, rows=3, hand=Hand({"0": again, "1": again}, seconds=1.0)).go(at_once=1, beside=beside)
    assert (seen[0], sending.waiting.unsettled, sending.seen.recorded) == (2, 0, 0)
    assert set(seen) == {2, 1, 0}


# What is told meanwhile


def test_tells_its_progress_every_so_often_with_how_many_rows_there_are(tmp_path: Path) -> None:
    hand = Hand(seconds=2.0, full=("CreateContact", "StopContact"), probes={"StopContact": 9.0})
    one = Pass(tmp_path, rows=2, hand=hand, loop=PauseLoop)
    one.go(every=0.9, at_once=1)
    told = [(round(seen.seconds, 3), seen.sent, seen.total, seen.full) for seen in one.seen]
    full = "CreateContact", "StopContact"
    assert told[:4] == [(0.9, 0, 2, full), (1.8, 0, 2, full), (2.7, 1, 2, full), (3.6, 1, 2, full)]
    waits = [wait for wait in one.seen[0].waits if wait.reason == "full"]
    assert [(wait.operation, round((wait.until or 0.0) - START, 3)) for wait in waits] == [
        ("CreateContact", 0.9),
        ("StopContact", 9.9),
    ]


def test_counts_the_list_after_a_second_where_nobody_watches(tmp_path: Path) -> None:
    known: list[float] = []

    async def beside(sending: SendPass) -> None:
        while sending.total is None:  # noqa: ASYNC110 - the pass tells only who asks
            await anyio.sleep(0.1)
        known.append(anyio.current_time())

    one = Pass(tmp_path, rows=1500, hand=Hand(seconds=60.0), tables={"stop": {"grace": "0s"}}, loop=PauseLoop)
    one.go(beside=beside, at_once=1, max_duration=5.0)
    assert known == [pytest.approx(1.4, abs=0.45)]
    assert one.sending.total == 1500


@pytest.mark.parametrize("dry_run", [False, True])
def test_leaves_its_progress_for_others_while_it_lasts(tmp_path: Path, dry_run: bool) -> None:
    one, there = Pass(tmp_path, hand=Hand(seconds=1.2), loop=PauseLoop), list[bool]()

    async def beside(sending: SendPass) -> None:
        await anyio.sleep(1.0)
        there.append(path_of(sending.context).exists())

    sending = one.go(beside=beside, dry_run=dry_run)
    assert there == [not dry_run]
    assert not path_of(sending.context).exists()
