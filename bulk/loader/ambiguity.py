"""Numbers that can be read in two ways: as national, or as international with a missing +.

`6598234567` is a number of Alabama, and with a + before it a mobile number of Singapore. Nearly every national number
begins with the calling code of some country, so that to refuse them all would refuse whole cities. A second reading
counts where somebody is likely to have meant it:

- it has the country's own calling code (`4915123456789` in Germany), or
- it is certainly a mobile number, of a country whose calling code has one or two digits. Those with three are small:
  read so, Atlanta's 678 would be Vanuatu. Of +1 no number is certainly a mobile's;
- it is not written as numbers within the country are, in their groups, as `(659) 823-4567` is; and
- its area code is not one whose own people outnumber by far all who may be meant otherwise.

How many ordinary numbers that leaves ambiguous is measured in `docs/lists.md`, by `scripts/measure_ambiguity.py`.
"""

import re

from phonenumbers import (
    NumberParseException,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
    format_number,
    is_valid_number,
    number_type,
    parse,
)

PLUS = ("+", "\uff0b")
UNUSABLE = {
    PhoneNumberType.FIXED_LINE: ("fixed_line", "is a fixed line, which takes no SMS: use a mobile number"),
    PhoneNumberType.PREMIUM_RATE: ("premium_rate", "is a premium-rate number: use a mobile number"),
    PhoneNumberType.SHARED_COST: ("premium_rate", "is a shared-cost number: use a mobile number"),
}
_SETTLED = ("479",)  # Arkansas since 2002; +47 9… would be Norway, which a list of the United States seldom holds


def reads_otherwise(text: str, number: PhoneNumber) -> bool:
    """Whether a valid national number would be another one that can be texted, were it a + that is missing."""
    digits = re.sub(r"\D", "", text)
    if text.startswith(PLUS) or str(number.national_number) != digits:
        return False
    own = digits.startswith(str(number.country_code))
    if not own and (digits.startswith(_SETTLED) or _grouped(text, number)):
        return False
    try:
        other = parse(f"+{digits}")
    except NumberParseException:
        return False
    if not is_valid_number(other) or number_type(other) in UNUSABLE:
        return False
    return own or ((other.country_code or 0) < 100 and number_type(other) == PhoneNumberType.MOBILE)


def _grouped(text: str, number: PhoneNumber) -> bool:
    """Whether a number is written in the groups that its country writes them in."""
    groups = re.findall(r"\d+", text)
    return len(groups) > 1 and groups == re.findall(r"\d+", format_number(number, PhoneNumberFormat.NATIONAL))
