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
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

WATCH = """
import os, sys, threading
_out = os.open({out!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
_seen, _home = set(), {home!r}
def _watch(frame, event, arg):
    code = frame.f_code
    if code not in _seen:
        _seen.add(code)
        if code.co_filename.startswith(_home):
            os.write(_out, f"{{code.co_filename[len(_home):]}}:{{code.co_firstlineno}}\\n".encode())
threading.settrace(_watch)
sys.settrace(_watch)
"""


@dataclass(frozen=True)
class Coverage:
    """What each test file ran, as `path:line` of the functions' beginnings, and how many seconds it took."""

    ran: Mapping[str, list[str]]
    seconds: Mapping[str, float]

    @cached_property
    def _sets(self) -> dict[str, set[str]]:
        return {test: set(ran) for test, ran in self.ran.items()}

    def tests_of(self, functions: Iterable[str]) -> list[str]:
        """Return the test files that run any of these functions, the quickest first; all where none is known to."""
        wanted = set(functions)
        found = [test for test, ran in self._sets.items() if ran & wanted] or list(self.ran)
        return sorted(found, key=lambda test: self.seconds[test])

    def save(self, path: Path) -> None:
        """Write it to a file."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")


def load(path: Path) -> Coverage:
    """Read it from a file."""
    return Coverage(**json.loads(path.read_text()))


def watch(tree: Path, tests: Iterable[str], *, jobs: int) -> Coverage:
    """Run each test file on its own in a copy of the project."""
    with ThreadPoolExecutor(jobs) as pool:
        found = list(pool.map(lambda test: (test, *_watched(tree, test)), tests))
    return Coverage({test: ran for test, ran, _ in found}, {test: seconds for test, _, seconds in found})


def functions(path: str, source: bytes) -> dict[str, range]:
    """Return the functions of a file, as `path:line` of their beginnings, and the lines that each has."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {
        f"{path}:{min([node.lineno, *(one.lineno for one in node.decorator_list)])}": range(
            node.lineno, (node.end_lineno or node.lineno) + 1
        )
        for node in nodes
    }


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
