"""A campaign whose commands after the sending are killed, and what is counted of it."""

import asyncio
import json
import random
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaos import HANGS
from chaos_trial import HEAD, SMS

from bulk.sandbox import Sandbox

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from buckets import OneByOne

OLD = 8 * 86400.0  # seconds: no token of an SMS is remembered for so long
ANY_TIME = 0.2  # of the kills
HIDDEN = 2  # seconds for which a message that was received is hidden from the next life
DOUBT = '\n[doubt]\nattribute = "bulk_row"\nwait = "1s"\n'
PROGRAM = f"import bulk.aws.event_sources as s; s.HIDDEN = {HIDDEN}; from bulk.__main__ import main; main()"


@dataclass(slots=True)
class Figures:
    """What is counted. All after `settled` must be 0, but for `left`: rows that need a person, of those in doubt."""

    campaigns: int = 0
    kills: int = 0
    rows: int = 0
    in_doubt: int = 0
    settled: int = 0
    left: int = 0
    doubled: int = 0
    wrong: int = 0
    lost: int = 0

    @property
    def bad(self) -> int:
        """How many things went wrong."""
        return self.doubled + self.wrong + self.lost


@dataclass(slots=True)
class Trial:
    """One campaign, and the commands that are killed."""

    sandbox: Sandbox
    folder: Path
    lots: random.Random
    rows: int
    figures: Figures
    environment: dict[str, str]
    aws: OneByOne

    def write(self) -> None:
        """Write the campaign and its list."""
        text = HEAD.format(kind="outcomes", channel="sms", rate=150, attempts=1) + SMS + DOUBT
        (self.folder / "campaign.toml").write_text(text)
        people = "".join(f"k{number},+1206555{number:04},Ann\n" for number in range(self.rows))
        (self.folder / "list.csv").write_text(f"id,phone,name\n{people}")

    async def start(self, *words: str) -> asyncio.subprocess.Process:
        """Start a command."""
        pipe = asyncio.subprocess.PIPE
        told = [sys.executable, "-c", PROGRAM, words[0], "campaign.toml", *words[1:], "--json"]
        told += ["--endpoint-url", self.sandbox.url]
        return await asyncio.create_subprocess_exec(
            *told, cwd=self.folder, env=self.environment, stdout=pipe, stderr=pipe
        )

    async def end(self, *words: str, codes: tuple[int, ...] = (0, 1)) -> dict[str, Any]:
        """Let a command come to its end."""
        process = await self.start(*words)
        out, said = await asyncio.wait_for(process.communicate(), HANGS)
        if process.returncode not in codes:
            raise RuntimeError(f"{words}: exit code {process.returncode}: {said.decode()[-2000:]}")
        told: dict[str, Any] = json.loads(out)
        return told

    async def kill(self, kills: int, *words: str, count: Callable[[], int], most: int) -> None:
        """Start a command again and again, and kill it, until it ends by itself or was killed so often.

        It is killed up to 50 ms after its n-th request, of at most `most`; one time in five at any time at all.
        """
        while self.figures.kills < kills:
            process, before, after = await self.start(*words), count(), self.lots.randint(1, most)
            ending = asyncio.ensure_future(process.communicate())
            soon = self.lots.uniform(0.2, 2.0) if self.lots.random() < ANY_TIME else HANGS
            begun = asyncio.get_running_loop().time()
            while not ending.done() and count() < before + after:
                if asyncio.get_running_loop().time() > begun + soon:
                    break
                await asyncio.wait([ending], timeout=0.002)
            await asyncio.wait([ending], timeout=self.lots.uniform(0.0, 0.05))
            if ending.done():
                return
            process.kill()
            await ending
            self.figures.kills += 1

    def received(self, operation: str) -> Callable[[], int]:
        """Return what counts the requests of an operation."""
        return lambda: int(self.sandbox.calls[operation]["received"])

    def ledger(self, statement: str) -> list[Any]:
        """Ask the ledger, or change it."""
        with closing(sqlite3.connect(self.folder / ".bulk" / "ledger.db", timeout=20)) as ledger, ledger:
            return ledger.execute(statement).fetchall()

    def grow_old(self) -> None:
        """Have all that is in doubt, and all that the service knows, be so long ago that tokens are forgotten."""
        for column, table in (("intended_at", "delivery"), ("last_at", "dispatch"), ("first_at", "mark")):
            self.ledger(f"UPDATE {table} SET {column} = {column} - {OLD}")
        with closing(sqlite3.connect(self.folder / "service" / "sandbox.sqlite3", timeout=20)) as service, service:
            service.execute(f"UPDATE contacts SET started_at = started_at - {OLD}, ends_at = ends_at - {OLD}")
            service.execute(f"UPDATE tokens SET at = at - {OLD}")

    def judge(self) -> None:
        """Compare the ledger with what the service accepted, contact by contact."""
        there = {one["ContactId"]: one["Parameters"]["Attributes"]["id"] for one in self.sandbox.contacts}
        known = {row[0]: row[1] for row in self.ledger("SELECT contact_id, row FROM delivery WHERE state = 'sent'")}
        times = Counter(there.values())
        self.figures.doubled += sum(count > 1 for count in times.values())
        self.figures.wrong += sum(there.get(contact) != f"k{row}" for contact, row in known.items())
        self.figures.rows += self.rows
