"""Nothing lost, nothing doubled: the program is killed at random instants, resumed until it is done, and checked.

    scripts/chaos                       some 200 kills over all kinds of campaigns
    scripts/chaos --kills 3 --only email --seed 7

The server is a sandbox that outlives the program and has a bad day: it drops calls, accepts calls and drops the
answer, answers 500, throttles, and takes its time. The program is `bulk send` as a process, ended by SIGKILL: some
milliseconds after a chosen call has reached the server, some time after its first call, or at any time at all. Between
two lives its list may change its order, or grow. `chaos_verdict` then compares the server's contacts with the results.

What is killed when is drawn from the seed; what the program is doing then is up to the machine.
"""

import argparse
import asyncio
import json
import math
import os
import platform
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import ClassVar

import chaos_ledger
from chaos_figures import Figures, table
from chaos_trial import KINDS, ContactList, Kind, bad_day
from chaos_verdict import judge

from bulk.sandbox import Sandbox

RATE = 150.0  # calls a second, and what the server allows of each operation
SIGNALS = 0.1  # of the lives end by SIGTERM or SIGINT, and do not count as kills
HANGS = 120.0  # seconds after which a life that does not end is an error
DRAFTED = "state = 'pending' AND replies IS NOT NULL"
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "BULK_"))},
    "AWS_ACCESS_KEY_ID": "chaos",
    "AWS_SECRET_ACCESS_KEY": "chaos",
    "AWS_DEFAULT_REGION": "us-west-2",
}


@dataclass(slots=True)
class Trial:
    """One campaign, killed and resumed until it is done."""

    FIGURES: ClassVar[type[Figures]] = Figures
    HOSTS: ClassVar[tuple[str, ...]] = ()
    LATE: ClassVar[float] = 0.05  # seconds after its word that it stops in which a call on its way may arrive
    ENDS: ClassVar[frozenset[int]] = frozenset({0, 1})  # the exit codes of one that was done before it was stopped

    kind: Kind
    lots: random.Random
    sandbox: Sandbox
    folder: Path
    rows: int
    figures: Figures = field(default_factory=Figures)
    contacts: ContactList = field(init=False)

    @property
    def reach(self) -> str:
        """The options that say how the service is reached."""
        return f"--endpoint-url {self.sandbox.url}"

    @property
    def environment(self) -> dict[str, str]:
        return ENVIRONMENT

    async def run(self, kills: int) -> str:
        """Send it, with `kills` kills at most; give what was wrong."""
        contacts = self.contacts = ContactList(self.folder / "list.csv", phones=self.kind.channel == "sms")
        contacts.grow(self.rows)
        contacts.write()
        (self.folder / "campaign.toml").write_text(self.kind.campaign(RATE))
        while self.figures.kills < kills and await self._killed():
            self._forget_the_pace()
            self._change(contacts)
        wrong = await self._finish()
        if wrong:
            return wrong
        figures, found = judge(self.kind, contacts, self.sandbox.contacts, self.folder / "results.csv")
        self.figures.add(figures)
        self._count_calls()
        return found + await self._again()

    async def _killed(self) -> bool:
        """Start the program and kill it; False where it ended by itself before that."""
        process = await self._start()
        now = self._moment()
        ending = asyncio.ensure_future(process.wait())
        while not now() and not ending.done():
            await asyncio.wait([ending], timeout=0.002)
        if ending.done():
            return False
        if self.lots.random() < SIGNALS:
            return await self._interrupted(process)
        process.kill()
        if await ending >= 0:
            return False
        self.figures.kills += 1
        self._look_into_the_ledger()
        return True

    async def _interrupted(self, process: asyncio.subprocess.Process) -> bool:
        """Ask the program to stop, and count the calls that it starts after it said that it does."""
        number = self.lots.choice([signal.SIGTERM, signal.SIGINT])
        process.send_signal(number)
        assert process.stderr is not None
        complaint = ""
        while line := (await process.stderr.readline()).decode():
            complaint += line
            if line.startswith(number.name):
                break
        heard = time.time()
        await process.communicate()
        if process.returncode in self.ENDS:
            return False
        if process.returncode not in {128 + number, -number}:
            raise RuntimeError(f"{number.name} ended the program with {process.returncode}: {complaint}")
        received = (at for calls in self.sandbox.calls.values() for at in calls["received_at"])
        self.figures.interrupts += 1
        self.figures.late += sum(at > heard + self.LATE for at in received)
        return True

    def _moment(self) -> Callable[[], bool]:
        """Draw when to kill: told again and again, it says whether that is now."""
        way, spawned, start = self.lots.random(), time.monotonic(), self._received()
        if way < 0.1:
            due = spawned + self.lots.uniform(0.0, 1.5)
            return lambda: time.monotonic() >= due
        calls, delay = [self.lots.choice(self.kind.calls)], self.lots.uniform(0.0, 0.05)
        after = self.lots.randint(1, 60)
        if way < 0.55:
            calls, after, delay = list(self.kind.calls), 1, self.lots.uniform(0.05, 0.8)
        reached = math.inf

        def now() -> bool:
            nonlocal reached
            if reached == math.inf and sum(self._received()[call] - start[call] for call in calls) >= after:
                reached = time.monotonic()
            return time.monotonic() >= reached + delay

        return now

    def _received(self) -> dict[str, int]:
        return {name: calls["received"] for name, calls in self.sandbox.calls.items()}

    async def _start(self) -> asyncio.subprocess.Process:
        command = f"-m bulk send campaign.toml --yes --json --results results.csv {self.reach}"
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *command.split(),
            cwd=self.folder,
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def _finish(self) -> str:
        """Let the program end by itself; give what was wrong with that."""
        process = await self._start()
        out, complaint = await asyncio.wait_for(process.communicate(), HANGS)
        if process.returncode not in {0, 1} or not out:
            return f"exit code {process.returncode}: {complaint.decode()[-2000:]}\n"
        summary = json.loads(out)
        return f"rows left: {out.decode()}\n" if summary["pending"] or summary["halted"] else ""

    async def _again(self) -> str:
        """Send what is done once more: that must call nobody."""
        before = self._received()
        wrong = await self._finish()
        return wrong + ("a finished run called the server again\n" if self._received() != before else "")

    def _look_into_the_ledger(self) -> None:
        """Count what the kill hit."""
        query = f"SELECT ifnull(sum(state = 'intended'), 0), ifnull(sum({DRAFTED}), 0) FROM delivery"
        [(unanswered, between)] = chaos_ledger.read(self.folder / ".bulk", query) or [(0, 0)]
        self.figures.kills_unanswered += unanswered > 0
        self.figures.kills_between_calls += between > 0
        self.figures.kills_before_a_call += not unanswered and not between

    def _forget_the_pace(self) -> None:
        """Let each life begin at the full rate: else what random throttles and dead time taught would make it crawl."""
        shutil.rmtree(self.folder / ".bulk" / "pace", ignore_errors=True)

    def _change(self, contacts: ContactList) -> None:
        if self.lots.random() < 0.3:
            self.figures.lists_changed += 1
            contacts.grow(self.lots.randint(0, 20))
            contacts.shuffle(self.lots)
            contacts.write()

    def _count_calls(self) -> None:
        for calls in self.sandbox.calls.values():
            self.figures.calls += calls["received"]
            for name in ("accepted", "replayed", "throttled", "dropped", "failed"):
                setattr(self.figures, name, getattr(self.figures, name) + calls[name])


async def trials(made: type[Trial], kind: Kind, kills: int, *, rows: int, seed: int) -> tuple[Figures, list[str]]:
    """Bring campaigns of a kind to their end, one after the other, until the program was killed so often."""
    total, troubles = made.FIGURES(), list[str]()
    while not troubles and (total.kills < kills or not total.campaigns):
        lots = random.Random(f"{seed}/{kind.name}/{total.campaigns}")
        share = 0.1 if kind.tired else 0.06
        folder = Path(tempfile.mkdtemp(prefix=f"chaos-{kind.name}-"))
        day = bad_day(lots.randrange(10**6), share)
        async with Sandbox(rate=RATE, burst=20, faults=day, allow_hosts=made.HOSTS) as sandbox:
            trial = made(kind, lots, sandbox, folder, rows, made.FIGURES())
            wrong = await trial.run(kills - total.kills)
        total.add(trial.figures)
        if wrong:  # the folder stays, for a look into it
            troubles.append(f"{kind.name}, seed {seed}, campaign {total.campaigns} ({folder}):\n{wrong}")
        else:
            shutil.rmtree(folder)
        print(f"{kind.name}: {total.kills} kills, {total.bad} bad", file=sys.stderr)
    return total, troubles


async def main(made: type[Trial], about: str | None, names: Collection[str] = KINDS, *, kills: int = 40) -> int:
    """Run what was asked for; 1 where anything was lost or doubled."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=kills, help=f"of each kind of campaign; default {kills}")
    parser.add_argument("--only", choices=names, action="append", help="kinds of campaigns; default all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=250, help="of each campaign; default 250")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    asked = parser.parse_args()
    columns, troubles = dict[str, Figures](), list[str]()
    for name in asked.only or names:
        columns[name], wrong = await trials(made, KINDS[name], asked.kills, rows=asked.rows, seed=asked.seed)
        troubles += wrong
    if asked.json:
        print(json.dumps({name: asdict(figures) for name, figures in columns.items()}))
    else:
        print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, seed {asked.seed}\n")
        print(table(columns))
    print(*troubles, sep="\n", file=sys.stderr)
    return bool(troubles)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Trial, __doc__)))
