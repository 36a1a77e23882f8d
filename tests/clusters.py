"""A cluster inside one process: real drivers and workers, bytes between them, and a service that counts."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
from fakes import SMS, no, ok, throttled

from bulk.cluster.engine import EngineLost, WorkerLost
from bulk.cluster.lots import Lots
from bulk.cluster.members import Greeting, Members
from bulk.cluster.message import Site
from bulk.cluster.queue import ClusterTransport, LotQueue
from bulk.cluster.rate import SharedRate
from bulk.cluster.worker import Worker
from bulk.delivery.attempts import AttemptState
from bulk.delivery.call_runner import CallRunner, Policy
from bulk.model import Call, Reply
from bulk.pacing.estimator import RateEstimator
from bulk.pacing.limiter import AdaptiveLimiter
from bulk.pacing.limits import with_headroom
from bulk.pacing.queue import LocalStore
from bulk.pacing.waiters import WaiterCount
from bulk.stop import Stop

URL, REGION, ACCOUNT = "https://connect.example", "us-west-2", "123456789012"


@dataclass
class Tokens:
    """What is left of an operation's burst, and since when."""

    left: float
    at: float


@dataclass
class Service:
    """Grants so many calls a second, and at once, of each operation. `answers` has another word for a token."""

    rate: float = 50.0
    burst: int = 20
    latency: float = 0.1
    answers: Callable[[str], Exception | None] = lambda _: None
    calls: list[tuple[float, str, str]] = field(default_factory=list)
    throttled: int = 0
    diary: list[str] = field(default_factory=list)
    frozen: dict[str, tuple[float, float]] = field(default_factory=dict)
    _tokens: dict[str, Tokens] = field(default_factory=dict)

    async def thawed(self, worker: str) -> None:
        """Wait while a worker is frozen, if it is: between which times, is in `frozen`."""
        since, until = self.frozen.get(worker, (0.0, 0.0))
        if since <= anyio.current_time() < until:
            await anyio.sleep_until(until)

    async def call(self, worker: str, call: Call, token: str) -> Reply:
        now = anyio.current_time()
        tokens = self._tokens.setdefault(call.operation, Tokens(self.burst, now))
        tokens.left = min(self.burst, tokens.left + (now - tokens.at) * self.rate)
        tokens.at = now
        self.calls.append((now, worker, token))
        self.diary.append(f"request {token}")
        answer = self.answers(token) or (throttled() if tokens.left < 1 else None)
        tokens.left -= answer is None
        await anyio.sleep(self.latency)
        if answer:
            self.throttled += is_throttle(answer)
            raise answer
        return ok(f"c-{token}", f"r-{token}")


@dataclass
class Client:
    """A worker's way to the service."""

    name: str
    service: Service
    region: str = REGION
    url: str = URL
    of: str = ACCOUNT

    async def prepare(self) -> None:
        await self.service.thawed(self.name)

    async def call(self, call: Call, token: str) -> Reply:
        try:
            return await self.service.call(self.name, call, token)
        finally:
            await self.service.thawed(self.name)

    async def account(self) -> str:
        return self.of


@dataclass
class Here:
    """An engine whose workers live in this process. `ahead`: the seconds by which their clocks are ahead of ours."""

    service: Service
    names: Sequence[str] = ("a", "b")
    ahead: Mapping[str, float] = field(default_factory=dict)
    accounts: Mapping[str, str] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    gone: bool = False
    posted: list[tuple[str, str, bytes]] = field(default_factory=list)
    _workers: dict[str, Worker] = field(default_factory=dict)

    def _worker(self, name: str) -> Worker:
        if name not in self._workers:
            self._workers[name] = Worker(self._client_of(name), lambda: self._now(name))
        return self._workers[name]

    def _now(self, name: str) -> float:
        return anyio.current_time() + self.ahead.get(name, 0.0)

    def _client_of(self, name: str) -> Any:
        @asynccontextmanager
        async def connect(_site: Site, _at_once: int) -> AsyncIterator[Client]:
            yield Client(name, self.service, of=self.accounts.get(name, ACCOUNT))

        return connect

    async def workers(self) -> Sequence[str]:
        if self.gone:
            raise EngineLost("the engine is gone")
        return [name for name in self.names if name not in self.lost]

    async def post(self, worker: str, kind: str, payload: bytes) -> bytes:
        self.posted.append((worker, kind, payload))
        await anyio.sleep(0.002)
        await self.service.thawed(worker)
        told: list[bytes] = []
        async with anyio.create_task_group() as group:
            group.start_soon(self._fail, worker, group.cancel_scope)
            told.append(await self._worker(worker).answer(kind, payload))
            group.cancel_scope.cancel()
        if worker in self.lost:
            raise WorkerLost(worker, ended=True)
        if self.gone:
            raise EngineLost("the engine is gone")
        return told[0]

    async def _fail(self, worker: str, scope: anyio.CancelScope) -> None:
        while worker not in self.lost and not self.gone:  # noqa: ASYNC110 - a set has no event
            await anyio.sleep(0.01)
        scope.cancel()

    async def close(self) -> None:
        pass


@dataclass
class Driver:
    """A driver's part of its operations: calls go in, replies come out."""

    engine: Here
    rate: float | None = 50.0
    burst: int = 20
    stop: Stop = field(default_factory=Stop)
    operations: Sequence[str] = (SMS,)
    tries: dict[str, AttemptState] = field(default_factory=dict)
    done: dict[str, Reply | BaseException] = field(default_factory=dict)
    waiting: WaiterCount = field(default_factory=WaiterCount)
    runner: CallRunner = field(init=False)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        known = RateEstimator(2.0) if self.rate is None else RateEstimator(self.rate, self.rate)
        clock, site = anyio.current_time, Site(URL, REGION, 1.0, 2.0)
        members = Members(self.engine, Greeting(site, URL, ACCOUNT, 100, {}), clock, self.stop)
        stores = {
            name: LocalStore(AdaptiveLimiter(with_headroom(self.rate or 2.0, self.burst), known))
            for name in self.operations
        }
        lots = {
            name: Lots(name, SharedRate(store, clock=clock), members, clock=clock, answer_within=3.0)
            for name, store in stores.items()
        }
        queues = {
            name: LotQueue(store, self.stop, lots=lots[name], clock=clock, waiting=self.waiting)
            for name, store in stores.items()
        }
        transport = ClusterTransport(lots, lambda _: 1)
        self.runner = CallRunner(transport, queues, self.stop, policy=Policy(attempts=5, longest_wait=1.0))
        await members.open()
        async with anyio.create_task_group() as group:
            for work in (members.watch, members.tell_stop, *(one.run for one in lots.values())):
                group.start_soon(work)
            yield
            group.cancel_scope.cancel()

    async def make(self, token: str) -> None:
        """Make one call; note how it ended."""
        tries = self.tries[token] = AttemptState()

        async def ready() -> None:
            await anyio.sleep(0.005)
            tries.announced = True

        try:
            self.done[token] = await self.runner.make(Call(SMS, {"key": token}), token, ready=ready, tries=tries)
        except Exception as error:  # noqa: BLE001 - it is what is looked at
            self.done[token] = error

    async def send(self, calls: int, *, at_once: int = 200) -> None:
        """Make so many calls, at most so many at once."""
        coming = iter(range(calls))

        async def work() -> None:
            for number in coming:
                if self.stop.asked:
                    return
                await self.make(f"t{number}")

        async with self.open(), anyio.create_task_group() as group:
            for _ in range(at_once):
                group.start_soon(work)


def is_throttle(answer: Exception) -> bool:
    return getattr(answer, "code", "") == throttled().code


def full() -> Exception:
    return no("LimitExceededException", 429)
