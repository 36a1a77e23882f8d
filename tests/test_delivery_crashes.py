"""Whatever the service does and wherever the program dies, going on settles every row: it …

A model of the service that may accept and lose its answer, an in-memory ledger that keeps what was durable, and a
world that dies at a chosen await. All in virtual time.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import anyio
import pytest
import virtual
from fakes import CREATE, MAIL, SMS, STOP, caller, fault, full, no, throttled, timeout, unreachable
from hypothesis import event, given, settings
from hypothesis import strategies as st

from bulk.channels import CHANNELS
from bulk.delivery.announcements import Guard
from bulk.delivery.call_runner import Policy
from bulk.delivery.delivery import Deliverer
from bulk.delivery.workers import send
from bulk.errors import CallFailed
from bulk.model import Announcement, Call, Delivery, Outcome, Parameters, Progress, Recipient, Reply, Status
from bulk.pacing.waiters import WaiterCount
from bulk.stop import Stop

REPLAY_WITHIN = 3600.0
REMEMBERED = 3 * 3600.0  # the service knows a token for longer than it is used: a try may take its time
TABLES = {
    "sms": ("sms", ["request"]),
    "email": ("email", ["create_contact", "request"]),
    "email-with-a-stop": ("email", ["create_contact", "request", "stop_contact"]),
}
FATES = ("ok", "lost", "late-fault", "fault", "throttled", "full", "unreachable")


class Crash(BaseException):
    """The process is gone."""


class World:
    """Where everything happens: it dies at the n-th await, and nothing happens after."""

    def __init__(self, dies_after: int | None) -> None:
        self._left = dies_after

    async def step(self) -> None:
        """Let the others go on; or die, and stay dead."""
        if self._left is not None:
            if self._left <= 0:
                raise Crash
            self._left -= 1
        await anyio.sleep(0.01)
        if self._left == 0:
            raise Crash


@dataclass
class Service:
    """Accepts a token once and gives its contact again, while it remembers; what it does with a request is fated."""

    fates: Iterator[str]
    bad: frozenset[str]
    conflicts: bool
    world: World = field(default_factory=lambda: World(None))
    clock: float = 0.0
    accepted: list[tuple[str, str]] = field(default_factory=list)  # token, contact id
    at: dict[str, float] = field(default_factory=dict)

    async def prepare(self) -> None:
        pass

    async def call(self, call: Call, token: str) -> Reply:
        await self.world.step()
        fate = next(self.fates, "ok")
        if failure := {"fault": fault, "throttled": throttled, "full": full, "unreachable": unreachable}.get(fate):
            raise failure()
        reply = self._accept(call, token)
        await self.world.step()
        if fate == "lost":
            raise timeout()
        if fate == "late-fault":
            raise fault()
        return reply

    def _accept(self, call: Call, token: str) -> Reply:
        if call.operation in {SMS, MAIL} and call.parameters["To"] in self.bad:
            raise no("InvalidRequestException", 400)
        now = self.clock + anyio.current_time()
        remembered = call.operation == "StopContact" or now - self.at.get(token, now) <= REMEMBERED
        if token in self.at and remembered:  # a contact that has ended stays so, however late it is ended again
            if self.conflicts:
                raise no("IdempotencyException", 409)
        else:
            self.accepted.append((token, f"contact-{len(self.accepted)}"))
            self.at[token] = now
        return Reply({"ContactId": dict(self.accepted)[token]})


@dataclass
class Row:
    progress: Progress = field(default_factory=Progress)
    intent: tuple[int, str] = (0, "")
    contact: str | None = None  # of a row that is sent, and only to be tidied up after
    outcome: Outcome | None = None


@dataclass
class Books:
    """A ledger in memory. What need not be durable at once is written with the next that has to be, in order."""

    rows: list[Row]
    world: World = field(default_factory=lambda: World(None))
    late: list[tuple[Row, Progress | Outcome]] = field(default_factory=list)

    def write(self, count: int | None = None) -> None:
        for row, entry in self.late[:count]:
            if isinstance(entry, Outcome):
                assert row.outcome is None
                assert row.contact in {None, entry.contact_id}
                row.outcome = entry
            else:
                row.progress = entry
        self.late.clear()

    async def intend(self, announcement: Announcement, guard: Guard | None = None) -> Exception | None:
        assert guard is None
        await self.world.step()
        self.write()
        step, token, row = announcement.step, announcement.token, self.rows[announcement.delivery]
        assert row.outcome is None
        assert len(row.progress.replies) <= step
        if row.progress.intended_at is not None and row.intent[0] == step:
            assert row.intent[1] == token
        row.intent = step, token
        row.progress = replace(row.progress, intended_at=announcement.at, digest=announcement.digest)
        await self.world.step()
        return None

    async def note(self) -> None:
        """Keep nothing."""

    async def answer(self, delivery: int, step: int, reply: Reply, *, attempts: int, settled: bool) -> None:
        await self.world.step()
        self.write()
        row = self.rows[delivery]
        assert step == len(row.progress.replies)
        row.progress = Progress(attempts, (*row.progress.replies, reply))
        row.contact = reply["ContactId"] if settled else None
        await self.world.step()

    async def withdraw(self, delivery: int, *, attempts: int, token: str | None = None) -> None:
        await self.world.step()
        row = self.rows[delivery]
        self.late.append((row, replace(row.progress, attempts=attempts, intended_at=None)))

    async def opened(self, delivery: int, token: str, at: float) -> None:
        """Keep nothing."""

    async def end(self, delivery: int, token: str, at: float) -> None:
        """Nothing here counts open contacts."""

    async def finish(
        self,
        delivery: int,
        outcome: Outcome,
        *,
        token: str | None = None,
        reopens: bool = False,
    ) -> None:
        await self.world.step()
        self.late.append((self.rows[delivery], outcome))


@dataclass
class Story:
    """A run sent, killed and resumed until every row has its end."""

    way: str
    service: Service
    books: Books
    deaths: Sequence[
        tuple[int, int, float]
    ]  # after how many awaits, how much of the late was written, hours until next

    def live(self) -> None:
        for awaits, written, hours in self.deaths:
            world = World(awaits)
            self.service.world = self.books.world = world
            try:
                virtual.run(self.send())
            except BaseExceptionGroup as group:
                assert group.subgroup(Crash) is not None, group  # noqa: PT017 - others are bugs, and say so
                self.books.write(written)
            else:
                self.books.write()
            self.service.clock += hours * 3600.0
        self.service.world = self.books.world = World(None)
        for _ in range(20):  # a line that reaches nobody halts a run; the fates of a story have an end
            virtual.run(self.send())
            self.books.write()

    async def send(self) -> None:
        stop, waiting = Stop(), WaiterCount()
        deliverer = Deliverer(
            caller=caller(self.service, stop, policy=Policy(attempts=2, longest_wait=5.0), waiting=waiting),
            journal=self.books,
            exchange=CHANNELS[TABLES[self.way][0]].exchange,
            token_of=lambda operation, step, delivery: f"{operation}/{step}/{delivery.recipient.key}",
            replay_within=dict.fromkeys((SMS, CREATE, MAIL, STOP), REPLAY_WITHIN),
            now=lambda: self.service.clock + anyio.current_time(),
        )

        async def deliver(number: int) -> None:
            who = Recipient(number, f"row-{number}", None, {})
            progress = self.books.rows[number].progress
            await deliverer.deliver(Delivery(number, who, self.parameters(number), progress))

        try:
            await send(self.batches(), deliver, at_once=2, waiting=waiting, stop=stop, grace=5.0)
        finally:
            self.service.clock += anyio.current_time()

    def parameters(self, number: int) -> dict[str, Parameters]:
        return {table: {"InstanceId": "i", "To": f"row-{number}"} for table in TABLES[self.way][1]}

    async def batches(self) -> AsyncIterator[Sequence[int]]:
        yield [number for number, row in enumerate(self.books.rows) if row.outcome is None]


STORIES: dict[str, st.SearchStrategy[Any]] = {
    "fates": st.lists(st.sampled_from(FATES), max_size=25),
    "bad": st.sets(st.sampled_from(["row-0", "row-1", "row-2"])),
    "deaths": st.lists(
        st.tuples(st.integers(0, 40), st.integers(0, 3), st.sampled_from([0.01, 0.9, 2.0, 100.0])), max_size=5
    ),
    "conflicts": st.booleans(),
}


@pytest.mark.parametrize("way", TABLES)
@settings(max_examples=50)
@given(**STORIES)
def test_every_row_ends_in_one_final_state_and_nothing_is_sent_twice(
    way: str, fates: list[str], bad: set[str], deaths: list[tuple[int, int, float]], *, conflicts: bool
) -> None:
    service = Service(iter(fates), frozenset(bad), conflicts)
    story = Story(way, service, Books([Row() for _ in range(3)]), deaths)
    story.live()

    accepted = {token.split("/", 2)[0] + token.rpartition("/")[2]: contact for token, contact in service.accepted}
    assert len(accepted) == len(service.accepted), "a token was accepted twice"
    for number, row in enumerate(story.books.rows):
        contact = accepted.get((SMS if way == "sms" else MAIL) + f"row-{number}")
        assert row.outcome is not None
        event(f"{way}: {row.outcome.status}")
        assert row.outcome.status in {Status.SENT, Status.REJECTED, Status.UNKNOWN}
        if row.outcome.status is Status.SENT:
            assert row.outcome.contact_id == contact is not None
        if row.outcome.status is Status.REJECTED:
            assert contact is None
        if not deaths and not fates:
            assert row.outcome.status is (Status.REJECTED if f"row-{number}" in bad else Status.SENT)


def test_the_model_can_lose_an_answer() -> None:
    service = Service(iter(["lost"]), frozenset(), conflicts=False)

    async def lose() -> None:
        with pytest.raises(CallFailed, match="ReadTimeout"):
            await service.call(Call(SMS, {"To": "row-0"}), "t")

    virtual.run(lose())
    assert service.accepted == [("t", "contact-0")]


def test_the_model_forgets_a_token_in_time() -> None:
    service = Service(iter([]), frozenset(), conflicts=False)
    for hours in (0, 1, 4):
        service.clock = hours * 3600.0
        asyncio.run(service.call(Call(SMS, {"To": "row-0"}), "t"))
    assert [token for token, _ in service.accepted] == ["t", "t"]
