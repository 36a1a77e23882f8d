"""`bulk test` on a terminal: the message before, its fate after."""

from pathlib import Path
from typing import Any

from anyio import to_thread

from bulk.campaign import load
from bulk.model import Outcome
from bulk.run import Options, test
from bulk.run.plan import Survey
from bulk.run.rehearsal import open_from
from bulk.run.trial import delivery_for
from bulk.terminal import words
from bulk.terminal.sending import check_somebody_is_there


async def preview(campaign: Path, row: int, to: str, *, options: dict[str, Any]) -> str:
    """Tell what would be sent, to a person who is there to be asked. Raises `CampaignError` where nobody is."""
    check_somebody_is_there()
    opened = await open_from(campaign, Options.of(options))
    survey = Survey(opened)
    await survey.deliver(await to_thread.run_sync(delivery_for, opened, row, to))
    return words.preview(survey.plan.previews[0])


async def send(campaign: Path, row: int, to: str, *, options: dict[str, Any]) -> tuple[Outcome, dict[str, Any]]:
    """Send the message; give its end, and the same as `--json` prints it."""
    outcome = await test(campaign, row=row, to=to, **options)
    of, _ = load(campaign)
    return outcome, {
        "campaign": of.name,
        "channel": of.channel,
        "row": row,
        "destination": to,
        "status": outcome.status,
        "contact_id": outcome.contact_id,
        "error_code": outcome.error_code,
        "error_message": outcome.error_message,
        "request_id": outcome.request_id,
    }
