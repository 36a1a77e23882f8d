"""What looking costs: `bulk check` beside the loop that a user would write for it."""

import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench_connect.programs import Campaign, Ended, python, run
from bench_connect.service import Service
from bench_connect.table import Figure

ROUNDS = 3


def check(service: Service, folder: Path, rows: int | None) -> Iterator[Figure]:
    """Measure the time of one more row, start-up apart, of both in turns, and the peak of memory."""
    rows = rows or 100_000
    few, campaign = rows // 100, Campaign.write(folder, "sms", service.url)
    lists = campaign.contacts(rows), campaign.contacts(few)
    pairs = [([_ours(campaign, path) for path in lists], [_theirs(path) for path in lists]) for _ in range(ROUNDS)]
    for (long, _), (peer, _) in pairs:
        if not long.told["sendable"] == peer.told["sendable"] == rows:
            raise RuntimeError(f"not all of {rows} rows could be sent: {long.told}, {peer.told}")
    (ours, ours_cpu), (theirs, theirs_cpu) = (_a_row(taken, rows - few) for taken in zip(*pairs, strict=True))
    ratio, what = ours / theirs, f"`bulk check`, {rows:,} rows"
    found = f"{ours * 1e6:.1f} µs a row: {ratio:.2f} × (CPU {ours_cpu / theirs_cpu:.2f} ×)"
    yield Figure(what, "bulk", found, "≤ 0.35 ×", ratio <= 0.35)
    yield Figure(what, "csv, phonenumbers, Jinja, botocore's validator", f"{theirs * 1e6:.1f} µs a row")
    peaks = [
        statistics.median(ended.peak for ended in runs) for runs in zip(*(taken for taken, _ in pairs), strict=True)
    ]
    grown = peaks[0] / peaks[1]
    found = f"{peaks[0] / 2**20:.0f} MB and {peaks[1] / 2**20:.0f} MB: {grown:.2f} ×"
    yield Figure(f"peak memory of a check, {rows:,} rows against {few:,}", "bulk", found, "≤ 1.3 ×", grown <= 1.3)


def _a_row(taken: Sequence[Sequence[Ended]], rows: int) -> tuple[float, float]:
    """Return the seconds, and the seconds of CPU, of one row more."""
    seconds = statistics.median(long.seconds - short.seconds for long, short in taken)
    return seconds / rows, statistics.median(long.cpu - short.cpu for long, short in taken) / rows


def _ours(campaign: Campaign, path: Path) -> Ended:
    return run(*python("bulk", "check", campaign.path, "--contacts", path, "--json"))


def _theirs(path: Path) -> Ended:
    return run(*python("bench_connect.by_hand", path))
