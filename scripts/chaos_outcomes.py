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
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path

import boto3
from chaos import ENVIRONMENT
from chaos_outcome_trial import HIDDEN, Figures, Trial

from bulk.loader.own_list import OwnList
from bulk.sandbox import Sandbox

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from buckets import OneByOne, served

LOST = 0.2  # of the calls, or of their answers
QUICKLY = "SELECT count(*) FROM delivery WHERE state = 'intended' OR state = 'unknown'"


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
