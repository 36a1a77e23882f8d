"""A rehearsal in virtual time: in its own event loop, with its end compared with the plan."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import TypeVar

import anyio

from bulk.pacing import virtual_time
from bulk.run.check import check
from bulk.run.context import Source
from bulk.run.options import Options
from bulk.run.summary import Summary, VirtualTime
from bulk.stop import Stop
from bulk.threads import in_thread

T = TypeVar("T")

HEARD = 0.1  # real seconds after which the stop of another event loop is heard


def needs_loop(options: Options) -> bool:
    """Whether a run is to be in virtual time, and the event loop of the caller is not."""
    return options.virtual_time and not options.dry_run and virtual_time.current() is None


async def in_own_loop(work: Callable[[Stop], Awaitable[T]], stop: Stop) -> T:
    """Do work in an event loop in virtual time, in a thread; `stop` is the caller's own. Raises what it raises."""

    async def whole() -> T:
        inner = Stop()
        async with anyio.create_task_group() as beside:
            beside.start_soon(_hear, stop, inner)
            done = await work(inner)
            beside.cancel_scope.cancel()
        return done

    return await in_thread(virtual_time.run, whole)


async def _hear(stop: Stop, inner: Stop) -> None:
    while not stop.asked:
        await virtual_time.pause(HEARD)
    inner.ask(stop.reason or "", stop.exit_code)


def _now() -> float:
    return virtual_time.clock()()


@dataclass(frozen=True, slots=True)
class Timing:
    """When a run began, by its clock, and by the machine's."""

    began: float = field(default_factory=_now)
    began_really: float = field(default_factory=time.monotonic)
    planned: str | None = None

    async def promised(self, campaign: Source, options: Options) -> "Timing":
        """Add what the plan promises of a run that begins now."""
        given = {one.name: getattr(options, one.name) for one in fields(options)}
        return replace(self, planned=(await check(campaign, **given | {"results": None})).finishes_at)

    def of(self, told: Summary) -> Summary:
        """Add to a summary when its run ended, now: by its clock, and by the plan's where that was for all of it."""
        ended = _now()
        planned = self.planned if told.halted is None and not (told.pending or told.sent_before) else None
        late = None if planned is None else _late(self.began, ended, datetime.fromisoformat(planned).timestamp())
        took = round(time.monotonic() - self.began_really, 1)
        return replace(told, virtual_time=VirtualTime(_said(self.began), _said(ended), planned, late, took))


def _late(began: float, ended: float, planned: float) -> float:
    """Return by which part of the time that was planned it took longer."""
    return round((ended - planned) / max(1.0, planned - began), 4)


def _said(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
