"""The shape of the code: who may import whom, where foreign libraries live, what may be imported from the front door.

A package here is also a module that stands directly in `bulk/`. Data flows down this table and so do imports: a
package knows those it names here, and nothing else of ours. A new package is a new line here. The code …
"""

import ast
import importlib
import re
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

WORDS = {"model", "errors", "text"}
PURE = {"account", "account.prices", "campaign", "channels", "operations", "pacing", "reports", "request", "rules"}
EDGE = {"aws", "files", "ledger", "loader", "pacing.shared", "reports.results", "threads"}
MOTION = {"stop", "pacing.gate", "pacing.queue", "delivery"}

# A row for each package; modules that differ from their package have a row of their own.
MAY_IMPORT: dict[str, set[str]] = {
    # 0 values
    "model": set(),
    "text": {"model"},
    "errors": {"model", "text"},
    # 1 pure: no clock, no randomness, no network
    "channels": WORDS,
    "operations": WORDS,
    "campaign": WORDS | {"channels"},
    "request": WORDS | {"campaign", "operations"},
    "rules": WORDS | {"campaign", "channels"},
    "account.prices": WORDS | {"campaign"},
    "account": WORDS | {"campaign", "operations"},
    "pacing": WORDS,
    "reports": WORDS,
    # 2 the edge: each the home of something outside
    "pacing.virtual_time": set(),
    "threads": {"pacing.virtual_time"},
    "files": WORDS,
    "loader": WORDS | PURE | {"files", "threads"},
    "reports.results": WORDS | PURE | {"files", "threads"},
    "ledger": WORDS | PURE | {"files", "pacing.virtual_time"},
    "pacing.shared": WORDS | PURE | {"files", "pacing.virtual_time"},
    "aws": WORDS | PURE | {"files", "pacing.virtual_time"},
    # 3 motion, which never meets the edge
    "stop": WORDS,
    "pacing.gate": {"pacing", "stop"},
    "pacing.queue": WORDS | PURE | {"stop"},
    "delivery": WORDS | PURE | {"pacing.gate", "pacing.queue", "stop"},
    "cluster": WORDS | PURE | {"pacing.queue", "stop"},
    "cluster.address": WORDS,
    "cluster.dask": {"cluster", "errors"},
    # 4 the wiring, which introduces them to each other
    "run": WORDS
    | PURE
    | EDGE
    | MOTION
    | {"cluster", "cluster.address", "cluster.dask", "sandbox"}
    | {"pacing.virtual_time"},
    # 5 people
    "reference": WORDS | {"campaign", "channels", "operations"},
    "cli.starters": WORDS | {"channels", "files", "loader", "reference"},
    "cli": WORDS
    | {"account", "campaign", "files", "reference", "reports", "run", "sandbox", "cli.starters", "stop", "threads"}
    | {"pacing.virtual_time"},
    "__main__": {"cli"},
    # for the tests of other programs
    "testing": {"sandbox"},
    # apart: the judge is not related to the judged
    "sandbox": set(),
}

# Every foreign library has a named home; so has what else touches the world.
HOMES: dict[str, set[str]] = {
    "aioboto3": {"aws"},
    "aiobotocore": {"aws"},
    "aiohttp": {"aws", "sandbox"},
    "anyio": {"cli", "cluster", "delivery", "pacing.gate", "pacing.queue", "run", "stop", "threads"},
    "botocore": {"aws", "operations", "sandbox"},
    "charset_normalizer": {"loader"},
    "click": {"cli"},
    "distributed": {"cluster.dask"},
    "email_validator": {"loader"},
    "fastexcel": {"loader"},
    "jinja2": {"reports", "request"},
    "markdown_it": {"reference"},
    "opentelemetry": {"cli"},
    "phonenumbers": {"loader"},
    "polars": {"loader", "reports", "reports.results", "run"},
    "pydantic": {"account.prices", "campaign", "rules"},
    "pytest": {"testing"},
    "rich": {"cli"},
    "sqlite3": {"ledger", "sandbox"},
    "tenacity": {"delivery"},
    "xlsxwriter": {"reports"},
    "yaml": {"campaign"},
}
BROUGHT_ALONG = {"aiobotocore", "botocore", "pytest"}  # by aioboto3, which pins them; by who tests with it
WORLDLY = {"asyncio", "multiprocessing", "random", "secrets", "socket", "subprocess", "threading", "time"}


def package_of(name: str) -> str:
    """Return the row of a dotted name: its module's own where there is one, else its package's."""
    parts = name.removeprefix("bulk.").split(".")
    return next((package for package in (".".join(parts[:2]), parts[0]) if package in MAY_IMPORT), parts[0])


def name_of(file: Path) -> str:
    return ".".join(file.relative_to(HOME).with_suffix("").parts)


@cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"))


def imported(file: Path) -> Iterator[str]:
    """Return the dotted names that a file imports, wherever it does."""
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: an import is absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def ours(file: Path) -> set[str]:
    """Return the other packages that a file imports."""
    packages = {package_of(name) for name in imported(file) if name.startswith("bulk.")}
    return packages - {package_of(name_of(file)), "__version__"}


def foreign(file: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(file)} - {"bulk"}


def packages() -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for file in FILES:
        found.setdefault(package_of(name_of(file)), []).append(file)
    return {package: files for package, files in found.items() if package != "__init__"}


def test_every_room_stands_in_the_table_and_none_but_those() -> None:
    assert set(packages()) == set(MAY_IMPORT)


def test_the_table_has_no_way_back() -> None:
    TopologicalSorter(MAY_IMPORT).prepare()  # raises CycleError


@pytest.mark.parametrize("package", sorted(packages()))
def test_a_room_imports_only_what_it_may(package: str) -> None:
    wrong = {
        f"{file.name}: bulk.{other}"
        for file in packages()[package]
        for other in ours(file) - MAY_IMPORT.get(package, set())
    }
    assert wrong == set()


@pytest.mark.parametrize("package", sorted(packages()))
def test_a_room_uses_only_libraries_that_live_there(package: str) -> None:
    used = {name for file in packages()[package] for name in foreign(file)}
    outside = {name for name in used if name in HOMES or name not in sys.stdlib_module_names}
    assert outside - {library for library, homes in HOMES.items() if package in homes} == set()


def test_a_library_is_at_home_only_where_it_is_used() -> None:
    used = {(name, package) for package, files in packages().items() for file in files for name in foreign(file)}
    assert {(library, package) for library, homes in HOMES.items() for package in homes} - used == set()


def test_only_threads_leaves_the_event_loop_so_that_nobody_goes_before_a_thread_has_ended() -> None:
    left = {"anyio.to_thread", "asyncio.to_thread", "asyncio.run_in_executor"}
    assert {package for package, files in packages().items() for file in files if left & set(imported(file))} == {
        "threads"
    }


@pytest.mark.parametrize("package", sorted((WORDS | PURE) & set(packages())))
def test_what_is_pure_meets_no_clock_no_chance_and_no_network(package: str) -> None:
    assert {name for file in packages()[package] for name in foreign(file) & WORLDLY} == set()


def test_every_library_is_declared() -> None:
    project = tomllib.loads((HOME.parent / "pyproject.toml").read_text("utf-8"))["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    lines = [*project["dependencies"], *extras]
    declared = {line.partition(">")[0].partition("[")[0].lower() for line in lines}
    distributions = dict(packages_distributions())
    needed = {library for library in HOMES if library not in sys.stdlib_module_names} - BROUGHT_ALONG
    distributions.setdefault("distributed", ["distributed"])  # an extra, that may not be there
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
    package = importlib.import_module(bulk._HOMES[name])
    assert getattr(package, name) is getattr(bulk, name)
    assert name in getattr(package, "__all__", [name])


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
        ("import bulk.cli.main", {"polars", "pydantic", "botocore", "aioboto3", "jinja2", "rich", "phonenumbers"}),
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


PACKAGES = [file for file in FILES if file.name == "__init__.py" and file.parent != HOME]


@pytest.mark.parametrize("file", PACKAGES, ids=[file.parent.name for file in PACKAGES])
def test_a_package_defines_nothing_in_its_init(file: Path) -> None:
    defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    assert [node.lineno for node in ast.walk(tree_of(file)) if isinstance(node, defined)] == []


@pytest.mark.parametrize("file", PACKAGES, ids=[file.parent.name for file in PACKAGES])
def test_an_init_lists_no_module_that_is_not_there(file: Path) -> None:
    listed = re.findall(r"^(\w+) {2,}\S", ast.get_docstring(tree_of(file)) or "", re.MULTILINE)
    there = {other.stem for other in file.parent.glob("*.py")} - {"__init__"}
    assert set(listed) - there == set()


def test_no_name_is_a_bucket() -> None:
    buckets = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "handler", "service", "base", "core"}
    assert {part for file in FILES for part in file.relative_to(HOME).with_suffix("").parts} & buckets == set()
