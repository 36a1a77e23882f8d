"""The values that flow from the list to the ledger, all frozen. Depends on nothing.

A **recipient** is one row of a contact list. A **call** is one API request, a **reply** its answer. An **outcome** is a
recipient's end, a **verdict** the judgement on an error. **Contact** is Amazon Connect's word, and left to it.
"""

import enum
import hashlib
import html
import json
import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

CLOCK_STEP = 1.0  # seconds by which a clock may be corrected without making the ages of what was done before unknown

Cells = Mapping[str, Any]
"""One row of the list: column name, as the list spells it, to cell."""

Parameters = Mapping[str, Any]
"""One operation's parameters, in AWS's spelling and shape."""


class Status(enum.StrEnum):
    """A recipient's end, and what it claims."""

    SENT = "sent"  # Amazon Connect accepted it and gave a contact id; delivery to the person is not claimed
    SKIPPED = "skipped"  # left out on purpose: duplicate, suppressed, …
    REFUSED = "refused"  # refused before any call: the row cannot make a valid request
    REJECTED = "rejected"  # refused by the service for good
    UNKNOWN = "unknown"  # tried, and nobody can tell whether it was accepted
    PENDING = "pending"  # not tried yet


class Verdict(enum.Enum):
    """What an error means for the call that met it."""

    THROTTLE = "throttle"  # the rate was too high, and nothing was accepted: the same call again, at a lower rate
    RETRY = "retry"  # a fault of the service or of the connection: the same call again
    HOLD = "hold"  # the service is full: wait until contacts end
    REJECT = "reject"  # the service refuses this recipient
    HALT = "halt"  # the service would refuse every other recipient too
    NOT_MADE = "not made"  # certainly never sent, and nothing is wrong with it: the same call again, uncounted
    DOUBT = "doubt"  # accepted once before, under this token, and the contact id is not told


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a recipient is not tried: the row cannot be sent (`REFUSED`), or a choice (`SKIPPED`).

    `message` names the trouble and the remedy, and never carries an unmasked destination: it is kept in the ledger.
    """

    code: str
    message: str
    status: Status = Status.REFUSED


def place_of(row: int, line: int | None, file: str = "") -> str:
    """Return where a row of the list stands, as people say it: `line 33`, `line 33 of june.csv`, else `row 31`."""
    if line is None:
        return f"row {row}"
    return f"line {line} of {file}" if file else f"line {line}"


@dataclass(frozen=True, slots=True)
class Recipient:
    """One row of the list, read.

    `row` counts from 0 in the list's order. `destination` is E.164 or an address, None where it could not be read.
    `cells` holds the columns that the campaign asked for. `identity` names what must not be sent twice, where that is
    not the key. `line` and `file` are where the row stands as a person counts: the line of a file or the row of a
    sheet, from 1, and which of several files; None and empty where there is none. They are no part of who it is.
    """

    row: int
    key: str
    destination: str | None
    cells: Cells
    refusal: Refusal | None = None
    identity: str = ""
    line: int | None = field(default=None, compare=False)
    file: str = field(default="", compare=False)

    @property
    def place(self) -> str:
        """Where the row stands, in words."""
        return place_of(self.row, self.line, self.file)


@dataclass(frozen=True, slots=True)
class Call:
    """One API request that a channel wants made. The failure of an `optional` one never fails the recipient.

    `opens` and `writes` say what it may do to a person once it is accepted: open a contact, and send a message. `ends`
    says that it ends the contact.
    """

    operation: str
    parameters: Parameters
    optional: bool = False
    opens: bool = False
    writes: bool = False
    ends: bool = False

    @property
    def reaches(self) -> bool:
        """Whether it does anything that a rule or a cap has a say in."""
        return self.opens or self.writes


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a call: its members, and the id AWS gave the request."""

    members: Mapping[str, Any]
    request_id: str | None = None

    def __getitem__(self, name: str) -> Any:
        return self.members[name]


Exchange = Generator[Call, Reply, str]
"""A channel's conversation: yields calls, is sent replies, returns the contact id."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far earlier tries of a recipient got, as the ledger knows it.

    `replies` are the answers recorded so far, in the order of the calls. `intended_at` (Unix seconds) is when the call
    after them was first announced, None where it never was, and infinite where the clock was set back since, so that
    nobody knows how long ago that is. `digest` is that of the parameters then, empty where nobody knows them.
    `doubted_at` (Unix seconds): calls without a reply here may have been made since then, by a sender whose ledger is
    lost.
    """

    attempts: int = 0
    replies: tuple[Reply, ...] = ()
    intended_at: float | None = None
    digest: bytes = b""
    doubted_at: float | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One recipient on its way: its id in the ledger, its parameters by campaign table, and its progress.

    `decisions` counts how often somebody had it sent again: each decision has tokens of its own. `reopens`: it ended
    so, and the decision to send it again is recorded with its first call. `occurrence` tells rows of one key apart,
    where they are no duplicates. `refusal` is why nothing more may be sent: what earlier tries left open is tidied up,
    and that is all.
    """

    id: int
    recipient: Recipient
    parameters: Mapping[str, Parameters]
    progress: Progress = field(default_factory=Progress)
    decisions: int = 0
    reopens: Status | None = None
    occurrence: int = 0
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Announcement:
    """A call about to be made for a delivery: the words in which the ledger keeps it before the call goes out.

    `at` is in Unix seconds, `attempts` counts the tries of the recipient with this one, `digest` names its parameters.
    `reopens`: a decision sends the delivery again, and with this call it begins. `renews`: the same announcement once
    more, because time has passed since; `doubtful` then says that an earlier try may have been accepted. `attribute`
    is the contact attribute that carries the call's mark, None where it has none. `segments` are those of the
    message that it sends, `consent` what the list says of why the person gets it: whether they agreed, where, when.
    """

    delivery: int
    step: int
    token: str
    digest: bytes
    at: float
    attempts: int = 0
    opens: bool = False
    writes: bool = False
    reopens: bool = False
    renews: bool = False
    doubtful: bool = False
    attribute: str | None = None
    segments: int = 1
    consent: tuple[str | None, ...] = ()

    @property
    def reaches(self) -> bool:
        """Whether the call may do anything to a person."""
        return self.opens or self.writes


_LIKE_A_DESTINATION = re.compile(r"\+?\d(?:[ .()-]{0,2}\d){6,14}|[^\s<>@]{1,64}@[^\s<>@]{1,255}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """A recipient's end."""

    status: Status
    contact_id: str | None = None
    attempts: int = 0
    error_code: str | None = None
    error_message: str | None = None
    request_id: str | None = None
    finished_at: datetime | None = None

    def _repr_html_(self) -> str:
        said = _LIKE_A_DESTINATION.sub(lambda found: mask(found[0]), self.error_message or "") or None
        facts: dict[str, Any] = {"status": self.status.value, "contact": self.contact_id, "tries": self.attempts}
        facts |= {"error": self.error_code, "message": said, "request": self.request_id, "at": self.finished_at}
        told = ((name, html.escape(str(value))) for name, value in facts.items() if value is not None)
        rows = (f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in told)
        return f"<table>{''.join(rows)}</table>"


Recorded = tuple[str, str | None, int, str | None, str | None, str | None, float | None]
"""An outcome as plain values, in the same order: the status's text, and the time in Unix seconds."""


_canonical = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str).encode


def digest(value: Any) -> bytes:
    """Return 16 bytes that name a JSON value: equal values, whatever the order of their keys, give equal bytes."""
    text = _canonical(value)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


_LONG = 64  # characters of a domain that are shown


def mask(text: str) -> str:
    """Hide the middle of a phone number or an address, so that it can be told apart but not used.

    `+14155550123` becomes `+141…23`, `+12345` becomes `+12…`, `ann.lee@example.com` becomes `a…@example.com`.
    """
    local, at, domain = text.rpartition("@")
    if at:
        return f"{local[:1]}…@{domain if len(domain) <= _LONG else f'{domain[:_LONG]}…'}"
    if len(text) > 7:
        return f"{text[:4]}…{text[-2:]}"
    return f"{text[: len(text) // 2 if text[:1] in '+0123456789' else 1]}…"  # too short to be used
