"""One pass of a run as bulk.ledger.run_writer keeps it: its calls, its end, which rows it sends again and which not."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from ledgers import IDENTITY, Written, begin, intent, tables

from bulk.ledger import Claim, ClaimKind, Decision, Ledger, Origin, RunLedger
from bulk.ledger.run_writer import COUNT
from bulk.model import Outcome, Recipient, Refusal, Status

NOW = 1.8e9
NEW, UNSETTLED, FINAL, *_ = ClaimKind


def people(names: str, first: int = 0) -> list[Recipient]:
    return [Recipient(row, name, f"{name}@example.com", {}) for row, name in enumerate(names, first)]


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


class Pass:
    """A run that has made calls before, by a clock that a test sets, and the counts of its second pass."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self.clock = clock
        begin(ledger).close_pass(calls=10, throttled=5)
        ledger.begin(replace(IDENTITY, run="other"), {}).close_pass(calls=1)
        self.run = begin(ledger)
        self.run.claim(people("abcdefgh"))
        self.counts = 0, 0
        self.called = 0
        self.run.count(lambda: self.counts)

    async def call(self) -> None:
        """Have something else written."""
        self.called += 1
        await self.run.intend(intent(self.called, 0, "token"))

    def kept(self) -> tuple[int, int, float]:
        row = tables(self.run)["run 1"]
        return row["calls"], row["throttled"], row["latest_at"] - NOW

    async def noted(self, seconds: float, counts: tuple[int, int]) -> tuple[int, int, float]:
        """Note the counts when the clock says so; return what is kept then."""
        self.clock.now, self.counts = NOW + seconds, counts
        await self.run.note()
        await self.run.flush()
        return self.kept()


@pytest.fixture
def second(tmp_path: Path) -> Iterator[Pass]:
    clock = Clock()
    with Ledger.open(tmp_path, gather=0.0, now=clock) as ledger:
        yield Pass(ledger, clock)


async def test_calls_are_kept_with_whatever_else_is_written(second: Pass) -> None:
    second.clock.now += 3
    await second.call()
    assert second.kept() == (10, 5, 0)  # none yet
    for counts in ((1, 0), (1, 1), (4, 2)):
        second.counts = counts
        await second.call()
        assert second.kept() == (10 + counts[0], 5 + counts[1], 3)
    second.clock.now += 3
    await second.call()
    assert second.kept() == (14, 7, 3)  # nothing new
    second.clock.now -= 5
    second.counts = 5, 2
    await second.call()
    assert second.kept() == (15, 7, 3)


async def test_calls_are_kept_now_and_then_where_nothing_else_is_written(second: Pass) -> None:
    assert COUNT == 2.0
    assert await second.noted(1.75, (1, 0)) == (10, 5, 0)
    assert await second.noted(2.0, (1, 0)) == (11, 5, 2.0)
    assert await second.noted(3.75, (2, 1)) == (11, 5, 2.0)
    assert await second.noted(4.0, (2, 1)) == (12, 6, 4.0)
    assert await second.noted(7.0, (2, 1)) == (12, 6, 4.0)  # nothing new
    assert await second.noted(7.25, (3, 1)) == (13, 6, 7.25)
    assert await second.noted(6.0, (4, 1)) == (13, 6, 7.25)
    assert await second.noted(5.25, (4, 1)) == (14, 6, 7.25)  # the clock was set back


async def test_a_run_that_nobody_counts_has_nothing_to_note(ledger: Ledger) -> None:
    run = begin(ledger)
    written = Written(run)
    run._noted_at -= COUNT
    await run.note()
    assert await written() == {}


# Its end


async def test_a_pass_ends_as_it_is_said_to(second: Pass) -> None:
    written = Written(second.run)
    second.clock.now += 60
    second.run.close_pass(rows=7, halted="no flow", calls=3, throttled=2)
    end = {"rows": 7, "halted": "no flow", "calls": 13, "throttled": 7}
    assert await written() == {
        "run 1": {**end, "ended_at": NOW + 60, "latest_at": NOW + 60, "under_way": None},
        "delivery 8": {"row": None},
    }


async def test_a_pass_of_which_nothing_more_is_said_ends_with_what_was_known(ledger: Ledger) -> None:
    run = ledger.begin(IDENTITY, {}, origin=Origin("ann@host", "1.0"))
    written = Written(run)
    run.close_pass()
    assert await written() == {
        "run 1": {"ended_at": NOW, "latest_at": NOW, "under_way": None},
        "pass 1 1": {"ended_at": NOW},
    }


# Which rows it sends


async def test_which_rows_a_pass_sends_again_is_kept_while_it_lasts(ledger: Ledger) -> None:
    ledger.begin(replace(IDENTITY, run="other"), {})
    run = begin(ledger)
    written = Written(run)
    run.only({Status.UNKNOWN, Status.REJECTED})
    assert await written() == {"run 2": {"under_way": "rejected unknown"}}


async def once(run: RunLedger, end: Status, *, announced: bool = True) -> list[Claim]:
    """Have the one row of a list end so, and claim it once more in the same pass; return both claims."""
    (claim,) = run.claim(people("a"))
    reopens = claim.reopens is not None
    if announced:
        await run.intend(intent(claim.id, 0, "token", reopens=reopens))
    await run.finish(claim.id, Outcome(end, None, 1), reopens=reopens and not announced)
    await run.flush()
    run.read_again()
    return [claim, *run.claim(people("a"))]


@pytest.mark.parametrize("announced", [True, False])
async def test_a_row_that_this_pass_has_sent_again_is_not_sent_again_by_its_next_reading(
    ledger: Ledger, *, announced: bool
) -> None:
    begin(ledger).claim([replace(people("a")[0], refusal=Refusal("out", "no", Status.SKIPPED))])
    run = begin(ledger)
    run.only({Status.SKIPPED, Status.REJECTED})
    end = Status.REJECTED if announced else Status.SKIPPED
    first, second = await once(run, end, announced=announced)
    assert (first.kind, first.reopens) == (NEW, Status.SKIPPED)
    assert second == Claim(FINAL, status=end)


@pytest.mark.parametrize("status", [Status.UNKNOWN, Status.REJECTED])
async def test_a_row_that_ends_so_in_this_pass_is_not_sent_again_by_its_next_reading(
    ledger: Ledger, status: Status
) -> None:
    run = begin(ledger)
    (claim,) = run.claim(people("a"))
    await run.intend(intent(claim.id, 0, "token"))
    if status is Status.REJECTED:
        await run.finish(claim.id, Outcome(Status.UNKNOWN, None, 1))
        await run.flush()
        run.resolve(Decision.RESEND)
    run = begin(ledger)
    run.only({status})
    first, second = await once(run, status)
    assert (first.kind, first.reopens) == (UNSETTLED if status is Status.UNKNOWN else NEW, None)
    assert second == Claim(FINAL, status=status)


async def test_a_row_that_this_pass_has_refused_again_is_not_refused_anew_by_its_next_reading(ledger: Ledger) -> None:
    refused = [replace(people("a")[0], refusal=Refusal("out", "no", Status.SKIPPED))]
    begin(ledger).claim(refused)
    run = begin(ledger)
    run.only({Status.SKIPPED})
    assert run.claim(refused) == [Claim(FINAL, status=Status.SKIPPED, fresh=True)]
    written = Written(run)
    run.read_again()
    assert run.claim(refused) == [Claim(FINAL, status=Status.SKIPPED)]
    assert await written() == {}


@pytest.mark.parametrize("naming", [1, 2])
def test_to_keep_repeats_said_again_does_not_begin_the_list_anew(ledger: Ledger, naming: int) -> None:
    run = begin(ledger)
    run.write(lambda writing, _: writing.execute(f"UPDATE run SET naming = {naming}"))
    run = begin(ledger)
    run.keep_repeats()
    assert (run.fixed, run.counted) == (naming == 1, naming == 2)
    run.claim(people("ab"))
    run.keep_repeats()
    (claim,) = run.claim(people("c", 2))
    assert (claim, tables(run)[f"delivery {claim.id}"]["row"]) == (Claim(NEW, 3), 2)


async def test_a_call_that_its_guard_objects_to_is_not_announced(ledger: Ledger) -> None:
    run = begin(ledger)
    run.claim(people("ab"))
    objection = ValueError("no")
    written = Written(run)
    assert await run.intend(intent(1, 0, "token"), lambda _: objection) is objection
    assert await written() == {}
    assert await run.intend(intent(2, 0, "token"), lambda _: None) is None
    assert sorted(await written()) == ["delivery 2", "dispatch 2 token"]
