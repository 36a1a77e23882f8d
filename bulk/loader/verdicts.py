"""What a cell about consent means for its row: no objection, or the reason to leave the row out.

Of a column of opt-outs, whatever is not a clear "did not opt out" counts as an opt-out: `x`, a date, a reason, a word
that nobody here knows. Of a column of consents, whatever is not a clear yes counts as none: an empty cell, too.
"""

import datetime as dt
import math
import re
from functools import lru_cache
from typing import Any, Literal

from bulk.loader.roles import spoken, words
from bulk.text.identity import visible

Asks = Literal["opt_out", "consent", "status", "values", "filled"]
"""What is asked of a cell: an opt-out, a consent, a word for an opt-out, one of the rule's own values, or anything."""

_NOTHING = {"null", "none", "nil", "nan", "na", "n/a", "#n/a", "-", "--", "\u2013", "\u2014", "?", "unknown"}
_ZERO = re.compile(r"[+-]?0+(?:[.,]0+)?|0000[-/ ]00[-/ ]00.*")
_DATE = re.compile(r"(?:\d{4}[-/. ]\d{1,2}[-/. ]\d{1,2}|\d{1,2}[-/. ]\d{1,2}[-/. ]\d{2,4})(?!\d).*", re.DOTALL)
_ONE = re.compile(r"\+?1(?:[.,]0+)?")


def text(cell: Any) -> str | None:
    """Return a cell as text, None where it holds several values."""
    match cell:
        case None:
            return ""
        case float() if math.isnan(cell):
            return ""
        case bool():
            return str(cell).lower()
        case dt.date() | dt.datetime():
            return cell.isoformat()
        case list() | dict():
            return None if cell else ""
    return str(cell)


def objection(cell: Any, asks: Asks, *, kind: str, values: tuple[str, ...] = ()) -> str | None:
    """Return what a cell says against a message (`is x`, `is filled in`), None where it says nothing against one.

    `values` are the words that `values` asks for; of a consent they are yes as well, of an opt-out no opt-out.
    """
    said = text(cell)
    if said is None:
        return _several(cell, asks, kind)
    return _objection(said, asks, kind, values)


@lru_cache(4096)
def _objection(said: str, asks: Asks, kind: str, values: tuple[str, ...]) -> str | None:
    word = spoken(visible(said)) or visible(said).strip().casefold()
    own = {spoken(value) for value in values}
    match asks:
        case "values":
            return f"is {_shown(said)}" if word in own else None
        case "status":
            return f"is {_shown(said)}" if word in words("cell")["out"] else None
        case "filled":
            return "is filled in" if word else None
        case "opt_out":
            return None if word in own or _is_no(word) else _filled(said, word)
        case "consent":
            return None if word in own or is_yes(word) or _names(word, kind) else _lacking(said, word)


def _is_no(word: str) -> bool:
    """Whether a word says that nobody opted out."""
    known = words("cell")
    return not word or word in known["no"] or word in known["in"] or _ZERO.fullmatch(word) is not None


def is_nothing(word: str) -> bool:
    """Whether a word, as `spoken` spells it, stands where nothing is known."""
    return not word or word in _NOTHING


def is_yes(word: str) -> bool:
    """Whether a word, as `spoken` spells it, is a consent; the day of one is."""
    known = words("cell")
    when = _DATE.fullmatch(word) is not None and _ZERO.fullmatch(word) is None
    return word in known["yes"] or word in known["in"] or _ONE.fullmatch(word) is not None or when


def is_known(word: str) -> bool:
    """Whether a word means anything in a column of consents."""
    return is_yes(word) or _is_no(word) or word in words("cell")["out"]


def _names(word: str, kind: str) -> bool:
    """Whether a word is a list of the channels that somebody consents to, as Klaviyo has it, and this kind is one."""
    known = words("cell")
    named = {spoken(part) for part in re.split(r"[,;|]", word.strip("[]")) if spoken(part)}
    return bool(named & known[kind]) and named <= known["email"] | known["phone"] | known["other"]


def _several(cell: Any, asks: Asks, kind: str) -> str | None:
    if asks == "consent":
        listed = ",".join(map(str, cell)) if isinstance(cell, list) else ""
        return None if _names(listed.casefold(), kind) else "is not a clear yes"
    return "is filled in" if asks in {"opt_out", "filled"} else None


def _filled(said: str, word: str) -> str:
    known = words("cell")
    return f"is {_shown(said)}" if word in known["out"] or word in known["yes"] else "is filled in, and not with 'no'"


def _lacking(said: str, word: str) -> str:
    known = words("cell")
    if not word:
        return "is empty"
    return f"is {_shown(said)}" if word in known["no"] or word in known["out"] or _is_no(word) else "is not a clear yes"


def _shown(said: str) -> str:
    """Return a known word as the list spells it: nobody is told by it."""
    return visible(said).strip()
