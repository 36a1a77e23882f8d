"""How the contacts of a run ended, as far as the ledger knows, in numbers."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from bulk.ledger import RunRecord
from bulk.ledger import ends as ledger_ends
from bulk.ledger import feedback as ledger_feedback
from bulk.run.contact_events import ENDED, GONE, OPEN
from bulk.run.context import RunRef

NO_RECEIPT = "how contacts ended at Amazon Connect; whether a message reached the person, it does not tell"


@dataclass(frozen=True, slots=True)
class Tracking:
    """How the contacts of a run ended, as far as is known.

    `contacts` were accepted. Of these `ended`, are `open` still, or are `gone` (Amazon Connect knows them no more);
    `untracked` were not asked about yet. `answered` are those whose person wrote back, `silent` those whose did not;
    of the rest that is not told. `reasons` counts the disconnect reasons, `asked` what this call asked or read.

    `stops`, `bounces` (for good), `soft_bounces` and `complaints` came back, as far as events told. `listed` were put
    on the suppression list by this call, `unlisted` should be and their destinations are not known. `malformed` is how
    many things were no events; they stay where they are.
    """

    campaign: str
    run: str
    contacts: int
    ended: int
    open: int
    gone: int
    untracked: int
    answered: int
    silent: int
    reasons: dict[str, int]
    asked: int
    rehearsal: bool = False
    stops: int = 0
    bounces: int = 0
    soft_bounces: int = 0
    complaints: int = 0
    listed: int = 0
    unlisted: int = 0
    malformed: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return it as `--json` prints it, with what it does not claim."""
        return {**asdict(self), "note": self.note}

    @property
    def note(self) -> str:
        """What it does not claim."""
        return NO_RECEIPT


def _feedback(ref: RunRef, record: RunRecord) -> tuple[int, ...]:
    """Return how many stops, bounces, soft bounces and complaints there are, how many were listed, and were not."""
    counts = Counter(kind for kinds in record.read(ledger_feedback.kinds_of).values() for kind in kinds)
    left = record.read(lambda reader, run: ledger_feedback.unlisted(reader, run, ref.campaign.track.suppress))
    return *(counts[kind] for kind in ledger_feedback.KINDS), 0, len(left)


def tracking(ref: RunRef, record: RunRecord, asked: int = 0) -> Tracking:
    """Return what is known of the contacts of a run. `asked` is how many were asked about, or read of, just now."""
    ends = list(record.read(lambda reader, run: list(ledger_ends.ends(reader, run))))
    states, contacts = Counter(end.state for end in ends), len(record.read(ledger_ends.contacts))
    answers = Counter(end.messages > 0 for end in ends if end.messages is not None)
    reasons = Counter(end.reason or "not told" for end in ends if end.state == ENDED)
    return Tracking(
        ref.campaign.name,
        ref.options.run_id,
        contacts,
        states[ENDED],
        states[OPEN],
        states[GONE],
        contacts - len(ends),
        answers[True],
        answers[False],
        dict(reasons.most_common()),
        asked,
        ref.options.sandbox,
        *_feedback(ref, record),
    )
