"""Many campaigns in one process: whether each keeps its rate, what they cost together, and how long the loop stalls.

Each campaign goes to a server of its own, as to an account of its own.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from bench_connect.programs import CAMPAIGNS, REGION, python, run, write_list
from bench_connect.service import Service, service
from bench_connect.table import Figure

CAMPAIGNS_AT_ONCE, RATE, BURST, LATENCY = 20, 10, 10, 0.1
BEAT = 0.01  # seconds between two looks at the clock of the loop


def many(_service: Service, folder: Path, rows: int | None) -> Iterator[Figure]:
    """Measure twenty campaigns of ten SMS a second each, sent together."""
    rows, count = rows or 600, CAMPAIGNS_AT_ONCE
    write_list(folder / "contacts.csv", rows)
    with ExitStack() as stack:
        servers = [stack.enter_context(service()) for _ in range(count)]
        for number, server in enumerate(servers):
            server.begin(rate=RATE, burst=BURST, latency=LATENCY)
            _write(folder / f"{number}.toml", f"bench-{number}", server.url)
        ended = run(*python("bench_connect.many", *(folder / f"{number}.toml" for number in range(count))))
        seen = [server.seen() for server in servers]
    shares = [sum(one.accepted.values()) / sum(one.permitted.values()) for one in seen]
    throttled = max(one.throttled_share for one in seen)
    stall, peak, what = (
        ended.told["stall"],
        ended.peak / 2**20,
        f"{count} campaigns of {rows:,} SMS at {RATE}/s, one process",
    )
    if ended.told["sent"] != [rows] * count:
        raise RuntimeError(f"not all rows were sent: {ended.told}")
    least = f"{min(shares):.1%}, {throttled:.1%} throttled"
    yield Figure(f"{what}: the least share of its rate", "bulk", least, "≥ 98 %", min(shares) >= 0.98)
    yield Figure(f"{what}: peak memory", "bulk", f"{peak:.0f} MB", "< 250 MB", peak < 250)
    yield Figure(f"{what}: longest stall of the loop", "bulk", f"{stall:.2f} s", "< 0.5 s", stall < 0.5)
    yield Figure(f"{what}: CPU", "bulk", f"{ended.cpu:.1f} s in {ended.seconds:.0f} s")


def _write(path: Path, name: str, url: str) -> None:
    own = f'contacts = "contacts.csv"\n[at]\nendpoint_url = "{url}"\nregion = "{REGION}"\n'
    pacing = f"[pacing]\nrate = {RATE}\nburst = {BURST}\n"
    campaign = CAMPAIGNS["sms"].replace('"bench-sms"', f'"{name}"').replace("\n[list]", f"\n{own}\n[list]")
    path.write_text(f"{campaign}\n{pacing}")


async def _send(paths: list[str]) -> None:
    """Send campaigns together, and print what came of them and the longest stall of the event loop, in seconds."""
    import bulk  # noqa: PLC0415 - the measure itself runs without it
    from bulk.cli.send import _settle  # noqa: PLC0415 - what the program does before it sends

    _settle()
    stall = 0.0

    async def watch() -> None:
        nonlocal stall
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(BEAT)
            stall = max(stall, loop.time() - before - BEAT)

    watching = asyncio.create_task(watch())
    runs = await bulk.send_all(paths)
    watching.cancel()
    print(json.dumps({"sent": [one.summary.sent for one in runs], "stall": stall}))


if __name__ == "__main__":
    asyncio.run(_send(sys.argv[1:]))
