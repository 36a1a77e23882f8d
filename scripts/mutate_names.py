"""Which functions use what stands outside of functions: a constant, a query, a class with its fields."""

import ast
from collections.abc import Iterator
from pathlib import Path


class Names:
    """The names that each function of a project mentions, and those of which its constants are made."""

    def __init__(self, project: Path) -> None:
        self.functions: dict[str, set[str]] = {}
        self.constants: dict[str, set[str]] = {}
        packages = [path.parent for path in project.glob("*/__init__.py") if path.parent.name != "tests"]
        for path in (path for package in packages for path in package.rglob("*.py")):
            self._read(str(path.relative_to(project)), ast.parse(path.read_bytes()))

    def users(self, name: str) -> set[str]:
        """Return the functions, as `path:function`, that mention a name, or a constant that is made of it."""
        wanted = {name}
        while more := {one for one, made_of in self.constants.items() if made_of & wanted} - wanted:
            wanted |= more
        return {function for function, mentioned in self.functions.items() if mentioned & wanted}

    def _read(self, path: str, module: ast.Module) -> None:
        for statement in module.body:
            if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value:
                targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
                for target in targets:
                    if isinstance(target, ast.Name):
                        self.constants.setdefault(target.id, set()).update(_mentioned(statement.value))
        self.functions.update((f"{path}:{name}", set(_mentioned(node))) for name, node in _functions(module, ""))


def _mentioned(node: ast.AST) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Name):
            yield one.id
        elif isinstance(one, ast.Attribute):
            yield one.attr


def _functions(node: ast.AST, within: str) -> Iterator[tuple[str, ast.AST]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{within}{child.name}", child
        else:
            yield from _functions(child, f"{within}{child.name}." if isinstance(child, ast.ClassDef) else within)
