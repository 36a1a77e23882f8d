"""What events tell, read from a queue: what is of a run is deleted once it is kept, all else is given back."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest
from intakes import ENDED, NOW, Intake, bounce, four_mails, stop_of

from bulk.aws.event_sources import Message
from bulk.ledger import Ledger
from bulk.run import event_intake
from bulk.run.event_documents import Malformed
from bulk.run.event_intake import EventIntake
from bulk.stop import Stop


@dataclass
class Queue:
    """Hands out messages three at a time, those again that were not deleted once all were seen."""

    bodies: list[str]
    url: str = "https://sqs.example/queue"
    deleted: list[str] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)
    received: int = 0
    next: int = 0

    async def receive(self) -> list[Message]:
        self.received += 1
        there = [Message(str(n), body, "r") for n, body in enumerate(self.bodies) if str(n) not in self.deleted]
        some = [one for one in there if int(one.id) >= self.next][:3] or there[:3]
        self.next = int(some[-1].id) + 1 if some else 0
        return some

    async def delete(self, messages: Sequence[Message]) -> None:
        self.deleted += [one.id for one in messages]

    async def give_back(self, messages: Sequence[Message]) -> None:
        await anyio.lowlevel.checkpoint()
        self.returned += [one.id for one in messages]


@pytest.fixture
async def intake(ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Intake:
    monkeypatch.setattr("time.time", lambda: NOW + 9)
    return await four_mails(ledger, tmp_path)


async def from_queue(intake: Intake, monkeypatch: pytest.MonkeyPatch, queue: Queue, stop: Stop) -> EventIntake:
    @asynccontextmanager
    async def queue_of(*_: object) -> AsyncIterator[Queue]:
        yield queue

    monkeypatch.setattr(event_intake, "queue_of", queue_of)
    taking = intake.make()
    await taking.read("https://sqs.example/queue", stop)
    return taking


async def test_a_queue_is_read_until_nothing_new_comes_and_what_is_of_others_is_given_back(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, others = json.dumps({"ContactId": "c-1", **ENDED}), json.dumps({"ContactId": "none"})
    mixed = json.dumps(stop_of("c-2")) + "nope"
    queue = Queue(
        [others, ours, others, json.dumps(bounce(3, "Delivery", destination=["3@example.com"])), mixed, "nope"]
    )
    told = await from_queue(intake, monkeypatch, queue, Stop())
    assert (queue.deleted, sorted(queue.returned), queue.received) == (["1", "3"], ["0", "2", "4", "5"], 3)
    assert told.malformed == [
        Malformed(f"{queue.url}, message {number}", "no JSON; events are one JSON object a line (NDJSON)")
        for number in (4, 5)
    ]
    assert (told.told, [one.delivery for one in intake.ends], [one.delivery for one in intake.feedback]) == (
        2,
        [1, 2],
        [2],
    )


async def test_a_queue_of_ours_alone_is_emptied(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = Queue([json.dumps({"ContactId": f"c-{number}", **ENDED}) for number in (1, 2, 3, 4)])
    told = await from_queue(intake, monkeypatch, queue, Stop())
    assert (queue.deleted, queue.returned, queue.received, told.told) == (["0", "1", "2", "3"], [], 3, 4)


async def test_of_a_queue_nothing_is_received_after_a_stop(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    stop, queue = Stop(), Queue(["{}"])
    stop.ask("interrupted", 130)
    await from_queue(intake, monkeypatch, queue, stop)
    assert (queue.received, queue.returned) == (0, [])


async def test_what_was_received_is_given_back_where_the_caller_gives_up(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = Queue(["{}", "{}"])
    with anyio.CancelScope() as scope:

        async def delete(messages: Sequence[Message]) -> None:  # noqa: ARG001 - as a queue is asked
            scope.cancel()
            await anyio.lowlevel.checkpoint()

        queue.delete = delete  # type: ignore[method-assign]  # the moment to give up
        await from_queue(intake, monkeypatch, queue, Stop())
    assert queue.returned == ["0", "1"]
