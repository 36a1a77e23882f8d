"""Would a test notice? One fault at a time is put into the program, and the tests that run it are asked.

    scripts/mutate                                 every default target; it takes hours
    scripts/mutate bulk/rules --jobs 2 --sample 200 --seed 1
    scripts/mutate bulk/operations/verdicts.py --map /tmp/map.json --log /tmp/faults.log

Targets are Python files, TOML files of data, and folders of both. Faults are comparisons, boundaries, conditions,
arithmetic and constants turned; statements, arguments, decorators, handlers and returned values left out; conditions of
queries changed; entries of TOML files left out or turned, hours loosened. They are put into copies of the project in a
temporary folder, never into the checkout.

A fault that changes nothing is named, with the reason, in `mutants_equivalent.txt` beside this file, and is not tried.
What `--map` names holds which test file runs which function, so that only test files that changed are run to find it
out. What `--log` names holds what was noticed; a second run tries the rest alone. What survives costs the time of all
tests that run its function; `--budget` ends that sooner. The table goes to stdout, then what nothing noticed; the
exit code is 1 below `--least` per cent.
"""

import argparse
import ast
import json
import math
import queue
import random
import signal
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from mutate_coverage import Coverage, file_of, functions
from mutate_fault import Fault, digest, faults
from mutate_map import coverage
from mutate_names import Names
from mutate_python import Seeker
from mutate_record import known, read_equivalent, score, table
from mutate_text import toml
from mutate_trial import Copy, Ranking, Verdict, stages
from mutate_walk import MODULE

TARGETS = [
    *(
        "bulk/run",
        "bulk/delivery/delivery.py",
        "bulk/delivery/announcements.py",
        "bulk/delivery/call_runner.py",
        "bulk/pacing/queue.py",
        "bulk/ledger",
    ),
    *(
        "bulk/rules",
        "bulk/loader/suppression.py",
        "bulk/errors.py",
        "bulk/operations/verdicts.py",
        "bulk/delivery/breaker.py",
    ),
    "bulk/loader/exports.toml",
]
ABOUT_THE_TEXT = {"test_shape.py", "test_docs.py", "test_chaos.py", "test_mutate.py"}
"""Tests that read the program instead of running it, or that chance has a part in."""


def main() -> None:
    """Find the faults, try them, and print what was noticed."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it, and so would tests
    given = arguments()
    project = given.project.resolve()
    found = [fault for path in files(project, given.targets) for fault in of_file(project, path)]
    equivalent = read_equivalent(given.equivalent)
    for stale in sorted(set(equivalent) - {fault.key for fault in found}):
        if stale.split(" ")[0] in {fault.path for fault in found}:
            print(f"{given.equivalent.name}: no such fault any more: {stale}", file=sys.stderr)
    tried = [fault for fault in found if fault.key not in equivalent]
    if given.sample and given.sample < len(tried):
        tried = random.Random(given.seed).sample(tried, given.sample)
    if given.list:
        for fault in tried:
            print(fault.key)
        return
    verdicts = try_all(project, tried, given)
    left_out = Counter(fault.path for fault in found if fault.key in equivalent)
    print("\n".join(table(verdicts, left_out)))
    for fault, verdict in sorted(verdicts.items(), key=lambda item: (item[0].path, item[0].line)):
        if verdict.name == "survived":
            print(f"\n{fault.path}:{fault.line} {fault.kind}\n  {fault.key}")
    sys.exit(1 if score(Counter(verdict.name for verdict in verdicts.values())) < given.least else 0)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = Path(__file__).resolve().parent
    parser.add_argument("targets", nargs="*", default=TARGETS, help="files and folders of the project")
    parser.add_argument("--project", type=Path, default=here.parent, help="the checkout (default: this one)")
    parser.add_argument("--tests", default="tests", help="its folder of tests")
    parser.add_argument("--ask", action="append", help="ask only test files of this name, such as 'test_ledger*.py'")
    parser.add_argument("--equivalent", type=Path, default=here / "mutants_equivalent.txt")
    parser.add_argument("--jobs", type=int, default=2, help="how many copies are tried at once")
    parser.add_argument("--sample", type=int, help="try so many, drawn by --seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--map", type=Path, help="keep which test runs what in this file")
    parser.add_argument("--log", type=Path, help="keep what was noticed in this file, and go on from it")
    parser.add_argument(
        "--budget", type=float, default=math.inf, help="seconds of tests to ask about one fault at most"
    )
    parser.add_argument("--least", type=float, default=95.0, help="per cent to be noticed (default: 95)")
    parser.add_argument("--list", action="store_true", help="only name the faults")
    return parser.parse_args()


def files(project: Path, targets: Sequence[str]) -> Iterator[str]:
    """Yield the files of the targets."""
    for target in targets:
        path = project / target
        if not path.exists():
            sys.exit(f"{target}: there is no such file or folder in {project}")
        inside = [one for one in path.rglob("*") if one.suffix in {".py", ".toml"}] if path.is_dir() else [path]
        yield from (str(one.relative_to(project)) for one in sorted(inside))


def of_file(project: Path, path: str) -> Iterator[Fault]:
    """Yield the faults of a file."""
    source = (project / path).read_bytes()
    if path.endswith(".toml"):
        return faults(path, source, toml(source))
    seeker = Seeker(source)
    seeker.visit(ast.parse(source))
    return faults(path, source, iter(seeker.changes))


def try_all(project: Path, tried: list[Fault], given: argparse.Namespace) -> dict[Fault, Verdict]:
    """Try faults in several copies at once."""
    patterns = given.ask or ["test_*.py"]
    found = {test for pattern in patterns for test in (project / given.tests).rglob(pattern)}
    tests = sorted(str(test.relative_to(project)) for test in found)
    tests = [test for test in tests if Path(test).name not in ABOUT_THE_TEXT]
    verdicts = known(project, tried, given.log)
    waiting: queue.SimpleQueue[Fault] = queue.SimpleQueue()
    for fault in tried:
        if fault not in verdicts:
            waiting.put(fault)
    with tempfile.TemporaryDirectory(prefix="mutate-") as folder:
        copies = [Copy(project, Path(folder, str(job))) for job in range(given.jobs)]
        asked = coverage(copies, tests, given.map)
        if not asked.tests:
            sys.exit("there is no test to ask")
        trial = Trial(
            project, asked, waiting, given.log, given.budget, verdicts, Ranking(asked.seconds), Names(project)
        )
        for fault, verdict in verdicts.items():
            trial.ranking.note(fault.path, verdict.test)
        with ThreadPoolExecutor(len(copies)) as pool:
            try:
                list(pool.map(trial.work, copies))  # raises what one of them raised
            finally:
                trial.ended.set()
        trial.try_timeouts_again(copies[0])
    return verdicts


@dataclass
class Trial:
    """Faults that wait, and what was found of those that were tried."""

    project: Path
    coverage: Coverage
    waiting: "queue.SimpleQueue[Fault]"
    log: Path | None
    budget: float
    verdicts: dict[Fault, Verdict]
    ranking: Ranking
    names: Names
    slow: list[Fault] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def work(self, copy: Copy) -> None:
        """Try faults in a copy until none waits, or all is ended."""
        while not self.ended.is_set():
            try:
                fault = self.waiting.get_nowait()
            except queue.Empty:
                return
            self.try_one(copy, fault)

    def try_one(self, copy: Copy, fault: Fault, *, again: bool = False) -> None:
        """Try a fault. One that seems to have no end is put off: a busy machine may be the cause."""
        tests = self.ranking.sorted(fault.path, self.tests_of(fault), self.naming(fault.path))
        verdict = copy.ask(fault, stages(tests, self.coverage.seconds, self.budget))
        if verdict.name == "timeout" and not again:
            self.slow.append(fault)
            return
        if verdict.test:
            self.ranking.note(fault.path, verdict.test)
        self.note(fault, verdict)

    def try_timeouts_again(self, copy: Copy) -> None:
        """Try again what was put off, one fault at a time."""
        for fault in self.slow:
            self.try_one(copy, fault, again=True)

    def note(self, fault: Fault, verdict: Verdict) -> None:
        """Keep a verdict."""
        with self.lock:
            self.verdicts[fault] = verdict
            print(f"{self.waiting.qsize():5} left  {verdict.name:8}  {fault.key}", file=sys.stderr, flush=True)
            if self.log:
                line = {"key": fault.key, "digest": digest(self.project / fault.path)}
                with self.log.open("a") as out:
                    out.write(json.dumps({**line, "verdict": verdict.name, "test": verdict.test}) + "\n")

    def tests_of(self, fault: Fault) -> list[str]:
        """Return the test files that run what a fault lies in: its function, else any function of its file.

        What lies in no function is asked of the test files that name its module, and of what runs a function that
        mentions it. A file of data is run by whatever runs the Python files beside it.
        """
        path = self.project / fault.path
        if path.suffix == ".toml":
            beside = [
                str(one.relative_to(self.project)) for one in path.parent.glob("*.py") if ".toml" in one.read_text()
            ]
            users = self.coverage.tests_of(name for one in beside for name in self.functions(one))
            return list(dict.fromkeys([*self.named(fault.path), *users]))
        within = self.functions(fault.path)
        if own := [name for name, lines in within.items() if fault.line in lines]:
            return self.coverage.tests_of(own[-1:])
        name = fault.place.partition(".")[0]
        mentioning = (self.names.users(name) if name != MODULE else set()) or set(within)
        return list(dict.fromkeys([*self.named(fault.path), *self.coverage.tests_of(mentioning)]))

    def named(self, path: str) -> list[str]:
        """Return the tests in those files."""
        naming = self.naming(path)
        return [test for test in self.coverage.tests if file_of(test) in naming]

    def naming(self, path: str) -> set[str]:
        """Return the test files that name the module of a file, or a file of data itself."""
        module = ".".join(Path(path).with_suffix("").parts).removesuffix(".__init__")
        module = module if path.endswith(".py") else Path(path).name
        return {file for file in self.coverage.digests if module in (self.project / file).read_text()}

    def functions(self, path: str) -> dict[str, range]:
        """Return the functions of a file."""
        return functions(path, (self.project / path).read_bytes())


if __name__ == "__main__":
    main()
