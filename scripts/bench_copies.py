"""What it costs of the processor to keep a state directory in S3, beside what sending 50 a second costs.

    .venv/bin/python scripts/bench_copies.py [SECONDS]

The program sends to a sandbox, at 50 a second, with its state on the disk; then a ledger of as many rows is copied to
S3 (moto's server) and its claim renewed, as often as a run does, and both are compared. Each server is a process of its
own.
"""

import asyncio
import contextlib
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from buckets import client, serving
from cli_runs import CAMPAIGN, campaign, environment, service

from bulk.aws.connect import Endpoint
from bulk.aws.objects import objects_of
from bulk.ledger import Ledger
from bulk.run.lease import Lease
from bulk.run.options import Options
from bulk.run.remote_state import EVERY, PER_SECOND, RENEWALS, RemoteState
from bulk.stop import Stop

RATE = 50
LEASE = Options().lease  # seconds
TIMES = 40


def serve(pipe: Any) -> None:
    """Serve S3 until the other end says anything."""
    with serving() as url:
        client(url).create_bucket(Bucket="state", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
        pipe.send(url)
        pipe.recv()


def sending(folder: Path, seconds: int) -> float:
    """Return the seconds of CPU that sending for so long costs, a second, without what starting costs."""
    text = CAMPAIGN.replace("rate = 500\nburst = 500", f"rate = {RATE}\nburst = 1")
    used = []
    with service() as sandbox:
        for rows in (RATE * seconds, RATE):
            path = campaign(folder / str(rows), rows=rows, text=text)
            env = environment(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_REGION="us-east-1")
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            words = [sys.executable, "-m", "bulk", "send", str(path), "--yes", "--quiet", "--endpoint-url", sandbox.url]
            subprocess.run(words, env=env, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            used.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return (used[0] - used[1]) / (seconds - 1)


async def keeping(folder: Path, url: str) -> tuple[float, float, int]:
    """Return the seconds of CPU of a copy and of a renewal, and the bytes of the copy."""
    os.environ |= {"AWS_ENDPOINT_URL_S3": url, "AWS_EC2_METADATA_DISABLED": "true"}
    with Ledger.open(folder):
        pass
    async with objects_of("s3://state/bench", Endpoint(region="us-west-2", credentials=("k", "s"))) as objects:
        state = RemoteState(objects, Lease(objects, LEASE), folder, Stop())
        await state.lease.take()
        await state.open()
        copier, costs = state._copy, []  # noqa: SLF001 - nobody else copies at will
        for one in (copier, state.lease.renew):
            begun = time.process_time()
            for _ in range(TIMES):
                await one()
            costs.append((time.process_time() - begun) / TIMES)
    return costs[0], costs[1], (folder / "copy" / "ledger.db").stat().st_size


def main() -> None:
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    with tempfile.TemporaryDirectory() as folder:
        run = sending(Path(folder), seconds)
        state = Path(folder) / str(RATE * seconds) / ".bulk"
        copy, renewal, size = asyncio.run(keeping_of_a_copy(state, Path(folder), ours.recv()))
    ours.send("enough")
    server.join()
    pause = max(EVERY, size / PER_SECOND)
    each = copy / pause + renewal / (LEASE / RENEWALS)
    print(f"sending {RATE} a second: {1000 * run:.1f} ms of CPU a second")
    print(f"a copy of {RATE * seconds:,} rows, {size / 1e6:.2f} MB: {1000 * copy:.2f} ms, every {pause:.1f} s")
    print(f"a renewal: {1000 * renewal:.2f} ms, every {LEASE / RENEWALS:.1f} s")
    print(f"both: {1000 * each:.2f} ms a second, {100 * each / run:.1f} % of the sending")


async def keeping_of_a_copy(state: Path, folder: Path, url: str) -> tuple[float, float, int]:
    """Do it with a copy of a ledger that a run left."""
    ledger = Ledger.read(state)
    assert ledger is not None
    with contextlib.closing(ledger):
        (folder / "work").mkdir()
        ledger.copy(folder / "work")
    return await keeping(folder / "work", url)


if __name__ == "__main__":
    main()
