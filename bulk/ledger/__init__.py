"""The ledger: what was intended and what happened, safe against a crash. `docs/ledger.md` has the theory.

database     the file: opened, kept private, its troubles in words
schema       tables, states, and the rules the database keeps
writer       the one thread that writes: group commits
matching     a row of the list → its row in the ledger, by key
claims       a batch of the list → what is to be done with each row
record       a run, to be read: counts, outcomes, unknown rows
runs         runs begun, found again, ended
journal      a run, to be written: claims, intents, replies, outcomes
book         a ledger opened: its runs, and who was written to
privacy      what must not be kept
"""

from bulk.ledger.book import Ledger
from bulk.ledger.claims import Claim, ClaimKind
from bulk.ledger.journal import Decision, RunLedger
from bulk.ledger.record import RunFacts, RunIdentity, RunRecord, Unknown

__all__ = [
    "Claim",
    "ClaimKind",
    "Decision",
    "Ledger",
    "RunFacts",
    "RunIdentity",
    "RunLedger",
    "RunRecord",
    "Unknown",
]
