"""What ends a run early for good (`run.halt`): it …"""

import logging

import pytest

from bulk.delivery.attempts import CallCounts
from bulk.errors import BulkError, ExitCode, Halted, LedgerError, ListError
from bulk.run.halt import Halt
from bulk.stop import Stop

BROKEN = LedgerError("the disk is full")


def halt(*, calls: int = 0, reason: str | None = None, code: int = ExitCode.HALTED) -> Halt:
    stop = Stop()
    if reason is not None:
        stop.ask(reason, code)
    return Halt(stop, CallCounts(calls=calls))


@pytest.mark.parametrize(
    "code, reason", [(ExitCode.HALTED, "why"), (ExitCode.INTERRUPTED, None), (ExitCode.ROWS_LEFT, None)]
)
def test_has_a_reason_where_it_is_a_halt_and_no_other_stop(code: ExitCode, reason: str | None) -> None:
    assert halt(reason="why", code=code).reason == reason
    assert halt().reason is None


@pytest.mark.parametrize(
    "noted, calls, raised",
    [
        ([], 0, None),
        ([ListError("a"), ListError("b")], 0, "a"),
        ([ListError("a")], 1, None),
        ([Halted("a")], 0, None),
        ([Halted("a"), ListError("b")], 0, None),
        ([LedgerError("a")], 0, "a"),
    ],
)
def test_raises_the_first_that_kept_a_run_from_starting_unless_a_call_was_made(
    noted: list[BulkError], calls: int, raised: str | None
) -> None:
    one = halt(calls=calls)
    for error in noted:
        one.note(error)
    if raised is None:
        one.check()
        return
    with pytest.raises(BulkError) as found:
        one.check()
    assert found.value is noted[0]


def test_raises_what_cannot_be_recorded_where_no_call_was_made() -> None:
    one = halt()
    with pytest.raises(LedgerError, match="the disk is full"), one.recording():
        raise BROKEN
    assert not one.stop.asked


def test_halts_where_the_end_cannot_be_recorded_of_a_run_that_made_calls(caplog: pytest.LogCaptureFixture) -> None:
    one = halt(calls=1)
    with one.recording():
        raise BROKEN
    assert (one.stop.reason, one.stop.exit_code, one.reason) == (str(BROKEN), Halted.exit_code, str(BROKEN))
    assert caplog.record_tuples == []


@pytest.mark.parametrize("reason, told", [("interrupted", [("bulk", logging.ERROR, str(BROKEN))]), (str(BROKEN), [])])
def test_says_what_cannot_be_recorded_where_another_reason_stands(
    reason: str, told: list[tuple[str, int, str]], caplog: pytest.LogCaptureFixture
) -> None:
    one = halt(calls=1, reason=reason)
    with one.recording():
        raise BROKEN
    assert one.stop.reason == reason
    assert caplog.record_tuples == told


def test_records_in_peace_where_nothing_is_wrong() -> None:
    one = halt(calls=1)
    with one.recording():
        pass
    assert not one.stop.asked
