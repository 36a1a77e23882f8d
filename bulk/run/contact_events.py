"""What is told of contacts by Amazon Connect itself: the answer to a question, its contact events, its contact records.

The same facts, spelt in two ways: `contactId` in events ("Amazon Connect contact events"), `ContactId` in contact
records as a Kinesis stream writes them ("Contact records data model"), `Id` in the answer of DescribeContact.
"""

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO, cast

from bulk.errors import CampaignError
from bulk.text.outside import outside_name

ENDED, OPEN, GONE = "ended", "open", "gone"
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class ContactFacts:
    """What is told of a contact. Times in Unix seconds; `messages` is how many the person sent, None if untold."""

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
    contact = outside_name(_of(told, "ContactId") or _of(told, "Id"))
    if not contact:
        return None
    reason = outside_name(_of(told, "DisconnectReason"))
    ended_at = _seconds(_of(told, "DisconnectTimestamp"))
    return ContactFacts(contact, _seconds(_of(told, "InitiationTimestamp")), ended_at, reason, _messages(told))


def _of(told: Any, name: str) -> Any:
    """Return a member in either spelling."""
    if not isinstance(told, Mapping):
        return None
    return told.get(name, told.get(f"{name[0].lower()}{name[1:]}"))


def _messages(told: Mapping[str, Any]) -> int | None:
    """Return how many messages the person sent ("DescribeContact": ChatMetrics.CustomerMetrics)."""
    metrics = _of(_of(told, "ChatMetrics"), "CustomerMetrics")
    for name in ("MessagesSent", "NumResponses"):
        if isinstance(number := _of(metrics, name), int) and not isinstance(number, bool):
            return number
    return None


def _seconds(at: Any) -> float | None:
    try:
        if isinstance(at, str):
            read = datetime.fromisoformat(at)
            return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
        if isinstance(at, datetime):
            return at.timestamp()
        return float(at) if isinstance(at, int | float) else None
    except (ValueError, OverflowError):
        return None


def read_events(path: Path) -> Iterator[ContactFacts]:
    """Yield what contact events or records tell, from a file or each file of a folder; `.gz` too.

    One JSON object follows another, on a line each or not. Raises `CampaignError` that names file and line.
    """
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    for file in files:
        try:
            with _opened(file) as lines:
                for number, line in enumerate(lines, 1):
                    yield from _facts_in(line, f"{file}, line {number}")
        except (OSError, EOFError) as error:
            why = getattr(error, "strerror", None) or error
            raise CampaignError(f"{file}: the events cannot be read: {why}") from None
        except UnicodeDecodeError:
            raise CampaignError(f"{file}: the events are no text in UTF-8") from None


def _opened(file: Path) -> TextIO:
    if file.suffix == ".gz":
        return cast("TextIO", gzip.open(file, "rt", encoding="utf-8-sig"))
    return file.open(encoding="utf-8-sig")


def _facts_in(line: str, place: str) -> Iterator[ContactFacts]:
    at = 0
    text = line.strip()
    while at < len(text):
        try:
            told, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            raise CampaignError(f"{place}: no JSON; contact events are one JSON object a line (NDJSON)") from None
        while at < len(text) and text[at] in " \t,":
            at += 1
        if not isinstance(told, Mapping):
            raise CampaignError(f"{place}: no JSON object; contact events are one JSON object a line (NDJSON)")
        detail = told.get("detail")  # of an event as EventBridge hands it on
        facts = facts_of(detail if isinstance(detail, Mapping) else told)
        if facts is not None:
            yield facts
