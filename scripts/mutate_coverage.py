"""Which tests run which functions: found by running each test file once, with every process of it watched.

A watched process has a `sitecustomize` on its path that notes each function of the program at its first call in a test.
It is found through PYTHONPATH, which the tests hand on to the processes that they start. What a fixture of a module or
of the session runs belongs to no test alone, and is noted for the whole file.
"""

import ast
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mutate_fault import digest

HERE = Path(__file__).resolve().parent
TOO_LONG = 600  # seconds that the tests of one file may take while they are watched
WATCH = """
import os, sys, threading
_out = os.open({out!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
_now, _seen, _home = {now!r}, set(), {home!r}
def say(*words):
    os.write(_out, ("\\t".join(words) + "\\n").encode())
def begin(test):
    _seen.clear()
    with open(_now, "w") as now:
        now.write(test)
    say("test", str(os.getpid()), test)
def _watch(frame, event, arg):
    code = frame.f_code
    if code not in _seen:
        _seen.add(code)
        if code.co_filename.startswith(_home):
            say("ran", str(os.getpid()), f"{{code.co_filename[len(_home):]}}:{{code.co_qualname}}")
if os.path.exists(_now):
    say("test", str(os.getpid()), open(_now).read())
threading.settrace(_watch)
sys.settrace(_watch)
"""


@dataclass
class Coverage:
    """What each test ran, as `path:function`, and for how many seconds.

    `seconds` has test files too: what the fixtures that their tests share take. What is noted of a file alone belongs
    to each of its tests. `digests` are those of the test files.
    """

    ran: dict[str, list[str]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)

    @property
    def tests(self) -> list[str]:
        """The tests that are known."""
        return [test for test in self.ran if "::" in test]

    def unknown(self, tree: Path, files: Iterable[str]) -> list[str]:
        """Return the test files that are new, or not what they were."""
        return [file for file in files if self.digests.get(file) != digest(tree / file)]

    def only(self, files: Iterable[str]) -> "Coverage":
        """Return what is known of these test files."""
        wanted = set(files)
        ran = {test: ran for test, ran in self.ran.items() if file_of(test) in wanted}
        return Coverage(ran, self.seconds, {file: self.digests[file] for file in wanted})

    def take(self, file: str, found: "Coverage") -> None:
        """Take what was found of a test file in place of what was known of it."""
        for known in (self.ran, self.seconds):
            for test in [test for test in known if file_of(test) == file]:
                del known[test]
        self.ran.update(found.ran)
        self.seconds.update(found.seconds)
        self.digests.update(found.digests)

    def tests_of(self, functions: Iterable[str]) -> list[str]:
        """Return the tests that run any of these functions; all where none is known to."""
        wanted = set(functions)
        found = {test for test, ran in self.ran.items() if not wanted.isdisjoint(ran)}
        return [
            test for test in self.ran if "::" in test and (not found or not found.isdisjoint((test, file_of(test))))
        ]

    def save(self, path: Path) -> None:
        """Write it to a file."""
        path.write_text(json.dumps(asdict(self)) + "\n")


def file_of(test: str) -> str:
    """Return the file of a test."""
    return test.partition("::")[0]


def load(path: Path) -> Coverage:
    """Read it from a file."""
    return Coverage(**json.loads(path.read_text()))


def watched(tree: Path, file: str) -> Coverage:
    """Run a test file on its own in a copy of the project, and return what its tests ran."""
    with tempfile.TemporaryDirectory() as scratch:
        out, now = Path(scratch, "out"), Path(scratch, "now")
        watch = WATCH.format(out=str(out), now=str(now), home=f"{tree}{os.sep}")
        Path(scratch, "sitecustomize.py").write_text(watch)
        words = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "-o", "timeout=0"]
        with suppress(subprocess.TimeoutExpired):  # what was seen until then is known
            subprocess.run(
                [*words, "-p", "mutate_watch", file, f"--basetemp={scratch}/t"],
                cwd=tree,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (scratch, tree, HERE)))},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
                timeout=TOO_LONG,
            )
        return _read(out.read_text() if out.exists() else "", file, digest(tree / file))


def _read(said: str, file: str, digest: str) -> Coverage:
    found, tests = Coverage(digests={file: digest}), dict[str, str]()
    ran: dict[str, set[str]] = {file: set()}
    for line in said.splitlines():
        kind, first, second = line.split("\t")
        if kind == "test":
            tests[first] = second
            ran.setdefault(second, set())
        elif kind == "seconds":
            found.seconds[second] = round(found.seconds.get(second, 0.0) + float(first), 3)
        elif not second.startswith("tests/"):
            ran[tests.get(first, file)].add(second)
    found.ran = {test: sorted(functions) for test, functions in ran.items()}
    for test in found.ran:
        found.seconds.setdefault(test, 0.0)
    return found


def functions(path: str, source: bytes) -> dict[str, range]:
    """Return the functions of a file, as `path:function`, and the lines that each has, the outer before the inner."""
    return {f"{path}:{name}": lines for name, lines in _functions(ast.parse(source), "")}


def _functions(node: ast.AST, within: str) -> Iterator[tuple[str, range]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{within}{child.name}", range(child.lineno, (child.end_lineno or child.lineno) + 1)
            yield from _functions(child, f"{within}{child.name}.<locals>.")
        else:
            yield from _functions(child, f"{within}{child.name}." if isinstance(child, ast.ClassDef) else within)
