"""The rows of which nobody can tell whether they were accepted: listed, and decided about by a person."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bulk.campaign import Campaign
from bulk.errors import BulkError, CampaignError
from bulk.ledger import Decision, Ledger, RunRecord, Unknown
from bulk.lock import sole_sender
from bulk.model import Status
from bulk.run.looking import recorded
from bulk.run.opening import Chosen, choose, open_campaign
from bulk.run.options import Options
from bulk.threads import in_thread

BATCH = 4096  # rows that are looked through at a time


@dataclass(frozen=True, slots=True)
class UnknownRow:
    """A row that was tried, and nobody can tell whether it was accepted.

    `row` is its place in the list as last read, None where the list lost it; `key` is None where the list cannot be
    read any more. `destination` is masked. `tried_at` is when its last call was announced.
    """

    row: int | None
    key: str | None
    destination: str | None
    error_code: str | None
    error_message: str | None
    tried_at: datetime | None


@dataclass(frozen=True, slots=True)
class Resolution:
    """What was decided, about how many rows, and the rows that are unknown still."""

    campaign: str
    run: str
    decision: Decision | None
    decided: int
    unknown: list[UnknownRow]

    def as_dict(self) -> dict[str, Any]:
        """Give it as `--json` prints it: times in ISO 8601."""
        rows = [{**asdict(one), "tried_at": one.tried_at and one.tried_at.isoformat()} for one in self.unknown]
        return {**asdict(self), "unknown": rows}


async def resolve(
    campaign: Campaign | Path | str,
    decision: Decision | str | None = None,
    *,
    rows: Collection[int] | None = None,
    **options: Any,
) -> Resolution:
    """List the unknown rows of a run, after taking a decision about them where one is given.

    `decision` is `"resend"` (the next `bulk.send` sends them again, under new tokens), `"mark-sent"` (they were
    accepted) or `"give-up"` (they are never sent again); `rows` are the places in the list of those decided about,
    None for all of them. `options` are those of `bulk.Options`.

    Raises `CampaignError` where one of `rows` is not unknown (then nothing is decided), `LedgerError` where nothing
    was sent yet, and `RunBusy` where another process sends this run.
    """
    chosen = await in_thread(choose, campaign, Options.of(options))
    return await in_thread(_resolved, chosen, _a_decision(decision), rows)


def _a_decision(given: Decision | str | None) -> Decision | None:
    try:
        return None if given is None else Decision(given)
    except ValueError:
        raise CampaignError(f"no decision {given!r}; there are {', '.join(Decision)}") from None


def _resolved(chosen: Chosen, decision: Decision | None, rows: Collection[int] | None) -> Resolution:
    decided = 0 if decision is None else _decide(chosen, decision, rows)
    with recorded(chosen) as record:
        left = record.unknown()
        keys = _keys(chosen, record, {one.row for one in left if one.row is not None})
    told = [_told(one, keys.get(one.row)) for one in left]
    return Resolution(chosen.campaign.name, chosen.options.run_id, decision, decided, told)


def _decide(chosen: Chosen, decision: Decision, rows: Collection[int] | None) -> int:
    """Decide as the run's only sender. The run's own facts stay as they are."""
    with recorded(chosen):  # or there is nothing to lock
        pass
    with sole_sender(chosen.state_dir, chosen.campaign.name, chosen.options.run_id):
        with recorded(chosen) as record:
            _check(rows or (), record)
            facts = record.facts
        with Ledger.open(chosen.state_dir) as ledger:
            book = ledger.begin(facts.identity, facts.digests)
            decided = book.resolve(decision, rows)
            book.close_pass(rows=facts.rows, halted=facts.halted)
    return decided


def _check(rows: Collection[int], record: RunRecord) -> None:
    known = sorted(set(rows) - {one.row for one in record.unknown()})
    if known:
        told = ", ".join(map(str, known))
        raise CampaignError(f"not unknown, so there is nothing to decide: row {told}. Nothing was changed")


def _keys(chosen: Chosen, record: RunRecord, wanted: set[int]) -> dict[int | None, str]:
    """Read the keys of some rows from the list: of those that still are the rows the ledger means."""
    keys: dict[int | None, str] = {}
    if not wanted:
        return keys
    try:
        opened, outcomes = open_campaign(chosen.campaign, chosen.options), record.outcomes()
        for batch in opened.contacts.batches(opened.wanted, size=BATCH):
            for recipient, outcome in zip(batch.recipients, outcomes(batch.recipients), strict=True):
                if recipient.row in wanted and outcome.status is Status.UNKNOWN:
                    keys[recipient.row] = recipient.key
            if batch.recipients and batch.recipients[-1].row >= max(wanted):
                break
    except BulkError:  # the list is gone, or another: the ledger's own words must do
        return keys
    return keys


def _told(one: Unknown, key: str | None) -> UnknownRow:
    end = one.outcome
    return UnknownRow(
        one.row, key, one.destination, end.error_code, end.error_message, one.intended_at or end.finished_at
    )
