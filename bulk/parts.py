"""How many parts an SMS takes. "AWS End User Messaging SMS User Guide", SMS character limits; 3GPP TS 23.038."""

import re

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = "\f^{}[~]\\|€"  # two septets each

_PLAIN = re.compile(f"[{re.escape(_BASIC)}]{{0,160}}")  # what most messages are: one part
_SEPTETS = dict.fromkeys(_BASIC, 1) | dict.fromkeys(_EXTENDED, 2)


def parts(text: str) -> int:
    """Count the parts: 160 septets of GSM 03.38 in one or 153 in each of several, else 70 or 67 UTF-16 units.

    A character is never split between two parts.
    """
    if _PLAIN.fullmatch(text):
        return 1
    sizes = [_SEPTETS.get(character, 0) for character in text]
    if all(sizes):
        return _filled(sizes, single=160, several=153)
    return _filled([2 if ord(character) > 0xFFFF else 1 for character in text], single=70, several=67)


def _filled(sizes: list[int], *, single: int, several: int) -> int:
    if sum(sizes) <= single:
        return 1
    count, room = 1, several
    for size in sizes:
        if size > room:
            count, room = count + 1, several
        room -= size
    return count
