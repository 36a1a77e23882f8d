"""Reads what Amazon Connect reports about contacts: answers to questions, contact events, contact records.

The same facts, spelled in two ways: `contactId` in events ("Amazon Connect contact events"), `ContactId` in contact
records as a Kinesis stream writes them ("Contact records data model"), `Id` in the answer of DescribeContact.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bulk.ledger import ContactEnd
from bulk.text.outside import outside_name

ENDED, OPEN, GONE = "ended", "open", "gone"


@dataclass(frozen=True, slots=True)
class ContactFacts:
    """What is known of a contact. Times in Unix seconds; `messages` is how many the person sent, None if unknown."""

    contact_id: str
    initiated_at: float | None
    disconnected_at: float | None
    reason: str | None
    messages: int | None

    @property
    def state(self) -> str:
        """Whether it has ended."""
        return OPEN if self.disconnected_at is None else ENDED


def facts_of(told: Mapping[str, Any]) -> ContactFacts | None:
    """Return what an event, a record or an answer tells of its contact; None where it names none."""
    contact = outside_name(member(told, "ContactId") or member(told, "Id"))
    if not contact:
        return None
    reason = outside_name(member(told, "DisconnectReason"))
    ended_at = seconds(member(told, "DisconnectTimestamp"))
    return ContactFacts(contact, seconds(member(told, "InitiationTimestamp")), ended_at, reason, _messages(told))


def member(told: Any, name: str) -> Any:
    """Return a member in either spelling."""
    if not isinstance(told, Mapping):
        return None
    return told.get(name, told.get(f"{name[0].lower()}{name[1:]}"))


def _messages(told: Mapping[str, Any]) -> int | None:
    """Return how many messages the person sent ("DescribeContact": ChatMetrics.CustomerMetrics)."""
    metrics = member(member(told, "ChatMetrics"), "CustomerMetrics")
    for name in ("MessagesSent", "NumResponses"):
        if isinstance(number := member(metrics, name), int) and not isinstance(number, bool):
            return number
    said = told.get("Transcript")
    return sum(map(is_reply, said)) if isinstance(said, list) else 1 if is_reply(told) else None


def is_reply(told: Any) -> bool:
    """Whether it is a message of a chat that the person wrote, as it is streamed or stands in a transcript."""
    return member(told, "ParticipantRole") == "CUSTOMER" and member(told, "Type") in {"MESSAGE", None}


def seconds(at: Any) -> float | None:
    """Return a time in Unix seconds, as a number or in ISO 8601; None where it is none."""
    try:
        if isinstance(at, str):
            read = datetime.fromisoformat(at)
            return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
        if isinstance(at, datetime):
            return at.timestamp()
        return float(at) if isinstance(at, int | float) else None
    except (ValueError, OverflowError):
        return None


def end_of(delivery: int, facts: ContactFacts, source: str, now: float) -> ContactEnd:
    """Return what is kept of a row's contact: who told it (`asked` or `event`), and when (Unix seconds)."""
    about = facts.initiated_at, facts.disconnected_at, facts.reason, facts.messages
    return ContactEnd(delivery, facts.contact_id, facts.state, *about, source, now)
