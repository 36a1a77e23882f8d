"""The clock of a rehearsal: it jumps over what is waited for, and stands while anything is under way."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import ClientSession
from cli_runs import bulk, campaign

import bulk as api
from bulk.campaign.rule_tables import HoursTable
from bulk.errors import CampaignError
from bulk.pacing import virtual_time
from bulk.rules.hours import Hours
from bulk.sandbox import Sandbox
from bulk.threads import in_thread


def test_it_sleeps_for_a_day_in_no_time() -> None:
    async def sleeper() -> float:
        await asyncio.sleep(86_400)
        return asyncio.get_running_loop().time()

    began = time.monotonic()
    assert virtual_time.run(sleeper) == pytest.approx(86_400)
    assert time.monotonic() - began < 1


def test_it_stands_while_a_thread_works() -> None:
    async def worker() -> float:
        timer = asyncio.create_task(asyncio.sleep(3600))
        await in_thread(time.sleep, 0.05)
        await asyncio.get_running_loop().run_in_executor(None, time.sleep, 0.05)
        passed = asyncio.get_running_loop().time()
        timer.cancel()
        return passed

    assert virtual_time.run(worker) == 0.0


def test_a_pause_takes_real_time_and_keeps_nobody_from_going_on() -> None:
    async def paused() -> tuple[bool, bool]:
        pausing = asyncio.create_task(virtual_time.pause(0.2))
        await asyncio.sleep(86_400)
        was_done = pausing.done()
        await pausing
        return was_done, pausing.done()

    began = time.monotonic()
    assert virtual_time.run(paused) == (False, True)
    assert time.monotonic() - began >= 0.2


def test_it_goes_as_real_time_does_once_somebody_looks() -> None:
    async def looked_at() -> float:
        loop = virtual_time.current()
        assert loop is not None
        await asyncio.sleep(3600)
        loop.go_real()
        began = time.monotonic()
        await asyncio.sleep(0.05)
        return time.monotonic() - began

    assert virtual_time.run(looked_at) >= 0.04


# What the plan knows of room for open contacts


def _always() -> Hours:
    return Hours(HoursTable())


# The program


def rehearsal(folder: Path, rows: int = 60) -> Path:
    path = campaign(folder)
    text = path.read_text("utf-8").replace("rate = 500\nburst = 500", "rate = 2\nburst = 5")
    text = text.replace("[pacing]", "ChatDurationInMinutes = 60\n\n[hold]\nopen_contacts = 20\n\n[pacing]")
    path.write_text(text, "utf-8")
    lines = [f"{row},Ann,+1206555{row:04},tomorrow" for row in range(rows)]
    (folder / "contacts.csv").write_text("\n".join(["id,name,phone,date", *lines]) + "\n", "utf-8")
    return path


def test_it_rehearses_hours_in_seconds_and_ends_when_the_plan_said(tmp_path: Path) -> None:
    ended = bulk("send", rehearsal(tmp_path), "--sandbox", "--virtual-time", "--json", cwd=tmp_path)
    assert ended.code == 0, ended.err
    told = ended.json
    assert (told["sent"], told["throttled"]) == (60, 0)
    assert told["seconds"] == pytest.approx(2 * 3600 + 8, rel=0.01)
    assert abs(told["virtual_time"]["late"]) <= 0.01
    assert told["virtual_time"]["real_seconds"] < 30
    assert "it would have ended" in ended.err


async def test_it_meets_the_wall_of_awss_default_and_the_plan_knows(tmp_path: Path) -> None:
    path = rehearsal(tmp_path, 520)
    path.write_text(path.read_text("utf-8").replace("[hold]\nopen_contacts = 20\n", ""), "utf-8")
    run = await api.send(path, sandbox=True, virtual_time=True)
    assert (run.exit_code, run.summary.sent) == (0, 520)
    assert run.summary.calls > 520  # the service was full
    assert run.summary.virtual_time is not None
    assert run.summary.virtual_time.late == pytest.approx(0.0, abs=0.02)
    assert run.summary.seconds == pytest.approx(3600, rel=0.03)


CODES = ("212", "312", "303", "415", "808")  # from New York to Honolulu


@pytest.mark.parametrize(
    "phone", [lambda row: CODES[row % 5], lambda row: CODES[row // 20], lambda row: CODES[4 - row // 20]]
)
async def test_it_ends_when_the_plan_said_whatever_the_order_of_its_zones(
    tmp_path: Path, phone: Callable[[int], str]
) -> None:
    path = rehearsal(tmp_path)
    path.write_text(path.read_text("utf-8") + '\n[hours]\nevery_day = ["09:00-11:00"]\n', "utf-8")
    lines = [f"{row},Ann,+1{phone(row)}555{row:04},tomorrow" for row in range(100)]
    (tmp_path / "contacts.csv").write_text("\n".join(["id,name,phone,date", *lines]) + "\n", "utf-8")
    run = await api.send(path, sandbox=True, virtual_time=True, start_at="2026-12-01T15:30:00Z")
    assert run.summary.sent == 100
    assert run.summary.virtual_time is not None
    assert run.summary.virtual_time.late == pytest.approx(0.0, abs=0.01)


async def test_it_ends_when_the_plan_said_with_people_whom_a_cap_leaves_out(tmp_path: Path) -> None:
    path = rehearsal(tmp_path)
    path.write_text(path.read_text("utf-8") + '\n[caps]\nsms = { at_most = 1, within = "24h" }\n', "utf-8")
    lines = [f"{row},Ann,+1206555{row % 40:04},tomorrow" for row in range(60)]
    (tmp_path / "contacts.csv").write_text("\n".join(["id,name,phone,date", *lines]) + "\n", "utf-8")
    plan = await api.check(path)
    run = await api.send(path, sandbox=True, virtual_time=True)
    assert (plan.sendable, run.summary.sent, run.summary.skipped) == (40, 40, 20)
    assert run.summary.virtual_time is not None
    assert run.summary.virtual_time.late == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("more", [["--yes"], ["--sandbox", "--dry-run"]])
def test_it_is_refused_without_a_rehearsal(tmp_path: Path, more: list[str]) -> None:
    ended = bulk("send", campaign(tmp_path), "--virtual-time", *more, cwd=tmp_path)
    assert (ended.code, "--virtual-time" in ended.err, "--sandbox" in ended.err) == (2, True, True)


async def test_it_is_refused_in_python_too(tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match="it needs sandbox"):
        await api.send(campaign(tmp_path), virtual_time=True)


# A sandbox of its own


async def test_the_clock_of_a_sandbox_goes_ahead_when_it_is_told_to() -> None:
    async with Sandbox(virtual_time=True) as sandbox, ClientSession(sandbox.url) as client:
        async with client.get("/_sandbox/clock") as answer:
            before = await answer.json()
        for asked, seconds in (({"advance": "1h30m"}, 5400), ({"advance": 60}, 60)):
            async with client.post("/_sandbox/clock", json=asked) as answer:
                after = await answer.json()
            assert answer.status == 200
            assert after["seconds"] - before["seconds"] == pytest.approx(seconds, abs=5)
            before = after
        sandbox.advance("1d")
        assert before["virtual"] is True
        for wrong in ({"advance": -1}, {"advance": "soon"}, {"to": "2001-01-01"}, {}, {"to": 1}):
            async with client.post("/_sandbox/clock", json=wrong) as answer:
                assert answer.status == 400, wrong


async def test_the_clock_of_another_sandbox_cannot_be_moved() -> None:
    async with Sandbox() as sandbox, ClientSession(sandbox.url) as client:
        async with client.post("/_sandbox/clock", json={"advance": "1h"}) as answer:
            assert (answer.status, "--virtual-time" in (await answer.json())["message"]) == (409, True)
        with pytest.raises(ValueError, match="virtual_time"):
            sandbox.advance(1)
