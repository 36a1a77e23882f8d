"""A runner of calls over a scripted wire, whose queue lets everybody go and keeps what it is told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from fakes import SMS, STOP, Wire, wire

from bulk.delivery.attempts import AttemptState
from bulk.delivery.call_runner import CallRunner, Policy
from bulk.model import Call
from bulk.stop import Stop

CALL = Call(SMS, {"InstanceId": "i"})


@dataclass
class Turns:
    """A queue that lets everybody go at once and keeps what it is told."""

    told: list[str] = field(default_factory=list)
    refilled: list[float] = field(default_factory=list)

    async def take(self, parts: int = 1, *, opens: bool = True) -> None:
        self.told.append(f"take {parts}{' opens' if opens else ''}")

    def release(self) -> None:
        self.told.append("release")

    def accepted(self) -> None:
        self.told.append("accepted")

    def throttled(self) -> None:
        self.told.append("throttled")

    def give_back(self) -> None:
        self.told.append("give back")

    def refill(self, opened: Sequence[float]) -> None:
        self.told.append("refill")
        self.refilled += opened


class Made:
    """A runner, its wire and its queue, and what comes of the calls that it makes."""

    def __init__(
        self,
        *script: Exception | object,
        policy: Policy | None = None,
        parts_of: Callable[[Call], int] = lambda _: 1,
    ) -> None:
        self.line: Wire = wire(*script)  # type: ignore[arg-type]  # answers
        self.turns, self.stopped, self.stop = Turns(), Turns(), Stop()
        queues = {SMS: self.turns, STOP: self.stopped}
        self.runner = CallRunner(self.line, queues, self.stop, policy=policy or Policy(attempts=3), parts_of=parts_of)
        self.tries = AttemptState()
        self.before: list[Exception] = []

    async def ready(self) -> None:
        if self.before:
            raise self.before.pop(0)

    async def call(self, call: Call = CALL) -> object:
        return await self.runner.make(call, "t", ready=self.ready, tries=self.tries)

    async def fails(self, kind: type[Exception], call: Call = CALL) -> Exception:
        with pytest.raises(kind) as raised:
            await self.call(call)
        return raised.value

    @property
    def counts(self) -> tuple[int, int, int, int]:
        counts = self.runner.call_counts
        return counts.calls, counts.throttled, counts.unstopped, counts.in_flight
