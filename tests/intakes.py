"""A run of four mails, of which events tell: with a ledger and a suppression list that are real."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ledgers import intent
from sandbox_runs import EMAIL

import bulk
from bulk.ledger import ContactEnd, Ledger, RunIdentity, RunLedger
from bulk.ledger import ends as ledger_ends
from bulk.ledger.feedback import Feedback
from bulk.loader.own_list import OwnList
from bulk.model import Outcome, Recipient, Status
from bulk.run.context import RunRef
from bulk.run.event_intake import EventIntake
from bulk.run.options import Options
from bulk.run.own_list_place import OwnListPlace
from bulk.stop import Stop

NOW = 1_800_000_000.0
WHEN, SENDER = "2027-01-15T08:00:00Z", "orders@shop.example"
IDENTITY = RunIdentity("welcome", "default", "email", "https://connect.example", "us-west-2", EMAIL["InstanceId"])
ENDED = {"DisconnectTimestamp": WHEN, "DisconnectReason": "EXPIRED"}
STOP = {"ParticipantRole": "CUSTOMER", "Type": "MESSAGE", "Content": "STOP", "AbsoluteTime": WHEN}


class Intake:
    """A run of four mails, and what is taken in of it."""

    def __init__(self, ledger: Ledger, folder: Path, run: RunLedger) -> None:
        self.ledger, self.folder, self.run = ledger, folder, run
        self.track: dict[str, Any] = {}

    def make(self) -> EventIntake:
        campaign = bulk.Campaign(name="welcome", channel="email", list={"key": "key"}, request=EMAIL, track=self.track)
        own = OwnListPlace(OwnList(self.folder))
        return EventIntake(RunRef(campaign, Options()), self.ledger, self.run, own)

    async def read(self, *events: Any, stop: Stop | None = None) -> EventIntake:
        path = self.folder / "events"
        path.write_text("".join(one if isinstance(one, str) else json.dumps(one) + "\n" for one in events))
        intake = self.make()
        await intake.read(str(path), stop or Stop())
        return intake

    @property
    def ends(self) -> list[ContactEnd]:
        return self.run.read(lambda connection, number: list(ledger_ends.ends(connection, number)))

    @property
    def feedback(self) -> list[Feedback]:
        rows = self.run.read(lambda connection, _: connection.execute("SELECT * FROM feedback").fetchall())
        return [Feedback(*row) for row in rows]

    @property
    def listed(self) -> dict[str, tuple[str, str]]:
        return {one.destination: (one.added_at, one.reason) for one in OwnList(self.folder).entries().values()}


async def four_mails(ledger: Ledger, folder: Path) -> Intake:
    """Have four mails sent."""
    run = ledger.begin(IDENTITY, {})
    run.claim([Recipient(row, f"key-{row}", f"{row + 1}@example.com", {}) for row in range(4)])
    for delivery in range(1, 5):
        await run.intend(intent(delivery, 0, f"t{delivery}", at=NOW))
        at = datetime.fromtimestamp(NOW, UTC)
        await run.finish(delivery, Outcome(Status.SENT, f"c-{delivery}", 1, finished_at=at))
    await run.flush()
    return Intake(ledger, folder, run)


def bounce(number: int, kind: str = "Bounce", **mail: Any) -> dict[str, Any]:
    people = [{"emailAddress": f"{number}@example.com"}]
    about = {"timestamp": WHEN, "bounceType": "Permanent", "bouncedRecipients": people, "complainedRecipients": people}
    return {"eventType": kind, "mail": {"timestamp": WHEN, "source": SENDER, **mail}, kind.lower(): about}


def stop_of(contact: str) -> dict[str, Any]:
    return {**STOP, "ContactId": contact}
