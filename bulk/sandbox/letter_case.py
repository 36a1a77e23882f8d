"""Compares texts without regard to case in any alphabet ("Default Case Folding", Unicode 3.13).

So `STRASSE` is found by `straße`, and `ΟΔΟΣ` by `οδος`. The four letters i of Turkish are taken for one, since nobody
who searches says which language a text is in.
"""

import json
import unicodedata
from typing import Any

_DOTLESS, _DOTTED = "ı", "i\u0307"  # what is left of I and İ once they are small


def folded(text: str) -> str:
    """Return the spelling by which texts are compared; accents are composed."""
    small = unicodedata.normalize("NFD", text).casefold()
    return unicodedata.normalize("NFC", small.replace(_DOTTED, "i").replace(_DOTLESS, "i"))


def holds(body: bytes | None, wanted: str) -> bool:
    """Whether a request in JSON holds a text that is `folded`, however its letters are escaped."""
    text = (body or b"").decode(errors="replace")
    if "\\u" in text:
        text = json.dumps(json.loads(text), ensure_ascii=False)
    return wanted in folded(text)


def writable(value: Any) -> Any:
    """Write half a character, which JSON can have and UTF-8 cannot, as an escape."""
    return value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value
