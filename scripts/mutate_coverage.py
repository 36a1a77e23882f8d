"""Which test files run which functions: found by running each test file once, with every process of it watched.

A watched process has a `sitecustomize` on its path that notes each function of the program at its first call. It is
found through PYTHONPATH, which the tests hand on to the processes that they start.
"""

import ast
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mutate_fault import digest

WATCH = """
import os, sys, threading
_out = os.open({out!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
_seen, _home = set(), {home!r}
def _watch(frame, event, arg):
    code = frame.f_code
    if code not in _seen:
        _seen.add(code)
        if code.co_filename.startswith(_home):
            os.write(_out, f"{{code.co_filename[len(_home):]}}:{{code.co_qualname}}\\n".encode())
threading.settrace(_watch)
sys.settrace(_watch)
"""


@dataclass
class Coverage:
    """What each test file ran, as `path:function`, how many seconds it took, and what the file then was (a digest)."""

    ran: dict[str, list[str]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)

    def unknown(self, tree: Path, tests: Iterable[str]) -> list[str]:
        """Return the test files that are new, or not what they were."""
        return [test for test in tests if self.digests.get(test) != digest(tree / test)]

    def only(self, tests: Iterable[str]) -> "Coverage":
        """Return what is known of these test files."""
        return Coverage({test: self.ran[test] for test in tests}, self.seconds)

    def tests_of(self, functions: Iterable[str]) -> list[str]:
        """Return the test files that run any of these functions, the quickest first; all where none is known to."""
        wanted = set(functions)
        found = [test for test, ran in self.ran.items() if not wanted.isdisjoint(ran)] or list(self.ran)
        return sorted(found, key=lambda test: self.seconds[test])

    def save(self, path: Path) -> None:
        """Write it to a file."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")


def load(path: Path) -> Coverage:
    """Read it from a file."""
    return Coverage(**json.loads(path.read_text()))


def watch(tree: Path, tests: Iterable[str], found: Coverage, *, jobs: int) -> None:
    """Run each test file on its own in a copy of the project, and put down what it ran."""
    with ThreadPoolExecutor(jobs) as pool:
        for test, (ran, seconds) in zip(tests, pool.map(lambda test: _watched(tree, test), tests), strict=True):
            found.ran[test], found.seconds[test], found.digests[test] = ran, seconds, digest(tree / test)


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


def _watched(tree: Path, test: str) -> tuple[list[str], float]:
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch, "ran")
        watch = WATCH.format(out=str(out), home=f"{tree}{os.sep}")
        Path(scratch, "sitecustomize.py").write_text(watch)
        began = time.monotonic()
        words = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "-o", "timeout=0"]
        subprocess.run(
            [*words, test, f"--basetemp={scratch}/t"],
            cwd=tree,
            env={**os.environ, "PYTHONPATH": f"{scratch}{os.pathsep}{tree}"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=900,
        )
        ran = set(out.read_text().split("\n")) - {""} if out.exists() else set()
        return sorted(line for line in ran if not line.startswith("tests/")), round(time.monotonic() - began, 2)
