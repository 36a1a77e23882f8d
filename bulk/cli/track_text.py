"""The result of tracking as text: how contacts ended, and what people answered."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bulk.text.plain import counted, plain

if TYPE_CHECKING:
    from bulk.run.track_summary import Tracking


def tracking(told: "Tracking") -> str:
    """Return how the contacts of a run ended, as far as is known."""
    states = {"ended": told.ended, "open": told.open, "gone": told.gone, "not asked about": told.untracked}
    some = ", ".join(f"{number:,} {state}" for state, number in states.items() if number)
    rehearsal = "REHEARSAL: " if told.rehearsal else ""
    answers = f"answered by {told.answered:,}, not by {told.silent:,}" if told.answered or told.silent else ""
    head = f"{rehearsal}{told.campaign}, run {told.run}: {counted(told.contacts, 'contact')}: {some or 'none'}"
    reasons = [f"  {plain(why)}: {rows:,}" for why, rows in told.reasons.items()]
    return "\n".join([head, *filter(None, [answers]), *reasons, *_feedback(told)])


def _feedback(told: "Tracking") -> Iterator[str]:
    """Yield what came back about people, and what became of it."""
    numbers = {
        "said STOP": told.stops,
        "bounced": told.bounces,
        "bounced for now": told.soft_bounces,
        "complained": told.complaints,
    }
    if some := ", ".join(f"{number:,} {what}" for what, number in numbers.items() if number):
        yield some
    if told.listed:
        yield f"{counted(told.listed, 'destination')} put on the suppression list"
    if told.unlisted:
        yield f"{told.unlisted:,} not on the suppression list: their destinations are not in the contact list any more"
    if told.malformed:
        yield f"{told.malformed:,} no events, and left where they are"
