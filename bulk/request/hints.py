"""Hints for template syntax that Jinja cannot read, or reads differently than meant."""

import re
import unicodedata

from bulk.text.columns import Ambiguous, Columns

_PLACEHOLDER = re.compile(r"\{\{([^{}]*)\}\}")
_PATH = re.compile(r"[^\W\d]\w*(?:\.\w+)*")
_WORDS = re.compile(r"\w+(?:[^\w|{}()\[\]'\"]+\w+)+")
_RESERVED = frozenset(
    ["and", "else", "false", "if", "in", "is", "loop", "none", "not", "or", "row", "self", "super", "true"]
)


def missing(columns: Columns, name: str) -> str:
    """Return a sentence that the list has no such column, and which one comes nearest."""
    near = columns.nearest(name)
    listed = f"{', '.join(columns.names[:20])}{', …' if len(columns.names) > 20 else ''}"
    return f"the list has no column {name!r}. " + (f"Did you mean {near!r}?" if near else f"It has: {listed}.")


def misnamed(text: str, columns: Columns) -> list[str]:
    """Return a sentence for each placeholder that names a column as no template can, such as `{{First Name}}`."""
    said = []
    for inside in _PLACEHOLDER.findall(text):
        name = inside.strip("-+ \t\r\n").partition("|")[0].strip()
        if _PATH.fullmatch(name):
            continue
        column = found(name, columns)
        if column is not None:
            said.append(f"{{{{{inside}}}}} does not name a column: write {placeholder(column, columns)}.")
        elif _WORDS.fullmatch(name) and " " in name and not _RESERVED & set(name.split()):
            said.append(f"{{{{{inside}}}}} does not name a column: {missing(columns, name)}")
    return list(dict.fromkeys(said))


def found(name: str, columns: Columns) -> str | None:
    """Return the column of that name, None where there is none, or where it could be several."""
    try:
        return columns.find(name)
    except Ambiguous:
        return None


def placeholder(column: str, columns: Columns) -> str:
    """Write a column as a template names it: `{{ first_name }}`, or `{{ row["2nd name"] }}` where it has to be so."""
    parts = unicodedata.normalize("NFKC", column).casefold().split(".")
    name = ".".join("_".join(re.findall(r"[^\W_]+", part)) for part in parts)
    usable = all(part.isidentifier() for part in name.split(".")) and name not in _RESERVED
    if usable and found(name, columns) == column:
        return f"{{{{ {name} }}}}"
    quoted = column.replace("\\", "\\\\").replace('"', '\\"')
    return f'{{{{ row["{quoted}"] }}}}'


def unbalanced(text: str) -> str | None:
    """Return a sentence where a placeholder is opened and not closed as it should be, None where all are."""
    if text.count("{{") == text.count("}}"):
        return None
    return "{{ and }} stand in pairs around a name, as in {{ first_name }}."
