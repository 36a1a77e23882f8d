"""SearchContacts: contacts by time and by what they are. Source: its page in the Amazon Connect API Reference.

How soon a new contact is found is not documented; here it takes `search_delay` seconds. Which attributes can be
searched is a setting of an instance; here all can. A value is found as it is written.
"""

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from bulk.sandbox.contact import Contact, Request, attributes_of
from bulk.sandbox.errors import ServiceError
from bulk.sandbox.state import Contacts

SEARCHED = ("Channels", "InitiationMethods", "Name", "SearchableContactAttributes", "SearchableSegmentAttributes")

_PAGE = 100  # results where nothing is said
_TIMES: Mapping[str, Callable[[Contact, float], float | None]] = {
    "INITIATION_TIMESTAMP": lambda contact, _: contact.started_at,
    "DISCONNECT_TIMESTAMP": lambda contact, now: contact.ends_at if contact.ended(now) else None,
}
_SORTS: Mapping[str, Callable[[Contact, float], Any]] = {
    **_TIMES,
    "INITIATION_METHOD": lambda contact, _: contact.method,
    "CHANNEL": lambda contact, _: contact.channel,
    "EXPIRY_TIMESTAMP": lambda contact, _: contact.ends_at,
}


def search(contacts: Contacts, request: Request, now: float) -> tuple[dict[str, Any], bool]:
    parameters = request.parameters
    found = _find(contacts, request, now)
    order = parameters.get("Sort") or {"FieldName": "INITIATION_TIMESTAMP", "Order": "DESCENDING"}
    if order["FieldName"] not in _SORTS:
        raise ServiceError("InvalidRequestException", "Sort.FieldName: this sandbox's contacts have no such time.")
    key = _SORTS[order["FieldName"]]
    ids = [((value := key(contact, now)) is not None, value, contact.seq, contact.id) for contact in found]
    ids.sort(reverse=order["Order"] == "DESCENDING")
    start, size = _start(parameters.get("NextToken")), parameters.get("MaxResults") or _PAGE
    page = [contacts.find(request.place, one[-1]) for one in ids[start : start + size]]
    answer = {"Contacts": [_shown(contact, now) for contact in page], "TotalCount": len(ids)}
    if start + size < len(ids):
        answer["NextToken"] = base64.b64encode(b"%d" % (start + size)).decode()
    return answer, False


def seconds(at: Any) -> float:
    """Read a timestamp as clients of restJson1 write it: Unix seconds, or ISO 8601."""
    try:
        if not isinstance(at, str):
            return float(at)
        read = datetime.fromisoformat(at)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise ServiceError("InvalidParameterException", "TimeRange: a time is Unix seconds or ISO 8601.") from None


def _start(token: str | None) -> int:
    try:
        return 0 if token is None else int(base64.b64decode(token, validate=True))
    except ValueError:
        raise ServiceError("InvalidRequestException", "NextToken: is none that an answer gave.") from None


def _find(contacts: Contacts, request: Request, now: float) -> list[Contact]:
    """Return the contacts that match, without their requests, which may be large."""
    between = request.parameters["TimeRange"]
    time_of: Callable[[Contact, float], float | None] = _TIMES.get(between["Type"], _never)
    start, end = seconds(between["StartTime"]), seconds(between["EndTime"])
    criteria = request.parameters.get("SearchCriteria") or {}
    found = []
    for contact in contacts:
        at = time_of(contact, now)
        if at is None or not start <= at <= end or contact.started_at + contacts.limits.search_delay > now:
            continue
        if contact.place == request.place and _matches(contact, criteria):
            contact.body = contact.mail = None
            found.append(contact)
    return found


def _never(_: Contact, __: float) -> float | None:
    """Return no time: a contact here is neither scheduled nor queued, and meets no agent."""
    return None


def _matches(contact: Contact, criteria: Mapping[str, Any]) -> bool:
    channels, methods = criteria.get("Channels"), criteria.get("InitiationMethods")
    return (
        (not channels or contact.channel in channels)
        and (not methods or contact.method in methods)
        and _has_name(contact, criteria.get("Name"))
        and _has(criteria.get("SearchableContactAttributes"), lambda: attributes_of(contact))
        and _has(criteria.get("SearchableSegmentAttributes"), lambda: _segments(contact))
    )


def _has_name(contact: Contact, wanted: Mapping[str, Any] | None) -> bool:
    if wanted is None:
        return True
    name = (contact.parameters.get("Name") or "").casefold()
    texts = [text.casefold() for text in wanted["SearchText"]]
    if wanted["MatchType"] == "MATCH_EXACT":
        return name in texts
    return _match(wanted["MatchType"], [text in name for text in texts])


def _has(wanted: Mapping[str, Any] | None, read: Callable[[], Mapping[str, Any]]) -> bool:
    if not wanted:
        return True
    there = read()
    hits = [there.get(one["Key"]) in one["Values"] for one in wanted["Criteria"]]
    return _match(wanted.get("MatchType") or "MATCH_ALL", hits)


def _match(kind: str, hits: list[bool]) -> bool:
    return {"MATCH_ANY": any(hits), "MATCH_NONE": not any(hits)}.get(kind, all(hits))


def _segments(contact: Contact) -> dict[str, Any]:
    given = contact.parameters.get("SegmentAttributes") or {}
    return {name: one.get("ValueString") for name, one in given.items() if one}


def _shown(contact: Contact, now: float) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "Arn": contact.arn,
        "Id": contact.id,
        "InitialContactId": contact.id,
        "InitiationMethod": contact.method,
        "Channel": contact.channel,
        "InitiationTimestamp": contact.started_at,
    }
    if contact.ended(now):
        shown["DisconnectTimestamp"] = contact.ends_at
    if contact.tags is not None:
        shown["ContactTags"] = json.loads(contact.tags)
    given = contact.parameters
    return shown | {name: given[name] for name in ("Name", "SegmentAttributes") if given.get(name) is not None}
