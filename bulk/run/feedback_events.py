"""What events say about people: replies that say stop, mail that bounced, complaints.

Replies come in what Amazon Connect streams of a chat ("Enable real-time chat message streaming"), in transcripts as it
puts them into S3 ("Chat transcripts"), and in messages as AWS End User Messaging hands them on ("Two-way SMS message
payload"). Mail: "Amazon SES Developer Guide", Contents of event data that Amazon SES publishes to Amazon SNS.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bulk.ledger.feedback import BOUNCE, COMPLAINT, SOFT_BOUNCE, STOP
from bulk.rules.stop_words import says_stop
from bulk.run.contact_events import is_reply, member, seconds

_FOR_GOOD = "Permanent"  # a bounce of this type is hard; Transient and Undetermined are not


@dataclass(frozen=True, slots=True)
class PersonEvent:
    """What one event tells of one person: found by the ids of contacts, or by the destination.

    `kind` is empty where it tells nothing that is kept: a mail was delivered, say, or opened.
    `at` is when (Unix seconds). Of mail, `sender` is the address that it came from, `sent_at` when it went out.
    """

    kind: str
    at: float | None
    contacts: frozenset[str] = frozenset()
    destination: str | None = None
    sender: str | None = None
    sent_at: float | None = None


def person_events(told: Mapping[str, Any], stop_words: Sequence[str] = ()) -> Iterator[PersonEvent]:
    """Yield what an event tells of people: nothing, of most events."""
    if isinstance(mail := told.get("mail"), Mapping):
        yield from _of_mail(told, mail)
    elif isinstance(number := told.get("originationNumber"), str):
        if _stops(told.get("messageBody"), stop_words):
            yield PersonEvent(STOP, None, destination=number)
    elif isinstance(said := told.get("Transcript"), list):
        for one in said:
            yield from _reply(one, told, stop_words)
    else:
        yield from _reply(told, told, stop_words)


def _reply(one: Any, of: Mapping[str, Any], stop_words: Sequence[str]) -> Iterator[PersonEvent]:
    """Yield a stop where a message of a chat is one, and the person wrote it."""
    if not is_reply(one):
        return
    ids = {member(told, name) for told in (one, of) for name in ("ContactId", "InitialContactId")}
    contacts = frozenset(found for found in ids if isinstance(found, str))
    if contacts and _stops(member(one, "Content"), stop_words):
        yield PersonEvent(STOP, seconds(member(one, "AbsoluteTime")), contacts)


def _stops(text: Any, stop_words: Sequence[str]) -> bool:
    return isinstance(text, str) and says_stop(text, stop_words)


def _of_mail(told: Mapping[str, Any], mail: Mapping[str, Any]) -> Iterator[PersonEvent]:
    kind = str(told.get("eventType") or told.get("notificationType"))
    about = told.get(kind[:1].lower() + kind[1:])
    about = about if isinstance(about, Mapping) else {}
    hard = BOUNCE if about.get("bounceType") == _FOR_GOOD else SOFT_BOUNCE
    means = {"Bounce": hard, "Complaint": COMPLAINT}.get(kind, "")
    people = about.get({"Bounce": "bouncedRecipients", "Complaint": "complainedRecipients"}.get(kind, ""))
    sender, named = mail.get("source"), people if means else mail.get("destination")
    for one in named if isinstance(named, list) else ():
        address = one if isinstance(one, str) else member(one, "EmailAddress")
        if isinstance(address, str):
            yield PersonEvent(
                means,
                seconds(about.get("timestamp")),
                frozenset(_names(mail)),
                _bare(address),
                _bare(sender) if isinstance(sender, str) else None,
                seconds(mail.get("timestamp")),
            )


def _names(mail: Mapping[str, Any]) -> Iterator[str]:
    """Yield what may be the id of a contact: the values of the tags and headers of a mail."""
    tags, headers = mail.get("tags"), mail.get("headers")
    for value in tags.values() if isinstance(tags, Mapping) else ():
        yield from (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str))
    for header in headers if isinstance(headers, list) else ():
        if isinstance(value := member(header, "Value"), str):
            yield value


def _bare(address: str) -> str:
    """Return an address without a name before it: `Ann <ann@example.com>`."""
    return address.rpartition("<")[2].rstrip(">").strip()
