"""Nothing lost, nothing doubled, no row charged: clocks jump, disks fill, credentials expire and proxies fail.

    scripts/chaos line                  some 100 kills over all channels
    scripts/chaos line --kills 3 --only email --seed 7

As in `chaos.py`, the program is killed at random instants, or ends by itself, and is started again like a cron job. It
reaches the sandbox by TLS, through a proxy, with credentials that last for seconds; its state directory is a small disk
of its own (where that may be mounted), its wall clock is not the machine's (`chaos_troubles`). Before and during each
life troubles come and go. Then they end, and one more life must bring the campaign to its end.
"""

import asyncio
import csv
import json
import math
import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import ClassVar

import chaos_ledger
from chaos import ENVIRONMENT, Trial, main
from chaos_edge import HOST, Edge
from chaos_figures import Figures, LineFigures
from chaos_troubles import Disk, Jumps, Keys, SingleSendSession, Trouble
from clocks import Clock

PATIENCE = 6.0  # seconds after which a life that gets nowhere is killed, too
STRIKES = 0.35  # of the troubles are there when a life begins, and as many come or go while it lasts
JUMPS = 0.12  # likewise of the clocks: each that is set back makes all rows unknown that are in doubt then
KILLS = 8  # of one campaign
NAMES = "sms", "email", "email-stop", "inbound-email"
REPLAYED = {"sms": 7 * 86400.0}  # seconds for which a token is used again; else an hour


@dataclass(slots=True)
class LineTrial(Trial):
    """One campaign, sent through troubles. `seen`: what the clock showed in this life.

    `doubts`: for each row in doubt the latest time known since, since when it is, and whether the clock was set back.
    """

    FIGURES: ClassVar[type[Figures]] = LineFigures
    HOSTS: ClassVar[tuple[str, ...]] = (HOST,)

    figures: LineFigures
    troubles: list[Trouble] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    doubts: dict[bytes, tuple[float, float, bool]] = field(default_factory=dict)
    unknown: set[bytes] = field(default_factory=set)
    seen: list[float] = field(default_factory=list)
    began: float = 0.0
    clock: Clock = field(init=False)
    disk: Disk = field(init=False)
    keys: Keys = field(init=False)
    line: SingleSendSession = field(init=False)

    async def start(self) -> None:
        """Set up what the troubles befall."""
        port = int(self.sandbox.url.rpartition(":")[2])
        self.clock, self.keys, self.disk = Clock(self.folder), Keys(self.folder), Disk(self.folder / ".bulk")
        self.line = SingleSendSession(self.folder, Edge(port))
        await self.line.start()
        self.troubles = [Jumps(self.clock), self.disk, self.keys, self.line]

    async def stop(self) -> None:
        await self.line.stop()
        chaos_ledger.copy(self.folder / ".bulk", self.folder)
        self.disk.remove()

    @property
    def reach(self) -> str:
        ways = f"--endpoint-url https://{HOST} --ca-bundle {self.line.bundle}"
        return f"{ways} --connect-timeout 1 --read-timeout 2"

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in ENVIRONMENT.items() if "PROXY" not in name.upper()}
        del kept["AWS_ACCESS_KEY_ID"], kept["AWS_SECRET_ACCESS_KEY"]
        nowhere = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        keys = {"AWS_CONFIG_FILE": str(self.keys.config)}
        return {**kept, **nowhere, **keys, **self.clock.environment, "HTTPS_PROXY": self.line.proxy.url}

    async def _killed(self) -> bool:
        """Let the program live, with troubles that come and go; False where it ended with the campaign done."""
        for trouble in self.troubles:
            await (self._strike(trouble, None) if self._befalls(trouble) else trouble.repair())
        self.seen, self.began = [self.clock.now], time.monotonic()
        requests = self.line.edge.requests
        process = await self._start()
        self.figures.lives += 1
        ending = asyncio.ensure_future(process.communicate())
        storm = asyncio.ensure_future(self._storm(process.pid))
        now, late = self._moment(), time.monotonic() + PATIENCE
        while not (now() or ending.done() or time.monotonic() > late):
            await asyncio.wait([ending], timeout=0.002)
        storm.cancel()
        if not ending.done():
            with suppress(ProcessLookupError):
                process.kill()
        out, told = await ending
        await asyncio.gather(storm, return_exceptions=True)
        self._look_at_the_end(process, out, told.decode(), left=self.line.edge.requests > requests)
        self._look_at_doubts()
        return process.returncode not in {0, 1}

    async def _storm(self, life: int) -> None:
        """Have troubles come and go while the program lives."""
        for trouble in self.lots.sample(self.troubles, len(self.troubles)):
            await asyncio.sleep(self.lots.uniform(0.0, 1.0))
            if self._befalls(trouble):
                await (trouble.repair() if self.lots.random() < 0.3 else self._strike(trouble, life))

    def _befalls(self, trouble: Trouble) -> bool:
        return self.lots.random() < (JUMPS if trouble is self.troubles[0] else STRIKES)

    async def _strike(self, trouble: Trouble, life: int | None) -> None:
        self.seen.append(self.clock.now)
        name = await trouble.strike(self.lots, life)
        if name:
            setattr(self.figures, name, getattr(self.figures, name) + 1)
        self.seen.append(self.clock.now)

    def _look_at_the_end(self, process: asyncio.subprocess.Process, out: bytes, told: str, *, left: bool) -> None:
        """Check how a life ended: the code, the summary, the words."""
        code = process.returncode
        self.figures.tracebacks += "Traceback" in told
        if "Traceback" in told:
            self.wrong.append(told[-3000:])
        if code == -9:
            self.figures.kills += 1
            self._look_into_the_ledger()
            return
        self.figures.ended += 1
        self.figures.no_starts += code == 2
        self.figures.halts += code == 3
        summary = json.loads(out) if out else {}
        right = {
            0: bool(summary) and not summary["pending"],
            1: bool(summary) and not summary["pending"],
            2: not left and not summary,
            3: bool(summary and summary["halted"] and (summary["calls"] or left)),
        }
        if not right.get(code or 0, False):
            self.figures.codes += 1
            self.wrong.append(f"exit code {code}, a request left: {left}\n{out.decode()}\n{told[-1500:]}")

    def _look_at_doubts(self) -> None:
        """Check that a row that became unknown for its age was in doubt, and that its age is unknown, or high."""
        rows = chaos_ledger.read(self.folder / ".bulk", "SELECT key, state, error_code, intended_at FROM delivery")
        if rows is None:
            return
        lived = time.monotonic() - self.began  # it goes on by the clock that it found, whatever becomes of that
        earliest, latest = min(self.seen), max(*self.seen, self.clock.now) + lived
        for key, state, code, _ in rows:
            if state != "unknown" or key in self.unknown or code not in {"clock_went_back", "token_expired"}:
                continue
            self.unknown.add(key)
            known, first, was_back = self.doubts.get(key, (-math.inf, math.inf, False))
            back = code == "clock_went_back"
            self.figures.behind_the_clock += back
            self.figures.beyond_the_token += not back
            if not (was_back or earliest < known if back else latest - first > REPLAYED.get(self.kind.channel, 3600.0)):
                self.figures.charged += 1
                self.wrong.append(
                    f"{code} at {earliest:.0f}…{latest:.0f}: in doubt since {first:.0f}, known {known:.0f}"
                )
        before = self.doubts
        self.doubts = {
            key: (max(known, latest), first, was_back or earliest < known)
            for key, state, _, at in rows
            if state == "intended"
            for known, first, was_back in [before.get(key, (-math.inf, at, False))]
        }

    def _forget_the_pace(self) -> None:
        """Keep it: what a clock that was ahead has written there must hold up nobody."""

    async def _finish(self) -> str:
        """Let the program end by itself, with all troubles gone."""
        for trouble in self.troubles:
            await trouble.repair()
        self.seen, self.began = [self.clock.now], time.monotonic()
        wrong = await Trial._finish(self)  # noqa: SLF001 - `super` knows no class that has slots
        self._look_at_doubts()
        return wrong

    async def run(self, kills: int) -> str:
        """Send it, with `kills` kills at most; give what was wrong."""
        await self.start()
        try:
            wrong = await Trial.run(self, min(kills, KILLS))
        finally:
            await self.stop()
        self.figures.turned_away += self.line.edge.turned_away
        with (self.folder / "results.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                aged = row["error_code"] in {"clock_went_back", "token_expired"}
                if row["status"] == "unknown" and not aged and self.contacts.wanted[row["key"]] == "sent":
                    self.figures.charged += 1
                    self.wrong.append(f"{row['key']} is unknown: {row['error_code']}: {row['error_message']}")
        return wrong + "\n".join(self.wrong)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(LineTrial, __doc__, NAMES)))
