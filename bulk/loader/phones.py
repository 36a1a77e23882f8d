"""Phone numbers in E.164, or the reason why not.

Nothing is guessed: a cell that could mean two things is refused, with the remedy. Messages carry masked
values only.
"""

import re
from collections.abc import Collection, Iterable
from itertools import repeat

from phonenumbers import (
    NumberParseException,
    PhoneMetadata,
    PhoneNumber,
    PhoneNumberFormat,
    ValidationResult,
    format_number,
    is_possible_number_with_reason,
    is_valid_number,
    number_type,
    parse,
    region_code_for_number,
)
from phonenumbers.shortnumberinfo import is_valid_short_number_for_region

from bulk.loader.ambiguity import PLUS, UNUSABLE, reads_otherwise
from bulk.loader.cell_text import cleaned, numbers_in
from bulk.loader.e164 import mobile_region
from bulk.model import Refusal, mask

_SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE]\+?\d{1,2}")
_WHOLE_FLOAT = re.compile(r"(\+?\d{7,15})\.0+")
_EXTENSION = re.compile(
    r"(?<=[\d)])\s*(?:[,;]\s*)?(?:#|x|ext|extn|extension|poste|durchwahl|dw|anexo|ramal|int|toestel)[\s.:=]*\d{1,7}",
    re.IGNORECASE,
)
EXCEL_ERROR = re.compile(r"#(?:N/A|NAME\?|(?:VALUE|REF|DIV/0|NUM|NULL|SPILL|CALC)!)|##+")
_LETTERS = re.compile(r"[^\W\d_]")

_LENGTH = {
    ValidationResult.TOO_SHORT: "is too short",
    ValidationResult.TOO_LONG: "is too long",
    ValidationResult.INVALID_LENGTH: "has a length that no number has there",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "lacks its area code",
    ValidationResult.INVALID_COUNTRY_CODE: "begins with no known country code",
}


def phone(
    text: str, country: str | None = None, allowed: Collection[str] | None = None, *, landlines: bool = False
) -> str | Refusal:
    """Bring a phone number to E.164, or return why it cannot be written to.

    `country` (ISO 3166-1 alpha-2) is where numbers without + belong. `allowed` are the countries that may be
    written to, None for all. `landlines`: those may be written to as well.
    """
    text = text.strip()
    region = mobile_region(text)
    if region is not None:
        return text if allowed is None or region in allowed else _not_allowed(text, region)
    text = cleaned(text)
    parts = numbers_in(text)
    if len(parts) == 1:
        return _one(parts[0], country, allowed, landlines=landlines)
    read = (_one(part, country, allowed, landlines=landlines) for part in parts)
    found = next((to for to in read if isinstance(to, str)), None)
    trouble = "holds several numbers, and none that can be texted: correct one, and leave the others out"
    return found or Refusal("several_destinations", f"{shown(text)} {trouble}")


def readings(text: str, country: str | None = None) -> list[str]:
    """Return every number in E.164 that a cell may mean, of whatever type: for those who are not to be written to."""
    found = []
    for part in numbers_in(cleaned(text)):
        plain = _plain(_uncut(_without_extension(part)))
        foreign = None if plain[:1] in PLUS else "+" + re.sub(r"\D", "", plain).removeprefix("00")
        read = [_parsed(plain, country), *([_parsed(foreign, None)] if foreign else [])]
        found += [format_number(number, PhoneNumberFormat.E164) for number in read if number is not None]
    return found


def zeros_eaten(texts: Iterable[str], country: str) -> bool:
    """Whether numbers have lost the 0 that national numbers of a country begin with, as in a spreadsheet's cells.

    They have where none begins with it, and most lack it that can be read as such numbers.
    """
    plain = [text for text in texts if text.isascii() and text.isdigit()]
    metadata = PhoneMetadata.metadata_for_region(country)
    if metadata is None or metadata.national_prefix != "0" or any(text.startswith("0") for text in plain):
        return False
    return sum(map(_lacks_zero, plain, repeat(country))) * 2 > len(plain)


def shown(text: str) -> str:
    """Mask a cell for a message; where it has not the shape of one destination, tell how it begins and its length."""
    plain = "".join(letter for letter in text if letter.isprintable())
    return (
        mask(plain)
        if re.fullmatch(r"[\w.+()/\s-]{1,24}|[^\s@]+@[\w.-]+", plain)
        else f"{plain[:3]}… ({len(plain):,} characters)"
    )


def _one(text: str, country: str | None, allowed: Collection[str] | None, *, landlines: bool) -> str | Refusal:
    """Bring one number, without what stood around it, to E.164."""
    doubt = _doubt(text)
    if doubt is not None:
        return doubt
    return _read(_plain(text), country, allowed, landlines=landlines)


def _plain(text: str) -> str:
    """Return a number without the `.0` of a program that took it for an amount."""
    whole = _WHOLE_FLOAT.fullmatch(text)
    return whole[1] if whole else text


def _uncut(text: str) -> str:
    """Return the number that a spreadsheet wrote as `2.065550101E+09`, where it kept all digits."""
    if _SCIENTIFIC.fullmatch(text) is None:
        return text
    written, power = re.split("[eE]", text.replace(",", "."))
    whole, _, rest = written.partition(".")
    return text if len(rest) != int(power) else whole + rest


def _parsed(text: str, country: str | None) -> PhoneNumber | None:
    """Return a valid number, None where the text is none."""
    try:
        number = parse(text, country)
    except NumberParseException:
        return None
    return number if is_valid_number(number) else None


def _without_extension(text: str) -> str:
    """Return a number without its extension, which no message reaches; a text that is none stays as it is."""
    match = _EXTENSION.search(text)
    return text if match is None or len(re.sub(r"\D", "", text[: match.start()])) < 7 else text[: match.start()]


def _has_extension(text: str) -> Refusal:
    remedy = "give a number that can be reached without one"
    return Refusal("invalid_phone", f"{shown(text)} has an extension, which no message reaches: {remedy}")


def _doubt(text: str) -> Refusal | None:
    """Refuse what no reader of phone numbers should be asked to read."""
    if not text:
        return Refusal("missing_destination", "the phone number is empty: fill it in, or leave the row out")
    if _SCIENTIFIC.fullmatch(text):
        remedy = "format the column as text and export it again"
        return Refusal("excel_number", f"a spreadsheet cut the number to {shown(text)}, its digits are lost: {remedy}")
    if EXCEL_ERROR.fullmatch(text):
        return excel_error(text)
    if _without_extension(text) != text:
        return _has_extension(text)
    if _LETTERS.search(text):
        return Refusal("invalid_phone", f"{shown(text)} has letters: write it as +, country code and digits")
    return None


def excel_error(text: str) -> Refusal:
    """Refuse what a spreadsheet shows for a cell that it could not work out."""
    return Refusal("excel_error", f"a spreadsheet wrote {text} in place of it: fix the cell and export the list again")


def _read(text: str, country: str | None, allowed: Collection[str] | None, *, landlines: bool) -> str | Refusal:
    try:
        number = parse(text, country)
    except NumberParseException as error:
        return _unreadable(text, country, error)
    if not is_valid_number(number) or number.extension:
        return _invalid(text, number, country)
    if country is not None and reads_otherwise(text, number):
        trouble = f"may lack its + or be a number within {country}: write it as +… in full"
        return Refusal("ambiguous_phone", f"{shown(text)} {trouble}")
    unusable = UNUSABLE.get(number_type(number))
    if unusable is not None and not (landlines and unusable[0] == "fixed_line"):
        return Refusal(unusable[0], f"{shown(text)} {unusable[1]}")
    region = region_code_for_number(number)
    if allowed is not None and region not in allowed:
        return _not_allowed(text, region)
    return format_number(number, PhoneNumberFormat.E164)


def _unreadable(text: str, country: str | None, error: NumberParseException) -> Refusal:
    if error.error_type == NumberParseException.INVALID_COUNTRY_CODE and country is None and text[:1] not in PLUS:
        trouble = "has no + and no country: write it as +…, or set `country` under [list]"
        return Refusal("invalid_phone", f"{shown(text)} {trouble}")
    return Refusal("invalid_phone", f"{shown(text)} is no phone number: write it as +, country code and digits")


def _invalid(text: str, number: PhoneNumber, country: str | None) -> Refusal:
    if number.extension:
        return _has_extension(text)
    digits = re.sub(r"\D", "", text)
    if country is not None and len(digits) < 7 and is_valid_short_number_for_region(number, country):
        return Refusal("short_number", f"{shown(text)} is a short number of {country}: use a mobile number")
    trouble = _LENGTH.get(is_possible_number_with_reason(number), "is not a number that its country gives out")
    where = "" if text.startswith("+") or country is None else f", read as a number of {country}"
    return Refusal("invalid_phone", f"{shown(text)} {trouble}{where}: correct it, or write it as +… in full")


def _not_allowed(text: str, region: str | None) -> Refusal:
    remedy = f"add {region} to `allow_countries` under [list] to write there" if region else "use a national number"
    return Refusal("country_not_allowed", f"{shown(text)} belongs to {region or 'no country'}: {remedy}")


def _lacks_zero(text: str, country: str) -> bool:
    try:
        number = parse(text, country)
    except NumberParseException:
        return False
    return is_valid_number(number) and str(number.national_number) == text
