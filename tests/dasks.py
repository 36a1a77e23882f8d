"""A Dask cluster on loopback: a scheduler and its workers as processes, which can be killed and started again."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

READY = re.compile(r"(?:Scheduler at:|Start worker at:) +(tcp://\S+)")
WAITS = 60.0  # seconds that a process has to start


@dataclass
class Process:
    """A process of the cluster, and where it logs."""

    popen: "subprocess.Popen[bytes]"
    log: Path

    @property
    def address(self) -> str:
        deadline = time.monotonic() + WAITS
        while not (found := READY.search(self.log.read_text())):
            assert self.popen.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)
        return found[1]

    @property
    def is_dead(self) -> bool:
        return self.popen.poll() is not None

    def kill(self) -> None:
        self.popen.send_signal(signal.SIGKILL)
        self.popen.wait()


@dataclass
class DaskCluster:
    """A scheduler and so many workers, which log into a folder."""

    folder: Path
    environment: Mapping[str, str]
    number: int = 2
    level: str = "info"
    scheduler: Process = field(init=False)
    workers: list[Process] = field(default_factory=list)
    _started: int = 0

    def __enter__(self) -> Self:
        self.fix()
        return self

    def __exit__(self, *_: object) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()

    @property
    def address(self) -> str:
        return self.scheduler.address

    @property
    def logs(self) -> str:
        return "".join(path.read_text() for path in sorted(self.folder.glob("dask-*.log")))

    def fix(self) -> None:
        """Start what is dead, or was never started; return when all is there."""
        if not self._started or self.scheduler.is_dead:
            for worker in self.workers:
                worker.kill()
            self.workers.clear()
            self.scheduler = self._run("dask_scheduler", "--port", "0")
        self.workers = [worker for worker in self.workers if not worker.is_dead]
        words = (self.address, "--no-nanny", "--nthreads", "1")
        self.workers += [self._run("dask_worker", *words) for _ in range(self.number - len(self.workers))]
        named = [worker.address for worker in self.workers]
        deadline = time.monotonic() + WAITS
        while not all(f"Register worker addr: {name}" in self._told() for name in named):
            assert time.monotonic() < deadline, self._told()
            time.sleep(0.05)

    def _told(self) -> str:
        return self.scheduler.log.read_text()

    def _run(self, module: str, *words: str) -> Process:
        self._started += 1
        log = self.folder / f"dask-{self._started}-{module}.log"
        command = [sys.executable, "-m", f"distributed.cli.{module}", *words, "--host", "127.0.0.1", "--no-dashboard"]
        more = {"PYTHONWARNINGS": "ignore", "DASK_LOGGING__DISTRIBUTED": self.level, "PATH": os.environ["PATH"]}
        with log.open("wb") as out:
            popen = subprocess.Popen(command, env={**self.environment, **more}, stdout=out, stderr=out, cwd=self.folder)
        return Process(popen, log)
