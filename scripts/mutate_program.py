"""The program loaded once, and what of it has to be loaded again where one of its files is changed.

A module is loaded again where it is changed, where it reads a file of data that is, or where it imports one that is
loaded again, itself or by others. All else of the program stays as it is, which saves most of the start of a test.
"""

import ast
import contextlib
import importlib
import sys
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

THREADED = {"polars", "dask", "distributed"}
"""Libraries that begin threads when they are loaded, which a fork would not have."""


class Program:
    """The packages in a folder: the file of each module, and what it imports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        packages = [path.parent for path in folder.glob("*/__init__.py") if path.parent.name != "tests"]
        files = sorted(path for package in packages for path in package.rglob("*.py"))
        self.files = {".".join(_parts(path.relative_to(folder))): path for path in files}
        self.imported = {name: set(_imports(name, path)) for name, path in self.files.items()}

    def load(self) -> None:
        """Load all modules that can be loaded, but those that begin threads."""
        sys.path.insert(0, str(self.folder))
        threaded = {name for name, others in self.imported.items() if others & THREADED}
        while more := self._importing(threaded | self._within(threaded)) - threaded:
            threaded |= more
        for name in self.files.keys() - threaded:
            if not name.endswith("__main__"):
                with contextlib.suppress(Exception):
                    importlib.import_module(name)

    def forget(self, changed: str) -> None:
        """Forget the modules that a changed file concerns: the next import loads them again."""
        again = self._concerned(self.folder / changed)
        loaded = again & sys.modules.keys()
        for name in loaded:
            del sys.modules[name]
        for name in sorted(loaded):  # a package that is loaded again knows the modules in it that are not
            if self.files[name].name == "__init__.py":
                with contextlib.suppress(Exception):
                    package = importlib.import_module(name)
                    for kept in self.files.keys() & sys.modules.keys():
                        if kept.rpartition(".")[0] == name:
                            setattr(package, kept.rpartition(".")[2], sys.modules[kept])

    def _concerned(self, changed: Path) -> set[str]:
        if changed.suffix == ".py":
            return self._importing({name for name, path in self.files.items() if path == changed})
        beside = {name: path for name, path in self.files.items() if path.parent == changed.parent}
        return self._importing({name for name, path in beside.items() if changed.suffix in path.read_text()})

    def _within(self, packages: set[str]) -> set[str]:
        """Return the modules of packages: who loads a module loads its package first."""
        return {name for name in self.files if not packages.isdisjoint(accumulate(name.split("."), "{}.{}".format))}

    def _importing(self, found: set[str]) -> set[str]:
        """Return these modules and all that import one of them, by others or themselves."""
        while more := {name for name, others in self.imported.items() if not found.isdisjoint(others)} - found:
            found = found | more
        return found


def _parts(path: Path) -> tuple[str, ...]:
    return path.parts[:-1] if path.name == "__init__.py" else path.with_suffix("").parts


def _imports(name: str, path: Path) -> Iterator[str]:
    """Yield the modules that a module imports when it is loaded, and names of which some may be modules."""
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in _loaded(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            yield from (source, source.partition(".")[0] if not source.startswith(f"{package[0]}.") else source)
            yield from (f"{source}.{alias.name}" for alias in node.names)


def _loaded(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what is run when a module is loaded: not the bodies of functions, nor what is for a type checker."""
    for child in ast.iter_child_nodes(node):
        is_later = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if not is_later and not (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)):
            yield child
            yield from _loaded(child)
