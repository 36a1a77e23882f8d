"""A rehearsal: its sandbox, and virtual time in a loop of its own (`run.rehearsal`, `run.virtual_rehearsal`). It …"""

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import polars as pl
import pytest
from sandbox_runs import SMS

from bulk.campaign import Campaign
from bulk.errors import CampaignError
from bulk.pacing import virtual_time
from bulk.run.options import Options
from bulk.run.rehearsal import Sandboxes
from bulk.run.summary import Summary, VirtualTime
from bulk.run.virtual_rehearsal import Timing, in_own_loop, needs_loop
from bulk.stop import Stop

REHEARSAL = {"virtual_time": True, "sandbox": True}

# Its loop


@pytest.mark.parametrize(
    "options, needs",
    [({}, False), ({"sandbox": True}, False), (REHEARSAL, True), (REHEARSAL | {"dry_run": True}, False)],
)
def test_needs_a_loop_of_its_own_where_the_callers_is_real(options: dict[str, Any], needs: bool) -> None:
    assert needs_loop(Options(**options)) is needs

    async def inside() -> bool:
        return needs_loop(Options(**options))

    assert virtual_time.run(inside) is False


async def test_does_its_work_in_virtual_time_and_gives_what_that_gives() -> None:
    async def work(stop: Stop) -> tuple[bool, bool, float]:
        await anyio.sleep(86_400)
        return virtual_time.current() is not None, stop.asked, asyncio.get_running_loop().time()

    began, callers = time.monotonic(), Stop()
    assert await in_own_loop(work, callers) == (True, False, 86_400)
    assert time.monotonic() - began < 5


async def test_raises_what_its_work_raises() -> None:
    async def work(_: Stop) -> None:
        raise CampaignError("wrong")

    with pytest.raises(BaseException) as raised:  # noqa: PT011 - whatever it is wrapped in
        await in_own_loop(work, Stop())
    found = raised.value
    while isinstance(found, BaseExceptionGroup):
        (found,) = found.exceptions
    assert str(found) == "wrong"


@pytest.mark.parametrize("reason", ["interrupted", ""])
async def test_hears_the_stop_of_the_caller_with_its_reason_and_exit_code(reason: str) -> None:
    async def work(stop: Stop) -> tuple[bool, str | None, int]:
        with anyio.move_on_after(1e9):
            while not stop.asked:
                await virtual_time.pause(0.01)
        return stop.asked, stop.reason, stop.exit_code

    callers = Stop()
    callers.ask(reason, 130)
    assert await in_own_loop(work, callers) == (True, reason, 130)


# Its timing


TOLD = Summary("c", "r", "sms", 3, 3, 0, 0, 0, 0, 0, 3, 0, 1.5, None, None)
BEGAN = datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()


def timed(told: Summary, *, planned: str | None, after: float) -> VirtualTime:
    """Return the timing of a run that ends so many seconds after it began."""

    async def work() -> Summary:
        loop = virtual_time.current()
        assert loop is not None
        loop.epoch = BEGAN
        timing = Timing(began_really=time.monotonic() - 7.04, planned=planned)
        assert timing.began == BEGAN
        await anyio.sleep(after)
        return timing.of(told)

    found = virtual_time.run(work)
    assert found.virtual_time is not None
    assert found == Summary(
        **{name: getattr(told, name) for name in Summary.__slots__} | {"virtual_time": found.virtual_time}
    )
    return found.virtual_time


@pytest.mark.parametrize(
    "planned, after, ended, late",
    [
        ("2026-11-20T13:00:00+00:00", 3600.0, "2026-11-20T13:00:00+00:00", 0.0),
        ("2026-11-20T13:00:00+00:00", 3700.5, "2026-11-20T13:01:40+00:00", 0.0279),
        ("2026-11-20T13:00:00+00:00", 1800.0, "2026-11-20T12:30:00+00:00", -0.5),
        ("2026-11-20T12:00:00+00:00", 3.0, "2026-11-20T12:00:03+00:00", 3.0),
        (None, 3.0, "2026-11-20T12:00:03+00:00", None),
    ],
)
def test_ends_beside_what_the_plan_promised(planned: str | None, after: float, ended: str, late: float | None) -> None:
    found = timed(TOLD, planned=planned, after=after)
    assert found == VirtualTime("2026-11-20T12:00:00+00:00", ended, planned, late, found.real_seconds)
    assert 7.0 <= found.real_seconds < 17.0
    assert found.real_seconds == round(found.real_seconds, 1)


@pytest.mark.parametrize("more", [{"halted": "why"}, {"pending": 1}, {"sent_before": 1}])
def test_is_beside_no_plan_where_that_was_for_another_run_than_this(more: dict[str, Any]) -> None:
    found = timed(replace(TOLD, **more), planned="2026-11-20T13:00:00+00:00", after=3600.0)
    assert (found.planned_at, found.late) == (None, None)


async def test_asks_the_plan_with_the_options_of_the_run_but_for_its_results(tmp_path: Path) -> None:
    people = pl.DataFrame([{"phone": f"+1206555{row:04}", "key": str(row), "name": "Ann"} for row in range(61)])
    campaign = Campaign(name="spring", channel="sms", request=SMS, folder=tmp_path, pacing={"rate": 1, "burst": 1})
    options = Options.of(REHEARSAL | {"contacts": people, "results": tmp_path / "no" / "x.txt", "rate": 2.0})
    timing = await Timing(began=5.0).promised(campaign, options)
    assert (timing.began, timing.planned is not None) == (5.0, True)
    seconds = datetime.fromisoformat(str(timing.planned)).timestamp() - time.time()
    assert seconds == pytest.approx(30, abs=15)


# Its sandboxes


async def test_tells_the_page_of_a_sandbox_and_lets_it_go_with_the_run() -> None:
    told: list[str] = []
    async with Sandboxes(told.append).open() as sandbox:
        assert told == [sandbox.page]
        url = sandbox.url
    with pytest.raises(OSError, match=r".*"):
        await anyio.connect_tcp("127.0.0.1", int(url.rpartition(":")[2]))


async def test_keeps_a_sandbox_as_long_as_it_is_to_stay() -> None:
    async with AsyncExitStack() as stay:
        async with Sandboxes(stay=stay).open() as sandbox:
            port = int(sandbox.url.rpartition(":")[2])
        async with await anyio.connect_tcp("127.0.0.1", port):
            pass


async def test_says_what_is_wrong_with_a_file_of_the_sandbox(tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match="rules"):
        async with Sandboxes().open(faults={"ruels": []}):
            pass
    (tmp_path / "state").touch()
    with pytest.raises(CampaignError) as raised:
        async with Sandboxes().open(state_dir=tmp_path / "state"):
            pass
    assert str(raised.value).startswith(f"the sandbox cannot start: {tmp_path / 'state'}")
    assert raised.value.__cause__ is None


async def test_says_why_a_sandbox_cannot_start_where_no_file_is_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr("bulk.run.rehearsal.Sandbox", broken)
    with pytest.raises(CampaignError) as raised:
        async with Sandboxes().open():
            pass
    assert str(raised.value) == "the sandbox cannot start: no room"
