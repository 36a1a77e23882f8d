#!/usr/bin/env python3
"""Write the exports' table in docs/lists.md: `.venv/bin/python scripts/make_list_docs.py`, after a change of data."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DATA = ROOT / "bulk" / "loader" / "exports.toml"
PAGE = ROOT / "docs" / "lists.md"
BEGIN, END = "<!-- written by scripts/make_list_docs.py -->\n", "<!-- end -->\n"

_ASKS = {"opt_out": "not a clear no", "consent": "not a clear yes", "filled": "filled in"}
_KINDS = {"email": "email", "phone": "sms", "whatsapp": "whatsapp"}


def table() -> str:
    """Return the table."""
    entries = tomllib.loads(DATA.read_text("utf-8"))["export"]
    lines = ["| Export | Destination | Rows left out (`skipped`) | Headers written down in |", "|---|---|---|---|"]
    for entry in entries:
        if entry["name"]:
            cells = (entry["name"], _destinations(entry), "; ".join(_rules(entry)) or "–", entry["source"])
            lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def _destinations(entry: Mapping[str, Any]) -> str:
    first = [entry[kind][0] for kind in ("email", "phone") if entry.get(kind)]
    return ", ".join(f"`{column}`" for column in dict.fromkeys(first))


def _rules(entry: Mapping[str, Any]) -> Iterator[str]:
    if "channel" in entry:
        yield f"`other_channel`: `{entry['channel']['column']}` is not the campaign's"
    columns: dict[tuple[str, ...], list[str]] = {}
    for rule in entry.get("leave_out", ()):
        values = " or ".join(f"`{value}`" for value in rule.get("values", ()))
        asks = _ASKS.get(rule.get("asks", "opt_out"), values)
        kinds = ", ".join(_KINDS[kind] for kind in rule.get("kinds", ()))
        columns.setdefault((rule.get("code", "opted_out"), asks, kinds), []).append(f"`{rule['column']}`")
    for (code, asks, kinds), names in columns.items():
        yield f"`{code}`: {', '.join(names)} {asks}{f' ({kinds})' if kinds else ''}"


def page() -> str:
    """Return the page with the table as it should be."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
