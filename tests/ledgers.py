"""A ledger to try things on: the fixture is in `conftest`, and this begins the run that its tests are about."""

from collections.abc import Sequence

from bulk.ledger import Ledger, RunIdentity, RunLedger, RunRecord
from bulk.ledger.facts import moment
from bulk.ledger.lookup import names_of
from bulk.model import Announcement, Outcome, Recipient, Status

IDENTITY = RunIdentity("welcome", "default", "email", "https://connect.example", "us-west-2", "8f3c")
DIGEST = bytes(range(16))


def begin(ledger: Ledger) -> RunLedger:
    """Begin the run, or another pass of it."""
    return ledger.begin(IDENTITY, {})


def intent(
    delivery: int,
    step: int,
    token: str,
    *,
    digest: bytes = DIGEST,
    at: float = 1.7e9,
    reaches: bool = True,
    reopens: bool = False,
) -> Announcement:
    """Announce a call that opens a contact and sends a message, unless it is said not to reach anybody."""
    return Announcement(delivery, step, token, digest, at, opens=reaches, writes=reaches, reopens=reopens)


def outcomes(run: RunRecord, rows: Sequence[Recipient]) -> list[Outcome]:
    """Return what the ledger has of the rows of a list, read from its start."""
    found = run.recorded()(names_of(rows), [row.destination for row in rows])
    return [
        Outcome(
            Status(status),
            contact,
            tries,
            code,
            message,
            request,
            moment(at),
        )
        for status, contact, tries, code, message, request, at in found
    ]
