"""Nothing lost, nothing doubled where workers make the calls: workers and the program are killed, and workers frozen.

    scripts/chaos cluster                       some 200 kills over all kinds of campaigns
    scripts/chaos cluster --kills 3 --only email --seed 7

As `scripts/chaos`, but each life is drawn: two or three local workers, or none, so that one goes on with what the other
began. In a life with workers some of these are killed, or stopped for a second or two, before the program is; the
program goes on without those, and halts without any.
"""

import asyncio
import os
import random
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from chaos import Trial, main

WORKERS = ("", "local:2", "local:2", "local:3")
FROZEN = 0.3, 2.5  # seconds
WORKERS_DIE, WORKERS_FREEZE = 0.4, 0.3  # of the lives


@dataclass(slots=True)
class ClusterTrial(Trial):
    """A campaign that workers send, and whose workers die."""

    _cluster: str = ""
    _beside: set["asyncio.Task[None]"] = field(default_factory=set)

    async def _start(self) -> asyncio.subprocess.Process:
        self._cluster = self.lots.choice(WORKERS)
        more = ["--cluster", self._cluster] if self._cluster else []
        command = ["-m", "bulk", "send", "campaign.toml", "--yes", "--json", "--results", "results.csv"]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            *self.reach.split(),
            *more,
            cwd=self.folder,
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        if self._cluster:
            task = asyncio.ensure_future(self._trouble(process.pid, random.Random(self.lots.random())))
            self._beside.add(task)
            task.add_done_callback(self._beside.discard)
        return process

    async def _trouble(self, driver: int, lots: random.Random) -> None:
        """Kill a worker of a life, or freeze one, some time after its first call."""
        before = sum(self._received().values())
        while sum(self._received().values()) == before and workers_of(driver) is not None:  # noqa: ASYNC110 - see `_killed`
            await asyncio.sleep(0.01)
        what = lots.random()
        await asyncio.sleep(lots.uniform(0.0, 0.8))
        workers = workers_of(driver)
        if not workers or len(workers) < 2:
            return
        worker = lots.choice(workers)
        with suppress(ProcessLookupError):
            if what < WORKERS_DIE:
                os.kill(worker, signal.SIGKILL)
                self.figures.kills += 1
            elif what < WORKERS_DIE + WORKERS_FREEZE:
                os.kill(worker, signal.SIGSTOP)
                await asyncio.sleep(lots.uniform(*FROZEN))
                os.kill(worker, signal.SIGCONT)


def workers_of(driver: int) -> list[int] | None:
    """Return the processes that a driver started; None where it has ended."""
    try:
        return [int(pid) for pid in Path(f"/proc/{driver}/task/{driver}/children").read_text().split()]
    except OSError:
        return None


if __name__ == "__main__":
    sys.exit(asyncio.run(main(ClusterTrial, __doc__)))
