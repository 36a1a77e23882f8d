"""The texts of a request that a person will read: found when the campaign is compiled, refused if blank."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_letters, digits
from typing import Any

from bulk.model import Parameters, Refusal
from bulk.request import placeholders
from bulk.request.blank import is_blank
from bulk.request.template import Template
from bulk.text.columns import Columns
from bulk.text.segments import parts

_SEEN = frozenset(ascii_letters + digits)

REQUEST = "request"
"""The table whose operation carries the message."""


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of a request by dotted path. `notes` say what in them would surprise who reads it."""

    paths: Mapping[str, tuple[str, ...]]
    columns: Mapping[str, frozenset[str]]
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, paths: Sequence[str], templates: Mapping[str, Template], columns: Columns) -> "Texts":
        """Return the texts that are found in these places, whether the campaign writes them there or not."""
        notes = [
            f"[{REQUEST}] {path} {note}"
            for path, template in templates.items()
            for note in placeholders.notes(template.literal, columns)
        ]
        return cls(
            {path: tuple(path.split(".")) for path in paths},
            {path: template.columns for path, template in templates.items()},
            tuple(notes),
        )

    def of_row(self, request: Parameters) -> dict[str, Any]:
        """Return the texts of a row's request, by their paths."""
        found = {}
        for path, steps in self.paths.items():
            value: Any = request
            try:
                for name in steps:
                    value = value[name]
            except (KeyError, TypeError):
                continue
            found[path] = value
        return found

    def segments(self, request: Parameters) -> int:
        """Return how many SMS segments a row's request sends: one where its text is not ours."""
        return sum(map(parts, self.of_row(request).values())) or 1

    def refusal(self, request: Parameters) -> Refusal | None:
        """Refuse a row that would get a text of which nothing is seen."""
        for path, steps in self.paths.items():
            text: Any = request
            try:
                for name in steps:
                    text = text[name]
            except (KeyError, TypeError):
                continue
            if type(text) is not str or text[:1] in _SEEN:  # most begin with a letter
                continue
            if is_blank(text, html=path.endswith(".Body") and self._is_html(request, path)):
                named = ", ".join(sorted(self.columns.get(path, ())))
                why = f"is blank: nothing of it would be seen. Fill in {named or 'the row'}, or write words beside it."
                return Refusal("blank_message", f"[{REQUEST}] {path}: {why}")
        return None

    def _is_html(self, request: Parameters, path: str) -> bool:
        message: Any = request
        for name in self.paths[path][:-1]:
            message = message[name]
        return bool(message.get("ContentType") == "text/html")
