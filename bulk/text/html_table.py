"""A small table for a notebook: everything is escaped, and addresses and phone numbers are masked."""

import html
from collections.abc import Iterable, Mapping, Sequence

from bulk.text.outside import outside_text

_LEFT = "style='text-align:left'"
MANY = 20  # rows that are shown


def facts_table(title: str, facts: Mapping[str, object]) -> str:
    """Return a table of names and values; a value that is None or empty is left out."""
    rows = [
        f"<tr><th {_LEFT}>{cell(name)}</th><td {_LEFT}>{cell(value)}</td></tr>"
        for name, value in facts.items()
        if value not in (None, "", [], {}, ())
    ]
    return f"<table><caption {_LEFT}>{cell(title)}</caption>{''.join(rows)}</table>"


def rows_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table with a head; of many rows the first ones, and how many there are besides."""
    given = list(rows)
    head = "".join(f"<th {_LEFT}>{cell(name)}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(f'<td {_LEFT}>{cell(one)}</td>' for one in row)}</tr>" for row in given[:MANY])
    more = f"<p>and {len(given) - MANY:,} more</p>" if len(given) > MANY else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}" if given else ""


def cell(value: object) -> str:
    """Return a value as text of HTML: a list with commas, numbers grouped, text masked."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return ", ".join(f"{cell(name)}: {cell(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(map(cell, value))
    return html.escape(outside_text(value))
