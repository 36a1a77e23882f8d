"""What a message costs: CPU, memory, and the time that passes before and after."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench_connect.finished import finish
from bench_connect.peers import NAMES
from bench_connect.programs import ENVIRONMENT, Campaign, Ended, python, run
from bench_connect.service import Service
from bench_connect.table import Figure

UNPACED = ("--rate", 1_000_000, "--burst", 1_000_000)
FEW = 200
ROUNDS = 3


def cpu(service: Service, folder: Path, rows: int | None) -> Iterator[Figure]:
    """Measure the CPU of one more SMS, start-up apart, against a bare call; in turns, the median of each."""
    rows = rows or 10_000
    campaign, what = _unlimited(service, folder), f"CPU per SMS, {rows:,} rows, server in another process"
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(_marginal(campaign, rows, lambda ended: ended.cpu))
        bare = run(*python("bench_connect.peers", "aioboto3", "--url", service.url, "--rows", rows))
        theirs.append(bare.told["call_cpu"])
    product, call = statistics.median(ours), statistics.median(theirs)
    ratio = product / call
    yield Figure(what, "bulk, the whole product", f"{product * 1e3:.2f} ms: {ratio:.2f} ×", "≤ 1.0 ×", ratio <= 1.0)
    yield Figure(what, NAMES["aioboto3"], f"{call * 1e3:.2f} ms")


def throughput(service: Service, folder: Path, rows: int | None) -> Iterator[Figure]:
    """Measure rows a second of one process, start-up apart, unpaced, from a server that answers at once."""
    rows = rows or 10_000
    campaign, what = _unlimited(service, folder), f"throughput unpaced, {rows:,} SMS, one process"
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(_marginal(campaign, rows, lambda ended: ended.seconds))
        few, many = (_threads(service, count).seconds for count in (FEW, rows))
        theirs.append((many - few) / (rows - FEW))
    product, peer = 1 / statistics.median(ours), 1 / statistics.median(theirs)
    ratio = product / peer
    yield Figure(what, "bulk, the whole product", f"{product:,.0f} a second: {ratio:.2f} ×", "≥ 1.7 ×", ratio >= 1.7)
    yield Figure(what, NAMES["boto3-standard"], f"{peer:,.0f} a second")


def memory(service: Service, folder: Path, rows: int | None) -> Iterator[Figure]:
    """Measure the peak of memory of a long list against that of a hundredth of it: dry, and sent for a tenth."""
    rows = rows or 1_000_000
    campaign = _unlimited(service, folder)
    for many, few, options in ((rows, rows // 100, ("--dry-run",)), (rows // 10, rows // 100, ())):
        peaks = [campaign.send(count, *UNPACED, *options).peak for count in (many, few)]
        ratio = peaks[0] / peaks[1]
        how = "dry run" if options else "sent"
        found = f"{peaks[0] / 2**20:.0f} MB and {peaks[1] / 2**20:.0f} MB: {ratio:.2f} ×"
        yield Figure(f"peak memory, {many:,} rows against {few:,}, {how}", "bulk", found, "≤ 1.3 ×", ratio <= 1.3)


def first_call(service: Service, folder: Path, rows: int | None) -> Iterator[Figure]:
    """Measure the seconds from the program's start to its first call, with a long list."""
    rows = rows or 5_000_000
    campaign = _unlimited(service, folder)
    campaign.contacts(rows)
    taken = statistics.median(_until_first_call(service, campaign, rows) for _ in range(ROUNDS))
    yield Figure(f"time to the first call, {rows:,} rows", "bulk", f"{taken:.2f} s", "≤ 1.5 s", taken <= 1.5)


def resume(service: Service, folder: Path, rows: int | None) -> Iterator[Figure]:
    """Measure going on with a run that has nothing left to send, results written."""
    rows = rows or 1_000_000
    campaign = _unlimited(service, folder)
    run_id, state = finish(campaign, rows)
    ended = run(*campaign.command(rows, "--run", run_id, "--state-dir", state))
    if service.seen().accepted or ended.told["sent"] != rows:
        raise RuntimeError(f"the run was not finished: {ended.told}")
    took = ended.seconds
    yield Figure(f"resuming a finished run of {rows:,} rows", "bulk", f"{took:.1f} s", "≤ 10 s", took <= 10)


def startup(_service: Service, _folder: Path, rows: int | None) -> Iterator[Figure]:
    """Measure `bulk --help`; the median of ten."""
    program = [str(Path(sys.executable).with_name("bulk")), "--help"]
    taken = statistics.median(_seconds(program) for _ in range(rows or 10))
    yield Figure("start-up, `bulk --help`", "bulk", f"{taken:.2f} s", "≤ 0.25 s", taken <= 0.25)


def _unlimited(service: Service, folder: Path) -> Campaign:
    service.begin()
    return Campaign.write(folder, "sms", service.url)


def _marginal(campaign: Campaign, rows: int, cost: Callable[[Ended], float]) -> float:
    """Return the cost of one more row: that of many less that of a few."""
    few, many = (cost(campaign.send(count, *UNPACED)) for count in (FEW, rows))
    return (many - few) / (rows - FEW)


def _threads(service: Service, rows: int) -> Ended:
    return run(*python("bench_connect.peers", "boto3-standard", "--url", service.url, "--rows", rows))


def _until_first_call(service: Service, campaign: Campaign, rows: int) -> float:
    service.begin()
    state = campaign.folder / f"state-{time.monotonic_ns()}"
    begun = time.monotonic()
    with subprocess.Popen(campaign.command(rows, "--state-dir", state), env=ENVIRONMENT) as process:
        try:
            while (first := service.seen().first) is None:
                if process.poll() is not None:
                    raise RuntimeError("bulk ended before its first call")
                time.sleep(0.02)
        finally:
            process.kill()
    return first - begun


def _seconds(program: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(program, env=ENVIRONMENT, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begun
