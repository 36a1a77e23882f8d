"""One delivery over a scripted wire, and a journal that keeps every word it is told."""

from dataclasses import dataclass, field
from typing import Any

import anyio
from fakes import CREATE, SMS, Answer, Wire, caller, wire

from bulk.channels import CHANNELS
from bulk.delivery.announcements import Guard
from bulk.delivery.delivery import Deliverer
from bulk.model import Announcement, Delivery, Outcome, Progress, Recipient, Reply
from bulk.pacing.open_contacts import OpenContactLimit

NOW = 1_800_000_000.0


@dataclass
class Book:
    """A journal that keeps every word it is told."""

    announced: list[Announcement] = field(default_factory=list)
    told: list[tuple[Any, ...]] = field(default_factory=list)

    async def intend(self, announcement: Announcement, guard: Guard | None = None) -> Exception | None:
        if guard is not None and (objection := guard(None)):
            return objection
        self.announced.append(announcement)
        return None

    async def note(self) -> None:
        """Keep nothing."""

    async def answer(self, delivery: int, step: int, reply: Reply, *, attempts: int, settled: bool) -> None:
        self.told.append(("answer", delivery, step, reply["ContactId"], attempts, settled))

    async def withdraw(self, delivery: int, *, attempts: int, token: str | None = None) -> None:
        self.told.append(("withdraw", delivery, attempts, token))

    async def opened(self, delivery: int, token: str, at: float) -> None:
        self.told.append(("opened", delivery, token, at - NOW))

    async def end(self, delivery: int, token: str, at: float) -> None:
        self.told.append(("end", delivery, token, at - NOW))

    async def finish(self, delivery: int, outcome: Outcome, *, token: str | None = None, reopens: bool = False) -> None:
        self.told.append(("finish", delivery, str(outcome.status), token, reopens))


class Told:
    """One delivery over a scripted wire, and what the ledger is told of it."""

    def __init__(self, channel: str, *script: Answer, room: OpenContactLimit | None = None, **more: Any) -> None:
        self.line: Wire = wire(*script)
        self.book = Book()
        self.deliverer = Deliverer(
            caller(self.line, room=room, bounded=[CREATE]),
            self.book,
            CHANNELS[channel].exchange,
            token_of=lambda operation, step, _: f"{operation}/{step}",
            replay_within={SMS: 3600.0, CREATE: 3600.0},
            now=lambda: NOW + anyio.current_time(),
            **more,
        )

    async def __call__(self, parameters: Any, progress: Progress | None = None, **more: Any) -> Outcome:
        recipient = Recipient(0, "ann", "+14155550123", {"name": "Margarete Holm"})
        return await self.deliverer.deliver(Delivery(5, recipient, parameters, progress or Progress(), **more))

    @property
    def told(self) -> list[tuple[Any, ...]]:
        return self.book.told
