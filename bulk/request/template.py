"""A string of the campaign as a Jinja template over the columns of the list, compiled once.

A template that is one expression alone gives that expression's value, of whatever type; any other gives
text. Names are bound to columns when the template is compiled, so a column that the list lacks is found
before anything is sent: `first_name` finds `First Name`, and a path such as `User.UserAttributes.City`
finds a column of that dotted name, the members of a struct column, or as a map all the columns below it.
`row` is the whole row. What comes out depends on the row alone: there is no clock, no chance, and no other
template.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, Undefined, meta, nodes
from jinja2 import Template as Compiled
from jinja2.defaults import DEFAULT_NAMESPACE
from jinja2.sandbox import ImmutableSandboxedEnvironment, safe_range
from jinja2.visitor import NodeTransformer

from bulk.cells import text_of
from bulk.model import Cells
from bulk.request.columns import Ambiguous, Columns, fold

Getter = Callable[[Cells], Any]

FUNCTIONS: Mapping[str, Any] = {
    "range": safe_range,
    **{name: DEFAULT_NAMESPACE[name] for name in ("dict", "namespace", "cycler", "joiner")},
}


class BadTemplate(Exception):
    """A text is no template, or names what the list lacks; `messages` says each reason and its remedy."""

    def __init__(self, *messages: str) -> None:
        super().__init__("\n".join(messages))
        self.messages = messages


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template. `column` is set where it is one bare column, `constant` where no row matters."""

    render: Getter
    columns: frozenset[str] = frozenset()
    column: str | None = None
    constant: bool = False


def compile_template(text: str, columns: Columns, *, html: bool = False) -> Template:
    """Compile a text; as `html` it is autoescaped, and gives text. BadTemplate where it cannot be used."""
    if not any(mark in text for mark in ("{{", "{%", "{#")):
        return Template(lambda _: text, constant=True)
    try:
        return _compiled(text, columns, html=html)
    except TemplateSyntaxError as error:
        raise BadTemplate(f"line {error.lineno} of the template: {error.message}") from error
    except (TemplateError, SyntaxError, RecursionError, OverflowError, MemoryError) as error:
        raise BadTemplate(f"the template cannot be used: {error}") from error


def _compiled(text: str, columns: Columns, *, html: bool) -> Template:
    environment = _environment(html=html)
    tree = environment.parse(text)
    if any(True for _ in meta.find_referenced_templates(tree)):
        raise BadTemplate("a template stands alone: it cannot include, import or extend another.")
    binder = _Binder(columns, tree)
    tree = binder.visit(tree)
    tree.set_environment(environment)
    if binder.faults:
        raise BadTemplate(*binder.faults)
    used = frozenset(binder.used)
    expression = None if html else _lone(tree)
    if isinstance(expression, nodes.Name) and expression.name in binder.bound:
        column = binder.direct.get(expression.name)
        return Template(binder.bound[expression.name], used, column)
    render = _as_text(environment, tree, binder) if expression is None else _as_value(environment, expression, binder)
    return Template(render, used) if used else _evaluated(render)


def _lone(tree: nodes.Template) -> nodes.Expr | None:
    match tree.body:
        case [nodes.Output(nodes=[expression])] if not isinstance(expression, nodes.TemplateData):
            return expression
    return None


def _evaluated(render: Getter) -> Template:
    try:
        value = render({})
    except Exception as error:  # a template may raise anything
        raise BadTemplate(f"the template fails: {str(error) or type(error).__name__}") from error
    return Template(lambda _: value, constant=True)


def _as_text(environment: "_Environment", tree: nodes.Template, binder: "_Binder") -> Getter:
    template, bound = environment.from_string(tree), tuple(binder.bound.items())
    body = template.root_render_func

    def render(cells: Cells) -> str:
        return "".join(body(template.new_context({name: get(cells) for name, get in bound}, shared=True)))

    return render


def _as_value(environment: "_Environment", expression: nodes.Expr, binder: "_Binder") -> Getter:
    # As jinja2's `compile_expression` does it, but from a tree whose names are bound.
    tree = nodes.Template([nodes.Assign(nodes.Name("_value_", "store"), expression, lineno=1)], lineno=1)
    template, bound = environment.from_string(tree), tuple(binder.bound.items())

    def render(cells: Cells) -> Any:
        return _value(template, {name: get(cells) for name, get in bound})

    return render


def _value(template: Compiled, variables: dict[str, Any]) -> Any:
    context = template.new_context(variables, shared=True)
    for _ in template.root_render_func(context):
        pass
    value = context.vars["_value_"]
    if isinstance(value, Undefined):
        str(value)  # raises, and says what is undefined
    return list(value) if isinstance(value, Iterator) else value


def _nested(members: Mapping[str, str]) -> Getter:
    def read(cells: Cells) -> dict[str, Any]:
        whole: dict[str, Any] = {}
        for rest, column in members.items():
            *outer, last = rest.split(".")
            place = whole
            for part in outer:
                place = place.setdefault(part, {})
            place[last] = cells[column]
        return whole

    return read


# Jinja


class _Environment(ImmutableSandboxedEnvironment):
    def getattr(self, obj: Any, attribute: str) -> Any:
        """Read a map's own entry before its methods, and without regard to case or separators."""
        if isinstance(obj, Mapping):
            if attribute in obj:
                return obj[attribute]
            for name in obj:
                if isinstance(name, str) and fold(name) == fold(attribute):
                    return obj[name]
        return super().getattr(obj, attribute)


@cache
def _environment(*, html: bool) -> _Environment:
    environment = _Environment(
        undefined=StrictUndefined,
        finalize=text_of,
        autoescape=html,
        keep_trailing_newline=True,
    )
    environment.globals.clear()
    del environment.filters["random"]
    return environment


class _Binder(NodeTransformer):
    """Binds the free names of a template, and the paths that begin with one, to what they read of a row."""

    def __init__(self, columns: Columns, tree: nodes.Template) -> None:
        self._columns = columns
        self._free = meta.find_undeclared_variables(tree)
        self._assigned = {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"}
        self._called: list[nodes.Node] = []
        self.bound: dict[str, Getter] = {}
        self.direct: dict[str, str] = {}
        self.used: set[str] = set()
        self.faults: list[str] = []

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802 - jinja2's visitor asks for this name
        self._called.append(node.node)
        return self.generic_visit(node)

    def _is_called(self, node: nodes.Node) -> bool:
        return any(node is called for called in self._called)

    def visit_Name(self, node: nodes.Name) -> Any:  # noqa: N802 - likewise
        if node.ctx != "load" or node.name not in self._free:
            return node
        if node.name == "row":
            self.bound["row"] = lambda cells: cells
            self.used.update(self._columns.names)
            return node
        if node.name in FUNCTIONS and self._is_called(node):
            function = FUNCTIONS[node.name]
            self.bound[node.name] = lambda _: function
            return node
        return self._bind([node], [node.name])

    def visit_Getattr(self, node: nodes.Getattr | nodes.Getitem) -> Any:  # noqa: N802 - likewise
        chain, path = self._path(node)
        return self._bind(chain, path) if path else self.generic_visit(node)

    visit_Getitem = visit_Getattr  # noqa: N815 - likewise

    def _path(self, node: Any) -> tuple[list[Any], list[str]]:
        """Give the nodes of a path of constant names, outermost first, and the names; else nothing."""
        chain: list[Any] = []
        path: list[Any] = []
        while isinstance(node, (nodes.Getattr, nodes.Getitem)) and not self._is_called(node):
            path.insert(0, node.attr if isinstance(node, nodes.Getattr) else getattr(node.arg, "value", None))
            chain.append(node)
            node = node.node
        known = isinstance(node, nodes.Name) and node.name in self._free - self._assigned
        if not known or not all(isinstance(part, str) for part in path):
            return [], []
        return [*chain, node], path if node.name == "row" else [node.name, *path]

    def _bind(self, chain: list[Any], path: list[str]) -> Any:
        """Bind the longest beginning of a path that the list knows; what follows reads inside its value."""
        try:
            for dropped in range(len(path)):
                name = ".".join(path[: len(path) - dropped])
                if column := self._columns.find(name):
                    return self._put(chain, dropped, itemgetter(column), [column])
                if not dropped and (members := self._columns.below(name)):
                    return self._put(chain, dropped, _nested(members), [*members.values()])
            self.faults.append(self._columns.missing(".".join(path)))
        except Ambiguous as error:
            self.faults.append(str(error))
        return chain[0]

    def _put(self, chain: list[Any], dropped: int, getter: Getter, columns: list[str]) -> Any:
        place = chain[dropped]
        variable = place.name if isinstance(place, nodes.Name) else f"_{len(self.bound)}_"
        self.bound[variable] = getter
        self.used.update(columns)
        if isinstance(getter, itemgetter):
            self.direct[variable] = columns[0]
        name = nodes.Name(variable, "load", lineno=place.lineno)
        if not dropped:
            return name
        chain[dropped - 1].node = name
        return chain[0]
