"""A fault is put into a copy of the project, and the tests are asked whether they notice it."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from bisect import bisect_right
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, count, pairwise
from pathlib import Path

from mutate_coverage import file_of
from mutate_fault import Fault

LEFT_OUT = [".*", "__pycache__", "*.egg-info", "results", "dist"]
HERE = Path(__file__).resolve().parent
STAGES = 1.0, 8.0  # seconds of tests that are asked at first and at second, before all others
LOADING = 0.3  # seconds that loading one more test file takes
CLOSER = 10.0  # times as long a test may take that is close to what is changed
TOO_LONG = 30  # seconds that one test may take
FAILED = re.compile("(FAILED|ERROR) ")
_STAMPS = count(1_000_000_000)  # a file's time, by which Python knows that it was changed: another for each fault


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a fault fared: `noticed` by a test, `timeout`, or `survived`."""

    name: str
    test: str = ""


@dataclass(slots=True)
class Ranking:
    """In which order tests are asked: the quick, those close to the file, and those that noticed faults of it first.

    Those are close that name its module.
    """

    seconds: Mapping[str, float]
    noticed: Counter[tuple[str, str]] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, path: str, test: str) -> None:
        """Note that a test noticed a fault."""
        with self.lock:
            self.noticed[path, test] += 1

    def sorted(self, path: str, tests: Sequence[str], close: Container[str]) -> list[str]:
        """Return tests in the order in which to ask them; `close` are test files."""

        def cost(test: str) -> float:
            shared = self.seconds.get(file_of(test), 0.0)
            nearness = CLOSER if file_of(test) in close else 1.0
            return (self.seconds[test] + LOADING + shared) / (nearness + self.noticed[path, test])

        with self.lock:
            return sorted(tests, key=cost)


class Copy:
    """A copy of the project in a folder of its own, into which one fault at a time is put."""

    def __init__(self, project: Path, folder: Path) -> None:
        self.folder = folder
        self.scratch = folder.with_name(f"{folder.name}-scratch")
        shutil.copytree(project, folder, symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT))
        words = [sys.executable, str(HERE / "mutate_fork.py"), str(folder)]
        self.server = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, fault: Fault, stages: Sequence[tuple[Sequence[str], float]]) -> Verdict:
        """Put a fault in, run the tests stage by stage until one notices, and take it out again.

        A stage is some test files, and the seconds that they may take together.
        """
        path = self.folder / fault.path
        sound, dated = path.read_bytes(), path.stat().st_mtime_ns
        self._write(path, fault.applied(sound))
        try:
            return next(
                (verdict for verdict in (self.run(*stage, changed=fault.path) for stage in stages) if verdict),
                Verdict("survived"),
            )
        finally:
            path.write_bytes(sound)
            os.utime(path, ns=(dated, dated))

    def run(self, tests: Sequence[str], seconds: float, *, changed: str = "") -> Verdict | None:
        """Run tests until the first that fails. Return None where none does. `changed` is the file with a fault."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir()
        out = self.scratch / "out"
        words = ["-q", "-x", "-n", "0", "--tb=no", "-p", "no:cacheprovider", "-p", "mutate_plugin"]
        words += [
            "-o",
            f"timeout={TOO_LONG}",
            "-W",
            "ignore:Module already imported",
            f"--basetemp={self.scratch}/base",
        ]
        env = {"PYTHONPATH": f"{self.folder}{os.pathsep}{HERE}", "TMPDIR": str(self.scratch), "COLUMNS": "400"}
        order = {"args": [*words, *tests], "cwd": str(self.folder), "env": {**os.environ, **env}, "out": str(out)}
        said = self._order({**order, "seconds": seconds, "changed": changed})
        if said == "0":
            return None
        told = out.read_text("utf-8", "replace")
        lines = (line.partition(" ")[2].partition(" - ")[0] for line in told.splitlines() if FAILED.match(line))
        if said == "timeout" or "from pytest-timeout" in told:
            return Verdict("timeout", next(lines, ""))
        return Verdict("noticed", next(lines, tests[0]))

    def _order(self, order: Mapping[str, object]) -> str:
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        self.server.stdin.write(json.dumps(order) + "\n")
        self.server.stdin.flush()
        said: str = self.server.stdout.readline().strip()
        if not said:
            sys.exit("the process that runs the tests has ended")
        return said

    def _write(self, path: Path, text: bytes) -> None:
        path.write_bytes(text)
        stamp = next(_STAMPS)
        os.utime(path, (stamp, stamp))


def stages(tests: Sequence[str], seconds: Mapping[str, float], budget: float) -> list[tuple[list[str], float]]:
    """Return tests in stages, two short ones and the rest, each with the seconds that it may take.

    Of what would take longer than `budget` together, the first are taken.
    """
    files: set[str] = set()
    costs: list[float] = []
    for test in tests:
        shared = 0.0 if file_of(test) in files else LOADING + seconds.get(file_of(test), 0.0)
        costs.append(seconds[test] + shared)
        files.add(file_of(test))
    ends = list(accumulate(costs))
    cuts = [0, *(max(1, bisect_right(ends, limit)) for limit in (*STAGES, budget) if limit <= budget)]
    found = [_by_file(tests[first:last]) for first, last in pairwise(cuts)]
    return [(stage, 30 + 3 * sum(seconds[test] for test in stage)) for stage in found if stage]


def _by_file(tests: Sequence[str]) -> list[str]:
    """Return tests file by file, so that what the tests of a file share is made once."""
    files = {file: place for place, file in enumerate(dict.fromkeys(map(file_of, tests)))}
    return sorted(tests, key=lambda test: files[file_of(test)])
