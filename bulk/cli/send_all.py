"""`bulk send` with several campaigns: one question, a line of progress for each, an outcome for each."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bulk.cli import hints, rehearsal, screen, text
from bulk.cli.progress import watching_all

if TYPE_CHECKING:
    from bulk.cli.notice import Notice
    from bulk.run.send import Run
    from bulk.stop import Stop


def show(campaigns: Sequence[Path], runs: Sequence["Run"], end: "Notice") -> None:
    """Show what became of each campaign."""
    end.runs = [{**run.summary.as_dict(), "exit_code": run.exit_code} for run in runs]
    if screen.is_json():
        screen.show({"runs": end.runs}, "")
    for path, run in zip(campaigns, runs, strict=True):
        screen.say(f"{path}:")
        if not screen.is_json():
            screen.say_ends(run.preview)
        screen.say(f"{text.summary(run.summary)}\n")
        if run.summary.halted:
            screen.complain(f"{path}: halted: {run.summary.halted}")
    following = [
        hint for path, run in zip(campaigns, runs, strict=True) for hint in hints.after_sending(run.summary, path)
    ]
    screen.say("\n".join(dict.fromkeys(following)))


async def send(campaigns: Sequence[Path], stop: "Stop", end: "Notice", *, keep_open: bool, **options: Any) -> int:
    """Send several campaigns, with a line of progress for each; show their ends, and return the gravest exit code."""
    from bulk.run.send_all import gravest, send_all

    async with rehearsal.sandboxes(keep_open=keep_open) as sandboxes:
        with watching_all(end.note) as (watch, every):
            runs = await send_all(campaigns, stop=stop, watch=watch, every=every, sandboxes=sandboxes, **options)
        show(campaigns, runs, end)
        if keep_open:
            await rehearsal.stay(stop)
    return gravest(runs)
