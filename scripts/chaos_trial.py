"""What the chaos test sends, a list that knows what must become of each of its rows, and the day the server has."""

import csv
import random
from dataclasses import dataclass, field
from pathlib import Path

HEAD = """
name = "chaos-{kind}"
channel = "{channel}"
contacts = "list.csv"

[list]
key = "id"
country = "US"

[pacing]
rate = {rate}
burst = 10

[retry]
attempts = {attempts}
longest_wait = "40ms"

[stop]
same_error_in_a_row = 100000
failure_share = 1.0

[request]
InstanceId = "8f3c2b1a-5d4e-4f60-9a7b-1c2d3e4f5a6b"
"""
SMS = """
ContactFlowId = "846ec553-a005-41c0-8341-000000000000"
SourceEndpoint.Address = "arn:aws:connect:us-west-2:123456789012:phone-number/0b1c2d3e"
InitialSystemMessage.Content = "Hello {{ name }}"
Attributes = { id = "{{ id }}" }
"""
RAW = """
EmailMessage.MessageSourceType = "RAW"
EmailMessage.RawMessage = { Subject = "Order {{ id }}", Body = "Thank you, {{ name }}", ContentType = "text/plain" }
"""
EMAIL = """
FromEmailAddress.EmailAddress = "orders@shop.example"

[create_contact]
UserInfo.UserId = "a1b2c3d4-e5f6-4708-8192-a3b4c5d6e7f8"
Attributes = { id = "{{ id }}" }
"""
INBOUND = """
DestinationEmailAddress = "help@shop.example"
Attributes = { id = "{{ id }}" }
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of campaign. `stops`: it ends each contact after its mail. `attempts`: so few that some run out.

    `forgets`: the service knows no token of CreateContact again, so that each of its calls makes another draft.
    """

    name: str
    channel: str
    request: str
    calls: tuple[str, ...]
    stops: bool = False
    attempts: int = 15
    forgets: bool = False

    @property
    def tired(self) -> bool:
        """Whether tries run out."""
        return self.attempts <= 2

    def campaign(self, rate: float) -> str:
        """Return the campaign file."""
        head = HEAD.format(kind=self.name, channel=self.channel, rate=rate, attempts=self.attempts)
        return head + self.request + ("[stop_contact]\n" if self.stops else "")


REJECTED = ["+19075550190", *(f"reject+{number}@simulator.example" for number in range(2000))]
"""Whom the sandbox rejects by itself."""

MAILING = "CreateContact", "StartOutboundEmailContact"
KINDS = {
    kind.name: kind
    for kind in (
        Kind("sms", "sms", SMS, ("StartOutboundChatContact",)),
        Kind("email", "email", RAW + EMAIL, MAILING),
        Kind("email-stop", "email", RAW + EMAIL, (*MAILING, "StopContact"), stops=True),
        Kind("inbound-email", "inbound-email", RAW + INBOUND, ("StartEmailContact",)),
        Kind("email-tired", "email", RAW + EMAIL, MAILING, attempts=2),
        Kind("sms-tired", "sms", SMS, ("StartOutboundChatContact",), attempts=2),
    )
}


@dataclass(slots=True)
class ContactList:
    """A list on the disk. `wanted` tells what must become of a key: `sent`, `rejected` or `refused`."""

    path: Path
    phones: bool
    rows: list[tuple[str, str, str]] = field(default_factory=list)
    wanted: dict[str, str] = field(default_factory=dict)

    def grow(self, count: int) -> None:
        """Append rows: most are sent, some the service rejects, some cannot be sent, some repeat an earlier key."""
        for number in range(len(self.rows), len(self.rows) + count):
            key = f"k{number}"
            if number % 23 == 22:
                self.rows.append((f"k{number - 20}", self._good(number), "Again"))
                continue
            end = "rejected" if number % 29 == 7 else "refused" if number % 31 == 11 else "sent"
            address = {"sent": self._good, "rejected": self._rejected, "refused": self._nowhere}[end](number)
            self.rows.append((key, address, f"Ann {number}"))
            self.wanted[key] = end

    def shuffle(self, lots: random.Random) -> None:
        """Sort the list anew; the rows of one key keep their order, for the first of them is the one that is sent."""
        places = [key for key, *_ in self.rows]
        lots.shuffle(places)
        rows: dict[str, list[tuple[str, str, str]]] = {}
        for row in self.rows:
            rows.setdefault(row[0], []).append(row)
        self.rows = [rows[key].pop(0) for key in places]

    def write(self) -> None:
        """Write it, whole or not at all."""
        beside = self.path.with_suffix(".new")
        with beside.open("w", newline="") as file:
            csv.writer(file).writerows([("id", "phone" if self.phones else "email", "name"), *self.rows])
        beside.replace(self.path)

    def _good(self, number: int) -> str:
        return f"+1415555{number:04}" if self.phones else f"ann{number}@example.com"

    def _nowhere(self, _: int) -> str:
        return "nowhere"

    def _rejected(self, number: int) -> str:
        return REJECTED[0] if self.phones else REJECTED[number + 1]


def bad_day(seed: int, share: float) -> dict[str, object]:
    """Declare the faults: not quite three times `share` of the calls meet one.

    A call that starts a contact for somebody whom the service rejects is rejected whatever else happens to it: a
    service that recognises a token does not reject what it has accepted. Of a mail it may well say that it is out.
    """
    never: list[dict[str, object]] = [
        {"fault": "error", "code": "InvalidRequestException", "operation": operation, "destinations": REJECTED}
        for operation in ("StartOutboundChatContact", "StartEmailContact")
    ]
    chance = {
        "drop_after": share,
        "drop_before": share / 2,
        "error": share,
        "throttle": share / 6,
    }
    rules: list[dict[str, object]] = [{"fault": fault, "probability": p} for fault, p in chance.items()]
    return {"seed": seed, "rules": [{"fault": "delay", "seconds": [0.0, 0.06]}, *never, *rules]}
