"""A run whose calls two workers make, beside the same run in one process: the rate, what a bad moment costs, the CPU.

The share counts what was accepted of what the server permitted in that time; of an email both operations have the same
quota. What "bench cluster" kills or freezes are processes that it started.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench_connect.programs import ENVIRONMENT, Campaign
from bench_connect.service import Seen, Service
from bench_connect.table import Figure

RATE, LATENCY, WORKERS = 100, 0.1, "local:2"
FROZEN = 8.0  # seconds
LAST = {"sms": "StartOutboundChatContact", "email": "StartOutboundEmailContact"}
UNPACED = 20_000  # calls a second, and at once
CORES = 6  # as many as four workers, a driver and the server keep busy


@dataclass(slots=True)
class Sent:
    """What a run came to: its exit code, its summary, its own CPU and that of its workers, in seconds."""

    code: int
    told: dict[str, object]
    own: float
    workers: float
    seconds: float


def cluster(service: Service, folder: Path, rows: int | None) -> Iterator[Figure]:
    """Measure the rate at two bursts, then the bad moments, then what it costs."""
    rows = rows or 3_000
    for channel in ("sms", "email"):
        for burst in (100, 10):
            alone, _ = _sent(service, folder, channel, rows, burst=burst, at=None)
            both, seen = _sent(service, folder, channel, rows, burst=burst, at=WORKERS)
            what = f"{WORKERS}, {rows:,} {channel} at {RATE}/s, burst {burst}"
            yield _share(what, seen, channel, burst, least=0.98)
            if burst == 100:
                ratio = both.own / alone.own
                found = f"{both.own:.1f} s of {alone.own:.1f} s: {ratio:.2f}"
                yield Figure(f"{what}: the driver's CPU beside one process", "bulk", found, "≤ 0.50", ratio <= 0.5)
    yield from _bad_moments(service, folder, rows)
    yield from _driver_killed(service, folder, rows)
    yield from _learned(service, folder, rows)
    yield from _unpaced(service, folder, rows)


def _bad_moments(service: Service, folder: Path, rows: int) -> Iterator[Figure]:
    """Kill a worker in the middle of a run; freeze one."""

    def kill(driver: int) -> None:
        time.sleep(rows / RATE / 3)
        os.kill(workers_of(driver)[0], signal.SIGKILL)

    def freeze(driver: int) -> None:
        time.sleep(rows / RATE / 3)
        worker = workers_of(driver)[0]
        os.kill(worker, signal.SIGSTOP)
        time.sleep(FROZEN)
        os.kill(worker, signal.SIGCONT)

    for what, meanwhile, least in (
        ("a worker killed", kill, 0.98),
        (f"a worker frozen for {FROZEN:g} s", freeze, 0.95),
    ):
        for channel in ("sms", "email"):
            _, seen = _sent(service, folder, channel, rows, burst=100, at=WORKERS, meanwhile=meanwhile)
            calls = rows * (2 if channel == "email" else 1)
            repeated = sum(seen.accepted.values()) - calls
            about = f"{WORKERS}, {rows:,} {channel}, {what}"
            yield _share(about, seen, channel, 100, least=least)
            yield Figure(f"{about}: calls repeated", "bulk", f"{repeated}", "≤ 60", repeated <= 60)


def _driver_killed(service: Service, folder: Path, rows: int) -> Iterator[Figure]:
    """Kill the driver in the middle, and send the rest: by one process, and by the cluster again."""
    for after in (None, WORKERS):
        service.begin(rate=RATE, burst=100, latency=LATENCY)
        campaign, state = Campaign.write(folder, "email", service.url), folder / f"killed-{time.monotonic_ns()}"
        command = _command(campaign, rows, 100, state)
        with subprocess.Popen(
            [*command, "--cluster", WORKERS], env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as driver:
            _wait_for(service, rows // 3)
            driver.kill()
        sent = _run([*command, *(["--cluster", after] if after else [])])
        seen = service.seen()
        repeated = sum(seen.accepted.values()) - 2 * rows
        what = f"{WORKERS}, {rows:,} email, the driver killed, the rest by {after or 'one process'}"
        found = f"{sent.told['sent']} sent, {repeated} calls repeated, {seen.throttled_share:.1%} throttled"
        met = sent.told["sent"] == rows and repeated <= 2 * RATE and seen.throttled_share <= 0.01
        yield Figure(what, "bulk", found, f"{rows} sent, ≤ {2 * RATE}, ≤ 1 %", met)


def _learned(service: Service, folder: Path, rows: int) -> Iterator[Figure]:
    """Let the rate be learned, by one process and by two workers."""
    shares = []
    for at in (None, WORKERS):
        _, seen = _sent(service, folder, "sms", rows, burst=100, at=at, rate="auto")
        shares.append(sum(seen.accepted.values()) / sum(seen.permitted.values()))
        yield _share(f"{at or 'one process'}, {rows:,} sms, rate learned", seen, "sms", 100)
    apart = 100 * (shares[0] - shares[1])
    yield Figure("rate learned: points behind one process", "bulk", f"{apart:.1f}", "≤ 1.5", apart <= 1.5)


def _unpaced(service: Service, folder: Path, rows: int) -> Iterator[Figure]:
    """Send as fast as it goes: by one process, by two workers, and by four, which want cores of their own."""
    speeds: list[float] = []
    for at in (None, "local:2", "local:4"):
        service.begin(rate=None, latency=0.02)
        campaign, state = Campaign.write(folder, "sms", service.url), folder / f"fast-{time.monotonic_ns()}"
        more = ["--cluster", at] if at else []
        sent = _run([*_command(campaign, 3 * rows, UNPACED, state, rate=UNPACED), *more])
        seen = service.seen()
        assert seen.first is not None
        assert seen.last is not None
        speeds.append(sum(seen.accepted.values()) / (seen.last - seen.first))
        found = f"{speeds[-1]:,.0f}/s; CPU {sent.own:.1f} s, workers {sent.workers:.1f} s"
        yield Figure(f"{3 * rows:,} SMS unpaced, {at or 'one process'}", "bulk", found)
    ratio, cores = speeds[-1] / speeds[0], os.cpu_count() or 1
    met = ratio >= 1 if cores >= CORES else None
    yield Figure(f"unpaced, local:4 beside one process, {cores} cores", "bulk", f"{ratio:.2f} ×", "≥ 1 on six", met)


def _share(what: str, seen: Seen, channel: str, burst: int, *, least: float | None = None) -> Figure:
    assert seen.first is not None
    assert seen.last is not None
    share = seen.accepted[LAST[channel]] / (burst + RATE * (seen.last - seen.first))
    found = f"{share:.1%}, {seen.throttled_share:.1%} throttled"
    if least is None:
        return Figure(what, "bulk", found)
    return Figure(what, "bulk", found, f"≥ {least:.0%}, ≤ 1 %", share >= least and seen.throttled_share <= 0.01)


def _sent(  # noqa: PLR0913 - a measure is a row of settings
    service: Service,
    folder: Path,
    channel: str,
    rows: int,
    *,
    burst: int,
    at: str | None,
    rate: object = RATE,
    meanwhile: Callable[[int], None] | None = None,
) -> tuple[Sent, Seen]:
    service.begin(rate=RATE, burst=burst, latency=LATENCY)
    campaign = Campaign.write(folder, channel, service.url)
    state = folder / f"state-{time.monotonic_ns()}"
    command = _command(campaign, rows, burst, state, rate=rate) + (["--cluster", at] if at else [])
    sent = _run(command, lambda pid: meanwhile(pid) if meanwhile and _wait_for(service, 1) else None)
    if sent.told["sent"] != rows:
        raise RuntimeError(f"not all of {rows} rows were sent: {sent.told}")
    return sent, service.seen()


def _command(campaign: Campaign, rows: int, burst: int, state: Path, *, rate: object = RATE) -> list[str]:
    own = ["--state-dir", str(state), "--rate", str(rate), "--burst", str(burst)]
    return [*campaign.command(rows), *own]


def _run(command: list[str], meanwhile: Callable[[int], object] = lambda _: None) -> Sent:
    """Run the program to its end. Its own CPU is read from the kernel while it lives, that of its workers after."""
    begun = time.perf_counter()
    with subprocess.Popen(
        command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        meanwhile(process.pid)
        own = 0.0
        while _is_running(process.pid):  # `poll` would wait for it, and its CPU is asked for with that
            own = max(own, _cpu(process.pid))
            time.sleep(0.05)
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    whole = used.ru_utime + used.ru_stime
    return Sent(process.returncode, json.loads(said), own, max(0.0, whole - own), time.perf_counter() - begun)


def _is_running(pid: int) -> bool:
    """Whether a process has not ended: one that nobody has waited for yet is a zombie."""
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def _cpu(pid: int) -> float:
    """Return the seconds of CPU that a process has used by itself."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def workers_of(driver: int) -> list[int]:
    """Return the processes that a driver started."""
    return [int(pid) for pid in Path(f"/proc/{driver}/task/{driver}/children").read_text().split()]


def _wait_for(service: Service, calls: int) -> bool:
    while sum(service.seen().accepted.values()) < calls:
        time.sleep(0.05)
    return True
