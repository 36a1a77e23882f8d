"""Numbering plans: a quick and certain check for numbers that are already in E.164.

Reading a number through `phonenumbers` costs some 50 µs, ten times what a row of a long list may cost. Most
lists hold E.164 already, and for those the plans' own patterns, compiled once per region, answer in some 2
µs. The answer is either the region that `phonenumbers` would give for a valid number that can be a mobile's,
or None: ask `phonenumbers`. Everything in which the two could differ is left to it: a national prefix that it
would strip, a leading zero, numbers of another type, numbers that belong to no geographic region.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumberDesc

_NEVER = "(?!)"


class _Plan(NamedTuple):
    """The numbers of one region. `known` holds all that `mobile` leaves out, and perhaps more."""

    region: str
    leading: re.Pattern[str] | None
    lengths: frozenset[int]
    mobile: re.Pattern[str]
    known: re.Pattern[str]

    def accepts(self, national: str) -> bool:
        return len(national) in self.lengths and self.mobile.match(national) is not None


class _Code(NamedTuple):
    """A country calling code: its digits' length, what `phonenumbers` may strip, and its regions in order."""

    digits: int
    prefix: re.Pattern[str]
    plans: tuple[_Plan, ...]


def mobile_region(text: str) -> str | None:
    """Return the region (ISO 3166-1 alpha-2) of a valid E.164 number that can be a mobile's, None in doubt."""
    digits = text[1:]
    if text[:1] != "+" or not 7 <= len(digits) <= 15 or not (digits.isascii() and digits.isdigit()):
        return None
    code = _code(digits[:3])
    if code is None:
        return None
    national = digits[code.digits :]
    if national[0] == "0" or code.prefix.match(national):
        return None
    return _region(code.plans, national)


def _region(plans: tuple[_Plan, ...], national: str) -> str | None:
    """Go through the regions in `phonenumbers`' order: the first that knows the number has it."""
    for plan in plans:
        if plan.leading is not None:
            if plan.leading.match(national):
                return plan.region if plan.accepts(national) else None
        elif plan.accepts(national):
            return plan.region
        elif plan.known.match(national):
            return None
    return None


@lru_cache(maxsize=1000)
def _code(start: str) -> _Code | None:
    """Find the calling code in a number's first three digits. None begins with 0, nor with another one."""
    if start[0] == "0":
        return None
    for length in (1, 2, 3):
        regions = COUNTRY_CODE_TO_REGION_CODE.get(int(start[:length]), ())
        plans = [_metadata(region) for region in regions if region != "001"]
        if plans:
            prefix = re.compile(plans[0].national_prefix_for_parsing or _NEVER)
            return _Code(length, prefix, tuple(_plan(plan) for plan in plans))
    return None


def _metadata(region: str) -> PhoneMetadata:
    metadata = PhoneMetadata.metadata_for_region(region)
    assert metadata is not None, region  # noqa: S101 - the table of calling codes names known regions only
    return metadata


def _plan(metadata: PhoneMetadata) -> _Plan:
    general = metadata.general_desc
    mobile = metadata.fixed_line if metadata.same_mobile_and_fixed_line_pattern else metadata.mobile
    paid = (metadata.premium_rate, metadata.toll_free, metadata.shared_cost)
    special = (metadata.voip, metadata.personal_number, metadata.pager, metadata.uan, metadata.voicemail)
    others = "|".join(map(_pattern, (*paid, *special)))
    possible = frozenset(_lengths(general))
    return _Plan(
        region=metadata.id,
        leading=re.compile(metadata.leading_digits) if metadata.leading_digits else None,
        lengths=possible & frozenset(_lengths(mobile) or possible),
        mobile=re.compile(rf"(?={_pattern(general)}\Z)(?!(?:{others})\Z){_pattern(mobile)}\Z"),
        known=re.compile(rf"(?:{others}|{_pattern(metadata.fixed_line)}|{_pattern(mobile)})\Z"),
    )


def _lengths(described: PhoneNumberDesc | None) -> tuple[int, ...]:
    return () if described is None else tuple(described.possible_length)


def _pattern(described: PhoneNumberDesc | None) -> str:
    return f"(?:{(described and described.national_number_pattern) or _NEVER})"
