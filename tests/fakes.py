"""A transport that answers from a script, and a journal that is a list: values passed in where the rims would be."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio

from bulk.delivery.announcements import Guard
from bulk.delivery.call_runner import CallRunner, Policy
from bulk.errors import CallFailed
from bulk.model import Announcement, Call, Outcome, Reply
from bulk.pacing.estimator import RateEstimator
from bulk.pacing.limiter import AdaptiveLimiter
from bulk.pacing.limits import Bucket
from bulk.pacing.open_contacts import OpenContactLimit
from bulk.pacing.queue import LocalStore, RateLimitQueue
from bulk.pacing.waiters import WaiterCount
from bulk.stop import Stop

SMS = "StartOutboundChatContact"
CREATE, MAIL, STOP = "CreateContact", "StartOutboundEmailContact", "StopContact"

Answer = Reply | Exception | Callable[[], None]


def ok(contact_id: str = "c-1", request_id: str | None = "r-1") -> Reply:
    return Reply({"ContactId": contact_id}, request_id)


def no(code: str, status: int | None = None, *, went_out: bool = True) -> CallFailed:
    return CallFailed("anything", code, f"the words of {code}", status=status, request_id="r-0", went_out=went_out)


def throttled() -> CallFailed:
    return no("ThrottlingException", 429)


def full() -> CallFailed:
    return no("LimitExceededException", 429)


def fault() -> CallFailed:
    return no("InternalServiceException", 500)


def timeout() -> CallFailed:
    return no("ReadTimeout")


def unreachable() -> CallFailed:
    return no("EndpointConnectionError", went_out=False)


@dataclass
class Request:
    """One request as the wire saw it."""

    at: float
    operation: str
    token: str
    parameters: Any


@dataclass
class Wire:
    """Answers requests in the order of its script; each takes a tenth of a second. A step may also be a function."""

    script: deque[Answer]
    diary: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    async def prepare(self) -> None:
        pass

    async def call(self, call: Call, token: str) -> Reply:
        self.requests.append(Request(anyio.current_time(), call.operation, token, call.parameters))
        self.diary.append(f"request {call.operation}")
        await anyio.sleep(0.1)
        answer = self.script.popleft()
        while not isinstance(answer, Reply | Exception):
            answer()
            answer = self.script.popleft()
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def operations(self) -> list[str]:
        return [request.operation for request in self.requests]

    @property
    def tokens(self) -> set[str]:
        return {request.token for request in self.requests}


def wire(*script: Answer, again: Iterable[Answer] = ()) -> Wire:
    return Wire(deque([*script, *again]))


@dataclass
class Notes:
    """A journal that only takes notes, into the diary it shares with the wire."""

    diary: list[str] = field(default_factory=list)
    intents: list[tuple[int, str, float]] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    not_accepted: list[str] = field(default_factory=list)

    async def intend(self, announcement: Announcement, guard: Guard | None = None) -> Exception | None:
        await anyio.sleep(0.01)
        if guard is not None and (objection := guard(self)):
            return objection
        self.intents.append((announcement.step, announcement.token, announcement.at))
        self.diary.append(f"{'renew' if announcement.renews else 'intend'} {announcement.step}")
        return None

    async def note(self) -> None:
        """Keep nothing."""

    async def answer(self, delivery: int, step: int, reply: Reply, *, attempts: int, settled: bool) -> None:
        await anyio.sleep(0.01)
        self.diary.append(f"answer {step} {reply['ContactId']}")

    async def withdraw(self, delivery: int, *, attempts: int, token: str | None = None) -> None:
        self.diary.append(f"withdraw after {attempts}")

    async def opened(self, delivery: int, token: str, at: float) -> None:
        """Keep nothing."""

    async def end(self, delivery: int, token: str, at: float) -> None:
        self.ended.append(token)

    async def finish(
        self,
        delivery: int,
        outcome: Outcome,
        *,
        token: str | None = None,
        reopens: bool = False,
    ) -> None:
        self.outcomes.append(outcome)
        self.not_accepted += [token] if token else []
        self.diary.append(f"finish {outcome.status}")


def caller(
    transport: Any,
    stop: Stop | None = None,
    *,
    per_second: float = 1000.0,
    policy: Policy | None = None,
    room: OpenContactLimit | None = None,
    bounded: Sequence[str] = (SMS, CREATE, MAIL, STOP),
    waiting: WaiterCount | None = None,
    operations: Sequence[str] = (SMS, CREATE, MAIL, STOP),
) -> CallRunner:
    """Return a caller of every operation, at a rate that does not matter unless it is said.

    The `bounded` operations open contacts, for which there is so much `room`.
    """
    stop = stop or Stop()
    pace = AdaptiveLimiter(Bucket(per_second), RateEstimator(per_second, per_second))
    turns = {
        operation: RateLimitQueue(LocalStore(pace), stop, room=room if operation in bounded else None, waiting=waiting)
        for operation in operations
    }
    return CallRunner(transport, turns, stop, policy=policy or Policy())
