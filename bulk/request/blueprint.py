"""One table of the campaign, compiled.

What no row can change is brought to form and checked there and then, with UNKNOWN in place of the rest, so
that its trouble is an error of the campaign and not of every row. For a row only those members that hold a
template are rendered and brought to form.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bulk.api import UNKNOWN, Operation, Trouble, operation
from bulk.model import Parameters, Recipient, digest
from bulk.request.columns import Columns
from bulk.request.template import BadTemplate, Template, compile_template

Render = Callable[[Recipient], Any]

IN_TURN = frozenset({"UserInfo.UserId"})
"""Members that the campaign may give as a list, used in turn: each row takes the next, and keeps it."""

RESOURCES = frozenset({"UserInfo", "TemplatedMessageConfig", "InitialTemplatedSystemMessage", "SourceEndpoint"})
"""Members that name a resource of the instance, beside those called …Id."""

_FREE = frozenset({"Attributes", "SegmentAttributes", "References", "CustomAttributes"})  # their keys are anybody's


class TemplateFailed(Exception):
    def __init__(self, path: str, error: Exception) -> None:
        super().__init__(f"{path}: the template failed: {str(error) or type(error).__name__}")


@dataclass(frozen=True, slots=True)
class _Node:
    """One part of the parameters: its value, UNKNOWN where a row decides, and how a row does."""

    draft: Any
    render: Render
    constant: bool = False


@dataclass(frozen=True, slots=True)
class Blueprint:
    """How one operation's parameters come about. `later` are members that the channel supplies."""

    table: str
    operation: Operation
    fixed: Parameters
    varying: Mapping[str, Render]
    later: Parameters

    def build(self, recipient: Recipient) -> tuple[dict[str, Any], Sequence[Trouble]]:
        """Give a row's parameters, and the troubles with them."""
        rendered = {name: render(recipient) for name, render in self.varying.items()}
        parameters = {**self.fixed, **_completed(self.operation.coerce(rendered))}
        checked = {**parameters, **self.later} if self.later else parameters
        return parameters, self.operation.check(checked)


def _completed(parameters: dict[str, Any]) -> dict[str, Any]:
    """Tell the source of an email's message by what is present, where the campaign does not."""
    message = parameters.get("EmailMessage")
    if isinstance(message, dict) and "MessageSourceType" not in message:
        parts = {"RawMessage": "RAW", "TemplatedMessageConfig": "TEMPLATE"}
        present = [source for part, source in parts.items() if part in message]
        if present:
            message["MessageSourceType"] = present[0] if len(present) == 1 else UNKNOWN
    return parameters


def _spoken(written: Mapping[str, Any]) -> Mapping[str, Any]:
    """Leave out an initial message of which only the type is there: it is the channel's default, for nothing."""
    message = written.get("InitialSystemMessage")
    silent = isinstance(message, Mapping) and message.get("Content") in ("", None)
    return {name: value for name, value in written.items() if not (silent and name == "InitialSystemMessage")}


class Reader:
    """Reads one table of the campaign, and gathers what is wrong with it."""

    def __init__(self, table: str, operation: Operation, *, columns: Columns, destined: str | None) -> None:
        self.table = table
        self.operation = operation
        self.faults: list[str] = []
        self.used: set[str] = set()
        self.digests: dict[str, str] = {}
        self.names_resources = False
        self.takes_turns = False
        self.destination: Template | None = None
        self._columns = columns
        self._destined = destined

    def blueprint(self, written: Mapping[str, Any], later: Collection[str]) -> Blueprint:
        """Compile the table, and check all of it that no row can change."""
        members = {name: self._node(value, name) for name, value in _spoken(written).items()}
        draft = _completed(self.operation.coerce({name: node.draft for name, node in members.items()}))
        unknown = dict.fromkeys(later, UNKNOWN)
        for trouble in self.operation.check({**draft, **unknown}):
            self._fault(trouble.path, trouble.message)
        self._check_alike(draft)
        fixed = {name: value for name, value in draft.items() if name not in members or members[name].constant}
        varying = {name: node.render for name, node in members.items() if not node.constant}
        return Blueprint(self.table, operation(self.operation.name, frozenset(fixed)), fixed, varying, unknown)

    def _check_alike(self, draft: Parameters) -> None:
        if draft.get("ClientToken", UNKNOWN) is not UNKNOWN:
            self._fault("ClientToken", "is the same for all rows, which makes them one message. Leave it out.")
        if draft.get("InstanceId") is UNKNOWN:
            self._fault("InstanceId", "is a template, but a run belongs to one instance. Write its id.")

    def _fault(self, path: str, message: str) -> None:
        self.faults.append(f"[{self.table}] {path}: {message}")

    def _node(self, value: Any, path: str) -> _Node:
        if isinstance(value, Mapping):
            return self._map(value, path)
        if isinstance(value, (list, tuple)):
            return self._turns(value, path) if path in IN_TURN else self._list(value, path)
        return self._leaf(value, path)

    def _leaf(self, value: Any, path: str, *, html: bool = False) -> _Node:
        self.digests[f"{self.table}.{path}"] = digest(value).hex()[:12]
        template = self._template(value, path, html=html)
        if template is None:
            return _Node(UNKNOWN, lambda _: UNKNOWN)
        if path == self._destined:
            self.destination = template
            return _Node(UNKNOWN, lambda recipient: recipient.destination)
        if template.constant:
            constant = template.render({})
            return _Node(constant, lambda _: constant, constant=True)
        self._note_resource(path)
        return _Node(UNKNOWN, _rendering(template, path))

    def _template(self, value: Any, path: str, *, html: bool) -> Template | None:
        if not isinstance(value, str):
            return Template(lambda _: value, constant=True)
        try:
            template = compile_template(value, self._columns, html=html)
        except BadTemplate as error:
            for message in error.messages:
                self._fault(path, message)
            return None
        self.used |= template.columns
        return template

    def _note_resource(self, path: str) -> None:
        names = set(path.split(".")) - {"InstanceId"}
        if not names & _FREE:
            self.names_resources |= bool(names & RESOURCES) or any(name.endswith("Id") for name in names)

    def _map(self, written: Mapping[str, Any], path: str) -> _Node:
        nodes = {str(name): self._node(value, f"{path}.{name}") for name, value in written.items() if name != "Body"}
        if "Body" in written:
            nodes["Body"] = self._body(written["Body"], f"{path}.Body", nodes.get("ContentType"))
        draft = {name: node.draft for name, node in nodes.items()}
        if all(node.constant for node in nodes.values()):
            return _Node(draft, lambda _: draft, constant=True)
        parts = tuple((name, node.render) for name, node in nodes.items())
        return _Node(draft, lambda recipient: {name: render(recipient) for name, render in parts})

    def _body(self, value: Any, path: str, kind: _Node | None) -> _Node:
        """Read a body, escaped where it is HTML, which a row may decide."""
        if kind is None or kind.constant or not isinstance(value, str):
            return self._leaf(value, path, html=kind is not None and kind.draft == "text/html")
        plain, escaped = self._leaf(value, path), self._leaf(value, path, html=True)
        return _Node(
            plain.draft,
            lambda recipient: (escaped if kind.render(recipient) == "text/html" else plain).render(recipient),
            plain.constant,
        )

    def _list(self, written: Sequence[Any], path: str) -> _Node:
        nodes = [self._node(value, f"{path}[{at}]") for at, value in enumerate(written)]
        draft = [node.draft for node in nodes]
        if all(node.constant for node in nodes):
            return _Node(draft, lambda _: draft, constant=True)
        renders = [node.render for node in nodes]
        return _Node(draft, lambda recipient: [render(recipient) for render in renders])

    def _turns(self, written: Sequence[Any], path: str) -> _Node:
        """Read a list of which each row takes the next: by its place in the list, where it has no turn of its own."""
        given = [value for value in written if value is not None and value != ""]
        nodes = [self._leaf(value, f"{path}[{at}]") for at, value in enumerate(given)]
        if len(nodes) < 2:
            return nodes[0] if nodes else _Node(None, lambda _: None, constant=True)
        self._check_turns(nodes, path)
        self.names_resources = self.takes_turns = True
        return _Node(UNKNOWN, lambda recipient: nodes[recipient.row % len(nodes)].render(recipient))

    def _check_turns(self, nodes: Sequence[_Node], path: str) -> None:
        outer, _, inner = path.partition(".")
        for at, node in enumerate(nodes):
            for trouble in self.operation.check(self.operation.coerce({outer: {inner: node.draft}})):
                if trouble.path == path:
                    self._fault(f"{path}[{at}]", trouble.message)


def _rendering(template: Template, path: str) -> Render:
    render = template.render

    def rendered(recipient: Recipient) -> Any:
        try:
            return render(recipient.cells)
        except Exception as error:  # a template may raise anything
            raise TemplateFailed(path, error) from error

    return rendered
