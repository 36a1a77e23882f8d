"""`bulk test` on a terminal: the message before, its fate after."""

from pathlib import Path
from typing import Any

from bulk.run import Options
from bulk.run.plan import Survey
from bulk.run.rehearsal import open_from
from bulk.run.trial import Whose, delivery_for, tried
from bulk.terminal import screen, words
from bulk.terminal.sending import check_somebody_is_there
from bulk.threads import in_thread


async def preview(campaign: Path, whose: dict[str, int], to: str, *, options: dict[str, Any]) -> str:
    """Tell what would be sent, to a person who is there to be asked. Raises `CampaignError` where nobody is."""
    check_somebody_is_there()
    opened = await open_from(campaign, Options.of(options))
    survey = Survey(opened)
    await survey.deliver(await in_thread(delivery_for, opened, Whose(**whose), to))
    return words.preview(survey.plan.previews[0])


async def send(campaign: Path, whose: dict[str, int], to: str, *, options: dict[str, Any]) -> dict[str, Any]:
    """Send the message; give its end as `--json` prints it."""
    trial = await tried(campaign, Whose(**whose), to, Options.of(options))
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


def tell(told: dict[str, Any], *, rehearsed: bool) -> int:
    """Show the contact id, say what became of the message, and return the exit code."""
    if screen.is_json() or told["contact_id"]:
        screen.show(told, told["contact_id"])
    screen.say(words.trial(told))
    if rehearsed:
        screen.say("a rehearsal, nothing was sent. To send it, leave --sandbox out")
    return 0 if told["status"] == "sent" else 1
