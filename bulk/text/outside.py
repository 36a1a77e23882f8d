"""Text from outside: limited in length, without control characters and personal data.

A service's message, a header, a proxy's page, an exception's words may be of any length, may steer a terminal or forge
a line of a log, and may echo the request: a phone number, a name, the message itself. Whatever is kept or shown of such
text goes through `outside_text` first. The values of the row it is about are given with it, and are masked too, however
the echo spells them: as JSON, in a URL, in HTML, in capitals, a phone number with its digits apart.

Everything here takes time in proportion to the text: no pattern tries a place twice.
"""

import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, quote_plus

from bulk.model import Recipient, mask

LIMIT = 1000  # characters of a message that are kept
READ = 1 << 16  # characters of a text that are looked at; what follows is not kept in any case
EXCERPT = 39  # characters of a value that our own messages show (`api.words.excerpt`)
SHORTEST = 3  # characters of a value that is masked: shorter ones tell nobody, and stand in every sentence
_WITHIN = 6  # characters from which on a value is also masked within a longer word
_VALUES = 1000  # values of one row, and
_NAME = 256  # characters of a contact id at most ("StartOutboundChatContact", ContactId)
_TOGETHER = 1 << 20  # characters of them together, that are looked for
_NUMBERS = 20  # values of a row that are looked for as phone numbers, their digits apart
_ADDRESS = 320  # characters of an address at most (RFC 3696, errata 1690)

_SEQUENCE = re.compile(
    r"\x1b\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)?"  # a title or a link (ECMA-48, OSC), and what steers the cursor (CSI)
    r"|(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,64}[@-~]?"
    r"|\x1b[ -/]{0,64}[0-~]?"
)
_WORD = re.compile(r"[^\s<>\"'(),;:=&?|{}\[\]]+")
_AT = re.compile(r"%40|\\u0040|&#(?:64|x40);|&commat;", re.IGNORECASE)
_NUMBER = re.compile(r"\+\d(?:[ .()-]{0,2}\d){6,14}|(?<![\w/:.-])\d{9,15}(?![\w-])")
_BETWEEN = r"[ .()/-]{0,3}"


def outside_text(text: object, *, limit: int = LIMIT, values: Iterable[str] = ()) -> str:
    """Return text from outside as one line that may be kept and shown.

    Of at most `limit` characters; control characters are gone, and whatever reads like an address or a phone number is
    masked, as are the `values` (see `own_values`).
    """
    given = str(text)
    hidden = _spelled(values)
    told = _masked(_one_line(given[:READ]), hidden)
    if len(given) > READ:  # what is cut in two at the end is not found: it is left out with all that may belong to it
        told = told[: -max(_ADDRESS, *map(len, hidden))] if hidden else told[:-_ADDRESS]
    return told if len(given) <= READ and len(told) <= limit else f"{told[: limit - 1]}…"


def outside_name(given: object) -> str | None:
    """Return what names something outside, a contact or a request; None where it cannot be a name."""
    return given if isinstance(given, str) and len(given) <= _NAME and given.isprintable() else None


def row_text(text: object, recipient: Recipient, parameters: Any = ()) -> str:
    """Return what is said of a row without the row's own values."""
    return outside_text(text, values=row_values(recipient, parameters))


def row_values(recipient: Recipient, parameters: Any = ()) -> list[str]:
    """Return the values of a row that an echo would tell: see `own_values`."""
    return own_values((recipient.cells, recipient.destination, recipient.key), parameters)


def own_values(cells: Any, parameters: Any = ()) -> list[str]:
    """Return the texts of a row that an echo would tell: its cells, and what was rendered of them, however nested.

    Of the parameters, ids and types are no secret and help to find the cause: of texts without white space only those
    are taken that hold one of the row's cells.
    """
    own = [text for text in _texts(cells) if len(text) >= SHORTEST]
    own += [text[:EXCERPT] for text in own if len(text) > EXCERPT]
    folded = [text.casefold() for text in own]
    found = (text for text in _texts(parameters) if len(text) >= SHORTEST)
    return [*own, *(text for text in found if len(text.split()) > 1 or any(one in text.casefold() for one in folded))]


def _texts(held: Any) -> Iterator[str]:
    """Yield the scalars of a nested value as text, but truth values, without walking the stack."""
    waiting = [held]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            waiting += value.values()
        elif isinstance(value, list | tuple):
            waiting += value
        elif value is not None and not isinstance(value, bool):
            yield str(value)


def _one_line(text: str) -> str:
    """Take out what steers a terminal or cannot be seen; white space of any kind becomes a space."""
    if text.isprintable():
        return text
    if "\x1b" in text or "\x9b" in text:
        text = _SEQUENCE.sub("", text)
    return "".join(sign if sign.isprintable() else " " if sign.isspace() else "" for sign in text)


def _masked(text: str, values: Sequence[str]) -> str:
    for value in [value for value in values if _is_number(value)][:_NUMBERS]:
        text = _number(value).sub(mask(value), text)
    for value in values:
        text = _without(text, value)
    if "%40" in text or "&" in text or "\\u0040" in text:
        text = _AT.sub("@", text)
    if "@" in text:
        text = _WORD.sub(_address_masked, text)
    return _NUMBER.sub(lambda found: mask(found[0]), text)


def _address_masked(found: re.Match[str]) -> str:
    word = found[0]
    local, at, domain = word.rpartition("@")
    return mask(word) if at and local and "." in domain.strip(".") else word


def _without(text: str, value: str) -> str:
    """Mask a value wherever it stands; a short one only where it is a word of its own."""
    hidden = mask(value) if _is_number(value) or _is_address(value) else "…"
    if len(value) >= _WITHIN:
        return text.replace(value, hidden)
    first, *rest = text.split(value)
    told = [before := first]
    for after in rest:
        told += [hidden if _ends(before, value) and _begins(after, value) else value, before := after]
    return "".join(told)


def _ends(before: str, value: str) -> bool:
    """Whether a word ends where the value begins. After a backslash, a letter is a line's end or a tab."""
    return not (before[-1:].isalnum() and value[0].isalnum()) or before[-2:-1] == "\\"


def _begins(after: str, value: str) -> bool:
    return not (after[:1].isalnum() and value[-1].isalnum())


def _is_address(value: str) -> bool:
    return "@" in value and len(value) <= _ADDRESS


def _is_number(value: str) -> bool:
    digits = sum(map(str.isdigit, value)) if len(value) <= 40 else 0
    return digits >= (7 if value[:1] == "+" else 9) and not any(map(str.isalpha, value))


def _number(value: str) -> re.Pattern[str]:
    """Return a pattern for the last ten digits of a number, which are all of it but the country, however spaced."""
    digits = [sign for sign in value if sign.isdigit()][-10:]
    return re.compile(rf"(?:\+?\d{{1,5}}{_BETWEEN})?\(?" + _BETWEEN.join(map(re.escape, digits)))


def _spelled(values: Iterable[str]) -> list[str]:
    """Return the values as an echo may spell them, the longest first, and no more than can be looked for."""
    spelled: dict[str, None] = {}
    left = _TOGETHER
    for value, _ in zip(values, range(_VALUES), strict=False):
        left -= len(value)
        if left < 0:
            break
        for one in _spellings(_one_line(value).strip()):
            if len(one) >= SHORTEST:
                spelled[one] = None
    return sorted(spelled, key=len, reverse=True)


def _spellings(value: str) -> Iterator[str]:
    yield from dict.fromkeys((value, value.lower(), value.upper(), value.capitalize()))
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield repr(value)[1:-1]
    yield html.escape(value)
    yield quote(value, errors="replace")
    yield quote_plus(value, errors="replace")
