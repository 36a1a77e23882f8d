"""The normal form of names of people and rows: spellings that differ by accident compare equal.

A list is typed, pasted and exported by many programs, and so one address or one key comes in several spellings: other
case, composed or decomposed letters (Unicode Standard Annex 15, NFC and NFD), invisible format characters (general
category Cf), spaces around it, a number with or without its `.0`. What is compared is the spelling made here; what is
sent to is the spelling of the list.
"""

import re
import unicodedata

_WHOLE = re.compile(r"(?P<sign>-?)(?P<digits>0|[1-9][0-9]*)(?:\.0+)?")


def identity(destination: str) -> str:
    """Return the spelling by which a phone number or an email address is compared.

    Numbers in E.164 stay as they are; addresses lose their case, on both sides of the @ (RFC 5321, 2.4, lets a mail
    system tell mailboxes apart by case, but none that is in wide use does).
    """
    if destination.isascii():
        return destination.strip().lower()
    plain = unicodedata.normalize("NFD", visible(destination)).casefold()
    return unicodedata.normalize("NFC", plain).strip()


def key_of(text: str) -> str:
    """Return the spelling by which a row's key is compared: `7`, `7.0` and `7.00` are one key, `007` is another.

    Case counts, since the ids of some programs (Salesforce's of 15 characters, for one) differ in nothing else.
    """
    plain = text if text.isascii() else unicodedata.normalize("NFC", visible(text))
    plain = plain.strip()
    if plain[-1:] != "0":
        return plain
    whole = _WHOLE.fullmatch(plain)
    return plain if whole is None else "0" if whole["digits"] == "0" else f"{whole['sign']}{whole['digits']}"


def visible(text: str) -> str:
    """Return a text without its format characters: zero-width spaces, direction and byte-order marks, soft hyphens."""
    if text.isascii():
        return text
    return "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
