"""The end of a run as text: the first rows as a table, and the problems by reason. Values in, text out."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bulk.model import mask
from bulk.text.plain import plain

if TYPE_CHECKING:
    from bulk.reports import Reason
    from bulk.run.results import ResultsPreview

WIDTH = 100  # columns, where no terminal is narrower
REASONS = 5  # shown at the end of a run; the results have them all
HEADER = "key", "destination", "status", "contact id, or why not"
WIDTHS = 7, 16, 22, 8  # columns of the first cells at most; the last has the rest
GAP = 2  # spaces between two cells
_DIGITS = 7  # of a key that may be a phone number


def preview(seen: "ResultsPreview", width: int = WIDTH, *, masked: bool) -> str:
    """Show the first rows of the results as a table, then the troubles by reason; in a log, masked."""
    rows = [_cells(row, masked=masked) for row in seen.first]
    place = "row" if all(row["line"] is None for row in seen.first) else "line"
    lines = _table([(place, *HEADER), *rows], width) if rows else []
    shown, more = seen.reasons[:REASONS], seen.reasons[REASONS:]
    if len(more) == 1:  # a line that says so much takes no more room than the reason itself
        shown, more = seen.reasons, []
    for one in shown:
        lines += reason(one, width, masked=masked)
    if more:
        lines.append(f"  {sum(one.rows for one in more):,} more, for other reasons")
    return "\n".join(lines)


def reasons(seen: "ResultsPreview") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each reason for which rows are refused, rejected or unknown: a sentence, and the same as values."""
    for why in seen.reasons:
        message = next((one.message for one in why.examples if one.message), None)
        facts = {"rows": why.rows, "status": str(why.status), "code": why.code}
        yield f"{why.rows:,} {why.status}: {why.code}" + (f": {message}" if message else ""), facts


def _cells(row: Mapping[str, Any], *, masked: bool) -> tuple[str, ...]:
    end = row["contact_id"] or " ".join(filter(None, (row["error_code"], row["error_message"])))
    key, to = row["key"], row["destination"] or ""
    if masked:
        key, to = _hidden(key), to and mask(to)
    return str(row["row"] if row["line"] is None else row["line"]), key, to, row["status"], end


def _hidden(key: str) -> str:
    """Mask a key that may be a person's number or address."""
    return mask(key) if "@" in key or sum(map(str.isdigit, key)) >= _DIGITS else key


def _table(rows: Sequence[tuple[str, ...]], width: int) -> list[str]:
    """Return rows in columns: the first as wide as they need, up to a bound; the last has what is left."""
    first = [min(most, width // 5, max(map(_cells_of, cells))) for most, *cells in zip(WIDTHS, *rows, strict=False)]
    widths = [*first, width - sum(first) - GAP * len(first)]
    return [(" " * GAP).join(map(_fit, row, widths)).rstrip() for row in rows]


def _cells_of(text: str) -> int:
    """Count the places that a text takes on a terminal."""
    from rich.cells import cell_len

    return cell_len(plain(text))


def _fit(text: str, width: int) -> str:
    """Bring text to a width of the terminal, where some characters take two places and some none."""
    from rich.cells import cell_len, set_cell_size

    text = plain(text)
    return set_cell_size(text, width) if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"


def brief(text: str) -> str:
    """Show the beginning of a cell, which may be of any length."""
    return plain(text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…")


def reason(why: "Reason", width: int = WIDTH, *, masked: bool = False) -> list[str]:
    """Return how many rows have a reason, and which these are, for example."""
    lines = [f"  {why.rows:,} {why.status}: {why.code}"]
    for one in why.examples:
        key = _hidden(one.key) if masked else one.key
        told = f"{plain(one.place)}, key {brief(key)!r}: {plain(one.message or '')}"
        lines += textwrap.wrap(told, width, initial_indent=" " * 4, subsequent_indent=" " * 6)
    return lines
