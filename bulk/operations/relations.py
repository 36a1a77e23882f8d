"""Rules between several members of an operation, as Amazon Connect documents them. Sources: see `limits`."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bulk.operations.limits import CONTENT_TYPES, EXTERNAL_AUDIO, INITIATION_METHODS, LONGEST_EXPIRY, SUBTYPES
from bulk.operations.types import UNKNOWN, Violation, Violations, certain

Parameters = Mapping[str, Any]
Show = Callable[[str], str]
"""Quotes a value for a message, or leaves it out."""

Condition = Callable[[Parameters], bool]


_EPOCH = re.compile(r"-?[0-9]{1,13}")
_PARTS = {"RAW": "RawMessage", "TEMPLATE": "TemplatedMessageConfig"}


def at(parameters: Parameters, *path: str) -> Any:
    """Return the value at a path, None where there is none, UNKNOWN below what is unknown."""
    value: Any = parameters
    for name in path:
        if value is None or value is UNKNOWN:
            return value
        value = value.get(name)
    return value


def _subtype(parameters: Parameters, show: Show) -> Iterator[Violation]:
    subtype = at(parameters, "SegmentAttributes", "connect:Subtype", "ValueString")
    if subtype is not UNKNOWN and subtype not in SUBTYPES:
        said = "is missing" if subtype is None else f"is {show(subtype[:40])}"
        path = "SegmentAttributes.connect:Subtype.ValueString"
        yield Violation(path, f"{said}; it must be one of: {', '.join(SUBTYPES)}.", _code(subtype))


def _code(value: Any) -> str:
    return "missing_parameter" if value is None else "invalid_parameter"


def _initial_message(parameters: Parameters, show: Show) -> Iterator[Violation]:
    message = at(parameters, "InitialSystemMessage")
    if message is None:
        return
    template = at(parameters, "InitialTemplatedSystemMessage")
    if template is not None and certain(message) and certain(template):
        yield Violation("InitialSystemMessage", "stands beside InitialTemplatedSystemMessage; give one of the two.")
    subtype = at(parameters, "SegmentAttributes", "connect:Subtype", "ValueString")
    allowed = SUBTYPES.get(subtype, CONTENT_TYPES)
    kind, content = at(message, "ContentType"), at(message, "Content")
    if kind is UNKNOWN:
        return
    if kind not in allowed:
        choice = ", ".join(allowed)
        yield Violation("InitialSystemMessage.ContentType", f"is {show(kind[:40])}; it must be one of: {choice}.")
    elif content is not UNKNOWN and len(content) > allowed[kind]:
        long = f"is {len(content):,} characters long; at most {allowed[kind]:,} are allowed for {kind}"
        yield Violation("InitialSystemMessage.Content", f"{long}. Shorten it.")


def _supported_types(parameters: Parameters, show: Show) -> Iterator[Violation]:
    types = at(parameters, "SupportedMessagingContentTypes")
    if types is None or types is UNKNOWN or UNKNOWN in types:
        return
    if "text/plain" not in types:
        yield Violation("SupportedMessagingContentTypes", "lacks text/plain, which must always be in it. Add it.")
    for place, kind in enumerate(types):
        if kind not in CONTENT_TYPES and kind != "application/vnd.amazonaws.connect.message.interactive":
            path = f"SupportedMessagingContentTypes[{place}]"
            yield Violation(path, f"is {show(kind[:40])}; it must be one of: {', '.join(CONTENT_TYPES)}.")


def _message_source(parameters: Parameters, _show: Show) -> Iterator[Violation]:
    message = at(parameters, "EmailMessage")
    source = at(message, "MessageSourceType")
    if certain(at(message, "RawMessage") or UNKNOWN) and certain(at(message, "TemplatedMessageConfig") or UNKNOWN):
        yield Violation("EmailMessage", "has both RawMessage and TemplatedMessageConfig; give one of the two.")
    elif source in _PARTS and at(message, _PARTS[source]) is None:
        path = f"EmailMessage.{_PARTS[source]}"
        yield Violation(path, f"is missing, and MessageSourceType is {source}: give it.", "missing_parameter")


def _recipients(parameters: Parameters, _show: Show) -> Iterator[Violation]:
    lists = [at(parameters, "AdditionalRecipients", name) for name in ("ToAddresses", "CcAddresses")]
    count = 1 + sum(len(addresses) for addresses in lists if addresses and addresses is not UNKNOWN)
    if count > 50:
        yield Violation(
            "AdditionalRecipients", f"makes {count} recipients in all; at most 50 are allowed. Take some out."
        )


def _initiation(parameters: Parameters, _show: Show) -> Iterator[Violation]:
    channel, method = at(parameters, "Channel"), at(parameters, "InitiationMethod")
    if channel is UNKNOWN or method is UNKNOWN:
        return
    allowed = INITIATION_METHODS[channel]
    if method not in allowed:
        remedy = f"it must be one of: {', '.join(allowed)}" if allowed else "CreateContact makes no such contact"
        yield Violation("InitiationMethod", f"is {method} while Channel is {channel}; {remedy}.")
    elif channel == "EMAIL" and method != "FLOW" and at(parameters, "UserInfo", "UserId") is None:
        need = f"is missing, and an email contact with {method} needs the user who sends it: give a user id."
        yield Violation("UserInfo.UserId", need, "missing_parameter")


def _previous_contact(parameters: Parameters, _show: Show) -> Iterator[Violation]:
    subtype = at(parameters, "SegmentAttributes", "connect:Subtype", "ValueString")
    if certain(at(parameters, "PreviousContactId")) and subtype is not UNKNOWN and subtype != EXTERNAL_AUDIO:
        need = f"is for contacts with the subtype {EXTERNAL_AUDIO} alone. Leave it out; RelatedContactId is for all."
        yield Violation("PreviousContactId", need)


def _initiate_as(parameters: Parameters, _show: Show) -> Iterator[Violation]:
    channel = at(parameters, "Channel")
    if at(parameters, "InitiateAs") == "COMPLETED" and channel not in {"TASK", UNKNOWN}:
        yield Violation("InitiateAs", f"is COMPLETED while Channel is {channel}; only a TASK can be. Leave it out.")


def _segment_expiry(parameters: Parameters, _show: Show) -> Iterator[Violation]:
    names = "SegmentAttributes", "connect:ContactExpiry", "ValueMap", "ExpiryDuration", "ValueInteger"
    minutes = at(parameters, *names)
    if minutes is not None and minutes is not UNKNOWN and not 1 <= minutes <= LONGEST_EXPIRY:
        need = f"is {minutes:,} minutes; it must be between 1 and {LONGEST_EXPIRY:,}, which are 90 days."
        yield Violation(".".join(names), need)


def _dates(parameters: Parameters, show: Show) -> Iterator[Violation]:
    references = at(parameters, "References")
    for name, one in references.items() if isinstance(references, Mapping) else ():
        value = at(one, "Value") if at(one, "Type") == "DATE" else UNKNOWN
        if value is not UNKNOWN and not _EPOCH.fullmatch(value or ""):
            said = "is missing" if value is None else f"is {show(value[:40])}"
            need = f"{said}; the value of a DATE is its time in epoch seconds, in digits alone."
            yield Violation(f"References.{name}.Value", need, _code(value))


def _length_alone(draft: Parameters) -> Condition | None:
    """Return all that is asked of an initial message whose type is the same in every row."""
    message, kind = at(draft, "InitialSystemMessage"), at(draft, "InitialSystemMessage", "ContentType")
    subtype = at(draft, "SegmentAttributes", "connect:Subtype", "ValueString")
    if draft.get("InitialTemplatedSystemMessage") is not None or message is None or UNKNOWN in (kind, subtype):
        return None
    most = SUBTYPES.get(subtype, CONTENT_TYPES).get(kind)
    if most is None:
        return None

    def short_enough(parameters: Parameters) -> bool:
        message = parameters.get("InitialSystemMessage")
        return message is None or len(message["Content"]) <= most

    return short_enough


def _its_part(draft: Parameters) -> Condition | None:
    """Return all that is asked of an email of which the source is the same in every row, and the other part in none."""
    message = at(draft, "EmailMessage")
    source = at(message, "MessageSourceType") if isinstance(message, Mapping) else UNKNOWN
    if source not in _PARTS or any(part in message for kind, part in _PARTS.items() if kind != source):
        return None
    part = _PARTS[source]

    def there(parameters: Parameters) -> bool:
        return part in parameters["EmailMessage"]

    return there


@dataclass(frozen=True, slots=True)
class Relation:
    """What ties the members together that it `reads`.

    `narrowed` returns the one condition that is left of it for rows, given what they have in common; None where that
    is not as simple.
    """

    broken: Callable[[Parameters, Show], Iterator[Violation]]
    reads: frozenset[str]
    narrowed: Callable[[Parameters], Condition | None] = field(default=lambda _: None)

    def condition(self, draft: Parameters) -> Condition:
        """Return whether it holds, as a function of a row's parameters."""
        return self.narrowed(draft) or (lambda parameters: next(self.broken(parameters, repr), None) is None)


def _relation(
    broken: Callable[[Parameters, Show], Iterator[Violation]],
    *reads: str,
    narrowed: Callable[[Parameters], Condition | None] = lambda _: None,
) -> Relation:
    return Relation(broken, frozenset(reads), narrowed)


_MESSAGE = "InitialSystemMessage", "InitialTemplatedSystemMessage", "SegmentAttributes"

RELATIONS: Mapping[str, tuple[Relation, ...]] = {
    "StartOutboundChatContact": (
        _relation(_subtype, "SegmentAttributes"),
        _relation(_initial_message, *_MESSAGE, narrowed=_length_alone),
        _relation(_supported_types, "SupportedMessagingContentTypes"),
    ),
    "StartOutboundEmailContact": (_relation(_message_source, "EmailMessage", narrowed=_its_part),),
    "StartEmailContact": (
        _relation(_recipients, "AdditionalRecipients"),
        _relation(_segment_expiry, "SegmentAttributes"),
        _relation(_dates, "References"),
    ),
    "CreateContact": (
        _relation(_initiation, "Channel", "InitiationMethod", "UserInfo"),
        _relation(_previous_contact, "PreviousContactId", "SegmentAttributes"),
        _relation(_initiate_as, "InitiateAs", "Channel"),
        _relation(_segment_expiry, "SegmentAttributes"),
        _relation(_dates, "References"),
    ),
}
"""By operation. [API] A relation may trust the shapes, but any value can be UNKNOWN."""


def broken(operation: str, parameters: Parameters, *, show: Show) -> Violations:
    """Return the troubles of parameters that are sound member by member; `show` quotes a value."""
    return [trouble for relation in RELATIONS.get(operation, ()) for trouble in relation.broken(parameters, show)]


def conditions(operation: str, draft: Parameters, varying: Collection[str]) -> tuple[Condition, ...]:
    """Return what a row can break by the members that vary, given a draft of what the rows have in common."""
    relations = RELATIONS.get(operation, ())
    return tuple(relation.condition(draft) for relation in relations if not relation.reads.isdisjoint(varying))
