"""Sending in turn with another sender, and in virtual time (`run.send`). It …"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from sandbox_runs import SMS

from bulk.campaign import Campaign
from bulk.errors import ExitCode, RunBusy
from bulk.run.options import Options
from bulk.run.rehearsal import Sandboxes
from bulk.run.send import Run, send
from bulk.run.summary import Progress, Summary
from bulk.stop import Stop

FRAME = pl.DataFrame({"phone": ["+12065550100", "+12065550101", "nobody"], "key": ["1", "2", "3"], "name": ["Ann"] * 3})
REHEARSAL: dict[str, Any] = {"sandbox": True, "virtual_time": True}
SUMMARY = Summary("spring", "monday", "sms", 1234, 1000, 0, 0, 0, 0, 234, 5, 0, 1.5, None, None)


def campaign(folder: Path, **tables: Any) -> Campaign:
    common = {"name": "spring", "channel": "sms", "request": SMS, "list": {"key": "key"}, "folder": folder}
    return Campaign(**{**common, "pacing": {"rate": 500, "burst": 500}, **tables})


# In turn with another sender


class Naps(Stop):
    """A stop with a clock that goes on as long as somebody sleeps."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.slept = 100.0, list[float]()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += max(seconds, 0.0)
        self.check()


@pytest.mark.parametrize(
    "lock_wait, busy, slept, waits, is_sent",
    [
        (None, 0, [], [0.0], True),
        (None, 1, [0.0], [0.0], False),
        (2.5, 2, [1.0, 1.0], [2.5, 1.5, 0.5], True),
        (2.5, 9, [1.0, 1.0, 0.5], [2.5, 1.5, 0.5], False),
    ],
)
async def test_tries_again_while_another_was_quicker_and_the_time_is_not_over(
    lock_wait: float | None,
    busy: int,
    slept: list[float],
    waits: list[float],
    is_sent: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stop, waited, tried = Naps(), list[float | None](), list[Any]()
    run = Run(SUMMARY, 0, lambda: FRAME)

    async def wait_to_start(campaigns: list[Any], options: Options, stop_: Stop) -> None:
        assert (campaigns, stop_) == (["spring.toml"], stop)
        waited.append(options.lock_wait)

    async def once(*given: Any, watching: Any) -> Run:
        tried.append((*given, watching))
        if len(tried) <= busy:
            raise RunBusy("another sends it")
        return run

    monkeypatch.setattr("bulk.run.send.time", SimpleNamespace(monotonic=lambda: stop.now))
    monkeypatch.setattr("bulk.run.send.wait_to_start", wait_to_start)
    monkeypatch.setattr("bulk.run.send._sent_once", once)
    sandboxes = Sandboxes()
    given: dict[str, Any] = {"stop": stop, "watch": print, "every": 7.0, "sandboxes": sandboxes, "lock_wait": lock_wait}
    if is_sent:
        assert await send("spring.toml", **given) is run
    else:
        with pytest.raises(RunBusy) as raised:
            await send("spring.toml", **given)
        assert raised.value.exit_code == ExitCode.BUSY
    assert (stop.slept, waited) == (slept, waits)
    assert tried[0] == ("spring.toml", Options(lock_wait=lock_wait), stop, sandboxes, (print, 7.0))


async def test_ends_with_the_exit_code_of_the_stop_where_that_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = Stop()

    async def once(*_: Any, watching: Any) -> Run:
        assert watching == (None, 10.0)
        stop.ask("interrupted", 130)
        raise RunBusy("another sends it")

    async def wait_to_start(*_: Any) -> None:
        """Wait for nobody."""

    monkeypatch.setattr("bulk.run.send.wait_to_start", wait_to_start)
    monkeypatch.setattr("bulk.run.send._sent_once", once)
    with pytest.raises(RunBusy) as raised:
        await send("spring.toml", stop=stop, lock_wait=60.0)
    assert raised.value.exit_code == 130


# In virtual time


async def test_hands_a_rehearsal_in_virtual_time_all_that_it_was_given(tmp_path: Path) -> None:
    pages, seen = list[str](), list[Progress]()
    one = campaign(tmp_path, pacing={"rate": 1, "burst": 1})
    people = pl.DataFrame([{"phone": f"+1206555{row:04}", "key": str(row), "name": "Ann"} for row in range(40)])
    run = await send(
        one,
        contacts=people,
        sandbox=True,
        virtual_time=True,
        sandboxes=Sandboxes(pages.append),
        watch=seen.append,
        every=0.01,
    )
    assert (run.exit_code, run.summary.sent, len(pages), bool(seen)) == (0, 40, 1, True)
    virtual = run.summary.virtual_time
    assert virtual is not None
    assert virtual.planned_at is not None
    assert virtual.late == pytest.approx(0.0, abs=0.1)
    assert run.summary.seconds == pytest.approx(39, abs=3)
    stopped = Stop()
    stopped.ask("interrupted", 130)
    run = await send(one, contacts=people, **REHEARSAL, stop=stopped)
    assert run.exit_code == 130
