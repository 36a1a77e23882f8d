"""The workers of a run as the driver sees them: greeted before their first lot, watched, and told to stop."""

import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio

from bulk import __version__
from bulk.cluster.engine import Engine, EngineLost, WorkerLost
from bulk.cluster.message import Body, Site, decode, encode, site_body
from bulk.errors import CampaignError, Halted, SetupError
from bulk.stop import Stop

log = logging.getLogger("bulk")

GREETED = 90.0  # seconds in which a worker is to open its client: its credentials may take a minute
LOOK = 1.0  # seconds between two looks at which workers are there
ASKED = 4  # times a worker is asked for the time: the quickest answer counts
FAREWELL = 2.0  # seconds in which the workers are to hear that the run has ended


@dataclass(frozen=True, slots=True)
class Greeting:
    """What each worker learns of a run first, and what it must agree to: the endpoint, and where known the account."""

    site: Site
    url: str
    account: str
    at_once: int
    varies: Mapping[str, bool]


@dataclass(slots=True, eq=False)
class Member:
    """A worker. `ahead` are the seconds by which its clock is ahead of ours.

    `ended`: it is lost, and certainly makes no more calls.
    """

    name: str
    ahead: float = 0.0
    lost: bool = False
    ended: bool = False


@dataclass(slots=True)
class Members:
    """All workers of a run, `most` at once. `_asked` are the names of those that are greeted, or were refused."""

    engine: Engine
    greeting: Greeting
    clock: Callable[[], float]
    stop: Stop
    most: int = 64
    when_changed: list[Callable[[], None]] = field(default_factory=list)
    all: list[Member] = field(default_factory=list)
    _asked: set[str] = field(default_factory=set)
    _session: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def there(self) -> list[Member]:
        """The workers that are not lost."""
        return [member for member in self.all if not member.lost]

    async def open(self) -> None:
        """Greet the workers. Raises `CampaignError` and `SetupError` where one cannot make this run's calls."""
        names = (await self.engine.workers())[: self.most]
        async with anyio.create_task_group() as group:
            for name in names:
                group.start_soon(self._greet, name)
        if not self.there:
            raise SetupError("the cluster has no worker that answers: start one, then run it again")

    async def _greet(self, name: str) -> None:
        greeting = self.greeting
        hello = {
            "version": __version__,
            "site": site_body(greeting.site),
            "at_once": greeting.at_once,
            "varies": dict(greeting.varies),
        }
        member = Member(name)
        try:
            with anyio.fail_after(GREETED):
                self._check(name, await self.post(member, "hello", hello))
                member.ahead = await self._ahead(member)
        except (WorkerLost, TimeoutError):
            log.warning("worker %s gives no answer, and is left out", name)
            return
        self.all = [one for one in self.all if one.name != name or not one.lost]
        self.all.append(member)
        log.debug("worker %s: its clock is %.4f s ahead", name, member.ahead)
        self._tell()

    def _check(self, name: str, told: Body) -> None:
        greeting = self.greeting
        if told["version"] != __version__:
            raise CampaignError(
                f"worker {name} runs bulk {told['version']}, and this is {__version__}: install the same"
            )
        if (told["url"], told["region"]) != (greeting.url, greeting.site.region):
            raise CampaignError(
                f"worker {name} would call {told['url']} in {told['region']}, and this run goes to {greeting.url} in "
                f"{greeting.site.region}: set its environment alike, or give --endpoint-url and --region"
            )
        if told["account"] and greeting.account.isdigit() and told["account"] != greeting.account:
            raise CampaignError(
                f"worker {name} has credentials of account {told['account']}, and this run is account "
                f"{greeting.account}'s: give all machines credentials of one account"
            )

    async def _ahead(self, member: Member) -> float:
        """Return by how many seconds a worker's clock is ahead of ours."""
        found: list[tuple[float, float]] = []
        for _ in range(ASKED):
            before = self.clock()
            told = await self.post(member, "clock", {})
            after = self.clock()
            found.append((after - before, told["at"] - (before + after) / 2))
        return min(found)[1]

    async def post(self, member: Member, kind: str, body: Mapping[str, Any]) -> Body:
        """Have a worker answer. Raises `WorkerLost`, `EngineLost`, and `Halted` where it refuses."""
        told = decode(await self.engine.post(member.name, kind, encode({**body, "session": self._session})))
        if "refused" in told:
            raise (SetupError if told.get("setup") else Halted)(f"worker {member.name}: {told['refused']}")
        return told

    async def watch(self) -> None:
        """Follow who is there, until cancelled: a worker that joins is greeted, and gets lots like the others."""
        async with anyio.create_task_group() as group:
            while True:
                await anyio.sleep(LOOK)
                try:
                    names = set(await self.engine.workers())
                except EngineLost as error:
                    self.halt(error)
                    group.cancel_scope.cancel()
                    return
                for member in self.there:
                    if member.name not in names:
                        self.lose(member)
                self._asked &= names
                fresh = names - self._asked - {member.name for member in self.there}
                for name in sorted(fresh)[: max(0, self.most - len(self.there) - len(self._asked))]:
                    self._asked.add(name)
                    group.start_soon(self._greet_late, name)

    async def _greet_late(self, name: str) -> None:
        """Greet a worker that joins; one that cannot make this run's calls is told of once, and left out."""
        try:
            await self._greet(name)
        except EngineLost as error:
            self.halt(error)
        except (CampaignError, Halted) as error:
            log.warning("%s", error)
            return
        self._asked.discard(name)

    def lose(self, member: Member, *, ended: bool = False) -> None:
        """Do without a worker from now on. `ended`: it certainly makes no more calls."""
        member.ended |= ended
        if member.lost:
            return
        member.lost = True
        if not self.stop.asked:
            log.warning("worker %s is lost: what it was about to send is in doubt, and asked again", member.name)
        if not self.there:
            self.halt(Halted("no worker of the cluster is left: the run can be resumed, with or without a cluster"))
        self._tell()

    def halt(self, error: Halted) -> None:
        """Halt the run."""
        self.stop.ask(str(error), Halted.exit_code)
        for member in self.there:
            member.lost = True
        self._tell()

    async def tell_stop(self) -> None:
        """Wait for the stop, and pass it on to all workers at once."""
        await self.stop.wait()
        self._tell()
        await self.say("stop")

    async def say(self, kind: str) -> None:
        """Send a message to all workers that can be reached."""
        with anyio.move_on_after(FAREWELL):
            async with anyio.create_task_group() as group:
                for member in self.there:
                    group.start_soon(self._say, member, kind)

    async def _say(self, member: Member, kind: str) -> None:
        try:
            await self.post(member, kind, {})
        except (WorkerLost, Halted) as error:
            log.debug("worker %s: %s", member.name, error)

    def _tell(self) -> None:
        for notify in self.when_changed:
            notify()
