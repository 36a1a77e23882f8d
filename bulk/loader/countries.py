"""Countries as people write them: ISO 3166-1 alpha-2, alpha-3 or a common name (`countries.csv`)."""

import csv
import re
import unicodedata
from functools import cache, lru_cache
from pathlib import Path

_TABLE = Path(__file__).with_name("countries.csv")
_DIAL_CODE = re.compile(r"\D*(?:00\s*)?[1-9](?:[\s-]?\d){0,5}\D*")


@lru_cache(maxsize=4096)
def alpha_2(text: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code of a country, None if unknown: `usa` and `United States` are `US`."""
    return _names().get(_fold(text))


def trouble(text: str, *, shown: str) -> str:
    """Return what is wrong with a text that is no country, and the remedy. Messages have the text as `shown`."""
    if is_dial_code(text):
        return f"{shown} is a dial code, and not a country: write the ISO 3166-1 code, such as US or GBR"
    return f"{shown} is not a country: write its ISO 3166-1 code, such as US or GBR"


def is_dial_code(text: str) -> bool:
    """Whether a text is a country calling code, such as `+49`, `0049`, `49` or `1-868`."""
    return _DIAL_CODE.fullmatch(text.strip()) is not None and not any(letter.isalpha() for letter in text)


@cache
def _names() -> dict[str, str]:
    with _TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    spellings = ((row, [row["alpha_2"], row["alpha_3"], *row["names"].split("|")]) for row in rows)
    return {_fold(name): row["alpha_2"] for row, names in spellings for name in names if name}


def _fold(text: str) -> str:
    """Leave out case, accents, punctuation, "the", and the difference between "Saint" and "St."."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("&", " and "))
    letters = "".join(letter if letter.isalnum() else " " for letter in plain if not unicodedata.combining(letter))
    words = ["st" if word == "saint" else word for word in letters.split() if word != "the"]
    return "".join(words)
