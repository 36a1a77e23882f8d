"""Texts and durations as they are shown to people, and suggestions for misspelt names."""

import difflib
import unicodedata
from collections.abc import Iterable

_COMPARED = 100  # characters of a name: what is compared takes their square of time
_NAMES = 10_000  # that are looked through
_JOINERS = "\u200c\u200d"  # of scripts and emoji; invisible, and harmless


def plain(text: str) -> str:
    """Take out what would do something to a terminal, or to the text around it, instead of showing."""
    return text if text.isprintable() else "".join(map(_shown, text))


def plain_lines(text: str) -> str:
    """Do so line by line."""
    return "\n".join(map(plain, text.split("\n")))


def one_line(text: str) -> str:
    """Do so for a line of a log: what follows a line end cannot pass for another line."""
    return plain(" ".join(text.splitlines()))


def _shown(sign: str) -> str:
    if sign.isprintable() or sign in _JOINERS:
        return sign
    return " " if unicodedata.category(sign) == "Zs" else "\N{REPLACEMENT CHARACTER}"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like `name`, whatever their case, None where none is near."""
    folded = {other[:_COMPARED].casefold(): other for other, _ in zip(known, range(_NAMES), strict=False)}
    found = difflib.get_close_matches(name[:_COMPARED].casefold(), folded, n=1)
    return folded[found[0]] if found else None


def duration(seconds: float) -> str:
    """Write a duration as people say it: `83 s`, `1 h 23 min`."""
    whole = round(seconds)
    if whole < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    hours, minutes = divmod(round(whole / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def counted(number: int, noun: str) -> str:
    """Return a count of things: `1 row`, `1,204 rows`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
