"""Why people were written to: what the list says of their consent, beside what became of their rows."""

from pathlib import Path
from typing import Any

import polars as pl

from bulk.campaign import Campaign
from bulk.errors import CampaignError
from bulk.loader import ContactList
from bulk.model import Status, mask
from bulk.reports.results import check, write
from bulk.run.context import Source, choose
from bulk.run.environment import open_from
from bulk.run.inputs import check_output
from bulk.run.options import Options
from bulk.run.results import found, read_results, recorded
from bulk.run.state_place import looked_at
from bulk.threads import in_thread

MEMBERS = "column", "source", "at"
_NAMES = {"column": "consent", "source": "consent_source", "at": "consent_at"}
_WRITTEN_TO = [Status.SENT, Status.UNKNOWN, Status.REJECTED]
_OURS = "row", "line", "key", "destination", "status", "contact_id", "finished_at"


async def consent(campaign: Source, output: Path | str, **options: Any) -> Path:
    """Write why each person was written to, and return the path: `.csv`, `.parquet`, `.ndjson` or `.xlsx`.

    There is a line for each row that was tried, its destination masked, with the columns that `[consent]` names as the
    list has them now. Raises `CampaignError`, `ListError` and `LedgerError`.
    """
    path = Path(output)
    check(path)
    async with looked_at(campaign, Options.of(options)) as place:
        given = found(await in_thread(choose, campaign, place.options)).options
        context = await open_from(campaign, given, to_send=False)
        check_output(context, path)
        columns = columns_of(context.campaign, context.contacts)
        if not columns:
            raise CampaignError("the campaign says nothing of consent: name its columns under [consent]")
        with recorded(context) as record:
            parts = (
                (_table(ours, theirs, columns), pl.DataFrame()) for ours, theirs in read_results(context.reader, record)
            )
            await in_thread(lambda: write(parts, path, outcomes_only=True))
    return path


def columns_of(campaign: Campaign, contacts: ContactList) -> dict[str, str]:
    """Return the columns that tell of consent, by what they tell. Raises `ListError` where the list lacks one."""
    named = {member: getattr(campaign.consent, member) for member in MEMBERS}
    return {_NAMES[member]: contacts.resolve(name) for member, name in named.items() if name is not None}


def _table(ours: pl.DataFrame, theirs: pl.DataFrame, columns: dict[str, str]) -> pl.DataFrame:
    """Return the rows that were tried, with what the list says of their consent."""
    told = [theirs[column].cast(pl.String, strict=False).alias(name) for name, column in columns.items()]
    tried = ours.select(_OURS).with_columns(pl.col("destination").map_elements(mask, return_dtype=pl.String), *told)
    return tried.filter(pl.col("status").is_in([status.value for status in _WRITTEN_TO]))
