"""When a sending begins (`run.start`): it …"""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from sandbox_runs import SMS

from bulk.campaign import Campaign
from bulk.errors import CampaignError
from bulk.ledger.lock import sender, sole_sender
from bulk.pacing import virtual_time
from bulk.run.options import Options
from bulk.run.start import moment, wait_to_start
from bulk.stop import Stop

FRAME = pl.DataFrame({"phone": ["+12065550100"], "key": ["1"], "name": ["Ann"]})


def at(text: str) -> float:
    """Return a time of this machine's time zone in Unix seconds."""
    return datetime.fromisoformat(text).timestamp()


NOON = at("2026-11-20T12:00:00.5")

# The time that is said


@pytest.mark.parametrize(
    "said, now, then",
    [
        ("12:30", NOON, "2026-11-20T12:30"),
        (" 7:05 ", NOON, "2026-11-21T07:05"),
        ("23:59:58", NOON, "2026-11-20T23:59:58"),
        ("11:55:01", NOON, "2026-11-20T11:55:01"),
        ("11:55:00", NOON, "2026-11-21T11:55"),
        ("11:55", NOON - 0.5, "2026-11-21T11:55"),
        ("2026-11-20T09:00", NOON, "2026-11-20T09:00"),
        (" 2026-12-01 ", NOON, "2026-12-01T00:00"),
        ("2026-11-20T09:00-07:00", NOON, "2026-11-20T09:00-07:00"),
        (datetime(2026, 11, 20, 9, tzinfo=UTC), NOON, "2026-11-20T09:00+00:00"),
    ],
)
def test_takes_a_time_of_day_for_the_next_one_and_a_date_for_itself(
    said: datetime | str, now: float, then: str
) -> None:
    assert moment(said, now) == at(then)


@pytest.mark.parametrize("said", ["soon", "25:00", "12:60", "12:30:60", "2026-13-01", "x" * 50])
def test_says_how_to_write_a_time(said: str) -> None:
    with pytest.raises(CampaignError) as raised:
        moment(said, NOON)
    shown = "write 09:00, 2026-11-20T09:00, or one with an offset: 2026-11-20T09:00-07:00"
    assert str(raised.value) == f"start-at is {said[:40]!r}, and no time: {shown}"
    assert raised.value.__cause__ is None


# The wait for it


class Sleeps(Stop):
    """A stop that notes how long somebody sleeps; `then` is called after each sleep."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []
        self.then: Callable[[float], None] = lambda _: None

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.then(seconds)
        await super().sleep(0.0 if virtual_time.current() is None else seconds)


def campaign(folder: Path, **tables: Any) -> Campaign:
    return Campaign(**{"name": "spring", "channel": "sms", "request": SMS, "folder": folder, **tables})


def starting(one: Campaign, stop: Stop, after: float, **options: Any) -> float:
    """Wait in virtual time for a start after so many seconds; return how long it took."""

    async def whole() -> float:
        loop, now = virtual_time.current(), virtual_time.clock()
        assert loop is not None
        loop.epoch = began = 1.8e9
        start = datetime.fromtimestamp(began + after, UTC)
        await wait_to_start([one], Options(contacts=FRAME, start_at=start, **options), stop)
        return now() - began

    return virtual_time.run(whole)


def test_sleeps_to_the_moment_in_naps_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="bulk")
    stop = Sleeps()
    assert starting(campaign(tmp_path), stop, 75.25) == pytest.approx(75.25)
    assert stop.slept == pytest.approx([30, 30, 15.25])
    ((name, level, message),) = caplog.record_tuples
    assert (name, level) == ("bulk", logging.INFO)
    assert message.startswith("waiting until 20")
    assert message.endswith(" to start, in 75 s (--start-at)")


def test_sleeps_for_the_part_of_a_second_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="bulk")
    stop = Sleeps()
    assert starting(campaign(tmp_path), stop, 0.5) == pytest.approx(0.5)
    assert stop.slept == pytest.approx([0.5])
    assert [record.getMessage().rpartition(", ")[2] for record in caplog.records] == ["in 0.5 s (--start-at)"]


@pytest.mark.parametrize("after", [0.0, -100.0])
def test_does_not_wait_for_what_is_over_and_opens_nothing(
    after: float, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="bulk")
    stop = Sleeps()
    assert starting(campaign(tmp_path, contacts="nowhere.csv"), stop, after) == 0.0
    assert (stop.slept, caplog.record_tuples) == ([], [])


def test_ends_the_wait_with_the_stop(tmp_path: Path) -> None:
    stop = Sleeps()
    stop.then = lambda _: stop.ask("interrupted", 130)
    assert starting(campaign(tmp_path), stop, 1000.0) == 0.0
    assert len(stop.slept) == 1


async def test_finds_what_is_wrong_before_the_wait(tmp_path: Path) -> None:
    late: dict[str, Any] = {"contacts": FRAME, "start_at": "2099-01-01"}
    with pytest.raises(CampaignError, match="nothing"):
        await wait_to_start([campaign(tmp_path, expires="{{ nothing }}")], Options(**late), Stop())
    (tmp_path / "results.csv").mkdir()
    with pytest.raises(CampaignError, match="results"):
        await wait_to_start([campaign(tmp_path)], Options(results=tmp_path / "results.csv", **late), Stop())


# The wait for others


class Waited(Sleeps):
    """A stop with a clock that goes on as long as somebody sleeps; another sends the run until `ends`."""

    def __init__(self, folder: Path, ends: float) -> None:
        super().__init__()
        self.now = 100.0
        self.other = ExitStack()
        self.other.enter_context(sole_sender(folder / ".bulk", "spring", "default"))

        def then(seconds: float) -> None:
            self.now += seconds
            if self.now >= 100.0 + ends:
                self.other.close()

        self.then = then


@pytest.fixture
def others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return what begins another sender of the run, by when it ends; its clock is that of the wait."""
    begun: list[Waited] = []

    def begin(ends: float) -> Waited:
        begun.append(Waited(tmp_path, ends))
        monkeypatch.setattr("bulk.run.start.time", SimpleNamespace(monotonic=lambda: begun[0].now))
        return begun[0]

    yield begin
    for one in begun:
        one.other.close()


@pytest.mark.parametrize(
    "ends, lock_wait, slept",
    [
        (2.5, 10.0, [1.0, 1.0, 1.0]),
        (60.0, 2.5, [1.0, 1.0, 0.5]),
        (60.0, 0.5, [0.5]),
        (60.0, None, []),
        (60.0, -1.0, []),
    ],
)
async def test_looks_every_second_whether_another_has_ended_and_says_so_once(
    ends: float,
    lock_wait: float | None,
    slept: list[float],
    others: Any,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="bulk")
    stop, one = others(ends), campaign(tmp_path)
    busy = sender(tmp_path / ".bulk", "spring", "default")
    assert busy
    await wait_to_start([one], Options(contacts=FRAME, lock_wait=lock_wait), stop)
    assert stop.slept == slept
    told = [record.getMessage() for record in caplog.records]
    shown = {10.0: "10 s", 2.5: "2.5 s", 0.5: "0.5 s"}.get(lock_wait or 0.0)
    said = f"the run is being sent by {busy}: waiting up to {shown} (--lock-wait)"
    assert [line for line in told if "lock-wait" in line] == ([said] if slept else [])


async def test_waits_for_nobody_where_nobody_sends(tmp_path: Path) -> None:
    stop = Sleeps()
    one = campaign(tmp_path, contacts="nowhere.csv")
    await wait_to_start([one], Options(lock_wait=10.0), stop)
    await wait_to_start([one], Options(), stop)
    assert stop.slept == []


async def test_waits_for_the_one_of_several_that_is_sent(others: Any, tmp_path: Path) -> None:
    stop = others(1.5)
    campaigns = [campaign(tmp_path, name="summer"), campaign(tmp_path)]
    await wait_to_start(campaigns, Options(contacts=FRAME, lock_wait=10.0), stop)
    assert stop.slept == [1.0, 1.0]


async def test_looks_at_the_lists_of_a_run_that_it_waits_for(others: Any, tmp_path: Path) -> None:
    stop = others(1.5)
    with pytest.raises(Exception, match=r"nowhere.csv"):
        await wait_to_start([campaign(tmp_path, contacts="nowhere.csv")], Options(lock_wait=10.0), stop)
