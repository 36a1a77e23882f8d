"""What the ledger costs: rows per second, and CPU per row, for a list claimed, sent and read back.

    .venv/bin/python scripts/bench_ledger.py [ROWS] [FOLDER]

"At once" deliveries run in one event loop; a delivery is an intent awaited and an outcome, with no call between them.
So the CPU is the ledger's own, its thread included, and that of the tasks that wait. At 50 per second most of it is
that of waking an idle processor.
"""

import asyncio
import contextlib
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from bulk.ledger import ClaimKind, Ledger, RunIdentity, RunLedger
from bulk.ledger.lookup import names_of
from bulk.model import Announcement, Outcome, Recipient, Status

IDENTITY = RunIdentity("bench", "default", "sms", "https://connect.example", "us-west-2", "instance")
BATCH = 5_000
AT_ONCE = 500


def batches(rows: int) -> Iterator[list[Recipient]]:
    for start in range(0, rows, BATCH):
        yield [
            Recipient(row, f"customer-{row}", f"+1415{row:07}", {}) for row in range(start, min(start + BATCH, rows))
        ]


@contextlib.contextmanager
def measured(what: str, rows: int) -> Iterator[None]:
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what:36} {rows / wall:12,.0f} rows/s {cpu / rows * 1e6:8.1f} µs CPU/row {peak:8.0f} MB peak")


async def deliver(run: RunLedger, delivery: int) -> None:
    token, digest = f"{delivery:064x}", delivery.to_bytes(16, "big")
    await run.intend(Announcement(delivery, 0, token, digest, 1.8e9, attempts=1, opens=True, writes=True))
    contact = f"8f3c0000-0000-4000-8000-{delivery:012}"
    request = f"5c1b0000-0000-4000-8000-{delivery:012}"
    at = datetime.now(UTC)
    await run.finish(delivery, Outcome(Status.SENT, contact, 1, request_id=request, finished_at=at))


async def worker(run: RunLedger, deliveries: Iterator[int]) -> None:
    for delivery in deliveries:
        await deliver(run, delivery)


async def send(run: RunLedger, deliveries: list[int]) -> None:
    source = iter(deliveries)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(AT_ONCE):
            tasks.create_task(worker(run, source))
    await run.flush()


async def alone(run: RunLedger, deliveries: list[int]) -> None:
    """Deliver at 50 per second, as a quota of that size does."""
    async with asyncio.TaskGroup() as tasks:
        for delivery in deliveries:
            tasks.create_task(deliver(run, delivery))
            await asyncio.sleep(0.02)
    await run.flush()


def bench(rows: int, folder: Path) -> None:
    with measured("(making recipients, to subtract)", rows):
        for _ in batches(rows):
            pass
    with Ledger.open(folder) as ledger:
        run = ledger.begin(IDENTITY, {})
        with measured("claim, a new list", rows):
            claims = [claim.id for batch in batches(rows) for claim in run.claim(batch)]
        slow = min(250, rows)
        with measured("intend + finish, 50 per second", slow):
            asyncio.run(alone(run, claims[:slow]))
        with measured(f"intend + finish, {AT_ONCE} at once", rows - slow):
            asyncio.run(send(run, claims[slow:]))
        run.close_pass(rows=rows)
        with measured("counts", rows):
            assert run.counts()[Status.SENT] == rows
        again = ledger.begin(IDENTITY, {})
        with measured("claim, a finished list", rows):
            assert all(c.kind is ClaimKind.FINAL for batch in batches(rows) for c in again.claim(batch))
        outcomes = again.recorded()
        with measured("outcomes", rows):
            assert all(one[0] == Status.SENT for batch in batches(rows) for one in outcomes(names_of(batch)))
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"{size / rows:.0f} bytes per row on the disk")


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
        bench(rows, Path(folder))


if __name__ == "__main__":
    main()
