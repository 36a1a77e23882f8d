"""A walk through a Python file: where each thing stands in its bytes, and the changes that are noted on the way."""

import ast
import re
from collections.abc import Callable

from mutate_fault import Change

OPERATOR = re.compile(rb"<=|>=|==|!=|<|>|is\s+not|not\s+in|is|in|\*\*|//|[-+*/%&|^]|and|or")

MODULE = "module"  # the place of what lies in no function, constant or table


class Walk(ast.NodeVisitor):
    """Goes through a file and notes changes."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        self.starts = [0]
        for line in source.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))
        self.places: list[str] = []
        self.changes: list[Change] = []

    def note(self, kind: str, start: int, end: int, text: str) -> None:
        place = ".".join(self.places) or MODULE
        self.changes.append(Change(place, kind, start, end, text))

    def replace(self, kind: str, node: ast.AST, text: str) -> None:
        self.note(kind, *self.span(node), text)

    def span(self, node: ast.AST) -> tuple[int, int]:
        line, column, last, end = (
            getattr(node, name) for name in ("lineno", "col_offset", "end_lineno", "end_col_offset")
        )
        return self.starts[line - 1] + column, self.starts[last - 1] + end

    def text(self, node: ast.AST) -> str:
        start, end = self.span(node)
        return self.source[start:end].decode()

    def between(self, kind: str, before: ast.AST, after: ast.AST, others: Callable[[str], tuple[str, ...]]) -> None:
        """Note the changes of an operator that stands between two expressions."""
        start, end = self.span(before)[1], self.span(after)[0]
        if found := OPERATOR.search(self.source, start, end):
            for other in others(" ".join(found[0].decode().split())):
                self.note(kind, found.start(), found.end(), other)

    def within(self, names: list[str], look: Callable[[], None]) -> None:
        self.places += names[:1]
        look()
        del self.places[len(self.places) - len(names[:1]) :]

    def several(self, nodes: list[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)


def targets(statement: ast.stmt) -> list[ast.expr]:
    return statement.targets if isinstance(statement, ast.Assign) else []


def body(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.AST]:
    """Return the statements of a body without its docstrings."""
    return [one for one in node.body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))]


def made(annotations: list[ast.expr | None]) -> list[ast.AST]:
    """Return what annotations call: constraints, which are checked, unlike the types around them."""
    return [one for note in annotations if note for one in ast.walk(note) if isinstance(one, ast.Call)]
