"""Nobody is written to after a no, nor more often than a cap allows: two campaigns share a state directory, and die.

    scripts/chaos rules --kills 60 --seed 1

Both send to the same people under a cap of one and a bound of open contacts, to a server that has a bad day
(`chaos_trial.bad_day`). Both are killed at random instants. Between two lives people say no (the suppression file grows
and is written anew), doubts are decided by hand, and sending hours close and open; while they live, the file is cut to
nothing for a moment. What reached whom is read at the server.
"""

import argparse
import asyncio
import json
import math
import random
import shutil
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from chaos import ENVIRONMENT, HANGS
from chaos_trial import KINDS, Kind, bad_day

from bulk.sandbox import Sandbox

RATE = 100.0
ROOM, OPEN_FOR, SLACK = 30, 3.0, 0.5  # open contacts, seconds each, and what a call may take on its way
NAMES = "first", "second"
RULES = """
[caps]
any = {{ at_most = 1, within = "24h" }}
[hold]
open_contacts = {room}
open_for = "{open_for}s"
[hours]
every_day = "{opens}-{closes}"
"""


@dataclass(slots=True)
class Figures:
    """What is counted. All after `decisions` must be 0."""

    kills: int = 0
    lives: int = 0
    people: int = 0
    reached: int = 0
    said_no: int = 0
    closed: int = 0
    decisions: int = 0
    after_a_no: int = 0
    over_the_cap: int = 0
    beyond_the_room: int = 0
    at_night: int = 0
    lost: int = 0
    errors: list[str] = field(default_factory=list)

    @property
    def bad(self) -> int:
        """Count what must not be."""
        found = self.after_a_no + self.over_the_cap + self.beyond_the_room + self.at_night + self.lost
        return found + len(self.errors)


@dataclass(slots=True)
class Trial:
    """Two campaigns to the same people, brought to their end."""

    kind: Kind
    lots: random.Random
    sandbox: Sandbox
    folder: Path
    people: list[str]
    figures: Figures = field(default_factory=Figures)
    noes: dict[str, set[str]] = field(default_factory=dict)  # person → contacts that had reached them before

    async def run(self, kills: int) -> None:
        self.figures.people += len(self.people)
        self._write_lists()
        while self.figures.kills < kills and (await self._live()):
            self._say_no()
            await self._decide()
        for _ in range(3):
            await asyncio.gather(*(self._to_the_end(name) for name in NAMES))
        self._judge()

    def _write_lists(self) -> None:
        column = "phone" if self.kind.channel == "sms" else "email"
        for name in NAMES:
            people = self.lots.sample(self.people, len(self.people))
            rows = "".join(f"{name}-{person},{person},Ann,UTC\n" for person in people)
            (self.folder / f"{name}.csv").write_text(f"id,{column},name,zone\n{rows}")
        (self.folder / "stop.csv").write_text(f"{column}\n{self._nobody}\n")
        self._write_campaigns(closed=False)

    @property
    def _nobody(self) -> str:
        return "+12065559999" if self.kind.channel == "sms" else "nobody@example.com"

    def _write_campaigns(self, *, closed: bool) -> None:
        """Write both campaigns: their window is all day, or begins in two hours."""
        later = datetime.now(UTC) + timedelta(hours=2)
        window = (
            (later.strftime("%H:%M"), (later + timedelta(hours=1)).strftime("%H:%M")) if closed else ("00:00", "24:00")
        )
        rules = RULES.format(room=ROOM, open_for=OPEN_FOR, opens=window[0], closes=window[1])
        for name in NAMES:
            text = self.kind.campaign(RATE).replace(f"chaos-{self.kind.name}", name).replace("list.csv", f"{name}.csv")
            text = text.replace('country = "US"', 'country = "US"\ntimezone_column = "zone"\nsuppress = ["stop.csv"]')
            (self.folder / f"{name}.toml").write_text(text + rules)

    async def _live(self) -> bool:
        """Start both, perhaps with closed hours, and kill them; False where both ended by themselves."""
        closed = self.lots.random() < 0.15
        self._write_campaigns(closed=closed)
        before = len(self.sandbox.contacts)
        both = [await self._start(name) for name in NAMES]
        self.figures.lives += 1
        await asyncio.sleep(self.lots.uniform(0.6, 2.2))
        await self._cut_the_file()
        await asyncio.sleep(self.lots.uniform(0.0, 1.0))
        alive = 0
        for process in both:
            if process.returncode is None:
                process.kill()
                alive += 1
            await process.communicate()
        self.figures.kills += alive
        if closed:
            self.figures.closed += 1
            self.figures.at_night += self._count_new(before)
        return alive > 0 or closed

    def _count_new(self, before: int) -> int:
        return len(self.sandbox.contacts) - before

    async def _cut_the_file(self) -> None:
        """Rewrite the suppression file in place, slowly: for a moment nobody stands in it."""
        file = self.folder / "stop.csv"
        text = file.read_text()
        file.write_text("")
        await asyncio.sleep(0.05)
        file.write_text(text)

    def _say_no(self) -> None:
        """Have some people say no, while nobody sends."""
        left = [person for person in self.people if person not in self.noes]
        with (self.folder / "stop.csv").open("a") as file:
            for person in self.lots.sample(left, min(len(left), self.lots.randint(0, 6))):
                file.write(f"{person}\n")
                self.noes[person] = {contact["ContactId"] for contact in self._reached() if _of(contact) == person}
                self.figures.said_no += 1

    async def _decide(self) -> None:
        if self.lots.random() < 0.3:
            decision = self.lots.choice(["--give-up", "--mark-sent"])
            process = await self._start(self.lots.choice(NAMES), "resolve", decision)
            await process.communicate()
            self.figures.decisions += 1

    async def _start(self, name: str, command: str = "send", *more: str) -> asyncio.subprocess.Process:
        reach = ["--endpoint-url", self.sandbox.url, "--yes"] if command == "send" else []
        words = ["-m", "bulk", command, f"{name}.toml", "--state-dir", "state", "--json", *reach, *more]
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            sys.executable, *words, cwd=self.folder, env=ENVIRONMENT, stdout=pipe, stderr=pipe
        )

    async def _to_the_end(self, name: str) -> None:
        self._write_campaigns(closed=False)
        process = await self._start(name)
        out, complaint = await asyncio.wait_for(process.communicate(), HANGS)
        if process.returncode not in {0, 1} or json.loads(out)["pending"]:
            self.figures.errors.append(f"{name} ended with {process.returncode}: {complaint.decode()[-800:]}")

    def _reached(self) -> list[dict[str, Any]]:
        return [one for one in self.sandbox.contacts if one["Mailed"] or self.kind.channel != "email"]

    def _judge(self) -> None:
        reached = self._reached()
        self.figures.reached += len(reached)
        times = Counter(map(_of, reached))
        self.figures.over_the_cap += sum(count - 1 for count in times.values() if count > 1)
        for contact in reached:
            person = _of(contact)
            self.figures.after_a_no += person in self.noes and contact["ContactId"] not in self.noes[person]
        self.figures.lost += sum(person not in times and person not in self.noes for person in self.people)
        self.figures.lost -= self._unknown(times)
        spans = [(one["StartedAt"], _end(one)) for one in self.sandbox.contacts]
        for start, _ in spans:
            self.figures.beyond_the_room += sum(begun <= start < ended for begun, ended in spans) > ROOM

    def _unknown(self, times: Counter[str]) -> int:
        """Count the people whom nobody reached because a row of theirs is unknown, or was decided by hand."""
        found: set[str] = set()
        for name in NAMES:
            results = self.folder / "results" / f"{name}-default.csv"
            for line in results.read_text().splitlines() if results.exists() else []:
                if ",unknown," in line or "given_up" in line or "marked_sent" in line or ",rejected," in line:
                    found |= {person for person in self.people if f"{name}-{person}," in line}
        return sum(person not in times and person not in self.noes for person in found)


def _end(contact: dict[str, Any]) -> float:
    """Return when a contact certainly was not open any more."""
    return float(min(contact["EndedAt"] or math.inf, contact["StartedAt"] + OPEN_FOR - SLACK))


def _of(contact: dict[str, Any]) -> str:
    return str(contact["Parameters"]["Attributes"]["id"]).split("-", 1)[1]


async def main() -> int:
    """Run what was asked for; 1 where anybody was written to who must not be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=40, help="of each kind of campaign; default 40")
    parser.add_argument("--only", choices=["sms", "email", "email-stop"], action="append")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=150)
    asked = parser.parse_args()
    bad = 0
    for name in asked.only or ["sms", "email", "email-stop"]:
        kind, total, number = KINDS[name], Figures(), 0
        while total.kills < asked.kills and not total.bad:
            lots = random.Random(f"{asked.seed}/{name}/{number}")
            folder = Path(tempfile.mkdtemp(prefix=f"chaos-rules-{name}-"))
            sms = kind.channel == "sms"
            people = [f"+1206555{one:04}" if sms else f"ann{one}@example.com" for one in range(asked.rows)]
            async with Sandbox(rate=RATE * 2, burst=20, faults=bad_day(lots.randrange(10**6), 0.05)) as sandbox:
                trial = Trial(kind, lots, sandbox, folder, people, total)
                await trial.run(min(asked.kills, total.kills + 16))
            number += 1
            if not total.bad:
                shutil.rmtree(folder)
            print(name, total, "" if not total.bad else folder, flush=True)
        bad += total.bad
    return bool(bad)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
