"""Binds the names in a template to columns of the list when the template is compiled."""

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any

from jinja2 import meta, nodes
from jinja2.visitor import NodeTransformer

from bulk.model import Cells
from bulk.request.environment import FUNCTIONS, WholeRow
from bulk.request.hints import missing
from bulk.text.columns import Ambiguous, Columns

Getter = Callable[[Cells], Any]

ROW = "row"
_WHOLE = "_row_"  # the variable that holds the whole row, whether or not there is a column of its name


class Binder(NodeTransformer):
    """Binds the free names of a template, and the paths that begin with one, to columns of the list.

    `bound` has what reads each variable, `direct` the column of those that are one, `used` the columns that are read.
    """

    def __init__(self, columns: Columns, tree: nodes.Template) -> None:
        self._columns = columns
        self._free = meta.find_undeclared_variables(tree)
        self._assigned = {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"}
        self._called: list[nodes.Node] = []
        self.bound: dict[str, Getter] = {}
        self.direct: dict[str, str] = {}
        self.used: set[str] = set()
        self.faults: list[str] = []

    def is_whole(self, node: nodes.Node) -> bool:
        """Whether a node is the whole row."""
        return isinstance(node, nodes.Name) and node.name == _WHOLE

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802 - jinja2's visitor asks for this name
        self._called.append(node.node)
        return self.generic_visit(node)

    def _is_called(self, node: nodes.Node) -> bool:
        return any(node is called for called in self._called)

    def visit_Name(self, node: nodes.Name) -> Any:  # noqa: N802 - likewise
        if node.ctx != "load" or node.name not in self._free:
            return node
        if node.name == ROW and not self._columns.alike(ROW):
            return self._whole_row(node)
        if node.name in FUNCTIONS and self._is_called(node):
            function = FUNCTIONS[node.name]
            self.bound[node.name] = lambda _: function
            return node
        return self._bind([node], [node.name])

    def visit_Getattr(self, node: nodes.Getattr | nodes.Getitem) -> Any:  # noqa: N802 - likewise
        chain, path = self._path(node)
        if path:
            return self._bind(chain, path)
        if isinstance(node, nodes.Getitem) and self._is_row(node.node) and not isinstance(node.arg, nodes.Const):
            node.node = self._whole_row(node.node)  # row[name]: any column
        return self.generic_visit(node)

    visit_Getitem = visit_Getattr  # noqa: N815 - likewise

    def _is_row(self, node: nodes.Node) -> bool:
        return isinstance(node, nodes.Name) and node.name == ROW and ROW in self._free - self._assigned

    def _whole_row(self, node: nodes.Node) -> nodes.Name:
        self.bound[_WHOLE] = WholeRow
        self.used.update(self._columns.names)
        return nodes.Name(_WHOLE, "load", lineno=node.lineno)

    def _path(self, node: Any) -> tuple[list[Any], list[str]]:
        """Return the nodes of a path of constant names, outermost first, and the names; else nothing."""
        chain: list[Any] = []
        path: list[Any] = []
        while isinstance(node, (nodes.Getattr, nodes.Getitem)) and not self._is_called(node):
            path.insert(0, node.attr if isinstance(node, nodes.Getattr) else getattr(node.arg, "value", None))
            chain.append(node)
            node = node.node
        known = isinstance(node, nodes.Name) and node.name in self._free - self._assigned
        if not known or not path or not all(isinstance(part, str) for part in path):
            return [], []
        return [*chain, node], [node.name, *path]

    def _bind(self, chain: list[Any], path: list[str]) -> Any:
        """Bind the longest beginning of a path that the list knows; what follows reads inside its value.

        What follows `row` is a column, unless the list has none of that name and a column called `row`.
        """
        tried = [path[1:], path] if path[0] == ROW and len(path) > 1 else [path]
        try:
            for names in tried:
                if found := self._found(chain, names):
                    return found
            self.faults.append(missing(self._columns, ".".join(tried[0])))
        except Ambiguous as error:
            choice = " or ".join(f'row["{column}"]' for column in error.choices)
            self.faults.append(f"{error.name!r} could be any of {len(error.choices)} columns: write {choice}.")
        return chain[0]

    def _found(self, chain: list[Any], path: list[str]) -> Any:
        for dropped in range(len(path)):
            name = ".".join(path[: len(path) - dropped])
            if column := self._columns.find(name):
                return self._put(chain, dropped, itemgetter(column), [column])
            if not dropped and (members := self._columns.below(name)):
                return self._put(chain, dropped, _nested(members), [*members.values()])
        return None

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
