"""The example lists of email: the orders and invoices of shops, and the mailboxes of their customers."""

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from random import Random

import polars as pl
from example_people import DOMAINS, Row, address, people, sometimes, spread

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
