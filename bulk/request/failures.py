"""The message for a template error on a row, without text of the row, because the ledger stores it."""

import re

from bulk.model import Cells
from bulk.operations import leaves

_TOKEN = re.compile(r"'([\w. ]+)'|\"([\w. ]+)\"")
_DIGITS = re.compile(r"\d{3,}")
_KINDS = re.compile(
    r"(?:NoneType|str|int|float|bool|list|dict|tuple|bytes|date|datetime|time|timedelta|Decimal|WholeRow)(?: object)?"
)
_LONG = 5  # characters of a cell that are no word of a message by chance


def confidential(error: Exception, text: str, cells: Cells) -> str:
    """Return what an error says, as far as it is of the template (`text`) and not of the row (`cells`)."""
    said = str(error) or type(error).__name__
    held = {leaf if isinstance(leaf, str) else str(leaf) for leaf in leaves(dict(cells)) if leaf is not None}
    for cell in sorted(held, key=len, reverse=True):
        if len(cell) > 1 and cell not in text and not _KINDS.fullmatch(cell):
            said = re.sub(re.escape(cell) if len(cell) >= _LONG else rf"(?<!\w){re.escape(cell)}(?!\w)", "…", said)
    return _DIGITS.sub(lambda found: found[0] if found[0] in text else "…", _unquoted(said, text))


def _unquoted(said: str, text: str) -> str:
    """Leave out all that is quoted but names of the template and of types.

    A quoted value may hold quotes itself, so it goes from the first quote that is left to the last.
    """
    known = [found.span() for found in _TOKEN.finditer(said) if _is_known(found[1] or found[2], text)]
    quotes = [place for place, letter in enumerate(said) if letter in "'\""]
    left = [place for place in quotes if not any(start <= place < end for start, end in known)]
    return f"{said[: left[0]]}'…'{said[left[-1] + 1 :]}" if len(left) > 1 else said


def _is_known(name: str, text: str) -> bool:
    return name in text or _KINDS.fullmatch(name) is not None
