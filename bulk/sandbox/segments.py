"""The segments in which an SMS travels: 3GPP TS 23.038 (alphabets) and TS 23.040 (concatenation).

A text of the default alphabet has 160 septets in one segment and 153 in each of several, for a header of 6 octets then
says which one it is. Any other text is UCS-2, with 70 and 67 code units. A character of the extension table takes two
septets; it is not cut in two, and neither is a surrogate pair.
"""

from collections.abc import Callable, Iterator

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = "\f^{}\\[~]|€"
_WEIGHTS = dict.fromkeys(_BASIC, 1) | dict.fromkeys(_EXTENSION, 2)
_SIZES = {"GSM-7": (160, 153), "UCS-2": (70, 67)}


def split(text: str) -> tuple[str, list[str]]:
    """Return the encoding of a text, `GSM-7` or `UCS-2`, and its segments."""
    encoding = "GSM-7" if all(character in _WEIGHTS for character in text) else "UCS-2"
    weigh: Callable[[str], int] = _WEIGHTS.__getitem__ if encoding == "GSM-7" else _units
    alone, together = _SIZES[encoding]
    if sum(map(weigh, text)) <= alone:
        return encoding, [text]
    return encoding, list(_cut(text, weigh, together))


def _units(character: str) -> int:
    return 2 if ord(character) > 0xFFFF else 1


def _cut(text: str, weigh: Callable[[str], int], size: int) -> Iterator[str]:
    start = filled = 0
    for index, character in enumerate(text):
        weight = weigh(character)
        if filled + weight > size:
            yield text[start:index]
            start, filled = index, 0
        filled += weight
    yield text[start:]
