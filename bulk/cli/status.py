"""`bulk status`: where a run stands."""

import time
from pathlib import Path
from typing import Any

from bulk.cli import options, process, screen, text
from bulk.cli.command import command


@command("status")
@options.campaign
@options.reading
@options.talking
def status(campaign: Path, **given: Any) -> None:
    """Show where a run stands, also while it runs.

    It is read from the ledger alone: the list may be gone.
    """
    from bulk.run.status import status as stands

    run = process.to_the_end(stands, campaign, **given)
    told = run.summary.as_dict()
    if run.sender:
        told |= {"sender": run.sender, "progress": run.progress.as_dict() if run.progress else None}
    screen.show(told, text.status(run.summary, run.sender, run.progress, time.time()))
    if screen.is_json() and run.sender:
        screen.say(f"being sent by {run.sender}")
