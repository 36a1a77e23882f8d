"""How close to the permitted rate, with how many throttles.

The server permits what a client that never waits and never goes too fast could have had accepted: the burst, and the
rate times the seconds from its first call to its last accepted one. The share is what was accepted of that. For an
email both operations have the same quota, and the share counts emails, from the first draft to the last mail.
"""

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from bench_connect.peers import NAMES
from bench_connect.programs import Campaign, Ended, python, run
from bench_connect.service import Seen, Service
from bench_connect.table import Figure

RATE, BURST, LATENCY = 50, 50, 0.1
PEERS = ("boto3-standard", "boto3-adaptive", "aioboto3-tenacity-10", "aioboto3-tenacity-50", "aiometer")
LAST = {"sms": "StartOutboundChatContact", "email": "StartOutboundEmailContact"}
AWS_CLI_CALLS = 24


def rate(service: Service, folder: Path, rows: int | None) -> Iterator[Figure]:
    """Measure SMS under a known quota."""
    yield from _known(service, folder, "sms", rows or 1_000, target=0.99)
    yield from _aws_cli(service, folder)


def email(service: Service, folder: Path, rows: int | None) -> Iterator[Figure]:
    """Measure emails, two operations of the same known quota."""
    yield from _known(service, folder, "email", rows or 1_000, target=0.985)


def auto(service: Service, folder: Path, rows: int | None) -> Iterator[Figure]:
    """Measure SMS where the quota is 25 times the first guess, and nobody says so."""
    rows = rows or 3_000
    service.begin(rate=RATE, burst=BURST, latency=LATENCY)
    ended = Campaign.write(folder, "sms", service.url).send(rows, "--rate", "auto")
    yield _figure(f'`rate = "auto"`, {rows:,} SMS, quota unknown', "bulk", service.seen(), "sms", ended, (0.95, 0.02))


def change(service: Service, folder: Path, rows: int | None) -> Iterator[Figure]:
    """Measure SMS where the quota is halved after a third of the rows, and doubled again after two."""
    rows = rows or 3_000
    service.begin(rate=RATE, burst=BURST, latency=LATENCY, changes=[[rows // 3, RATE / 2], [2 * rows // 3, RATE]])
    ended = Campaign.write(folder, "sms", service.url).send(rows, "--rate", "auto")
    yield _figure(f"auto, {rows:,} SMS, quota halved, then doubled", "bulk", service.seen(), "sms", ended, (0.93, 0.03))


def _known(service: Service, folder: Path, channel: str, rows: int, *, target: float) -> Iterator[Figure]:
    what = f"share of the permitted rate, {rows:,} {'SMS' if channel == 'sms' else 'emails'}, known quota"
    campaign = Campaign.write(folder, channel, service.url)
    service.begin(rate=RATE, burst=BURST, latency=LATENCY)
    ended = campaign.send(rows, "--rate", RATE, "--burst", BURST)
    yield _figure(what, "bulk", service.seen(), channel, ended, (target, 0.005))
    for peer in PEERS:
        service.begin(rate=RATE, burst=BURST, latency=LATENCY)
        options = ("--url", service.url, "--rows", rows, "--channel", channel, "--rate", RATE)
        if peer == "aiometer" and find_spec(peer) is None:
            yield Figure(what, NAMES[peer], "not installed")
            continue
        ended = run(*python("bench_connect.peers", peer, *options))
        yield _figure(what, NAMES[peer], service.seen(), channel, ended)


def _figure(
    what: str, who: str, seen: Seen, channel: str, ended: Ended, targets: tuple[float, float] | None = None
) -> Figure:
    share, throttled = _share(seen, channel), seen.throttled_share
    lost = f", {ended.told['failed']:,} given up" if ended.told.get("failed") else ""
    found = f"{share:.1%}, {throttled:.1%} throttled{lost}"
    if targets is None:
        return Figure(what, who, found)
    target = f"≥ {targets[0]:.1%}, ≤ {targets[1]:.1%}"
    return Figure(what, who, found, target, share >= targets[0] and throttled <= targets[1])


def _share(seen: Seen, channel: str) -> float:
    if channel == "sms":
        return seen.accepted[LAST[channel]] / seen.permitted[LAST[channel]]
    assert seen.first is not None
    assert seen.last is not None
    return seen.accepted[LAST[channel]] / (BURST + RATE * (seen.last - seen.first))


def _aws_cli(service: Service, folder: Path) -> Iterator[Figure]:
    """Measure a few calls of the AWS CLI under xargs, and tell what a thousand would come to."""
    what, who = (
        "share of the permitted rate, 1,000 SMS, known quota",
        f"`aws` CLI, xargs -P 4 (from {AWS_CLI_CALLS} calls)",
    )
    if not (shutil.which("aws") and shutil.which("xargs")):
        yield Figure(what, who, "not installed")
        return
    service.begin(rate=RATE, burst=BURST, latency=LATENCY)
    script = Path(__file__).with_name("aws_cli.sh")
    run("sh", str(script), service.url, str(AWS_CLI_CALLS), str(folder))
    seen = service.seen()
    assert seen.first is not None
    assert seen.last is not None
    a_second = sum(seen.accepted.values()) / (seen.last - seen.first)
    share = 1_000 / (BURST + RATE * 1_000 / a_second)
    yield Figure(what, who, f"{share:.1%}, {seen.throttled_share:.1%} throttled")
