"""A run that is finished, without its calls: each row claimed, announced and ended through the ledger's own journal."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bench_connect.programs import REGION, Campaign
from bulk.ledger import ClaimKind, Ledger, RunLedger
from bulk.model import Announcement, Outcome, Status
from bulk.run.context import RunContext, open_campaign
from bulk.run.options import Options

AT_ONCE = 500


def finish(campaign: Campaign, rows: int) -> tuple[str, Path]:
    """Leave a finished run in a state directory: its id, and the directory."""
    run_id, state = f"finished-{rows}", campaign.folder / f"finished-{rows}"
    options = {"contacts": str(campaign.contacts(rows)), "run_id": run_id, "state_dir": state}
    opened = open_campaign(campaign.path, Options.of(options))
    with Ledger.open(state) as ledger:
        book = ledger.begin(opened.identity(campaign.url, REGION), opened.digests)
        asyncio.run(_send(book, opened))
        book.close_pass(rows=rows, calls=rows)
    return run_id, state


async def _send(book: RunLedger, opened: RunContext) -> None:
    deliveries = _claimed(book, opened)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(AT_ONCE):
            tasks.create_task(_work(book, deliveries))
    await book.flush()


def _claimed(book: RunLedger, opened: RunContext) -> Iterator[int]:
    wording = opened.wording
    for batch in opened.contacts.batches(opened.wanted, size=4096):
        claims = book.claim(batch.recipients, batch.recipients.names, partial(batch.recipients.contents, wording))
        yield from (claim.id for claim in claims if claim.kind is ClaimKind.NEW)


async def _work(book: RunLedger, deliveries: Iterator[int]) -> None:
    for delivery in deliveries:
        await book.intend(
            Announcement(delivery, 0, f"{delivery:032x}", delivery.to_bytes(16, "big"), 1.8e9, opens=True, writes=True)
        )
        contact = f"{delivery:08x}-0000-4000-8000-000000000000"
        ended = Outcome(Status.SENT, contact, 1, request_id=contact, finished_at=datetime.now(UTC))
        await book.finish(delivery, ended)
