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
from pathlib import Path

from example_mails import archive, invoices, mailbox, orders
from example_people import Row
from example_phones import appointments, parcels

from bulk.reference.schema import FILE, campaign_schema


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
