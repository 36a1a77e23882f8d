"""How close to high rates, and what a paced call costs there.

At some hundred calls a second a moment of lateness is worth several calls: what holds at 50 need not hold here.
The share is that of `pace`. The CPU is that of a paced call beside a bare one of the same run, as in `cost`, where
nothing is paced.
"""

import statistics
from collections.abc import Iterator
from pathlib import Path

from bench_connect.cost import FEW
from bench_connect.pace import LATENCY
from bench_connect.peers import NAMES
from bench_connect.programs import Campaign, python, run
from bench_connect.service import Service
from bench_connect.table import Figure

HEIGHTS = (200, 200), (400, 400), (400, 40)  # calls a second, and at once
SECONDS = 20  # of sending, each
ROUNDS = 3
OPERATION = "StartOutboundChatContact"


def high(service: Service, folder: Path, rows: int | None) -> Iterator[Figure]:
    """Measure SMS at high rates, each several times: the median, and the worst of both."""
    campaign = Campaign.write(folder, "sms", service.url)
    for rate, burst in HEIGHTS:
        yield _share(service, campaign, rate, burst, rows or rate * SECONDS)
    yield from _cost(service, campaign, rows or HEIGHTS[0][0] * SECONDS)


def _share(service: Service, campaign: Campaign, rate: int, burst: int, rows: int) -> Figure:
    shares, throttled = [], []
    for _ in range(ROUNDS):
        service.begin(rate=rate, burst=burst, latency=LATENCY)
        campaign.send(rows, "--rate", rate, "--burst", burst)
        seen = service.seen()
        shares.append(seen.accepted[OPERATION] / seen.permitted[OPERATION])
        throttled.append(seen.throttled_share)
    share, no = statistics.median(shares), statistics.median(throttled)
    found = f"{share:.1%}, {no:.2%} throttled (worst of {ROUNDS}: {min(shares):.1%}, {max(throttled):.2%})"
    what = f"share of {rate} a second, burst {burst}, {rows:,} SMS"
    return Figure(what, "bulk", found, "≥ 98.0%, ≤ 0.5%", share >= 0.98 and no <= 0.005)


def _cost(service: Service, campaign: Campaign, rows: int) -> Iterator[Figure]:
    """Measure the CPU of a call that is paced, start-up apart; in turns with bare calls, the median of each."""
    rate, burst = HEIGHTS[0]
    ours, theirs = [], []
    for _ in range(ROUNDS):
        service.begin(rate=rate, burst=burst, latency=LATENCY)
        few, many = (campaign.send(count, "--rate", rate, "--burst", burst).cpu for count in (FEW, rows))
        ours.append((many - few) / (rows - FEW))
        service.begin(latency=LATENCY)
        bare = run(*python("bench_connect.peers", "aioboto3", "--url", service.url, "--rows", rows))
        theirs.append(bare.told["call_cpu"])
    product, call = statistics.median(ours), statistics.median(theirs)
    what = f"CPU per SMS at {rate} a second, {rows:,} SMS"
    yield Figure(what, "bulk, the whole product", f"{product * 1e3:.2f} ms: {product / call:.2f} ×")
    yield Figure(what, NAMES["aioboto3"], f"{call * 1e3:.2f} ms")
