"""Compiles a table of the campaign.

What no row can change is brought to form and checked there and then, with UNKNOWN in place of the rest, so
that its trouble is an error of the campaign and not of every row. For a row only those members that hold a
template are rendered and brought to form.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from bulk.model import Parameters, digest
from bulk.operations import UNKNOWN, Operation, Part, Shape
from bulk.request.blank import is_blank
from bulk.request.table import CompiledTable, Rendering, completed, entries_of, rendering
from bulk.request.template import BadTemplate, Template, compile_template, is_template, whole_row_in_text
from bulk.text.columns import Columns

IN_TURN = frozenset({"UserInfo.UserId"})
"""Members that the campaign may give as a list, used in turn: each row that is written to takes the next."""

RESOURCES = frozenset({"UserInfo", "TemplatedMessageConfig", "InitialTemplatedSystemMessage", "SourceEndpoint"})
"""Members that name a resource of the instance, beside those called …Id."""

_FREE = frozenset({"Attributes", "SegmentAttributes", "References", "CustomAttributes"})  # their keys are anybody's
_NOTHING = Part(UNKNOWN, lambda _: UNKNOWN)  # in place of what cannot be read
_ANY = Shape()


class TableCompiler:
    """Reads one table of the campaign, and gathers what is wrong with it.

    `texts` has the templates of the members whose paths are `shown` to a person.
    """

    def __init__(
        self, table: str, operation: Operation, *, columns: Columns, destined: str | None, shown: Collection[str] = ()
    ) -> None:
        self.table = table
        self.operation = operation
        self.faults: list[str] = []
        self.used: set[str] = set()
        self.digests: dict[str, str] = {}
        self.names_resources = False
        self.turns = 1
        self.destination: Template | None = None
        self.texts: dict[str, Template] = {}
        self._columns = columns
        self._destined = destined
        self._shown = shown

    def compile(self, written: Mapping[str, Any], later: Collection[str]) -> CompiledTable:
        """Compile the table, and check all of it that no row can change."""
        members = {
            name: self._part(value, name, self.operation.shape.inside(name) or _ANY)
            for name, value in _spoken(written).items()
        }
        draft = completed(self.operation.coerce({name: part.draft for name, part in members.items()}))
        unknown = dict.fromkeys(later, UNKNOWN)
        for trouble in self.operation.check({**draft, **unknown}):
            self._fault(trouble.path, trouble.message)
        self._check_alike(draft)
        fixed = {name: value for name, value in draft.items() if name not in members or members[name].constant}
        varying = {name: part for name, part in members.items() if not part.constant}
        quick = self.operation.builder(_with_source(varying, draft), fixed, draft, later=later)
        operation = self.operation.for_rows(fixed, {*_keys(written), *_headers(self._columns)})
        return CompiledTable(self.table, operation, fixed, varying, unknown, (lambda _: None) if self.faults else quick)

    def _check_alike(self, draft: Parameters) -> None:
        if draft.get("ClientToken", UNKNOWN) is not UNKNOWN:
            self._fault("ClientToken", "is the same for all rows, which makes them one message. Leave it out.")
        if draft.get("InstanceId") is UNKNOWN:
            self._fault("InstanceId", "is a template, but a run belongs to one instance. Write its id.")

    def _fault(self, path: str, message: str) -> None:
        self.faults.append(f"[{self.table}] {path}: {message}")

    def _part(self, value: Any, path: str, shape: Shape) -> Part:
        if isinstance(value, Mapping):
            return self._map(value, path, shape)
        if isinstance(value, (list, tuple)):
            return self._turns(value, path, shape) if path in IN_TURN else self._list(value, path, shape)
        return self._leaf(value, path, shape)

    def _leaf(self, value: Any, path: str, shape: Shape, *, html: bool = False) -> Part:
        self.digests[f"{self.table}.{path}"] = digest(value).hex()[:12]
        template = self._template(value, path, html=html)
        if template is None:
            return _NOTHING
        if template.whole and not shape.takes_maps:
            self._fault(path, whole_row_in_text(self._columns))
            return _NOTHING
        if path in self._shown:
            self._note_text(template, path, html=html)
        if path == self._destined:
            self.destination = template
            return Part(UNKNOWN, lambda recipient: recipient.destination)
        if template.constant:
            constant = template.render({})
            return Part(constant, lambda _: constant, constant=True)
        self._note_resource(path)
        return Part(UNKNOWN, rendering(template, path, value), read=template.render)

    def _template(self, value: Any, path: str, *, html: bool = False) -> Template | None:
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

    def _note_text(self, template: Template, path: str, *, html: bool) -> None:
        text = template.render({}) if template.constant else None
        if isinstance(text, str) and text and is_blank(text, html=html):
            self._fault(path, "is blank: whoever gets it would see nothing. Write a text.")
        self.texts[path] = template

    def _note_resource(self, path: str) -> None:
        names = set(path.split(".")) - {"InstanceId"}
        if not names & _FREE:
            self.names_resources |= bool(names & RESOURCES) or any(name.endswith("Id") for name in names)

    def _map(self, written: Mapping[str, Any], path: str, shape: Shape) -> Part:
        parts = {
            str(name): self._part(value, f"{path}.{name}", shape.inside(str(name)) or _ANY)
            for name, value in written.items()
            if name != "Body"
        }
        if "Body" in written:
            body = shape.inside("Body") or _ANY
            parts["Body"] = self._body(written["Body"], f"{path}.Body", body, parts.get("ContentType"))
        if shape.takes_maps and any(map(is_template, parts)):
            return self._keyed(parts, path)
        draft = {name: part.draft for name, part in parts.items()}
        if all(part.constant for part in parts.values()):
            return Part(draft, lambda _: draft, constant=True)
        renders = tuple((name, part.render) for name, part in parts.items())
        return Part(draft, lambda recipient: {name: render(recipient) for name, render in renders}, inner=parts)

    def _keyed(self, parts: Mapping[str, Part], path: str) -> Part:
        """Read a map of which some keys are templates: a row decides which entries there are."""
        entries: list[tuple[Rendering, Rendering]] = []
        for name, part in parts.items():
            template = self._template(name, f"{path}.{name}")
            if template is not None and template.whole:
                self._fault(f"{path}.{name}", whole_row_in_text(self._columns))
            elif template is not None:
                entries.append((rendering(template, path, name), part.render))
        return Part(UNKNOWN, lambda recipient: entries_of(entries, recipient, path))

    def _body(self, value: Any, path: str, shape: Shape, kind: Part | None) -> Part:
        """Read a body, escaped where it is HTML, which a row may decide."""
        if kind is None or kind.constant or not isinstance(value, str):
            return self._leaf(value, path, shape, html=kind is not None and kind.draft == "text/html")
        escaped, plain = self._leaf(value, path, shape, html=True), self._leaf(value, path, shape)
        return Part(
            plain.draft,
            lambda recipient: (escaped if kind.render(recipient) == "text/html" else plain).render(recipient),
            plain.constant,
        )

    def _list(self, written: Sequence[Any], path: str, shape: Shape) -> Part:
        parts = [self._part(value, f"{path}[{at}]", shape.inside("") or _ANY) for at, value in enumerate(written)]
        draft = [part.draft for part in parts]
        if all(part.constant for part in parts):
            return Part(draft, lambda _: draft, constant=True)
        renders = [part.render for part in parts]
        return Part(draft, lambda recipient: [render(recipient) for render in renders], inner=parts)

    def _turns(self, written: Sequence[Any], path: str, shape: Shape) -> Part:
        """Read a list of which each row takes the next: by its place in the list, where it has no turn of its own."""
        given = [value for value in written if value is not None and value != ""]
        parts = [self._leaf(value, f"{path}[{at}]", shape) for at, value in enumerate(given)]
        if len(parts) < 2:
            return parts[0] if parts else Part(None, lambda _: None, constant=True)
        self._check_turns(parts, path)
        self.names_resources = True
        self.turns = math.lcm(self.turns, len(parts))
        return Part(UNKNOWN, lambda recipient: parts[recipient.row % len(parts)].render(recipient))

    def _check_turns(self, parts: Sequence[Part], path: str) -> None:
        outer, _, inner = path.partition(".")
        for at, part in enumerate(parts):
            for trouble in self.operation.check(self.operation.coerce({outer: {inner: part.draft}})):
                if trouble.path == path:
                    self._fault(f"{path}[{at}]", trouble.message)


def _spoken(written: Mapping[str, Any]) -> Mapping[str, Any]:
    """Leave out an initial message of which only the type is there: it is the channel's default, for nothing."""
    message = written.get("InitialSystemMessage")
    silent = isinstance(message, Mapping) and message.get("Content") in ("", None)
    return {name: value for name, value in written.items() if not (silent and name == "InitialSystemMessage")}


def _with_source(varying: Mapping[str, Part], draft: Parameters) -> Mapping[str, Part]:
    """Add the source of an email's message where it is the same in every row that is sound."""
    part, message = varying.get("EmailMessage"), draft.get("EmailMessage")
    if part is None or not isinstance(part.inner, Mapping) or not isinstance(message, Mapping):
        return varying
    source = message.get("MessageSourceType", UNKNOWN)
    if "MessageSourceType" in part.inner or source is UNKNOWN:
        return varying
    inner = {**part.inner, "MessageSourceType": Part(source, lambda _: source, constant=True)}
    return {**varying, "EmailMessage": Part(part.draft, part.render, inner=inner)}


def _keys(value: Any) -> Iterator[str]:
    """Yield the keys that a campaign writes, however deep."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield str(name)
            yield from _keys(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _keys(item)


def _headers(columns: Columns) -> Iterator[str]:
    for name in columns.names:
        yield name
        yield from name.split(".")
