"""The separator of a delimited text, by its first line or by most of its rows."""

import csv
import io
import re
from itertools import islice

_SEPARATORS = ",;\t|"
_SAID = re.compile(r'\ufeff?"?sep=(?P<separator>[^\w"\r\n])"?,*;*\r?\n?', re.IGNORECASE)
_ROWS = 60  # are looked at

NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a |"}


def said_separator(text: str) -> tuple[str, str] | None:
    """Return the separator that the first line names, as spreadsheets write it (`sep=;`), and that line; else None."""
    line = text[: text.find("\n") + 1] or text
    found = _SAID.fullmatch(line)
    return (found["separator"], line) if found else None


def separator(text: str) -> str:
    """Guess the separator: the one by which most of the first rows have as many cells as the header.

    Where no two rows agree with the first, as below a title, most rows decide.
    """
    widths = {candidate: _widths(text, candidate) for candidate in _SEPARATORS}
    best = max(_SEPARATORS, key=lambda candidate: _fit(widths[candidate][:1], widths[candidate]))
    if _fit(widths[best][:1], widths[best])[0] > 1:
        return best
    other = max(_SEPARATORS, key=lambda candidate: _fit(widths[candidate], widths[candidate]))
    return other if _fit(widths[other], widths[other])[0] > 1 else best


def _widths(text: str, candidate: str) -> list[int]:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=candidate)
    return [len(row) for row in islice(rows, _ROWS) if row]


def _fit(choices: list[int], widths: list[int]) -> tuple[int, int]:
    """Return how many rows have one of these widths, of more than one cell, and that width: the best of them."""
    return max(((widths.count(width), width) for width in set(choices) if width > 1), default=(0, 0))
