"""The shape of the code: who may import whom, where foreign libraries live, what may be imported from the front door.

A room is a module or a package directly in `bulk/`. Data flows down this table and so do imports: a room knows the
rooms it names here, and nothing else of ours. A new room is a new line here. The code …
"""

import ast
import importlib
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import bulk

HOME = Path(bulk.__file__).parent
FILES = sorted(HOME.rglob("*.py"))

WORDS = {"model", "errors", "outside"}
PURE = {
    "api",
    "breaker",
    "campaign",
    "cells",
    "channels",
    "columns",
    "identity",
    "learning",
    "limits",
    "pacing",
    "parts",
    "reports",
    "request",
    "rules",
    "verdicts",
    "wording",
}
RIM = {
    "connect",
    "credentials",
    "failures",
    "fetching",
    "ledger",
    "line",
    "loader",
    "lock",
    "outcomes",
    "files",
    "providers",
    "replacing",
    "session",
    "sharing",
    "suppression",
    "threads",
    "trust",
}
MOTION = {"stopping", "turns", "attempts", "calling", "announcements", "delivery", "sender"}

MAY_IMPORT: dict[str, set[str]] = {
    # 0 the words
    "model": set(),
    "outside": {"model"},
    "errors": {"model", "outside"},
    "identity": set(),
    # 1 pure: no clock, no randomness, no network
    "verdicts": WORDS,
    "channels": WORDS,
    "columns": {"wording"},
    "learning": WORDS,
    "limits": WORDS,
    "pacing": WORDS | {"learning", "limits"},
    "breaker": WORDS,
    "parts": WORDS,
    "wording": set(),
    "cells": set(),
    "reports": WORDS | {"wording"},
    "api": WORDS | {"cells", "wording"},
    "campaign": WORDS | {"channels", "wording"},
    "request": WORDS | {"api", "campaign", "cells", "columns"},
    "rules": WORDS | {"campaign", "channels"},
    # 2 the rim: each the home of something outside
    "threads": set(),
    "loader": WORDS | PURE | {"files", "threads"},
    "files": WORDS,
    "replacing": WORDS | {"files"},
    "outcomes": WORDS | PURE | {"replacing", "threads"},
    "ledger": WORDS | PURE | {"files"},
    "lock": WORDS | PURE | {"files"},
    "sharing": WORDS | PURE | {"files"},
    "trust": WORDS | PURE,
    "line": WORDS | PURE | {"trust"},
    "failures": WORDS | PURE,
    "providers": WORDS | PURE | {"line"},
    "credentials": WORDS | PURE | {"failures"},
    "session": WORDS | PURE | {"credentials", "line", "providers", "trust"},
    "connect": WORDS | PURE | {"failures", "line", "session"},
    "fetching": WORDS | PURE | {"connect"},
    "suppression": WORDS | PURE | {"files", "loader"},
    # 3 motion, which never meets the rim
    "stopping": WORDS | PURE,
    "turns": WORDS | PURE | {"stopping"},
    "attempts": set(),
    "calling": WORDS | PURE | {"attempts", "stopping", "turns"},
    "announcements": WORDS | PURE | {"attempts"},
    "delivery": WORDS | PURE | {"stopping", "attempts", "calling", "announcements"},
    "sender": WORDS | PURE | {"stopping", "turns"},
    # 4 the wiring, which introduces them to each other
    "run": WORDS | PURE | RIM | MOTION | {"sandbox"},
    # 5 words out
    "starters": WORDS | {"channels", "files", "loader"},
    "terminal": WORDS | {"campaign", "reports", "run", "sandbox", "stopping", "threads", "wording"},
    "cli": WORDS | {"run", "sandbox", "starters", "terminal"},
    "__main__": {"cli", "terminal"},
    # apart: the judge is not related to the judged
    "sandbox": set(),
}

# Every foreign library has a named home; so has what else touches the world.
HOMES: dict[str, set[str]] = {
    "aioboto3": {"connect"},
    "aiobotocore": {"connect", "credentials", "line", "providers", "session"},
    "aiohttp": {"line", "fetching", "sandbox"},
    "anyio": {"stopping", "threads", "turns", "sender", "run", "terminal"},
    "botocore": {"api", "connect", "credentials", "failures", "line", "providers", "sandbox", "trust"},
    "charset_normalizer": {"loader"},
    "click": {"cli", "terminal"},
    "email_validator": {"loader"},
    "fastexcel": {"loader"},
    "jinja2": {"reports", "request"},
    "phonenumbers": {"loader"},
    "polars": {"loader", "outcomes", "reports", "run"},
    "pydantic": {"campaign", "rules"},
    "rich": {"terminal"},
    "sqlite3": {"ledger"},
    "tenacity": {"calling"},
    "yaml": {"campaign"},
}
BROUGHT_ALONG = {"aiobotocore", "botocore"}  # by aioboto3, which pins them
WORLDLY = {"asyncio", "multiprocessing", "random", "secrets", "socket", "subprocess", "threading", "time"}


def room_of(file: Path) -> str:
    return file.relative_to(HOME).with_suffix("").parts[0]


@cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"))


def imported(file: Path) -> Iterator[str]:
    """Give the dotted names that a file imports, wherever it does."""
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: an import is absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def ours(file: Path) -> set[str]:
    """Give the other rooms that a file imports."""
    rooms = {name.split(".")[1] for name in imported(file) if name.startswith("bulk.")}
    return rooms - {room_of(file), "__version__"}


def foreign(file: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(file)} - {"bulk"}


def rooms() -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for file in FILES:
        found.setdefault(room_of(file), []).append(file)
    return {room: files for room, files in found.items() if room != "__init__"}


def test_every_room_stands_in_the_table_and_none_but_those() -> None:
    assert set(rooms()) == set(MAY_IMPORT)


def test_the_table_has_no_way_back() -> None:
    TopologicalSorter(MAY_IMPORT).prepare()  # raises CycleError


@pytest.mark.parametrize("room", sorted(rooms()))
def test_a_room_imports_only_what_it_may(room: str) -> None:
    wrong = {
        f"{file.name}: bulk.{other}" for file in rooms()[room] for other in ours(file) - MAY_IMPORT.get(room, set())
    }
    assert wrong == set()


@pytest.mark.parametrize("room", sorted(rooms()))
def test_a_room_uses_only_libraries_that_live_there(room: str) -> None:
    used = {name for file in rooms()[room] for name in foreign(file)}
    outside = {name for name in used if name in HOMES or name not in sys.stdlib_module_names}
    assert outside - {library for library, homes in HOMES.items() if room in homes} == set()


def test_a_library_is_at_home_only_where_it_is_used() -> None:
    used = {(name, room) for room, files in rooms().items() for file in files for name in foreign(file)}
    assert {(library, room) for library, homes in HOMES.items() for room in homes} - used == set()


def test_only_threads_leaves_the_event_loop_so_that_nobody_goes_before_a_thread_has_ended() -> None:
    left = {"anyio.to_thread", "asyncio.to_thread", "asyncio.run_in_executor"}
    assert {room for room, files in rooms().items() for file in files if left & set(imported(file))} == {"threads"}


@pytest.mark.parametrize("room", sorted((WORDS | PURE) & set(rooms())))
def test_what_is_pure_meets_no_clock_no_chance_and_no_network(room: str) -> None:
    assert {name for file in rooms()[room] for name in foreign(file) & WORLDLY} == set()


def test_every_library_is_declared() -> None:
    project = tomllib.loads((HOME.parent / "pyproject.toml").read_text("utf-8"))["project"]
    declared = {line.partition(">")[0].partition("[")[0].lower() for line in project["dependencies"]}
    distributions = packages_distributions()
    needed = {library for library in HOMES if library not in sys.stdlib_module_names} - BROUGHT_ALONG
    assert {name for name in needed if not declared & {one.lower() for one in distributions[name]}} == set()


# The front door


def test_what_is_promised_is_what_is_there() -> None:
    assert sorted(bulk.__all__) == sorted(dir(bulk))
    assert len(set(bulk.__all__)) == len(bulk.__all__)


@pytest.mark.parametrize("name", bulk.__all__)
def test_a_promised_name_can_be_imported(name: str) -> None:
    assert getattr(bulk, name) is not None


@pytest.mark.parametrize("name", sorted(set(bulk.__all__) - {"__version__"}))
def test_a_promised_name_is_promised_by_its_own_room(name: str) -> None:
    room = importlib.import_module(bulk._HOMES[name])
    assert getattr(room, name) is getattr(bulk, name)
    assert name in getattr(room, "__all__", [name])


def test_a_type_checker_sees_the_same_names() -> None:
    (checking,) = [node for node in tree_of(HOME / "__init__.py").body if isinstance(node, ast.If)]
    seen = {
        (alias.asname, node.module)
        for node in checking.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == set(bulk._HOMES.items())


def test_a_name_that_is_not_there_is_said_to_be_missing() -> None:
    with pytest.raises(AttributeError, match=r"module 'bulk' has no attribute 'sned'"):
        bulk.sned  # noqa: B018 - looking is what fails


@pytest.mark.parametrize(
    "statement, heavy",
    [
        ("import bulk; dir(bulk); bulk.__version__", {"polars", "pydantic", "botocore", "aioboto3", "anyio", "jinja2"}),
        (
            "from bulk import Status, BulkError, Halted",
            {"polars", "pydantic", "botocore", "aioboto3", "anyio", "jinja2"},
        ),
        ("from bulk import Campaign", {"polars", "aioboto3", "botocore", "jinja2"}),
        ("import bulk.cli", {"polars", "pydantic", "botocore", "aioboto3", "jinja2", "rich", "phonenumbers"}),
        ("import bulk.sandbox", {"polars", "pydantic", "aioboto3", "jinja2"}),
    ],
)
def test_a_name_costs_no_more_than_itself(statement: str, heavy: set[str]) -> None:
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert heavy & set(loaded) == set()


# Sizes


@pytest.mark.parametrize("file", FILES, ids=[str(file.relative_to(HOME)) for file in FILES])
def test_a_file_is_under_250_lines_and_its_functions_under_50(file: Path) -> None:
    lines = len(file.read_text("utf-8").splitlines())
    assert lines < 250
    functions = [node for node in ast.walk(tree_of(file)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert {node.name for node in functions if (node.end_lineno or 0) - node.lineno >= 50} == set()


def test_no_name_is_a_bucket() -> None:
    buckets = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "handler", "service", "base", "core"}
    assert {part for file in FILES for part in file.relative_to(HOME).with_suffix("").parts} & buckets == set()
