"""The status of a run, read from the ledger only."""

from typing import Unpack

import polars as pl

from bulk.ledger.lock import sender
from bulk.run.context import Source, choose, open_campaign
from bulk.run.options import Options
from bulk.run.progress_file import left_by
from bulk.run.results import exit_code, found, frame_of, recorded, summary_of_record
from bulk.run.send import Run
from bulk.run.send_options import SendOptions, public
from bulk.run.state_place import looked_at
from bulk.threads import in_thread


@public
async def status(campaign: Source, **options: Unpack[SendOptions]) -> Run:
    """Return where a run stands, by the ledger alone, also while it runs. Raises `CampaignError` and `LedgerError`."""
    async with looked_at(campaign, Options.of(options)) as place:
        ref = found(await in_thread(choose, campaign, place.options))
        busy = sender(ref.state_dir, ref.campaign.name, ref.options.run_id)
        with recorded(ref) as record:
            summary = await in_thread(summary_of_record, ref, record)
            busy = busy or (place.sender if record.facts.under_way is not None else None)
        progress = await in_thread(left_by, ref) if busy else None

    def results() -> pl.DataFrame:
        context = open_campaign(campaign, ref.options)
        context.contacts.holds += place.holds
        return frame_of(ref, context.reader)

    return Run(summary, exit_code(summary), results, sender=busy, progress=progress)
