"""Jinja's environment for templates: sandboxed, strict, without clock, randomness, or other templates."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import StrictUndefined
from jinja2.defaults import DEFAULT_NAMESPACE
from jinja2.sandbox import ImmutableSandboxedEnvironment, safe_range

from bulk.text.cells import text_of
from bulk.text.columns import fold

FUNCTIONS: Mapping[str, Any] = {
    "range": safe_range,
    **{name: DEFAULT_NAMESPACE[name] for name in ("dict", "namespace", "cycler", "joiner")},
}


class WholeRow(dict[str, Any]):
    """A whole row, as `row` gives it: a map, and no text."""

    def __str__(self) -> str:
        raise TypeError("`row` is the whole row and no text: name one of its columns")

    __repr__ = __str__


class Environment(ImmutableSandboxedEnvironment):
    """The environment of every template."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Read a map's own entry before its methods, and without regard to case or separators."""
        if isinstance(obj, Mapping):
            if attribute in obj:
                return obj[attribute]
            for name in obj:
                if isinstance(name, str) and fold(name) == fold(attribute):
                    return obj[name]
        return super().getattr(obj, attribute)


def written(value: Any) -> str:
    """Return a value as it is put into a text. Raise where the whole row is somewhere in it: its `repr` does."""
    if isinstance(value, list | tuple | dict):
        repr(value)
    return text_of(value)


@cache
def environment(*, html: bool) -> Environment:
    """Return the environment, which escapes where it is for `html`."""
    made = Environment(undefined=StrictUndefined, finalize=written, autoescape=html, keep_trailing_newline=True)
    made.globals.clear()
    del made.filters["random"]
    return made
