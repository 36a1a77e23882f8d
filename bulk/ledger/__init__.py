"""The ledger: what was intended and what happened, safe against a crash. `docs/internals/ledger.md` has the theory.

database     the file: opened, kept private, its troubles in words
schema       tables, states, and the rules the database keeps
writer       the one thread that writes: group commits
lookup       a row of the list → its row in the ledger, by key
claims       what is to be done with a row of the list
batch        a batch of the list claimed: what the ledger knows, and what is written of it
dispatches   what may have reached a person: counted for caps and open contacts
marks        by which attribute the contact of a call can be found, and what came of looking for it
ends         how contacts ended, as far as Amazon Connect told
consents     why people were written to, as the list said then
feedback     what came back about people: stop, bounces, complaints
facts        what the ledger tells of a run, as values
statements   the statements that write deliveries
queries      the statements that read them
rows         rows as they are read, each column by its name
run_reader   a run, to be read: counts, outcomes, unknown rows
passes       who began each pass, and what went over the wire in it
runs         runs begun, found again, ended
intents      what is written when a call is announced
run_writer   a run, to be written: claims, intents, replies, outcomes
ledger       a ledger opened: its runs, and who was written to
copies       copies that outlive the machine, and what they cannot know
redaction    what must not be kept
lock         one sender per run
"""

from bulk.ledger.claims import Claim, ClaimKind
from bulk.ledger.dispatches import Connection, still_open
from bulk.ledger.ends import ContactEnd
from bulk.ledger.facts import RunFacts, RunIdentity, Tried, Unknown
from bulk.ledger.ledger import Ledger
from bulk.ledger.marks import Doubt, Mark
from bulk.ledger.passes import Origin, PassFacts, TrafficRow
from bulk.ledger.run_reader import RunRecord, duplicate_of
from bulk.ledger.run_writer import Decision, RunLedger

__all__ = [
    "Claim",
    "ClaimKind",
    "Connection",
    "ContactEnd",
    "Decision",
    "Doubt",
    "Ledger",
    "Mark",
    "Origin",
    "PassFacts",
    "RunFacts",
    "RunIdentity",
    "RunLedger",
    "RunRecord",
    "TrafficRow",
    "Tried",
    "Unknown",
    "duplicate_of",
    "still_open",
]
