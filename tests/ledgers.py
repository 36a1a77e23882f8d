"""A ledger to try things on: the fixture is in `conftest`, and this begins the run that its tests are about."""

from bulk.ledger import Ledger, RunIdentity, RunLedger

IDENTITY = RunIdentity("welcome", "default", "email", "https://connect.example", "us-west-2", "8f3c")
DIGEST = bytes(range(16))


def begin(ledger: Ledger) -> RunLedger:
    """Begin the run, or another pass of it."""
    return ledger.begin(IDENTITY, {})
