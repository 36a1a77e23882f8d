#!/usr/bin/env python3
"""Write the contact lists of `input_examples/`, always the same rows from fixed seeds, and the schema of a campaign.

    .venv/bin/python scripts/make_examples.py [DIR]

The people, companies and orders are invented: common names, reserved mail domains (`example.com`,
`.example`), and for the United States the numbers kept for fiction (555-0100 to 555-0199). Other numbers
are the example numbers of the `phonenumbers` library with other last digits; they are valid in form and
may belong to somebody, so send these lists nowhere but to the sandbox.

Every list also has what real lists have: numbers written in several ways, quoted commas and line breaks,
keys with leading zeros, and a few rows that cannot be sent (`tests/test_examples.py` says which).
"""

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import phonenumbers
import polars as pl
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from bulk.reference.schema import FILE, campaign_schema

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
CLINICS = ("Harbor Street", "Elm Park, 2nd floor", 'Riverside "North"', "Old Town")
NOTES = (
    "Please bring your insurance card, and arrive ten minutes early.",
    "Parking is behind the building;\nthe entrance is on Elm Street.",
    "Nothing to eat or drink before, water is fine 💧",
    "We will speak with you in your language: 日本語, العربية, हिन्दी or español.",
)
GIFT_NOTES = (
    "Happy birthday, from all of us!",
    "Alles Gute zum Geburtstag 🎂\nDeine Familie",
    'For the "new house", with love',
    "お誕生日おめでとう",
    "С новосельем, дорогие соседи;\nждём в гости!",
)
ARTICLES = (
    ("Desk lamp, oak", "48.00"),
    ("Wool blanket <140 x 200>", "79.90"),
    ("Tea & biscuits", "12.50"),
    ("Picture frame 30 × 40", "19.95"),
    ("Garden shears", "34.00"),
)
CURRENCIES = ("EUR", "USD", "GBP", "SEK", "PLN")
QUESTIONS = (
    (
        "Where is my order?",
        "Hello,\n\nI ordered two weeks ago and heard nothing since. Can you look, please?",
    ),
    (
        "Reklamation",
        "Guten Tag,\n\ndie Lampe flackert, und der Schirm ist zerkratzt. Bitte um Umtausch.\n\nMit Grüßen",
    ),
    ("住所変更のお願い", "お世話になっております。\n\n引っ越しましたので、配送先の変更をお願いいたします。"),
    ("Facture manquante", "Bonjour,\n\nje n'ai pas reçu la facture de ma commande, merci de me l'envoyer."),
    ("استفسار عن الضمان", "مرحبا،\n\nهل يشمل الضمان هذا العطل؟ شكرا."),
    ("Re: your reply", 'Thanks, that helped 👍\n\n> You wrote: "please try, once more, to reset it"'),
    ("Повернення товару", "Добрий день!\n\nХочу повернути рамку, вона не підходить за розміром."),
)


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


def appointments() -> list[Row]:
    """Make the clinic's reminders of one week: a list out of a practice system, mostly numbers of the US."""
    random, taken = Random(1), set[str]()
    notes = sometimes(NOTES, share=0.2, random=random)
    rows: list[Row] = []
    for place, person in enumerate(islice(people(), 350)):
        region = person.region if place % 3 else "US"
        at = datetime(2027, 1, 11 + place % 5, 8 + place % 9, place % 4 * 15)  # noqa: DTZ001 - the clinic's own time
        rows.append(
            {
                "customer_id": f"{1042 + 7 * place:06}",
                "first_name": "" if place % 50 == 7 else person.first,
                "last_name": person.last,
                "phone": written(mobile(region, random, taken), home="US", random=random),
                "date": f"{at:%Y-%m-%d}",
                "time": f"{at:%H:%M}",
                "clinic": CLINICS[place % len(CLINICS)],
                "note": next(notes),
            }
        )
    strays: list[tuple[int, Row]] = [
        (31, {"customer_id": "000901", "phone": ""}),
        (64, {"customer_id": "000902", "phone": "4.47911E+11"}),
        (97, {"customer_id": "000903", "phone": "call reception"}),
        (128, {"customer_id": "000904", "phone": "+1 999 555 0100"}),
        (160, {"customer_id": "000905", "phone": "415-555-0100 / 415-555-0101"}),
        (201, {"customer_id": "", "phone": "+1 206 555 0199"}),
        (
            240,
            {
                "customer_id": "000906",
                "phone": "+1 212 555 0198",
                "note": "Directions: " + "turn left, then right; " * 50,
            },
        ),
        (283, {"customer_id": "000907", "phone": "+44 7700"}),
        (300, {}),  # the row that follows, twice
        (320, {"customer_id": "000908"}),  # somebody else on the same phone: no duplicate
        (345, {}),
    ]
    return spread(rows, strays)


def parcels() -> pl.DataFrame:
    """Make a deliverer's parcels of the day, typed and nested: who gets them, when, and how many."""
    random, taken = Random(2), set[str]()
    rows: list[Row] = [
        {
            "parcel_id": f"00340434{random.randrange(10**12):012}",
            "mobile": written(mobile("DE" if place % 5 else person.region, random, taken), home="DE", random=random),
            "recipient": {"name": person.name, "language": "de" if place % 5 else "en"},
            "arrives": date(2027, 1, 12 + place % 3),
            "parcels": 1 + place % 3,
            "open_minutes": (60, 120, None)[place % 3],
        }
        for place, person in enumerate(islice(people(), 300))
    ]
    strays: list[tuple[int, Row]] = [
        (40, {"parcel_id": "00340434000000000001", "mobile": None}),
        (90, {"parcel_id": "00340434000000000002", "mobile": "0151"}),
        (140, {"parcel_id": "00340434000000000003", "mobile": "+49 1512 3456789", "open_minutes": 5}),
        (190, {"parcel_id": None, "mobile": "+49 1512 3456780"}),
        (240, {}),
    ]
    return pl.DataFrame(spread(rows, strays))


def orders() -> list[Row]:
    """Make a shop's orders, as a spreadsheet writes them: headers for people, notes over several lines."""
    random = Random(3)
    notes = sometimes(GIFT_NOTES, share=0.25, random=random)
    rows: list[Row] = []
    for place, person in enumerate(islice(people(), 320)):
        placed = date(2026, 12, 1) + timedelta(days=place // 20)
        rows.append(
            {
                "Order No": f"{70015 + 3 * place:08}",
                "Customer": person.name,
                "E-Mail": f" {address(person, place)}" if place % 40 == 9 else address(person, place),
                "Placed": placed.isoformat(),
                "Delivery From": (placed + timedelta(days=3)).isoformat(),
                "Delivery To": (placed + timedelta(days=5)).isoformat(),
                "Items": str(1 + place % 6),
                "Total": f"{random.randrange(9_90, 450_00) / 100:,.2f}",
                "Currency": CURRENCIES[place % len(CURRENCIES)],
                "Gift Note": next(notes),
            }
        )
    strays: list[tuple[int, Row]] = [
        (25, {"Order No": "00000901", "E-Mail": ""}),
        (77, {"Order No": "00000902", "E-Mail": "anna.example.com"}),
        (126, {"Order No": "00000903", "E-Mail": "one@example.com;two@example.com"}),
        (175, {"Order No": "00000904", "E-Mail": "maria@example"}),
        (222, {"Order No": "", "E-Mail": "no.number@example.com"}),
        (260, {"Order No": "00000905", "E-Mail": "long@example.com", "Customer": "Long " * 60 + "Name"}),
        (290, {}),
        (310, {}),
    ]
    return spread(rows, strays)


def invoices() -> pl.DataFrame:
    """Make a month's invoices, with the lines of each as a list of structs."""
    random = Random(4)
    rows: list[Row] = []
    for place, person in enumerate(islice(people(), 300)):
        lines: list[Row] = [
            {"article": article, "quantity": 1 + random.randrange(3), "price": price}
            for article, price in random.sample(ARTICLES, k=1 + place % 4)
        ]
        total = sum(line["quantity"] * round(float(line["price"]) * 100) for line in lines) / 100
        rows.append(
            {
                "invoice": f"2026-12-{1 + place:05}",
                "name": person.name,
                "email": address(person, place),
                "company": None if place % 3 else f"{person.last} & Partners <example>",
                "copy_to": [{"EmailAddress": "accounts@example.net", "DisplayName": "Accounts"}]
                if place % 5 == 0
                else None,
                "lines": lines,
                "total": f"{total:.2f}",
                "due": date(2027, 1, 15) + timedelta(days=place % 14),
            }
        )
    strays: list[tuple[int, Row]] = [
        (50, {"invoice": "2026-12-90001", "email": None}),
        (110, {"invoice": "2026-12-90002", "email": "no at sign"}),
        (
            170,
            {
                "invoice": "2026-12-90003",
                "email": "long@example.com",
                "company": "A very long company name, " * 40,
            },
        ),
        (230, {"invoice": None, "email": "no.number@example.com"}),
        (280, {}),
    ]
    return pl.DataFrame(spread(rows, strays))


def mailbox() -> list[Row]:
    """Make a shared mailbox, exported: one row per message, with its text."""
    random = Random(5)
    rows: list[Row] = []
    for place, person in enumerate(islice(people(), 330)):
        subject, body = QUESTIONS[place % len(QUESTIONS)]
        arrived = datetime(2026, 11, 2, 6, tzinfo=UTC) + timedelta(minutes=47 * place)
        reply = place % 7 == 5
        rows.append(
            {
                "message_id": f"<{random.getrandbits(64):016x}@{DOMAINS[place % 3]}>",
                "from": address(person, place),
                "from_name": person.name,
                "received": f"{arrived:%Y-%m-%dT%H:%M:%SZ}",
                "received_epoch": str(int(arrived.timestamp())),
                "subject": subject,
                "body": f"{body}\n\n{person.name}",
                "in_reply_to": f"<{random.getrandbits(64):016x}@example.com>" if reply else "",
                "order_no": f"{70015 + 3 * place:08}" if place % 4 else "",
            }
        )
    strays: list[tuple[int, Row]] = [
        (33, {"message_id": "<901@example.com>", "from": ""}),
        (99, {"message_id": "<902@example.com>", "from": "Mailer Daemon"}),
        (151, {"message_id": "<903@example.com>", "body": ""}),
        (202, {"message_id": "<904@example.com>", "subject": "Fwd: " * 250}),
        (255, {"message_id": "", "from": "no.id@example.com"}),
        (300, {}),
        (325, {}),
    ]
    return spread(rows, strays)


def archive() -> pl.DataFrame:
    """Make an old ticket system's mails in HTML, with the people in copy."""
    rows: list[Row] = []
    for place, person in enumerate(islice(people(), 300)):
        subject, body = QUESTIONS[place % len(QUESTIONS)]
        copies = [{"EmailAddress": f"colleague{place:03}@example.org", "DisplayName": "A colleague"}]
        rows.append(
            {
                "ticket": 10_000 + place,
                "customer": {"email": address(person, place), "name": person.name},
                "subject": subject,
                "html": "<p>" + body.replace("\n\n", "</p><p>").replace("\n", "<br>") + "</p>",
                "copies": copies if place % 6 == 0 else None,
                "keep_minutes": 1440 * (1 + place % 14),
            }
        )
    strays: list[tuple[int, Row]] = [
        (60, {"ticket": 90_001, "customer": {"email": None, "name": "Nobody"}}),
        (120, {"ticket": 90_002, "customer": {"email": "(unknown sender)", "name": "Somebody"}}),
        (180, {"ticket": 90_003, "html": ""}),
        (240, {"ticket": None}),
        (290, {}),
    ]
    return pl.DataFrame(spread(rows, strays))


def write_csv(path: Path, rows: list[Row], *, encoding: str = "utf-8", ends: str = "\n") -> None:
    """Write rows as CSV, quoting only what needs it."""
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator=ends)
        writer.writeheader()
        writer.writerows(rows)


def write_examples(folder: Path) -> None:
    """Write every list under the folder, each beside the campaigns that use it."""
    (folder / FILE).write_text(json.dumps(campaign_schema(), indent=2, ensure_ascii=False) + "\n", "utf-8")
    for channel in ("sms", "whatsapp", "email", "inbound-email"):
        (folder / channel).mkdir(parents=True, exist_ok=True)
    write_csv(folder / "sms/contacts.csv", appointments())
    parcels().write_parquet(folder / "sms/parcels.parquet")
    write_csv(folder / "whatsapp/contacts.csv", appointments())
    parcels().write_parquet(folder / "whatsapp/parcels.parquet")
    write_csv(folder / "email/orders.csv", orders(), encoding="utf-8-sig", ends="\r\n")  # as Excel writes it
    invoices().write_parquet(folder / "email/invoices.parquet")
    write_csv(folder / "inbound-email/mailbox.csv", mailbox())
    archive().write_parquet(folder / "inbound-email/archive.parquet")


if __name__ == "__main__":
    write_examples(Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parents[1] / "input_examples")
