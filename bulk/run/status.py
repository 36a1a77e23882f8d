"""Where a run stands, told from the ledger alone."""

from typing import Any

from bulk.ledger.lock import sender
from bulk.run.context import Source, choose, open_campaign
from bulk.run.options import Options
from bulk.run.results import exit_code, found, frame_of, recorded, summary_of_record
from bulk.run.send import Run
from bulk.threads import in_thread


async def status(campaign: Source, **options: Any) -> Run:
    """Return where a run stands, by the ledger alone, also while it runs. Raises `CampaignError` and `LedgerError`."""
    chosen = found(await in_thread(choose, campaign, Options.of(options)))
    busy = sender(chosen.state_dir, chosen.campaign.name, chosen.options.run_id)
    with recorded(chosen) as record:
        summary = await in_thread(summary_of_record, chosen, record)
    return Run(summary, exit_code(summary), lambda: frame_of(open_campaign(campaign, chosen.options)), sender=busy)
