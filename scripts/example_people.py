"""Invented people of many countries, their numbers and addresses, and how rows are put together from them."""

from collections.abc import Iterable, Iterator
from itertools import cycle
from random import Random
from typing import Any, NamedTuple

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

Row = dict[str, Any]

NAMES = """
US  Ann/Lee  Mary/Johnson  James/Brown  Linda/O'Neill  David/Smith-Jones  Rosa/Garcia
GB  Emily/Clarke  Oliver/Wright  Sophie/Taylor  Harry/Evans
IE  Aoife/Murphy  Seán/Ó Briain  Niamh/Kelly
CA  Chloé/Tremblay  Liam/Martin
DE  Jürgen/Müller  Käthe/Groß  Anna/Schäfer  Björn/Weiß
FR  Élodie/Lefèvre  François/Dubois  Zoé/Besançon
ES  José/Núñez  María/Peña
PT  João/Conceição  Inês/Magalhães
BR  Antônio/Araújo  Luíza/Gonçalves
MX  Guadalupe/Hernández  Raúl/Muñoz
PL  Łukasz/Wójcik  Małgorzata/Żak  Zdzisław/Świątek
CZ  Jiří/Dvořák  Božena/Černá
SE  Åsa/Öberg  Göran/Sjöström
IS  Þóra/Jónsdóttir  Guðmundur/Ægisson
TR  Çağla/Yıldız  İbrahim/Şahin
VN  Hương/Nguyễn  Đức/Trần
UA  Оксана/Шевченко  Андрій/Коваленко  Їлена/Ґалаґан
BG  Иван/Георгиев  Мария/Петрова
RS  Ђорђе/Јовановић  Љубица/Николић
GR  Ελένη/Παπαδοπούλου  Γιώργος/Οικονόμου
EG  فاطمة/حسن  محمد/علي
AE  ليلى/الأحمد  خالد/المنصور
IL  נועה/כהן  דוד/לוי
IN  प्रिया/शर्मा  राहुल/गुप्ता  தமிழ்ச்செல்வி/குமார்
NP  सीता/थापा
TH  สมชาย/ใจดี  กัญญา/ศรีสุข
JP  花子/佐藤  太郎/鈴木  さくら/高橋
CN  伟/王  秀英/李
TW  淑芬/陳
KR  민준/김  서연/이
AM  Անի/Սարգսյան
GE  ნინო/ბერიძე
ET  ሰላም/በቀለ
NG  Chidi/Okafor  Ṣadé/Adébáyọ̀
KE  Wanjiku/Kamau
ZA  Thandiwe/Nkosi
AU  Mia/Wilson
NZ  Aroha/Māhuika
"""

AREA_CODES = (206, 212, 303, 312, 404, 415, 503, 512, 617, 702)
DOMAINS = ("example.com", "example.org", "example.net", "mail.example", "post.example", "Example.COM")


class Person(NamedTuple):
    """Somebody invented: where they live, and how they are called."""

    region: str
    first: str
    last: str

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"


def people() -> Iterator[Person]:
    """Return everybody in turn, one of each country before the second of any, for ever."""
    lines = [line.split("  ") for line in NAMES.strip().splitlines()]
    most = max(len(names) for _, *names in lines)
    rounds = ((region, names[turn % len(names)]) for turn in range(most) for region, *names in lines)
    return (Person(region, *name.strip().split("/")) for region, name in cycle(list(rounds)))


def mobile(region: str, random: Random, taken: set[str]) -> phonenumbers.PhoneNumber:
    """Find a valid mobile number of the region that is not taken yet, and take it."""
    example = phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
    assert example, f"phonenumbers knows no mobile number of {region}"
    stem = str(example.national_number)[:-4]
    while True:
        last = f"{random.randrange(10_000):04}"
        if region == "US":
            stem, last = f"{random.choice(AREA_CODES)}555", f"01{last[2:]}"
        number = phonenumbers.PhoneNumber(example.country_code, int(stem + last))
        text = phonenumbers.format_number(number, PhoneNumberFormat.E164)
        if phonenumbers.is_valid_number_for_region(number, region) and text not in taken:
            taken.add(text)
            return number


def written(number: phonenumbers.PhoneNumber, *, home: str, random: Random) -> str:
    """Write a number as people do: at home also without the country, with brackets, dashes or nothing."""
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    ways = [
        phonenumbers.format_number(number, PhoneNumberFormat.E164),
        phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL),
    ]
    if phonenumbers.region_code_for_number(number) == home:
        bare = "".join(filter(str.isdigit, national))
        ways += [national, national.replace(" ", "-"), f" {bare} ", bare]
    return random.choice(ways)


def address(person: Person, place: int) -> str:
    """Return an address on a reserved domain: ASCII names spell it, others get a customer's number."""
    stem = f"{person.first}.{person.last}".replace(" ", "").replace("'", "")
    local = stem.lower() if stem.replace(".", "").replace("-", "").isascii() else "customer"
    return f"{local}{place:03}@{DOMAINS[place % len(DOMAINS)]}"


def sometimes(values: Iterable[str], *, share: float, random: Random) -> Iterator[str]:
    """Return the values in turn for a share of the rows, nothing for the others."""
    turn = cycle(values)
    while True:
        yield next(turn) if random.random() < share else ""


def spread(rows: list[Row], strays: Iterable[tuple[int, Row]]) -> list[Row]:
    """Put each stray row at its place: what it does not say, it has from the row that stood there."""
    for place, stray in strays:
        rows.insert(place, rows[place] | stray)
    return rows
