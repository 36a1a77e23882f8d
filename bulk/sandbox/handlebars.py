"""The language of message templates: Handlebars, as far as messages use it.

Administrator Guide, "Use message template helpers": variables, `#if`, `#unless`, `#each` with `else`, comments. A
helper that formats (`formatDate`, …) is not known here: it stays as written and is named as missing, like a variable
without a value ("RenderMessageTemplate": the placeholder is kept, and its key returned).
"""

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

_MARK = re.compile(
    r"\{\{\{\s*(?P<plain>[^{}]+?)\s*\}\}\}|\{\{!--.*?--\}\}|\{\{!.*?\}\}|\{\{\s*(?P<tag>[^{}]+?)\s*\}\}", re.DOTALL
)
_MOST_ITEMS = 15  # of a list that `#each` goes through
_BLOCKS = ("if", "unless", "each")

Lookup = Callable[[str], Any]
"""The value of a path such as `Attributes.Customer.FirstName`; None where there is none."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A placeholder as written, and the path in it; `None` where it is no path."""

    written: str
    path: str | None
    escaped: bool = True


@dataclass(slots=True)
class Block:
    """`{{#kind path}}then{{else}}otherwise{{/kind}}`."""

    kind: str
    path: str
    then: "list[Part]" = field(default_factory=list)
    otherwise: "list[Part]" = field(default_factory=list)


Part = str | Variable | Block


def parse(text: str) -> list[Part]:
    """Read a template's text. Raise `ValueError` where a block is not closed, or closed twice."""
    root: list[Part] = []
    into, open_blocks, end = root, list[tuple[Block, list[Part]]](), 0
    for mark in _MARK.finditer(text):
        into.append(text[end : mark.start()])
        end = mark.end()
        tag = mark["tag"]
        if mark["plain"] is not None:
            into.append(_variable(mark[0], mark["plain"], escaped=False))
        elif tag is not None and tag.startswith("#"):
            block = _block(tag)
            into.append(block)
            open_blocks.append((block, into))
            into = block.then
        elif tag in {"else", "^"} and open_blocks:
            into = open_blocks[-1][0].otherwise
        elif tag is not None and tag.startswith("/"):
            into = _closed(tag[1:].strip(), open_blocks)
        elif tag is not None:
            into.append(_variable(mark[0], tag))
    if open_blocks:
        raise ValueError(f"{{{{#{open_blocks[-1][0].kind}}}}} is not closed")
    into.append(text[end:])
    return root


def _variable(written: str, path: str, *, escaped: bool = True) -> Variable:
    return Variable(written, path.removeprefix("&").strip() if len(path.split()) == 1 else None, escaped)


def _block(tag: str) -> Block:
    kind, _, path = tag[1:].strip().partition(" ")
    if kind not in _BLOCKS:
        raise ValueError(f"{{{{#{kind}}}}} is not known here; there are {', '.join(f'#{one}' for one in _BLOCKS)}")
    return Block(kind, path.strip())


def _closed(kind: str, open_blocks: list[tuple[Block, list[Part]]]) -> list[Part]:
    if not open_blocks or open_blocks[-1][0].kind != kind:
        raise ValueError(f"{{{{/{kind}}}}} closes nothing that is open")
    return open_blocks.pop()[1]


def paths(parts: list[Part]) -> Iterator[str]:
    """Yield the path, or the whole placeholder, of everything that wants a value, in the order of the text."""
    for part in parts:
        if isinstance(part, Variable):
            yield part.path or part.written
        elif isinstance(part, Block):
            yield part.path
            yield from paths(part.then)
            yield from paths(part.otherwise)


def render(parts: list[Part], look_up: Lookup, *, escaped: bool, missing: list[str]) -> str:
    """Put values in; what has none stays as written, and its path is added to `missing`."""
    return "".join(_rendered(part, look_up, escaped=escaped, missing=missing) for part in parts)


def _rendered(part: Part, look_up: Lookup, *, escaped: bool, missing: list[str]) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, Block):
        return _chosen(part, look_up, escaped=escaped, missing=missing)
    value = None if part.path is None else look_up(part.path)
    if value is None:
        missing.append(part.path or part.written)
        return part.written
    text = str(value)
    return html.escape(text) if escaped and part.escaped else text


def _chosen(block: Block, look_up: Lookup, *, escaped: bool, missing: list[str]) -> str:
    value = look_up(block.path)
    if block.kind == "each" and isinstance(value, list) and value:
        items = enumerate(value[:_MOST_ITEMS])
        return "".join(
            render(block.then, _within(look_up, item, index), escaped=escaped, missing=missing) for index, item in items
        )
    met = bool(value) and block.kind != "each"
    parts = block.then if met != (block.kind == "unless") else block.otherwise
    return render(parts, look_up, escaped=escaped, missing=missing)


def _within(look_up: Lookup, item: Any, index: int) -> Lookup:
    def look(path: str) -> Any:
        if path == "@index":
            return index
        name = path.removeprefix("this.")
        if path == "this":
            return item
        return item[name] if isinstance(item, dict) and name in item else look_up(path)

    return look
