"""Measure how many ordinary numbers are refused as `ambiguous_phone`: `python scripts/measure_ambiguity.py [COUNT]`.

For each country, that many of its valid mobile numbers are drawn evenly and written as its people write them without a
calling code: in digits alone, and where a 0 goes before them also without it, as spreadsheets leave them.
"""

import random
import re
import sys

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberType

from bulk.loader.phones import phone
from bulk.model import Refusal

COUNTRIES = ("US", "CA", "GB", "DE", "FR", "ES", "IT", "NL", "PT", "BR", "IN", "AU", "NZ", "SG", "ZA")
MOBILE = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}


def drawn(country: str, count: int, chance: random.Random) -> list[str]:
    """Return the national significant numbers of that many mobiles."""
    metadata = PhoneMetadata.metadata_for_region(country)
    if metadata is None or metadata.mobile is None:
        raise ValueError(f"{country} has no mobile numbers")
    lengths = [length for length in metadata.mobile.possible_length if length > 0] or [10]
    pattern = re.compile(metadata.mobile.national_number_pattern or "")
    code, found = metadata.country_code, list[str]()
    while len(found) < count:
        digits = "".join(chance.choices("0123456789", k=chance.choice(lengths)))
        if digits[0] == "0" or not pattern.fullmatch(digits):
            continue
        number = phonenumbers.PhoneNumber(country_code=code, national_number=int(digits))
        if phonenumbers.is_valid_number_for_region(number, country) and phonenumbers.number_type(number) in MOBILE:
            found.append(digits)
    return found


def main() -> None:
    """Print a table."""
    count, chance = int(sys.argv[1]) if len(sys.argv) > 1 else 5000, random.Random(11)
    print("| Country | As people write them | Without the 0 |\n|---|---|---|")
    for country in COUNTRIES:
        numbers = drawn(country, count, chance)
        prefix = phonenumbers.ndd_prefix_for_region(country, strip_non_digits=True)
        zero = prefix if prefix == "0" else ""
        shares = [
            sum(_ambiguous(start + digits, country) for digits in numbers) / count
            for start in dict.fromkeys((zero, ""))
        ]
        print(f"| {country} | {shares[0]:.2%} | {f'{shares[1]:.2%}' if len(shares) > 1 else '–'} |")


def _ambiguous(text: str, country: str) -> bool:
    found = phone(text, country)
    return isinstance(found, Refusal) and found.code == "ambiguous_phone"


if __name__ == "__main__":
    main()
