"""The faults of a Python file: what could be typed wrongly, left out or turned round, one at a time.

What is only said (docstrings, messages, annotations) and what only costs time or memory (caches, slots) is left alone:
no test is wanted that notices it.
"""

import ast
import re
from functools import partial

from mutate_text import queries
from mutate_walk import Walk, body, made, targets

COMPARISONS = {
    "<": ("<=", ">="),
    "<=": ("<", ">"),
    ">": (">=", "<="),
    ">=": (">", "<"),
    "==": ("!=",),
    "!=": ("==",),
    "is": ("is not",),
    "is not": ("is",),
    "in": ("not in",),
    "not in": ("in",),
}
ARITHMETIC = {"+": "-", "-": "+", "*": "/", "/": "*", "//": "*", "%": "//", "**": "*", "&": "|", "|": "&", "^": "&"}
SHAPES = {"slots", "frozen", "kw_only", "strict", "maxsize", "daemon", "stacklevel", "default_factory", "repr"} | {
    *("init", "fast_acquire"),
}
"""Keywords that say how something is stored, made or checked, or how quickly it goes, not what it does."""
NEEDED = {"property", "classmethod", "staticmethod", "contextmanager", "asynccontextmanager", "dataclass", "setter"}
CACHES = {"cache", "lru_cache", "cached_property", "overload", "override", "final"}
"""Decorators without which nothing works at all, and those without which everything does."""
WORD = re.compile(r"(?!utf-?8$|ascii$)[A-Za-z][\w.:/-]*")  # Python reads `utf-8_` as it does `utf-8`


class Seeker(Walk):
    """Notes each change that makes a fault."""

    # Where to look

    def visit_Module(self, node: ast.Module) -> None:
        for statement in node.body:
            names = [target.id for target in targets(statement) if isinstance(target, ast.Name)]
            if names != ["__all__"]:
                self.within(names, partial(self.visit, statement))

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        if any("'Protocol'" in ast.dump(base) for base in node.bases):
            return  # what a type checker reads is never run
        self.decorators(node)
        self.within([node.name], lambda: self.several([*node.bases, *node.keywords, *body(node)]))

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.decorators(node)
        defaults = [one for one in (*node.args.defaults, *node.args.kw_defaults) if one]
        notes = [one.annotation for one in ast.walk(node.args) if isinstance(one, ast.arg)]
        self.within([node.name], lambda: self.several([*defaults, *made(notes), *body(node)]))

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value and not isinstance(node.target, ast.Name):
            self.replace("statement removed", node, "pass")
        names = [node.target.id] if isinstance(node.target, ast.Name) else []
        self.within(names, lambda: self.several([*made([node.annotation]), *filter(None, [node.value])]))

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Look into queries alone: a message is prose, and the places of what it is made of are not exact."""
        self.query(node)

    def visit_If(self, node: ast.If) -> None:
        if "TYPE_CHECKING" not in ast.dump(node.test):
            self.negate(node.test)
            self.generic_visit(node)

    # What to change

    def decorators(self, node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for decorator in node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name not in NEEDED | CACHES:
                start, end = self.span(decorator)
                self.note("decorator removed", self.source.rfind(b"@", 0, start), end, "")
            if name not in CACHES:
                self.visit(decorator)

    def visit_Compare(self, node: ast.Compare) -> None:
        for before, after in zip([node.left, *node.comparators], node.comparators, strict=False):
            self.between("comparison", before, after, lambda sign: COMPARISONS[sign])
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        for before, after in zip(node.values, node.values[1:], strict=False):
            self.between("and, or", before, after, lambda word: ({"and": "or", "or": "and"}[word],))
        for value in node.values:
            if isinstance(value, ast.Name | ast.Attribute | ast.Call):
                self.replace("negation", value, f"(not {self.text(value)})")
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not):
            self.replace("negation", node, f"({self.text(node.operand)})")
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        self.between("arithmetic", node.left, node.right, lambda sign: tuple(filter(None, [ARITHMETIC.get(sign)])))
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.between("arithmetic", node.target, node.value, lambda sign: tuple(filter(None, [ARITHMETIC.get(sign)])))
        self.replace("statement removed", node, "pass")
        self.generic_visit(node)

    def negate(self, test: ast.expr) -> None:
        """Turn a condition round, where no other change of it does."""
        if not isinstance(test, ast.Compare | ast.Constant | ast.UnaryOp):
            self.replace("negation", test, f"not ({self.text(test)})")

    def visit_While(self, node: ast.While) -> None:
        self.negate(node.test)
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self.negate(node.test)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for test in node.ifs:
            self.negate(test)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bool):
            self.replace("constant", node, str(not node.value))
        elif isinstance(node.value, int | float):
            self.replace(
                "constant", node, repr(node.value + 1 if isinstance(node.value, int) else node.value * 2 or 1.0)
            )
        elif isinstance(node.value, str) and not self.query(node) and WORD.fullmatch(node.value):
            self.replace("word", node, repr(f"{node.value}_"))

    def query(self, node: ast.AST) -> bool:
        """Change what a query asks. Return whether it is one."""
        start, end = self.span(node)
        text = self.source[start:end].decode()
        if not re.search(r"\b(SELECT|INSERT|UPDATE|DELETE|CREATE|WHERE)\b", text):
            return False
        for first, last, other in queries(text):
            before, within = len(text[:first].encode()), len(text[:last].encode())
            self.note("query", start + before, start + within, other)
        return True

    def visit_Return(self, node: ast.Return) -> None:
        if node.value and not (isinstance(node.value, ast.Constant) and node.value.value is None):
            self.replace("returns None", node, "return None")
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call | ast.Await | ast.Yield | ast.YieldFrom):
            self.replace("statement removed", node, "pass")
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        if all(isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets):
            self.replace("statement removed", node, "pass")
        self.visit(node.value)

    def visit_Raise(self, node: ast.Raise) -> None:
        if "'AssertionError'" not in ast.dump(node):  # it tells a type checker what is never reached
            self.replace("statement removed", node, "pass")  # its message is prose

    def visit_Delete(self, node: ast.Delete) -> None:
        self.replace("statement removed", node, "pass")

    def visit_Break(self, node: ast.Break) -> None:
        self.replace("jump", node, "continue")

    def visit_Continue(self, node: ast.Continue) -> None:
        self.replace("jump", node, "break")

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        start, end = self.span(node.body[0])[0], self.span(node.body[-1])[1]
        self.note("handler", start, end, "raise")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if self.text(node.func) in {"TypeVar", "ParamSpec", "NewType"}:
            return  # a name that nobody reads
        for keyword in node.keywords:
            if keyword.arg and keyword.arg not in SHAPES:
                self.leave_out(node, keyword)
        self.several([node.func, *node.args, *(one for one in node.keywords if one.arg not in SHAPES)])

    def leave_out(self, call: ast.Call, keyword: ast.keyword) -> None:
        start, end = self.span(keyword)
        opens = self.span(call.func)[1]
        comma = self.source.rfind(b",", opens, start)
        if comma > max(
            (self.span(one)[1] for one in (*call.args, *call.keywords) if self.span(one)[1] <= start), default=end
        ):
            comma = start
        self.note("argument left out", comma if comma >= opens else start, end, "")
