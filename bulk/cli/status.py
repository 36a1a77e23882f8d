"""`bulk status`: the progress of a run."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bulk.cli import options, process, screen, text
from bulk.cli.command import command

if TYPE_CHECKING:
    from bulk.run.send import Run


@command("status")
@options.campaigns
@options.reading
@options.talking
def status(campaign: tuple[Path, ...], **given: Any) -> None:
    """Show how far a run is, also while it runs.

    It reads the ledger only; the list is not needed. With --json and several campaigns, the runs are in "runs".
    """
    from bulk.run.status import status as stands

    runs = [process.to_the_end(stands, one, **given) for one in campaign]
    told = [_told(run) for run in runs]
    texts = [text.status(run.summary, run.sender, run.progress, time.time()) for run in runs]
    screen.show(told[0] if len(told) == 1 else {"runs": told}, "\n\n".join(texts))
    if screen.is_json():
        for run in runs:
            screen.say(f"being sent by {run.sender}" if run.sender else "")


def _told(run: "Run") -> dict[str, Any]:
    told = run.summary.as_dict()
    if run.sender:
        told |= {"sender": run.sender, "progress": run.progress.as_dict() if run.progress else None}
    return told
