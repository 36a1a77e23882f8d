"""The example lists of SMS and WhatsApp: the appointments of a clinic, and the parcels of a deliverer."""

from datetime import date, datetime
from itertools import islice
from random import Random

import polars as pl
from example_people import Row, mobile, people, sometimes, spread, written

CLINICS = ("Harbor Street", "Elm Park, 2nd floor", 'Riverside "North"', "Old Town")
NOTES = (
    "Please bring your insurance card, and arrive ten minutes early.",
    "Parking is behind the building;\nthe entrance is on Elm Street.",
    "Nothing to eat or drink before, water is fine 💧",
    "We will speak with you in your language: 日本語, العربية, हिन्दी or español.",
)


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
