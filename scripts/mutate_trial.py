"""A fault is put into a copy of the project, and the tests are asked whether they notice it."""

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from mutate_fault import Fault

LEFT_OUT = [".*", "__pycache__", "*.egg-info", "results", "dist"]
HERE = Path(__file__).resolve().parent
AT_FIRST = 6.0  # seconds of tests that are asked first, before any slow one
MEMORY = 6 << 30  # bytes; a fault may make a loop that never ends
TOO_LONG = 60  # seconds that one test may take
_STAMPS = count(1_000_000_000)  # a file's time, by which Python knows that it was changed: another for each fault


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a fault fared: `noticed` by a test, `timeout`, or `survived`."""

    name: str
    test: str = ""


@dataclass(slots=True)
class Ranking:
    """Which tests notice faults of which file: those that did are asked first."""

    noticed: Counter[tuple[str, str]] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, path: str, test: str) -> None:
        """Note that a test file noticed a fault."""
        with self.lock:
            self.noticed[path, test] += 1

    def sorted(self, path: str, tests: Sequence[str]) -> list[str]:
        """Return tests in the order in which to ask them."""
        with self.lock:
            return sorted(tests, key=lambda test: -self.noticed[path, test])  # stable: else the quickest first


class Copy:
    """A copy of the project in a folder of its own, into which one fault at a time is put."""

    def __init__(self, project: Path, folder: Path) -> None:
        self.folder = folder
        self.scratch = folder.with_name(f"{folder.name}-scratch")
        shutil.copytree(project, folder, symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT))

    def ask(self, fault: Fault, stages: Sequence[tuple[Sequence[str], float]]) -> Verdict:
        """Put a fault in, run the tests stage by stage until one notices, and take it out again.

        A stage is some test files, and the seconds that they may take together.
        """
        path = self.folder / fault.path
        sound, dated = path.read_bytes(), path.stat().st_mtime_ns
        self._write(path, fault.applied(sound))
        try:
            return next((verdict for verdict in (self.run(*stage) for stage in stages) if verdict), Verdict("survived"))
        finally:
            path.write_bytes(sound)
            os.utime(path, ns=(dated, dated))

    def run(self, tests: Sequence[str], seconds: float) -> Verdict | None:
        """Run tests until the first that fails. Return None where none does."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir()
        words = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "--tb=no", "-p", "no:cacheprovider"]
        words += ["-p", "mutate_plugin"]
        words += ["-o", f"timeout={TOO_LONG}", f"--basetemp={self.scratch}/base", *tests]
        process = subprocess.Popen(
            words,
            cwd=self.folder,
            env={
                **os.environ,
                "PYTHONPATH": f"{self.folder}{os.pathsep}{HERE}",
                "TMPDIR": str(self.scratch),
                "COLUMNS": "400",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            preexec_fn=_limit,  # noqa: PLW1509 - it calls nothing that another thread may hold
        )
        try:
            said, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            return Verdict("timeout")
        finally:
            _end(process)
        if process.returncode == 0:
            return None
        if "from pytest-timeout" in said:
            return Verdict("timeout")
        test = next((line.split()[1] for line in said.splitlines() if line.startswith(("FAILED ", "ERROR "))), tests[0])
        return Verdict("noticed", test)

    def _write(self, path: Path, text: bytes) -> None:
        path.write_bytes(text)
        stamp = next(_STAMPS)
        os.utime(path, (stamp, stamp))


def stages(tests: Sequence[str], seconds: dict[str, float]) -> list[tuple[list[str], float]]:
    """Return tests in two stages, a short one and the rest, each with the seconds that it may take."""
    first: list[str] = []
    for test in tests:
        if first and sum(seconds[one] for one in [*first, test]) > AT_FIRST:
            break
        first.append(test)
    both = [first, list(tests[len(first) :])]
    return [(stage, 30 + 3 * sum(seconds[test] for test in stage)) for stage in both if stage]


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))


def _end(process: subprocess.Popen[str]) -> None:
    """End a process and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
