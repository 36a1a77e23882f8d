"""One pass over a list, between a real ledger and a hand that carries the rows as a test says; in virtual time."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import polars as pl
from ledgers import intent
from sandbox_runs import SMS

from bulk.campaign import Campaign
from bulk.delivery.attempts import CallCounts
from bulk.errors import unwrapped
from bulk.ledger import Ledger, RunLedger
from bulk.model import Delivery, Outcome, Status
from bulk.pacing.virtual_time import VirtualLoop
from bulk.run.context import RunContext, open_campaign
from bulk.run.eligibility import Judge
from bulk.run.options import Options
from bulk.run.pool import Pool
from bulk.run.send_pass import SendPass
from bulk.run.summary import Progress
from bulk.stop import Stop


class PauseLoop(VirtualLoop):
    """Virtual time in which also what takes real seconds elsewhere takes none: a look at a file, a progress."""

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


START = 1.8e9  # Unix seconds; a Friday, 08:00 UTC
SENT = Outcome(Status.SENT, "c-1", 1)


def refused(code: str = "AccessDenied", attempts: int = 1) -> Outcome:
    return Outcome(Status.REJECTED, attempts=attempts, error_code=code, error_message="no")


@dataclass
class Hand:
    """Carries rows: each ends as `ends` says by its key, `seconds` later; an error is raised. It `records` that."""

    ends: dict[str, Outcome | Exception] = field(default_factory=dict)
    seconds: float = 0.0
    records: bool = True
    makes_calls: bool = True
    call_counts: CallCounts = field(default_factory=CallCounts)
    full: tuple[str, ...] = ()
    probes: dict[str, float] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    book: RunLedger | None = None

    def probes_in(self) -> dict[str, float]:
        return self.probes

    async def deliver(self, delivery: Delivery) -> Outcome:
        assert self.book is not None
        self.keys.append(delivery.recipient.key)
        self.call_counts.calls += self.makes_calls
        await anyio.sleep(self.seconds)
        end, token = self.ends.get(delivery.recipient.key, SENT), f"token {delivery.id}"
        if isinstance(end, Outcome) and not (end.attempts and self.records):
            return end
        await self.book.intend(intent(delivery.id, 0, token, at=START, reopens=delivery.reopens is not None))
        if isinstance(end, Exception):
            raise end
        if end.status is not Status.PENDING:
            await self.book.finish(delivery.id, end, token=token if end.status is Status.REJECTED else None)
        return end


@dataclass
class Pass:
    """A pass over so many people (or over `contacts`), with the state of its folder.

    In its `loop` the clock stands while threads work, and what happens every few real seconds does not happen; in a
    `PauseLoop` it does.
    """

    folder: Path
    rows: int = 3
    hand: Hand = field(default_factory=Hand)
    stop: Stop = field(default_factory=Stop)
    pool: Pool = field(default_factory=Pool)
    tables: dict[str, Any] = field(default_factory=dict)
    contacts: Any = None
    zones: Sequence[str] = ()
    seen: list[Progress] = field(default_factory=list)
    sending: SendPass = field(init=False)
    took: float = 0.0
    loop: Callable[[], asyncio.AbstractEventLoop] = VirtualLoop

    @property
    def people(self) -> pl.DataFrame:
        rows = range(self.rows)
        return pl.DataFrame(
            {
                "key": [str(row) for row in rows],
                "phone": [f"+1206555{row:04}" for row in rows],
                "name": ["Ann"] * self.rows,
                "zone": list(self.zones) or ["Europe/London"] * self.rows,
            }
        )

    def opened(self, **options: Any) -> RunContext:
        common: dict[str, Any] = {"name": "pass", "channel": "sms", "request": SMS, "list": {"key": "key"}}
        campaign = Campaign(**{**common, "folder": self.folder, **self.tables})
        contacts = self.people if self.contacts is None else self.contacts
        return open_campaign(campaign, Options(contacts=contacts, state_dir=self.folder / "state", **options))

    def go(
        self,
        *,
        every: float | None = None,
        beside: Callable[[SendPass], Coroutine[Any, Any, None]] | None = None,
        **options: Any,
    ) -> SendPass:
        """Send to the end; return the pass as it stands then. `every` so many seconds `seen` gets the progress."""

        async def work() -> None:
            loop, opened = asyncio.get_running_loop(), self.opened(**options)
            with Ledger.open(self.folder / "state", gather=0.0, now=lambda: START + loop.time()) as ledger:
                self.hand.book = book = ledger.begin(opened.identity("endpoint", "region"), opened.digests)
                if opened.options.only:
                    book.only({opened.options.only})
                judge = Judge.of(
                    opened.eligibility,
                    ledger,
                    book.facts,
                    now=lambda: START + loop.time(),
                    waits=not opened.options.dry_run,
                )
                self.sending = SendPass(opened, book, self.hand, judge, self.stop, pool=self.pool, ticks=loop.time)
                with unwrapped():
                    async with anyio.create_task_group() as group:
                        if beside is not None:
                            group.start_soon(beside, self.sending)
                        await self.sending.go(self.seen.append if every else None, every or 1.0)
                        self.took = loop.time()
                        group.cancel_scope.cancel()

        with asyncio.Runner(loop_factory=self.loop) as runner:
            runner.run(work())
        return self.sending
