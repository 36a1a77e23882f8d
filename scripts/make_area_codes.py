"""Write `bulk/loader/area_codes.csv`: the area codes of the North American numbering plan, by region (ISO 3166-2).

    .venv/bin/python scripts/make_area_codes.py

The facts are those of the geocoding data of the `phonenumbers` library, which takes 100 MB of memory to ask; the
program needs one line per area code of them.
"""

import csv
import sys
from pathlib import Path
from typing import TextIO

import phonenumbers
from phonenumbers.geodata import GEOCODE_DATA
from phonenumbers.tzdata import TIMEZONE_DATA

STATES = """
AL Alabama  AK Alaska  AZ Arizona  AR Arkansas  CA California  CO Colorado  CT Connecticut  DE Delaware
DC Washington D.C.  FL Florida  GA Georgia  HI Hawaii  ID Idaho  IL Illinois  IN Indiana  IA Iowa  KS Kansas
KY Kentucky  LA Louisiana  ME Maine  MD Maryland  MA Massachusetts  MI Michigan  MN Minnesota  MS Mississippi
MO Missouri  MT Montana  NE Nebraska  NV Nevada  NH New Hampshire  NJ New Jersey  NM New Mexico  NY New York
NC North Carolina  ND North Dakota  OH Ohio  OK Oklahoma  OR Oregon  PA Pennsylvania  RI Rhode Island
SC South Carolina  SD South Dakota  TN Tennessee  TX Texas  UT Utah  VT Vermont  VA Virginia
WA Washington State  WV West Virginia  WI Wisconsin  WY Wyoming
"""
TERRITORIES = {"PR", "VI", "GU", "MP", "AS"}  # ISO 3166-2:US has them too, and federal law holds there


def table() -> list[tuple[str, str]]:
    """Return each area code with its region: `US-FL`, or a country where no state is told."""
    entries = (entry.split(" ", 1) for line in STATES.split("\n") if line for entry in line.split("  "))
    names = {name: code for code, name in entries}
    codes = sorted(start[1:] for start in TIMEZONE_DATA if len(start) == 4 and start[0] == "1")
    found = ((code, region(code, names)) for code in codes)
    return [(code, known) for code, known in found if known]


def region(code: str, names: dict[str, str]) -> str | None:
    """Find the region of an area code."""
    whole = f"1{code}"
    starts = [whole] if whole in GEOCODE_DATA else [start for start in GEOCODE_DATA if start[:4] == whole]
    said = [GEOCODE_DATA[start].get("en", "") for start in starts]
    states = {names.get(place) or place.rpartition(", ")[2] for place in said}
    if len(states) == 1 and states < set(names.values()):
        return f"US-{states.pop()}"
    country = phonenumbers.region_code_for_number(phonenumbers.parse(f"+1{code}2345678"))
    return f"US-{country}" if country in TERRITORIES else country


def write(file: TextIO) -> None:
    """Write the table as CSV."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(("area_code", "region"))
    writer.writerows(table())


if __name__ == "__main__":
    with Path(sys.argv[0]).parents[1].joinpath("bulk/loader/area_codes.csv").open("w", encoding="ascii") as csv_file:
        write(csv_file)
