"""Doubts that are asked about, and outcomes that are tracked, while the program is killed at random instants.

    scripts/chaos outcomes --kills 40 --seed 1
    scripts/chaos outcomes --only ask

`ask`: `bulk send` is killed, on a line that loses calls and answers, and its doubts grow old: the service forgets the
tokens. `bulk resolve --ask` is then killed and run again until it ends, and `bulk send` sends what is certainly not
there. Every key must have one contact, and the ledger must name that one; what is settled needs no person.
`track`: `bulk track` asks about each contact, killed and run again: every end must be known, and nobody wrong.
`queue`: events come from a queue (moto's server), with replies that say STOP, duplicates, events of others and what is
no event: all that is ours must be kept, who said STOP be on the suppression list, and the rest be in the queue still.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import boto3
from chaos import ENVIRONMENT, HANGS
from chaos_trial import HEAD, SMS

from bulk.loader.own_list import OwnList
from bulk.sandbox import Sandbox

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from buckets import OneByOne, served

OLD = 8 * 86400.0  # seconds: no token of an SMS is remembered for so long
ANY_TIME = 0.2  # of the kills
LOST = 0.2  # of the calls, or of their answers
HIDDEN = 2  # seconds for which a message that was received is hidden from the next life
DOUBT = '\n[doubt]\nattribute = "bulk_row"\nwait = "1s"\n'
PROGRAM = f"import bulk.aws.event_sources as s; s.HIDDEN = {HIDDEN}; from bulk.__main__ import main; main()"
QUICKLY = "SELECT count(*) FROM delivery WHERE state = 'intended' OR state = 'unknown'"


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


async def ask(trial: Trial, kills: int) -> None:
    """Have doubts, let them grow old, ask about them."""
    half = max(1, kills // 2)
    rules = [{"fault": fault, "probability": LOST / 2} for fault in ("drop_after", "drop_before")]
    trial.sandbox.set_faults({"rules": rules, "seed": trial.lots.randrange(10**6)})
    sending = trial.received("StartOutboundChatContact")
    await trial.end("send", "--yes", "--limit", "5", codes=(0, 1, 4))
    await trial.kill(half, "send", "--yes", count=sending, most=trial.rows // 2)
    trial.grow_old()
    await trial.end("send", "--yes")
    trial.sandbox.set_faults({"rules": []})
    trial.grow_old()
    in_doubt = trial.ledger(QUICKLY)[0][0]
    asking = trial.received("SearchContacts")
    await trial.kill(kills, "resolve", "--ask", count=asking, most=2)
    await trial.end("resolve", "--ask", codes=(0, 1))
    left = trial.ledger(QUICKLY)[0][0]
    trial.figures.in_doubt += in_doubt
    trial.figures.left += left
    trial.figures.settled += in_doubt - left
    summary = await trial.end("send", "--yes")
    trial.figures.lost += trial.rows - summary["sent"] - left
    trial.judge()


async def track(trial: Trial, kills: int) -> None:
    """Ask about each contact."""
    await trial.end("send", "--yes")
    await trial.kill(kills, "track", count=trial.received("DescribeContact"), most=trial.rows // 3)
    told = await trial.end("track")
    trial.figures.lost += told["contacts"] - told["ended"]
    answers = {one["ContactId"] for one in trial.sandbox.contacts}
    kept = trial.ledger("SELECT contact_id, state, messages FROM contact_end")
    trial.figures.wrong += sum(contact not in answers or state != "ended" for contact, state, _ in kept)
    trial.figures.settled += len(kept)
    trial.judge()


async def queue(trial: Trial, kills: int) -> None:
    """Read events from a queue."""
    await trial.end("send", "--yes")
    sqs = boto3.client("sqs", endpoint_url=trial.environment["AWS_ENDPOINT_URL_SQS"], region_name="us-west-2")
    url = sqs.create_queue(QueueName=trial.folder.name)["QueueUrl"]
    stops, others = set[str](), list[str]()
    bodies = list[str]()
    for number, one in enumerate(trial.sandbox.contacts):
        contact, to = one["ContactId"], one["Parameters"]["DestinationEndpoint"]["Address"]
        ended = {"contactId": contact, "disconnectTimestamp": "2026-11-26T20:00:00Z", "disconnectReason": "API"}
        bodies += [json.dumps({"source": "aws.connect", "detail": ended})] * (1 + number % 2)
        if number % 5 == 0:
            stops.add(to)
            bodies.append(json.dumps({"ContactId": contact, "ParticipantRole": "CUSTOMER", "Content": "STOP"}))
        if number % 10 == 0:
            others += [json.dumps({"contactId": f"other-{number}", "eventType": "DISCONNECTED"}), f"nope {number}"]
    bodies += others
    trial.lots.shuffle(bodies)
    for body in bodies:
        sqs.send_message(QueueUrl=url, MessageBody=body)
    await trial.kill(kills, "track", "--events", url, count=lambda: len(trial.aws.requests), most=15)
    await asyncio.sleep(HIDDEN + 0.5)
    told = await trial.end("track", "--events", url)
    listed = set(OwnList(trial.folder / ".bulk").entries())
    left = Counter[str]()
    while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0).get("Messages"):
        left.update(one["Body"] for one in found)
    trial.figures.settled += told["ended"]
    trial.figures.lost += trial.rows - told["ended"] + len(stops - listed) + (Counter(others) - left).total()
    trial.figures.wrong += len(listed - stops) + (left - Counter(others)).total()
    trial.judge()


KINDS: dict[str, Callable[[Trial, int], Awaitable[None]]] = {"ask": ask, "track": track, "queue": queue}


async def main() -> int:
    """Run what was asked for; 1 where anything was lost, doubled or wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=10, help="of each kind, at least; default 10")
    parser.add_argument("--each", type=int, default=5, help="of one campaign, at most; default 5")
    parser.add_argument("--only", choices=KINDS, action="append")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    asked, total = parser.parse_args(), dict[str, Figures]()
    os.environ |= {name: ENVIRONMENT[name] for name in ENVIRONMENT if name.startswith("AWS_")}
    app = OneByOne()
    with served(app) as url:
        environment = {**ENVIRONMENT, "AWS_ENDPOINT_URL_SQS": url}
        for name in asked.only or KINDS:
            figures = total[name] = Figures()
            while not figures.bad and (figures.kills < asked.kills or not figures.campaigns):
                figures.campaigns += 1
                folder = Path(tempfile.mkdtemp(prefix=f"chaos-{name}-"))
                lots = random.Random(f"{asked.seed}/{name}/{figures.campaigns}")
                service = Sandbox(
                    rate=150.0,
                    burst=20,
                    ends_after=0.0,
                    answers=0.3,
                    state_dir=folder / "service",
                    open_contacts={},
                )
                async with service as sandbox:
                    trial = Trial(sandbox, folder, lots, asked.rows, figures, environment, app)
                    trial.write()
                    await KINDS[name](trial, min(asked.kills, figures.kills + asked.each))
                if not figures.bad:
                    shutil.rmtree(folder)
                print(f"{name}: {figures}", file=sys.stderr)
    print(json.dumps({name: asdict(figures) for name, figures in total.items()}, indent=None if asked.json else 2))
    return any(figures.bad for figures in total.values())


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
