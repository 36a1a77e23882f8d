"""What a cell holds besides a destination, and its destinations if there are several.

Cells come out of spreadsheets, web pages and address books: with the apostrophe that keeps a spreadsheet from
calculating, with `mailto:` or a label before them, a name around them, a full stop behind them, characters that nobody
sees, or with a second destination beside the first (Google Contacts puts ` ::: ` between them).
"""

import re

import polars as pl

from bulk.text.identity import visible

LONGEST = 2000  # characters of a cell that are looked at: nothing longer is a destination

_FORMULA = re.compile(r'="(.*)"', re.DOTALL)
_LABEL = re.compile(
    r"(?:mailto|e-?mail|tel|telephone|phone|sms|smsto|callto|whatsapp|mobile|mob|cell|handy)\s*[.:]+\s*", re.IGNORECASE
)
_QUERY = re.compile(r"\?(?:subject|body|cc|bcc)=.*", re.IGNORECASE | re.DOTALL)
_AROUND = "'\"`\u00b4\u2018\u2019\u201b\u201c\u201d\u201e"  # quotes, and the apostrophe that marks a cell as text
_BEHIND = _AROUND + ";,.:"

_OR = r"\s(?:or|and|oder|und|ou|et|o|y|e|of|en)\s"
_BETWEEN_NUMBERS = re.compile(rf"[,;|/&\n\r]|:::|{_OR}|(?<=\d)\s*(?=\+)", re.IGNORECASE)
_BETWEEN_ADDRESSES = re.compile(rf"[,;|\n\r\t]|:::|\s[/&]\s|{_OR}", re.IGNORECASE)
_BRACKETED = re.compile(r"<([^<>]*@[^<>]*)>")
_REMARK = re.compile(r"\([^()@]*\)")
_DIGIT = re.compile(r"\d")


def several(cells: pl.Series, *, addresses: bool) -> int:
    """Return how many cells of a column hold more than one destination."""
    if cells.dtype != pl.String:
        return 0
    sign = r"@[\s\S]*@" if addresses else r"\d[\s\S]*(?:[,;|/&\n\r]|:::|\s[a-zA-Z]{1,4}\s|\+)[\s\S]*\d"
    found = cells.filter(cells.str.contains(sign)).to_list()
    taken_apart = addresses_in if addresses else numbers_in
    return sum(len(taken_apart(cleaned(cell))) > 1 for cell in found)


def cleaned(text: str) -> str:
    """Return a cell without what spreadsheets, pages and programs put around a destination."""
    text = visible(text[:LONGEST]).strip()
    formula = _FORMULA.fullmatch(text)
    text = (formula[1] if formula else text).lstrip(_AROUND).strip()
    label = _LABEL.match(text)
    text = _QUERY.sub("", text[label.end() :]) if label else text
    return text.rstrip(_BEHIND).strip() if text[-1:] in _BEHIND else text


def numbers_in(text: str) -> list[str]:
    """Return the phone numbers that a clean cell holds, in order; the cell itself where it does not hold several."""
    parts = [part for part in _BETWEEN_NUMBERS.split(text) if len(_DIGIT.findall(part)) >= 7]
    return [cleaned(part) for part in parts] if len(parts) > 1 else [text]


def addresses_in(text: str) -> list[str]:
    """Return the email addresses that a clean cell holds, in order; the cell itself where it does not hold any."""
    parts = _BETWEEN_ADDRESSES.split(text)
    found = [address for part in parts if "@" in part for address in _addresses(part)]
    return [cleaned(address) for address in found] or [text]


def _addresses(part: str) -> list[str]:
    """Return what stands in <…> of one part, else the part without remarks; its words where it has two addresses."""
    bracketed = _BRACKETED.findall(part)
    if bracketed:
        return bracketed
    part = _REMARK.sub("", part).strip(" <>")
    return [word for word in part.split() if "@" in word] if part.count("@") > 1 else [part]
