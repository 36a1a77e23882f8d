"""What a notebook shows below a cell while it sends, and how its stop button is heard."""

import asyncio
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from bulk.errors import ExitCode, Halted, Interrupted
from bulk.run import notebook
from bulk.run.notebook import GOES_ON, STOPPING, Display, bar, shell, until_stopped
from bulk.run.summary import Progress, Summary, Waiting
from bulk.stop import Stop

NOW = 1_800_000_000.0
STANDS = Progress(
    20,
    5,
    4,
    1,
    5,
    0,
    2.0,
    per_second=2.0,
    rejected=1,
    waits=(Waiting("rate", NOW + 8, operation="<A>"), Waiting("start")),
)
WORDS = "4 sent, 1 failed (1 rejected), 2.0/s, 0 throttled"


class Time:
    """The clocks that a display asks."""

    def __init__(self) -> None:
        self.ticks = 100.0

    def time(self) -> float:
        return NOW

    def monotonic(self) -> float:
        return self.ticks


class Kernel:
    """A shell with a kernel, as IPython has one: what is published is kept."""

    def __init__(self) -> None:
        self.display_pub, self.said = self, list[dict[str, Any]]()

    def publish(self, **told: Any) -> None:
        self.said.append(told)

    @property
    def texts(self) -> list[str]:
        return [one["data"]["text/plain"] for one in self.said]


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    clocks = Time()
    monkeypatch.setattr(notebook, "time", clocks)
    return clocks


@pytest.mark.usefixtures("time")
def test_one_place_is_written_over_and_says_the_same_as_html_and_as_text() -> None:
    kernel = Kernel()
    display = Display(kernel)
    display.note(STANDS)
    display.say("so <far>")
    first, second = kernel.said
    assert first == {
        "data": {"text/html": bar("", STANDS), "text/plain": f"5 of 20 rows (25%): {WORDS}"},
        "metadata": {},
        "transient": {"display_id": first["transient"]["display_id"]},
        "update": False,
    }
    assert second == {
        **first,
        "data": {"text/html": "<p>so &lt;far&gt;</p>", "text/plain": "so <far>"},
        "update": True,
    }
    other = Kernel()
    Display(other).say("another")
    assert other.said[0]["transient"] != first["transient"]


def test_the_only_run_is_shown_at_each_look_and_several_every_half_second(time: Time) -> None:
    kernel = Kernel()
    display = Display(kernel)
    display.note(STANDS)
    display.note(STANDS)
    assert len(kernel.said) == 2
    kernel = Kernel()
    display = Display(kernel)
    display.note_of("may", STANDS)
    time.ticks += 0.49
    display.note_of("june", STANDS)
    assert len(kernel.said) == 1
    time.ticks += 0.01
    display.note_of("june", STANDS)
    time.ticks += 0.49
    display.note_of("june", STANDS)
    line = f"5 of 20 rows (25%): {WORDS}"
    assert kernel.texts == [f"may {line}", f"may {line}\njune {line}"]
    assert kernel.said[-1]["data"]["text/html"] == bar("may", STANDS) + bar("june", STANDS)


def test_several_runs_are_shown_at_once_however_new_the_machine_is(time: Time) -> None:
    time.ticks = 0.5
    kernel = Kernel()
    Display(kernel).note_of("may", STANDS)
    assert len(kernel.said) == 1


@pytest.mark.usefixtures("time")
def test_a_bar_has_its_length_once_the_rows_are_counted() -> None:
    start = "<div><progress style='width:20em'"
    waits = "<br>waiting: &lt;A&gt;: as the rate allows, next in 8.0 s<br>waiting: start</div>"
    assert bar("<b>", STANDS) == (
        f"{start} value='5' max='20'></progress> &lt;b&gt;: 5 of 20 rows (25%)<br>{WORDS}{waits}"
    )
    nothing = Progress(0, 0, 0, 0, 0, 0, 0.0)
    words = "0 sent, 0 failed, 0.0/s, 0 throttled</div>"
    assert bar("", nothing) == f"{start} value='0' max='1'></progress> 0 of 0 rows (100%)<br>{words}"
    assert bar("", Progress(None, 0, 0, 0, 0, 0, 0.0)) == f"{start}></progress> 0 rows<br>{words}"


@pytest.mark.usefixtures("time")
def test_the_end_is_shown_where_the_progress_was() -> None:
    kernel = Kernel()
    display = Display(kernel)
    counts: dict[str, Any] = {
        "skipped": 0,
        "refused": 0,
        "rejected": 0,
        "unknown": 0,
        "pending": 0,
        "calls": 0,
        "throttled": 0,
    }
    ended = [
        Summary(name, "r", "sms", rows=2000, sent=1999, **counts, seconds=0.0, results=None, halted=None)
        for name in ("may", "june")
    ]
    display.end(*ended)
    assert kernel.said == []
    display.note(STANDS)
    display.end(*ended)
    assert kernel.texts[1:] == ["may, run r: 1,999 of 2,000 rows sent. june, run r: 1,999 of 2,000 rows sent"]


@pytest.mark.parametrize(
    "module, is_shell",
    [
        (None, False),
        (SimpleNamespace(), False),
        (SimpleNamespace(get_ipython=lambda: None), False),
        (SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=None)), False),
        (SimpleNamespace(get_ipython=SimpleNamespace), False),
        (SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel="k")), True),
    ],
)
def test_a_shell_is_one_that_a_kernel_runs(monkeypatch: pytest.MonkeyPatch, module: Any, *, is_shell: bool) -> None:
    if module is None:
        monkeypatch.delitem(sys.modules, "IPython", raising=False)
    else:
        monkeypatch.setitem(sys.modules, "IPython", module)
    found = shell()
    assert (found.kernel == "k") if is_shell else (found is None)


# The stop button


async def nine() -> int:
    await asyncio.sleep(0)
    return 9


async def wrong() -> int:
    await asyncio.sleep(0)
    raise Halted("so")


@pytest.mark.parametrize("display", [None, Display(Kernel())], ids=["outside a notebook", "in one"])
async def test_work_that_nobody_stops_comes_to_its_end(display: Display | None) -> None:
    assert await until_stopped(nine(), Stop(), display) == 9
    with pytest.raises(Halted):
        await until_stopped(wrong(), Stop(), display)


class Cell:
    """A cell that does some work, and its stop button."""

    def __init__(self) -> None:
        self.kernel, self.stop, self.released, self.cancelled = Kernel(), Stop(), asyncio.Event(), False
        self.error: Exception | None = None
        self.task = asyncio.ensure_future(until_stopped(self._work(), self.stop, Display(self.kernel)))

    async def _work(self) -> None:
        try:
            await self.released.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if self.error:
            raise self.error

    async def press(self) -> None:
        await asyncio.sleep(0)
        self.task.cancel()
        await asyncio.sleep(0)


async def test_the_button_asks_for_a_stop_and_lets_the_work_end() -> None:
    cell = Cell()
    await cell.press()
    assert (cell.stop.reason, cell.stop.exit_code) == ("the stop button", ExitCode.INTERRUPTED)
    assert (cell.kernel.texts, cell.cancelled) == ([STOPPING], False)
    cell.released.set()
    with pytest.raises(Interrupted) as raised:
        await cell.task
    assert str(raised.value) == (f"stopped by the stop button. {GOES_ON}; `await bulk.status(...)` says how far it is")
    assert (cell.kernel.texts, cell.cancelled) == ([STOPPING, "Stopped."], False)


async def test_the_button_pressed_again_ends_the_work_at_once() -> None:
    cell = Cell()
    await cell.press()
    await cell.press()
    with pytest.raises(Interrupted):
        await cell.task
    assert (cell.kernel.texts, cell.cancelled) == ([STOPPING, STOPPING, "Stopped."], True)


async def test_what_goes_wrong_after_the_button_is_told_in_place_of_it() -> None:
    cell = Cell()
    await cell.press()
    cell.error = Halted("so")
    cell.released.set()
    with pytest.raises(Halted, match="so"):
        await cell.task
    assert cell.kernel.texts == [STOPPING]
