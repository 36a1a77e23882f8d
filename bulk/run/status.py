"""Where a run stands, told from the ledger alone."""

from typing import Any

import polars as pl

from bulk.ledger.lock import sender
from bulk.run.context import Source, choose, open_campaign
from bulk.run.options import Options
from bulk.run.progress_file import left_by
from bulk.run.results import exit_code, found, frame_of, recorded, summary_of_record
from bulk.run.send import Run
from bulk.threads import in_thread


async def status(campaign: Source, **options: Any) -> Run:
    """Return where a run stands, by the ledger alone, also while it runs. Raises `CampaignError` and `LedgerError`."""
    ref = found(await in_thread(choose, campaign, Options.of(options)))
    busy = sender(ref.state_dir, ref.campaign.name, ref.options.run_id)
    with recorded(ref) as record:
        summary = await in_thread(summary_of_record, ref, record)
    progress = await in_thread(left_by, ref) if busy else None

    def results() -> pl.DataFrame:
        return frame_of(ref, open_campaign(campaign, ref.options).reader)

    return Run(summary, exit_code(summary), results, sender=busy, progress=progress)
