"""The number of parts of an SMS. "AWS End User Messaging SMS User Guide", SMS character limits; 3GPP TS 23.038."""

import re
import unicodedata
from functools import lru_cache

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = "\f^{}[~]\\|€"  # two septets each

_PLAIN = re.compile(f"[{re.escape(_BASIC)}]*")  # what most messages are: a septet a character
_UNUSUAL = re.compile(f"[^{re.escape(_BASIC + _EXTENDED)}]")
_SEPTETS = dict.fromkeys(_BASIC, 1) | dict.fromkeys(_EXTENDED, 2)
_WRITTEN = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′´ʼ", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff", ""),
        "`": "'",
        "…": "...",
        "•": "*",
        "·": "-",
        "\t": " ",
    }
)  # what word processors make of plain characters


def parts(text: str) -> int:
    """Count the parts: 160 septets of GSM 03.38 in one or 153 in each of several, else 70 or 67 UTF-16 units.

    A character is never split between two parts.
    """
    if _PLAIN.fullmatch(text):
        return _evenly(len(text), single=160, several=153)
    if not is_unusual(text):
        return _filled([_SEPTETS[character] for character in text], single=160, several=153)
    if max(text) <= "\uffff":
        return _evenly(len(text), single=70, several=67)
    return _filled([2 if ord(character) > 0xFFFF else 1 for character in text], single=70, several=67)


def is_unusual(text: str) -> bool:
    """Whether a text holds a character that GSM 03.38 lacks, so that all of it goes out as UCS-2."""
    return _UNUSUAL.search(text) is not None


def unusual(text: str) -> set[str]:
    """Return the characters of a text that GSM 03.38 lacks."""
    return set(_UNUSUAL.findall(text))


def written_plainly(text: str) -> str:
    """Return a text with plain characters in place of those that GSM 03.38 lacks, as far as there are such."""
    return _UNUSUAL.sub(lambda found: plain_form(found[0]), text)


@lru_cache(4096)
def plain_form(character: str) -> str:
    """Return what a character is written as in GSM 03.38; itself where there is no such thing."""
    written = unicodedata.normalize("NFKC", character.translate(_WRITTEN))
    if not is_unusual(written):
        return written
    letters = "".join(one for one in unicodedata.normalize("NFKD", written) if not unicodedata.combining(one))
    return character if not letters or is_unusual(letters) else letters


def _evenly(size: int, *, single: int, several: int) -> int:
    return 1 if size <= single else -(-size // several)


def _filled(sizes: list[int], *, single: int, several: int) -> int:
    if sum(sizes) <= single:
        return 1
    count, room = 1, several
    for size in sizes:
        if size > room:
            count, room = count + 1, several
        room -= size
    return count
