"""`bulk test`: shows the message first, and its outcome afterwards."""

import sys
from pathlib import Path
from typing import Any

from bulk.cli import options, process, screen, text
from bulk.cli.command import command


@command("test")
@options.campaign
@options.trying
@options.reaching
@options.talking
def test(campaign: Path, *, row: int | None, line: int | None, to: str, yes: bool, **given: Any) -> None:
    """Send what a row would get to somebody else, outside any run.

    Nothing is recorded, and the row's own person gets nothing. On a terminal it shows the message and asks first;
    elsewhere it needs --yes or --sandbox. The contact id goes to stdout. Ends with 1 where the message was not
    certainly accepted, else with 0.
    """
    sample = options.sample_of(row, line)
    if not (yes or given["sandbox"]):
        screen.ask(process.to_the_end(_preview, campaign, sample, to, options=given))
    told = process.to_the_end(_sent, campaign, sample, to, options=given)
    sys.exit(_show(told, rehearsed=given["sandbox"]))


async def _preview(campaign: Path, sample: dict[str, int], to: str, *, options: dict[str, Any]) -> str:
    """Return what would be sent, for a person who is there to be asked.

    Raises what is wrong with the campaign or the row, and `CampaignError` where nobody is there.
    """
    from bulk.run.environment import open_from
    from bulk.run.options import Options
    from bulk.run.plan import DryRun
    from bulk.run.test_message import SampleRow, delivery_for
    from bulk.threads import in_thread

    context = await open_from(campaign, Options.of(options))
    dry_run = DryRun(context)
    await dry_run.deliver(await in_thread(delivery_for, context, SampleRow(**sample), to))
    screen.check_somebody_is_there()
    return text.preview(dry_run.plan.previews[0])


async def _sent(campaign: Path, sample: dict[str, int], to: str, *, options: dict[str, Any]) -> dict[str, Any]:
    """Send the message, and return its end as `--json` prints it."""
    from bulk.run.options import Options
    from bulk.run.test_message import SampleRow, tried

    trial = await tried(campaign, SampleRow(**sample), to, Options.of(options))
    recipient, outcome = trial.recipient, trial.outcome
    return {
        "campaign": trial.campaign.name,
        "channel": trial.campaign.channel,
        "row": recipient.row,
        "line": recipient.line,
        "file": recipient.file,
        "destination": recipient.destination,
        "status": outcome.status,
        "contact_id": outcome.contact_id,
        "error_code": outcome.error_code,
        "error_message": outcome.error_message,
        "request_id": outcome.request_id,
    }


def _show(told: dict[str, Any], *, rehearsed: bool) -> int:
    """Show the contact id, say what became of the message, and return the exit code."""
    if screen.is_json() or told["contact_id"]:
        screen.show(told, told["contact_id"])
    screen.say(text.trial(told))
    if rehearsed:
        screen.say("a rehearsal, nothing was sent. To send it, leave --sandbox out")
    return 0 if told["status"] == "sent" else 1
