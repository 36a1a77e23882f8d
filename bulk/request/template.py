"""A string of the campaign as a Jinja template over the columns of the list, compiled once.

A template that is one expression alone gives that expression's value, of whatever type; any other gives
text. Names are bound to columns when the template is compiled, so a column that the list lacks is found
before anything is sent: `first_name` finds `First Name`, and a path such as `User.UserAttributes.City`
finds a column of that dotted name, the members of a struct column, or as a map all the columns below it.
`row` is the whole row, unless there is a column of that name. What comes out depends on the row alone: there is
no clock, no chance, and no other template.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from jinja2 import Template as Compiled
from jinja2 import TemplateError, TemplateSyntaxError, Undefined, meta, nodes

from bulk.model import Cells
from bulk.request.binder import Binder, Getter
from bulk.request.environment import Environment, WholeRow, environment
from bulk.request.hints import misnamed, placeholder, unbalanced
from bulk.text.cells import text_of
from bulk.text.columns import Columns

_TEXT = {str}
_RAW = re.compile(r"\{%[-+]?\s*raw\b")


class BadTemplate(Exception):
    """A text is no template, or names what the list lacks; `messages` says each reason and its remedy."""

    def __init__(self, *messages: str) -> None:
        super().__init__("\n".join(messages))
        self.messages = messages


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template.

    `column` is set where it is one bare column, `constant` where no row matters, `whole` where it is the whole row.
    `literal` is the text that stands between what a row decides.
    """

    render: Getter
    columns: frozenset[str] = frozenset()
    column: str | None = None
    constant: bool = False
    whole: bool = False
    literal: str = ""


def compile_template(text: str, columns: Columns, *, html: bool = False) -> Template:
    """Compile a text; as `html` it is autoescaped, and gives text. BadTemplate where it cannot be used."""
    if not is_template(text):
        return Template(lambda _: text, constant=True, literal=text)
    try:
        return _compiled(text, columns, html=html)
    except TemplateSyntaxError as error:
        raise BadTemplate(*(misnamed(text, columns) or [_unreadable(error, text)])) from error
    except (TemplateError, SyntaxError, RecursionError, OverflowError, MemoryError) as error:
        raise BadTemplate(f"the template cannot be used: {error}") from error


def is_template(text: str) -> bool:
    """Whether a text holds anything that Jinja reads."""
    return any(mark in text for mark in ("{{", "{%", "{#"))


def whole_row_in_text(columns: Columns) -> str:
    """Return a sentence that the whole row is no text, and what to write instead."""
    example = f", such as {placeholder(columns.names[0], columns)}" if columns.names else ""
    return f"{{{{ row }}}} is the whole row and no text: name a column{example}."


def _unreadable(error: TemplateSyntaxError, text: str) -> str:
    said = f"line {error.lineno} of the template: {error.message}"
    hint = unbalanced(text) if "end of template" not in (error.message or "") else None
    return f"{said}. {hint}" if hint else said


def _compiled(text: str, columns: Columns, *, html: bool) -> Template:
    jinja = environment(html=html)
    tree = jinja.parse(text)
    if any(True for _ in meta.find_referenced_templates(tree)):
        raise BadTemplate("a template stands alone: it cannot include, import or extend another.")
    binder = Binder(columns, tree)
    tree = binder.visit(tree)
    tree.set_environment(jinja)
    if binder.faults:
        raise BadTemplate(*(misnamed(text, columns) or binder.faults))
    used, literal = frozenset(binder.used), _literal(tree, text)
    expression = None if html else _lone(tree)
    if expression is None and any(map(binder.is_whole, _shown(tree))):
        raise BadTemplate(whole_row_in_text(columns))
    if expression is not None and binder.is_whole(expression):
        return Template(WholeRow, used, whole=True)
    if isinstance(expression, nodes.Name) and expression.name in binder.bound:
        return Template(binder.bound[expression.name], used, binder.direct.get(expression.name))
    if expression is not None:
        render = _as_value(jinja, expression, binder)
    else:
        render = _joined(tree, binder, html=html) or _as_text(jinja, tree, binder)
    return Template(render, used, literal=literal) if used else _evaluated(render, literal)


def _lone(tree: nodes.Template) -> nodes.Expr | None:
    match tree.body:
        case [nodes.Output(nodes=[expression])] if not isinstance(expression, nodes.TemplateData):
            return expression
    return None


def _shown(tree: nodes.Template) -> Iterator[nodes.Node]:
    return (node for output in tree.find_all(nodes.Output) for node in output.nodes)


def _literal(tree: nodes.Template, text: str) -> str:
    """Return the text between the placeholders; none where it is meant to hold braces ({% raw %})."""
    return "" if _RAW.search(text) else "\n".join(node.data for node in tree.find_all(nodes.TemplateData))


def _evaluated(render: Getter, literal: str) -> Template:
    try:
        value = render({})
    except Exception as error:  # a template may raise anything
        raise BadTemplate(f"the template fails: {str(error) or type(error).__name__}") from error
    return Template(lambda _: value, constant=True, literal=literal)


# Rendering


def _joined(tree: nodes.Template, binder: Binder, *, html: bool) -> Getter | None:
    """Return what fills columns into a text, where the template does no more than that: most do, and it is quick."""
    pattern, columns = [], []
    for output in tree.body:
        for node in output.nodes if isinstance(output, nodes.Output) else [None]:
            if isinstance(node, nodes.TemplateData):
                pattern.append(node.data.replace("%", "%%"))
            elif isinstance(node, nodes.Name) and node.name in binder.direct:
                pattern.append("%s")
                columns.append(binder.direct[node.name])
            else:
                return None
    return (
        _filled("".join(pattern), columns, environment(html=True).filters["escape"] if html else str)
        if columns
        else None
    )


def _filled(pattern: str, columns: list[str], form: Callable[[Any], str]) -> Getter:
    if len(columns) == 1:
        column, plain = columns[0], form is str

        def fill_one(cells: Cells) -> str:
            value = cells[column]
            return pattern % (value if plain and type(value) is str else str(form(text_of(value))))

        return fill_one
    read: Callable[[Cells], tuple[Any, ...]] = itemgetter(*columns)

    def fill(cells: Cells) -> str:
        values = read(cells)
        if form is not str or {*map(type, values)} != _TEXT:
            values = tuple(str(form(text_of(value))) for value in values)
        return pattern % values

    return fill


def _as_text(jinja: Environment, tree: nodes.Template, binder: Binder) -> Getter:
    template, bound = jinja.from_string(tree), tuple(binder.bound.items())
    body = template.root_render_func

    def render(cells: Cells) -> str:
        return "".join(body(template.new_context({name: get(cells) for name, get in bound}, shared=True)))

    return render


def _as_value(jinja: Environment, expression: nodes.Expr, binder: Binder) -> Getter:
    # As jinja2's `compile_expression` does it, but from a tree whose names are bound.
    tree = nodes.Template([nodes.Assign(nodes.Name("_value_", "store"), expression, lineno=1)], lineno=1)
    template, bound = jinja.from_string(tree), tuple(binder.bound.items())

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
