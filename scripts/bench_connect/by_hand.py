"""The loop that a user would write to see whether a list can be sent: a program of its own, which prints JSON.

    python -m bench_connect.by_hand contacts.csv

Rows as the csv module reads them, numbers as `phonenumbers` does, the text rendered by a compiled Jinja template, the
parameters held against botocore's own model.
"""

import csv
import json
import sys
from pathlib import Path

import phonenumbers
from botocore.session import get_session
from botocore.validate import ParamValidator
from jinja2 import Environment

from bench_connect.peers import sms

TEXT = "Hi {{ first_name }}, see you on {{ date }}. Reply STOP to opt out."


def main(path: Path) -> None:
    """Check a list, and print how many rows can be sent and how many cannot."""
    text, validator = Environment().from_string(TEXT), ParamValidator()
    shape = get_session().get_service_model("connect").operation_model("StartOutboundChatContact").input_shape
    constants = sms(0)
    counts = {"sendable": 0, "refused": 0}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            try:
                number = phonenumbers.parse(row["phone"], "US")
            except phonenumbers.NumberParseException:
                counts["refused"] += 1
                continue
            address = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            parameters = {
                **constants,
                "DestinationEndpoint": {"Type": "TELEPHONE_NUMBER", "Address": address},
                "InitialSystemMessage": {"ContentType": "text/plain", "Content": text.render(row)},
                "Attributes": {"customer_id": row["customer_id"]},
            }
            counts["refused" if validator.validate(parameters, shape).has_errors() else "sendable"] += 1
    print(json.dumps(counts))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
