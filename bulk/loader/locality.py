"""Where the owner of a phone number may be: the possible time zones, and the region.

The zones are those that `phonenumbers` knows of a mobile number, found by its first digits alone: only North America
and the other countries of `_BY_PLACE` give mobile numbers by place; elsewhere the whole country is possible. A region
within the country is told by area code in the United States only, whose laws ask for it (`area_codes.csv`). Numbers
can be taken along when people move, so a time zone that the list itself knows is better than any of this.
"""

import csv
from functools import cache, lru_cache
from pathlib import Path

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE
from phonenumbers.tzdata import TIMEZONE_DATA, TIMEZONE_LONGEST_PREFIX

from bulk.campaign import is_zone
from bulk.rules import Locality

_TABLE = Path(__file__).with_name("area_codes.csv")
_BY_PLACE = {"1", "52", "54", "55", "62", "86"}  # libphonenumber, PhoneNumberUtil: GEO_MOBILE_COUNTRIES, and the NANP
_NOWHERE = Locality()


def locality(destination: str | None, zone: str | None = None) -> Locality:
    """Return where somebody may be.

    `destination` is an E.164 number, an address, or None; `zone` is the cell of the list's time-zone column. A zone
    that is no IANA name leaves the zone unknown, whatever the number says; an empty one says nothing.
    """
    number = destination if destination and destination[0] == "+" and "@" not in destination else None
    place = _of_number(number[1:9]) if number else _NOWHERE
    zone = zone.strip() if zone else ""
    if not zone:
        return place
    return _in_zone(zone, place.region)


@lru_cache(16384)
def _of_number(start: str) -> Locality:
    """Look up the first eight digits of a number: more are never looked at."""
    code = next((start[:length] for length in (1, 2, 3) if int(start[:length]) in COUNTRY_CODE_TO_REGION_CODE), None)
    if code is None:
        return _NOWHERE
    zones = _zones(start) if code in _BY_PLACE else TIMEZONE_DATA.get(code, ())
    known = tuple(sorted(name for name in zones if is_zone(name)))
    return Locality(known, _area_codes().get(start[1:4]) if code == "1" else _country(code))


@lru_cache(4096)
def _in_zone(zone: str, region: str | None) -> Locality:
    return Locality((zone,) if is_zone(zone) else (), region)


def _zones(digits: str) -> tuple[str, ...]:
    """Return the zones of the longest beginning that is known."""
    starts = (digits[:length] for length in range(TIMEZONE_LONGEST_PREFIX, 0, -1))
    return next((tuple(TIMEZONE_DATA[start]) for start in starts if start in TIMEZONE_DATA), ())


def _country(code: str) -> str | None:
    """Return the main country of a calling code, None for numbers of no country."""
    region = COUNTRY_CODE_TO_REGION_CODE[int(code)][0]
    return None if region == "001" else region


@cache
def _area_codes() -> dict[str, str]:
    with _TABLE.open(encoding="ascii", newline="") as file:
        return {row["area_code"]: row["region"] for row in csv.DictReader(file)}
