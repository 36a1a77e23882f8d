"""Calls from a notebook: shows progress, and handles the stop button.

IPython is never imported: a kernel that runs this program has done so. Where there is none, nothing changes.
"""

import asyncio
import html
import sys
import time
import uuid
from collections.abc import Coroutine
from typing import Any, TypeVar

from bulk.errors import ExitCode, Interrupted
from bulk.run.progress_text import facts, rows, waits_of
from bulk.run.summary import Progress, Summary
from bulk.stop import Stop

T = TypeVar("T")
EVERY = 0.5  # seconds between two looks at the progress
STOPPING = "Stopping: calls in flight are waited for. What became of them is written down."
GOES_ON = "Run the cell again, and it goes on where it stopped (a rehearsal without state_dir starts afresh)"


def shell() -> Any:
    """Return IPython's shell where a kernel runs this program, else None."""
    module = sys.modules.get("IPython")
    found = module.get_ipython() if module is not None and hasattr(module, "get_ipython") else None
    return found if getattr(found, "kernel", None) is not None else None


class Display:
    """One place below the cell, which is written over: a bar for each run, and its facts in words."""

    def __init__(self, kernel_shell: Any) -> None:
        self._shell, self._id, self._is_there = kernel_shell, uuid.uuid4().hex, False
        self._told: dict[str, Progress] = {}
        self._shown_at = 0.0

    def note(self, told: Progress) -> None:
        """Show the progress of the only run."""
        self.note_of("", told)

    def note_of(self, name: str, told: Progress) -> None:
        """Show the progress of one of several runs."""
        self._told[name] = told
        if not name or time.monotonic() - self._shown_at >= EVERY:
            self._shown_at = time.monotonic()
            self._show("".join(bar(one, each) for one, each in self._told.items()), self._words())

    def say(self, text: str) -> None:
        """Show a sentence in its place."""
        self._show(f"<p>{html.escape(text)}</p>", text)

    def end(self, *told: Summary) -> None:
        """Show how the runs ended, where their progress was shown."""
        if self._is_there:
            ends = (f"{one.campaign}, run {one.run}: {one.sent:,} of {one.rows:,} rows sent" for one in told)
            self.say(". ".join(ends))

    def _words(self) -> str:
        now = time.time()
        return "\n".join(
            f"{name} {rows(told)}: {', '.join(facts(told, now))}".strip() for name, told in self._told.items()
        )

    def _show(self, page: str, text: str) -> None:
        data, place = {"text/html": page, "text/plain": text}, {"display_id": self._id}
        self._shell.display_pub.publish(data=data, metadata={}, transient=place, update=self._is_there)
        self._is_there = True


def bar(name: str, told: Progress) -> str:
    """Return a bar and its words as HTML."""
    now = time.time()
    length = f" value='{told.done}' max='{max(told.total, 1)}'" if told.total is not None else ""
    waits = "".join(f"<br>waiting: {html.escape(one)}" for one in waits_of(told, now))
    head = f"{name}: {rows(told)}" if name else rows(told)
    words = html.escape(", ".join(facts(told, now)))
    return f"<div><progress style='width:20em'{length}></progress> {html.escape(head)}<br>{words}{waits}</div>"


async def until_stopped(work: Coroutine[Any, Any, T], stop: Stop, display: Display | None) -> T:
    """Do the work; in a notebook, the stop button lets what is in flight end. Raises `Interrupted` then.

    The button cancels the task of the cell (ipykernel, `_cancel_on_sigint`), and so the work has a task of its own.
    """
    if display is None:
        return await work
    task, pressed = asyncio.ensure_future(work), False
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            if pressed:
                task.cancel()
            pressed = True
            display.say(STOPPING)
            stop.ask("the stop button", ExitCode.INTERRUPTED)
    if not pressed:
        return task.result()
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error
    display.say("Stopped.")
    raise Interrupted(f"stopped by the stop button. {GOES_ON}; `await bulk.status(...)` says how far it is")
