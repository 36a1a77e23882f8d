"""Reads events and stores what they say: how contacts ended, and what people answered.

Whoever asked for no more messages, and where the campaign allows it whoever's mail bounced for good or was complained
about, is put on the state directory's suppression list. That, and the ledger, come first: only then is a message
deleted, or an object noted as read. So whatever is cut short is read again, and what comes twice changes nothing.

What tells of nobody here is left alone: its queue may be read by others too.
"""

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Self

import anyio

from bulk.account import References
from bulk.aws.event_sources import EventQueue, Message, is_queue, objects_under, queue_of
from bulk.errors import CampaignError
from bulk.ledger import Connection, ContactEnd, Ledger, RunRecord
from bulk.ledger import ends as ledger_ends
from bulk.ledger import feedback as ledger_feedback
from bulk.ledger.feedback import Feedback
from bulk.loader import Scratch
from bulk.loader.own_list import Suppressed
from bulk.run.addressees import Addressees
from bulk.run.contact_events import end_of, facts_of
from bulk.run.context import RunRef
from bulk.run.environment import endpoint_of
from bulk.run.event_documents import Event, Malformed, events_in, events_of, files_in
from bulk.run.feedback_events import person_events
from bulk.run.own_list_place import OwnListPlace
from bulk.stop import Stop
from bulk.threads import in_thread

MANY = 1000  # events that are kept together
SHOWN = 5  # malformed events that are named one by one
REASONS = {"stop": "said STOP", "bounce": "mail bounced", "complaint": "complained of mail"}


@dataclass(slots=True)
class Found:
    """What some events tell of a run."""

    ends: list[ContactEnd] = field(default_factory=list)
    feedback: list[tuple[Feedback, str | None]] = field(default_factory=list)
    malformed: list[Malformed] = field(default_factory=list)
    is_ours: bool = False

    def __iadd__(self, other: "Found") -> Self:
        self.ends += other.ends
        self.feedback += other.feedback
        self.malformed += other.malformed
        return self


@dataclass(slots=True)
class EventIntake:
    """Takes in the events of one run. `told` counts what told of its contacts or people, `listed` who was listed."""

    ref: RunRef
    ledger: Ledger
    record: RunRecord
    own: OwnListPlace
    told: int = 0
    listed: int = 0
    malformed: list[Malformed] = field(default_factory=list)
    _people: Addressees | None = None

    async def read(self, source: str, stop: Stop) -> None:
        """Read a source to its end, or until the stop. Raises `CampaignError`, also for malformed events of files."""
        self._people = await in_thread(self._known)
        if is_queue(source):
            async with queue_of(source, endpoint_of(self.ref)) as queue:
                await self._read_queue(queue, stop)
        elif source.startswith("s3:"):
            await self._read_objects(source, stop)
        else:
            await self._read_files(Path(source), stop)

    def _known(self) -> Addressees:
        contacts = self.record.read(ledger_ends.contacts)
        people = self.record.read(ledger_feedback.addressees)
        return Addressees.of(contacts, people, self.record.people, References(self.ref.campaign).sender)

    async def _read_files(self, path: Path, stop: Stop) -> None:
        for file in await in_thread(files_in, path):
            await self._take_file(file, str(file), stop)
        if self.malformed:
            raise CampaignError(complaint(self.malformed))

    async def _take_file(self, file: Path, name: str, stop: Stop) -> bool:
        """Keep what a file tells; return whether it was read to its end, and all of it could be."""
        before, events = len(self.malformed), events_in(file, name)
        while some := await in_thread(lambda: list(islice(events, MANY))):
            await self._keep(await in_thread(self._found, some))
            if stop.asked:
                return False
        return len(self.malformed) == before

    async def _read_objects(self, url: str, stop: Stop) -> None:
        """Read each object that was not read in this version before."""
        known, scratch = self.record.read(ledger_feedback.known_objects), Scratch()
        try:
            async with objects_under(url, endpoint_of(self.ref)) as objects:
                async for name, etag in objects.names():
                    if stop.asked:
                        break
                    if known.get(name) == etag:
                        continue
                    path = scratch.path / f"events{Path(name).suffix}"
                    await objects.fetch(name, path)
                    if await self._take_file(path, name, stop):
                        await in_thread(self._note, name, etag)
                    path.unlink()
        finally:
            scratch.close()

    def _note(self, name: str, etag: str) -> None:
        self.ledger.write(self.record, lambda writing, run: ledger_feedback.note_object(writing, run, name, etag))

    async def _read_queue(self, queue: EventQueue, stop: Stop) -> None:
        """Receive until nothing new comes; give back what is of nobody here, so that its own readers find it."""
        left: dict[str, Message] = {}
        try:
            while not stop.asked and (some := await queue.receive()):
                fresh = [one for one in some if one.id not in left]
                left |= {one.id: one for one in some}
                done = await self._take_messages(fresh, queue.url)
                await queue.delete(done)
                for one in done:
                    del left[one.id]
                if not fresh:
                    break
        finally:
            with anyio.CancelScope(shield=True):
                await queue.give_back(list(left.values()))

    async def _take_messages(self, messages: Sequence[Message], url: str) -> list[Message]:
        """Keep what messages tell, and return those that told of this run, whole."""
        by_message = [(one, self._found(list(events_of(one.body, f"{url}, message {one.id}")))) for one in messages]
        both = Found()
        for _, found in by_message:
            both += found
        await self._keep(both)
        return [one for one, found in by_message if found.is_ours and not found.malformed]

    def _found(self, events: Iterable[Event | Malformed]) -> Found:
        assert self._people is not None  # noqa: S101 - `read` has them
        found, now = Found(), time.time()
        for event in events:
            if isinstance(event, Malformed):
                found.malformed.append(event)
                continue
            facts = facts_of(event)
            if facts is not None and (delivery := self._people.contacts.get(facts.contact_id)):
                found.ends.append(end_of(delivery, facts, "event", now))
                found.is_ours = True
            for told in person_events(event, self.ref.campaign.track.stop_words):
                for delivery, destination in self._people.find(told):
                    found.is_ours = True
                    if told.kind:
                        listed = destination is not None and told.kind in self.ref.campaign.track.suppress
                        one = Feedback(delivery, told.kind, told.at, listed=listed, tracked_at=now)
                        found.feedback.append((one, destination))
        return found

    async def _keep(self, found: Found) -> None:
        """Put people on the list, and keep all of it in the ledger: in this order, so that nothing is lost between."""
        self.malformed += found.malformed
        await self.put([(one.kind, to) for one, to in found.feedback if one.listed and to is not None])
        kept = [one for one, _ in found.feedback]
        if found.ends or kept:
            await in_thread(self._record, found.ends, kept)
        self.told += len({one.delivery for one in found.ends} | {one.delivery for one in kept})

    def _record(self, told: Sequence[ContactEnd], kept: Sequence[Feedback]) -> None:
        def both(writing: Connection, _: int) -> None:
            ledger_ends.record(writing, told)
            ledger_feedback.record(writing, kept)

        self.ledger.write(self.record, both)

    async def put(self, people: Collection[tuple[str, str]]) -> None:
        """Put people, each with what came back about them, on the suppression list."""
        if not people:
            return
        at = datetime.now(UTC).isoformat(timespec="seconds")
        name = self.ref.campaign.name
        entries = [Suppressed(to, at, f"{REASONS[kind]} ({name})") for kind, to in people]
        self.listed += await self.own.change(lambda own: own.add(entries))


def complaint(troubles: Sequence[Malformed]) -> str:
    """Return what is malformed, each with its place, in lines."""
    more = len(troubles) - SHOWN
    return "\n".join([*map(str, troubles[:SHOWN]), *([f"and {more:,} more"] if more > 0 else [])])
