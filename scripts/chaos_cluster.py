"""Nothing lost, nothing doubled where workers make the calls: workers, the program and Dask's scheduler are killed.

    scripts/chaos cluster                       some 200 kills over all kinds of campaigns
    scripts/chaos cluster --kills 3 --only email --seed 7

As `scripts/chaos`, but each life is drawn: two or three local workers, or none, so that one goes on with what the other
began. In most lives with workers one of these is killed, or stopped for a second or two, or all are killed, before the
program is. The program goes on with what is left, and halts where nothing is. `…-dask` have the workers of a Dask
cluster, whose scheduler is killed too. The service of `email-forgets` knows no token of CreateContact again.
"""

import asyncio
import math
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from chaos import ENVIRONMENT, Trial, main
from chaos_figures import TITLES, Figures
from chaos_trial import KINDS

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from dasks import DaskCluster

from bulk.sandbox import state
from bulk.sandbox.errors import ServiceError

WORKERS = ("", "local:2", "local:2", "local:3")
FROZEN = 0.3, 2.5  # seconds
ONE_DIES, ALL_DIE, ONE_FREEZES, SCHEDULER_DIES = 0.45, 0.1, 0.35, 0.25  # of the lives
AFTER = 0.6  # of the lives with workers end only after their trouble …
SOON = 2.0  # … within so many seconds
HALTED = 3

KINDS |= {f"{name}-dask": replace(KINDS[name], name=f"{name}-dask") for name in ("sms", "email")}
KINDS |= {"email-forgets": replace(KINDS["email"], name="email-forgets", forgets=True)}
NAMES = [name for name in KINDS if find_spec("distributed") or not name.endswith("-dask")]

_recall = state.Contacts.recall


def _forgetful(contacts: state.Contacts, request: Any, *, conflict: str, now: float) -> Any:
    """Know no draft by its token, and no mail but by its draft."""
    if request.operation == "CreateContact":
        return None
    with suppress(ServiceError):  # this token was of another draft's mail: here it is a second mail
        return _recall(contacts, request, conflict=conflict, now=now)
    return None


@dataclass(slots=True)
class ClusterFigures(Figures):
    """What is counted besides, where workers make the calls."""

    workers: int = 0
    schedulers: int = 0
    frozen: int = 0
    halts: int = 0

    @classmethod
    def titles(cls) -> dict[str, str]:
        """Return what is counted in words: first what happened, then what must be 0."""
        own = {"workers": "… of workers", "schedulers": "… of Dask's scheduler"}
        more = {
            "frozen": "workers stopped for a while",
            "halts": "lives that halted: no worker or scheduler was left",
        }
        parts = list(TITLES.items())
        return dict([*parts[:3], *own.items(), *parts[3:6], *more.items(), *parts[6:]])


@dataclass(slots=True)
class ClusterTrial(Trial):
    """A campaign that workers send, and whose workers die."""

    FIGURES: ClassVar[type[Figures]] = ClusterFigures
    LATE: ClassVar[float] = 0.2
    ENDS: ClassVar[frozenset[int]] = frozenset({0, 1, HALTED})

    figures: ClusterFigures
    dask: DaskCluster | None = None
    _calm: bool = False
    _troubled_at: float = math.inf
    _driver: asyncio.subprocess.Process | None = None
    _beside: set["asyncio.Task[None]"] = field(default_factory=set)

    async def run(self, kills: int) -> str:
        """Send it, with `kills` kills at most; give what was wrong."""
        state.Contacts.recall = _forgetful if self.kind.forgets else _recall  # type: ignore[method-assign, assignment]  # a service of its own
        with ExitStack() as stack:
            if self.kind.name.endswith("-dask"):
                self.dask = DaskCluster(self.folder, ENVIRONMENT)
                await asyncio.to_thread(stack.enter_context, self.dask)
            wrong: str = await Trial.run(self, kills)
            await asyncio.gather(*self._beside)
        return wrong

    async def _start(self) -> asyncio.subprocess.Process:
        cluster = self.lots.choice(WORKERS)
        if cluster and self.dask:
            await asyncio.to_thread(self.dask.fix)
            cluster = self.dask.address
        command = ["-m", "bulk", "send", "campaign.toml", "--yes", "--json", "--results", "results.csv"]
        more = ["--cluster", cluster] if cluster else []
        pipe = asyncio.subprocess.PIPE
        words = [*command, *self.reach.split(), *more]
        driver = await asyncio.create_subprocess_exec(
            sys.executable, *words, cwd=self.folder, env=self.environment, stdout=pipe, stderr=pipe
        )
        self._troubled_at = math.inf if cluster else -math.inf
        if cluster and not self._calm:
            task = asyncio.ensure_future(self._trouble(driver.pid, random.Random(self.lots.random())))
            self._beside.add(task)
            task.add_done_callback(self._beside.discard)
        self._driver = driver
        return driver

    def _moment(self) -> Callable[[], bool]:
        """Draw when to kill the program: as ever, or when something else has died already."""
        if self._troubled_at < math.inf or self.lots.random() >= AFTER:
            moment: Callable[[], bool] = Trial._moment(self)  # noqa: SLF001 - `super` knows no class that has slots
            return moment
        delay = self.lots.uniform(0.0, SOON)
        return lambda: time.monotonic() > self._troubled_at + delay

    async def _killed(self) -> bool:
        """Let a life be; go on too where it halted because nobody was left to make its calls."""
        died = await Trial._killed(self)  # noqa: SLF001 - `super` knows no class that has slots
        halted = self._driver is not None and self._driver.returncode == HALTED
        self.figures.halts += halted
        return died or halted

    async def _finish(self) -> str:
        self._calm = True
        wrong: str = await Trial._finish(self)  # noqa: SLF001 - likewise
        return wrong

    async def _trouble(self, driver: int, lots: random.Random) -> None:
        """Kill workers of a life, or freeze one, or kill the scheduler, some time after its first call."""
        try:
            await self._troubled(driver, lots)
        finally:
            self._troubled_at = min(self._troubled_at, time.monotonic())

    async def _troubled(self, driver: int, lots: random.Random) -> None:
        before = sum(self._received().values())
        while sum(self._received().values()) == before and workers_of(driver) is not None:  # noqa: ASYNC110 - see `_killed`
            await asyncio.sleep(0.01)
        what = lots.random()
        await asyncio.sleep(lots.uniform(0.0, 0.8))
        if workers_of(driver) is None:
            return
        if self.dask and lots.random() < SCHEDULER_DIES:
            self.dask.scheduler.kill()
            self.figures.schedulers += 1
            self.figures.kills += 1
            return
        workers = [worker.popen.pid for worker in self.dask.workers] if self.dask else workers_of(driver) or []
        if len(workers) < 2:
            return
        lots.shuffle(workers)
        if what < ALL_DIE:
            self._kill(*workers)
        elif what < ALL_DIE + ONE_DIES:
            self._kill(workers[0])
        elif what < ALL_DIE + ONE_DIES + ONE_FREEZES:
            await self._freeze(workers[0], lots.uniform(*FROZEN))

    def _kill(self, *workers: int) -> None:
        for worker in workers:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
        self.figures.workers += len(workers)
        self.figures.kills += len(workers)

    async def _freeze(self, worker: int, seconds: float) -> None:
        self.figures.frozen += 1
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGSTOP)
            self._troubled_at = time.monotonic()
            await asyncio.sleep(seconds)
            os.kill(worker, signal.SIGCONT)


def workers_of(driver: int) -> list[int] | None:
    """Return the processes that a driver started; None where it has ended."""
    try:
        return [int(pid) for pid in Path(f"/proc/{driver}/task/{driver}/children").read_text().split()]
    except OSError:
        return None


if __name__ == "__main__":
    sys.exit(asyncio.run(main(ClusterTrial, __doc__, NAMES, kills=25)))
