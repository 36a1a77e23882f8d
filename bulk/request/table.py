"""One compiled table of the campaign: it gives the parameters of one operation for a row.

Two ways lead there. The quick one is compiled from the table and the shapes of its members (`operations.builder`); it
gives up where anything may be wrong. Then the row is rendered, brought to form and checked member by member, which
knows what is wrong and how to say it. For a row without trouble both come to the same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bulk.model import Parameters, Recipient
from bulk.operations import UNKNOWN, Build, Operation, Part, Violation
from bulk.request.failures import confidential
from bulk.request.template import Template

Rendering = Callable[[Recipient], Any]

SOURCES = {"RawMessage": "RAW", "TemplatedMessageConfig": "TEMPLATE"}


class TemplateFailed(Exception):
    """A template failed on a row. The text holds nothing of a cell."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: the template failed: {why}")


@dataclass(frozen=True, slots=True)
class CompiledTable:
    """How one operation's parameters come about. `later` are members that the channel supplies."""

    table: str
    operation: Operation
    fixed: Parameters
    varying: Mapping[str, Part]
    later: Parameters
    quick: Build

    def build(self, recipient: Recipient) -> tuple[dict[str, Any], Sequence[Violation]]:
        """Return a row's parameters, and the troubles with them. Raise `TemplateFailed`."""
        try:
            parameters = self.quick(recipient)
        except Exception:  # noqa: BLE001 - a template may raise anything: the plain way says what
            parameters = None
        return (parameters, ()) if parameters is not None else self.plain(recipient)

    def plain(self, recipient: Recipient) -> tuple[dict[str, Any], Sequence[Violation]]:
        """Return the same the long way, which knows what is wrong."""
        rendered = {name: part.render(recipient) for name, part in self.varying.items()}
        parameters = {**self.fixed, **completed(self.operation.coerce(rendered))}
        checked = {**parameters, **self.later} if self.later else parameters
        return parameters, self.operation.check(checked)


def completed(parameters: dict[str, Any]) -> dict[str, Any]:
    """Add the source of an email's message by what is present, where the campaign does not say it."""
    message = parameters.get("EmailMessage")
    if isinstance(message, dict) and "MessageSourceType" not in message:
        present = [source for part, source in SOURCES.items() if part in message]
        if present:
            message["MessageSourceType"] = present[0] if len(present) == 1 else UNKNOWN
    return parameters


def rendering(template: Template, path: str, text: str) -> Rendering:
    """Return what renders a template for a recipient. It raises `TemplateFailed`; `text` is the template itself."""
    render = template.render

    def rendered(recipient: Recipient) -> Any:
        try:
            return render(recipient.cells)
        except Exception as error:  # a template may raise anything
            raise TemplateFailed(path, confidential(error, text, recipient.cells)) from error

    return rendered


def entries_of(entries: Sequence[tuple[Rendering, Rendering]], recipient: Recipient, path: str) -> dict[str, Any]:
    """Return the entries of a map whose keys are rendered. Raise `TemplateFailed` where they are of no use as keys."""
    found: dict[str, Any] = {}
    for name_of, render in entries:
        name, value = name_of(recipient), render(recipient)
        text = "" if name is None else str(name)
        if text in found:
            raise TemplateFailed(path, "two of its keys are the same")
        if text:
            found[text] = value
        elif value not in ("", None):
            raise TemplateFailed(path, "a key is empty")
    return found
