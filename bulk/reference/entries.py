"""The entries for each key of a campaign and each code in the results, read from the tables of the pages."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bulk.reference.pages import pages
from bulk.text.plain import nearest

SHELF = "campaign", "codes"  # the pages whose tables are entries …
_HEADS = {"Key", "Code"}  # … where they begin so

_TABLE = re.compile(r"`\[([a-z_]+)\]`")
_CELL = re.compile(r"(?<!\\)\|")
_NAME = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a table of reference.

    `tables` are those of the campaign that have the key, empty at its top and for codes. `cells` are the other cells of
    the row by the heads of their columns.
    """

    name: str
    page: str
    section: str
    tables: tuple[str, ...]
    cells: dict[str, str]

    @property
    def full_name(self) -> str:
        """The name with its table, as a message writes it: `[list] key`."""
        return f"[{'], ['.join(self.tables)}] {self.name}" if self.tables else self.name

    @property
    def meaning(self) -> str:
        """What it means, in a sentence."""
        return next((self.cells[head] for head in ("Meaning", "Handling") if head in self.cells), "")


def entries() -> Iterator[Entry]:
    """Yield every entry, in the order of the pages."""
    known = pages()
    for page in SHELF:
        yield from _entries_in(page, known[page].read_text("utf-8"))


def names() -> list[str]:
    """Return all names there are, once each."""
    return list(dict.fromkeys(entry.name for entry in entries()))


def entries_of(word: str) -> tuple[list[Entry], str | None]:
    """Return what is said of a key or code, such as `key`, `list.key`, `[list] key` or `expired`.

    Where nothing is, the second value is the nearest name that is known.
    """
    *tables, name = re.sub(r"[\[\]]", " ", word).replace(".", " ").split() or [""]
    known = list(entries())
    found = [one for one in known if one.name.casefold() == name.casefold() and set(tables) <= set(one.tables)]
    if not found and not tables:
        found = [one for one in known if name in one.tables]
    return found, None if found else nearest(name, [one.name for one in known])


def _entries_in(page: str, text: str) -> Iterator[Entry]:
    section, heads = "", [""]
    for line in text.splitlines():
        if line.startswith("## "):
            section, heads = line[3:].strip(), [""]
        cells = [cell.strip() for cell in _CELL.split(line)[1:-1]] if line.startswith("|") else []
        if not cells:
            heads = [""]
        elif heads == [""]:
            heads = cells
        elif (heads[0] in _HEADS or heads[-1] == "Errors") and not set(line) <= set("|- :"):
            yield from _entries_of_row(page, section, heads, cells)


def _entries_of_row(page: str, section: str, heads: list[str], cells: list[str]) -> Iterator[Entry]:
    """Yield the entries of one row. Of the service's errors, the names stand in the last cell."""
    named = cells[-1] if heads[-1] == "Errors" else cells[0]
    said = dict(zip(heads, cells, strict=False))
    for name in _NAME.findall(named):
        yield Entry(name, page, section, tuple(_TABLE.findall(section)), {h: c for h, c in said.items() if c != named})
