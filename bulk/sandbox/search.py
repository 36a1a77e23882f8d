"""SearchContacts: contacts by time and by their properties. Source: its page in the Amazon Connect API Reference.

How soon a new contact is found is not documented; here it takes `search_delay` seconds. Which attributes can be
searched is a setting of an instance; here all can. A value is found as it is written, a name in any case.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bulk.sandbox.contact import Contact, Request
from bulk.sandbox.errors import ServiceError
from bulk.sandbox.letter_case import folded, writable
from bulk.sandbox.search_index import ATTRIBUTE, NAME, SEGMENT
from bulk.sandbox.state import Contacts

SEARCHED = ("Channels", "InitiationMethods", "Name", "SearchableContactAttributes", "SearchableSegmentAttributes")

_PAGE = 100  # results where nothing is said
_TIMES: Mapping[str, str] = {"INITIATION_TIMESTAMP": "started_at", "DISCONNECT_TIMESTAMP": "ends_at"}
_SORTS: Mapping[str, str] = {
    "INITIATION_TIMESTAMP": "started_at",
    "DISCONNECT_TIMESTAMP": "CASE WHEN open THEN NULL ELSE ends_at END",
    "INITIATION_METHOD": "method",
    "CHANNEL": "channel",
    "EXPIRY_TIMESTAMP": "ends_at",
}
_DIRECTIONS: Mapping[str, str] = {"ASCENDING": "ASC", "DESCENDING": "DESC"}


def search(contacts: Contacts, request: Request, now: float) -> tuple[dict[str, Any], bool]:
    parameters = request.parameters
    sort = parameters.get("Sort") or {"FieldName": "INITIATION_TIMESTAMP", "Order": "DESCENDING"}
    if sort["FieldName"] not in _SORTS:
        raise ServiceError("InvalidRequestException", "Sort.FieldName: this sandbox's contacts have no such time.")
    direction = _DIRECTIONS[sort["Order"]]
    order = f"{_SORTS[sort['FieldName']]} {direction}, seq {direction}"
    start, size = _start(parameters.get("NextToken")), parameters.get("MaxResults") or _PAGE
    contacts.close(now)
    wanted = _wanted(contacts, request, now)
    index = contacts.storage.index
    page, total = index.search(wanted.condition, wanted.values, order=order, start=start, size=size)
    answer = {"Contacts": [_shown(contact, now) for contact in page], "TotalCount": total}
    if start + size < total:
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
        start = b"0" if token is None else base64.b64decode(token, validate=True)
    except ValueError:
        start = b""
    if not (start.isdigit() and len(start) < 19):
        raise ServiceError("InvalidRequestException", "NextToken: is none that an answer gave.")
    return int(start)


class _Wanted:
    """What is searched for, as a condition in SQL and its values."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self.values: list[Any] = []

    @property
    def condition(self) -> str:
        return " AND ".join(self._parts) or "1"

    def add(self, part: str, *values: Any) -> None:
        self._parts.append(part)
        self.values += [writable(value) for value in values]

    def one_of(self, column: str, values: Sequence[str]) -> None:
        if values:
            self.add(f"{column} IN ({_marks(values)})", *values)

    def matching(self, kind: str, parts: Sequence[str], *values: Any) -> None:
        """Add parts of which all, any or none must hold."""
        if parts:
            either = " OR ".join(parts)
            told = {"MATCH_ANY": f"({either})", "MATCH_NONE": f"NOT ({either})"}
            self.add(told.get(kind, f"({' AND '.join(parts)})"), *values)
        elif kind == "MATCH_ANY":
            self.add("0")


def _wanted(contacts: Contacts, request: Request, now: float) -> _Wanted:
    wanted, criteria = _Wanted(), request.parameters.get("SearchCriteria") or {}
    _add_pairs(wanted, ATTRIBUTE, criteria.get("SearchableContactAttributes"))
    _add_pairs(wanted, SEGMENT, criteria.get("SearchableSegmentAttributes"))
    _add_name(wanted, criteria.get("Name"))
    by_value = "+" if wanted.values else ""  # which keeps SQLite from going through all contacts of an instance
    for column, value in (("instance", request.instance), ("region", request.region), ("account", request.account)):
        wanted.add(f"{by_value}{column} = ?", value)
    wanted.one_of("channel", criteria.get("Channels") or ())
    wanted.one_of("method", criteria.get("InitiationMethods") or ())
    _add_times(wanted, request.parameters["TimeRange"], by_value)
    wanted.add(f"{by_value}started_at <= ?", now - contacts.limits.search_delay)
    return wanted


def _add_times(wanted: _Wanted, between: Mapping[str, Any], by_value: str) -> None:
    column = _TIMES.get(between["Type"])
    if column is None:  # a contact here is neither scheduled nor queued, and meets no agent
        return wanted.add("0")
    wanted.add(f"{by_value}{column} BETWEEN ? AND ?", seconds(between["StartTime"]), seconds(between["EndTime"]))
    return wanted.add("NOT open") if column == "ends_at" else None


def _add_pairs(wanted: _Wanted, kind: str, asked: Mapping[str, Any] | None) -> None:
    if asked:
        criteria = asked["Criteria"]
        parts = [
            f"seq IN (SELECT seq FROM found WHERE kind = ? AND name = ? AND value IN ({_marks(one['Values'])}))"  # noqa: S608 - ours
            for one in criteria
        ]
        values = [value for one in criteria for value in (kind, one["Key"], *one["Values"])]
        wanted.matching(asked.get("MatchType") or "MATCH_ALL", parts, *values)


def _add_name(wanted: _Wanted, asked: Mapping[str, Any] | None) -> None:
    if asked is None:
        return None
    texts, match = [folded(text) for text in asked["SearchText"]], asked["MatchType"]
    if match == "MATCH_EXACT":
        part = f"seq IN (SELECT seq FROM found WHERE kind = ? AND name = '' AND value IN ({_marks(texts)}))"  # noqa: S608 - ours
        return wanted.add(part, NAME, *texts)
    part = "seq IN (SELECT seq FROM found WHERE kind = ? AND name = '' AND instr(value, ?))"
    return wanted.matching(match, [part] * len(texts), *(value for text in texts for value in (NAME, text)))


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))


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
