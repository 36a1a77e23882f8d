"""The numbers of a page: frozen values, computed by the aggregate and shown by the page."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bulk.model import Status
from bulk.reports.run_facts import Command, Left, Message, Outcomes, Pass, Wire

ReasonKey = tuple[Status, str | None]
"""A status, and a code of it."""

LOOKED_AT = (Status.UNKNOWN, Status.REJECTED, Status.REFUSED)
"""The statuses of rows that need a look, the most urgent first."""

TRIED = (Status.SENT, Status.REJECTED, Status.UNKNOWN)
"""The statuses of rows that cost calls."""

MOST_ATTEMPTS = 6  # so many and more are counted together


@dataclass(frozen=True, slots=True)
class About:
    """Which run, where it goes, and how its sending went, as the ledger has it.

    `endpoint` is a URL. `calls` and `throttled` are those of the passes that ended. `operations` are the calls of a row
    with which nothing goes wrong. `sender` names the process that sends the run at the moment.
    """

    campaign: str
    run: str
    channel: str
    endpoint: str
    region: str
    instance: str
    operations: tuple[str, ...]
    started_at: datetime
    ended_at: datetime | None
    passes: int
    calls: int
    throttled: int
    halted: str | None = None
    sender: str | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """The rows that ended in one interval, which begins at `start` (Unix seconds)."""

    start: int
    rows: Mapping[Status, int]

    def of(self, *statuses: Status) -> int:
        """Count those that ended so."""
        return sum(self.rows.get(status, 0) for status in statuses)


@dataclass(frozen=True, slots=True)
class Timeline:
    """When rows ended, in intervals of so many seconds without a gap."""

    interval: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Throughput:
    """Rows per second that cost calls, measured over windows of so many seconds in which some ended."""

    window: int
    busiest: float
    median: float


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """So many rows ended so for this reason, and where one of them stands and what is said of it."""

    status: Status
    code: str | None
    rows: int
    place: str | None = None
    key: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A row that needs a look. `place` says where it stands; `key` and `destination` are masked where due."""

    place: str | None
    key: str | None
    destination: str | None
    status: Status
    code: str | None
    message: str | None
    attempts: int
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that have one value in common, by what became of them: `failed` are refused, rejected and unknown."""

    value: str
    rows: int
    accepted: int = 0
    left_out: int = 0
    failed: int = 0
    in_flight: int = 0
    pending: int = 0


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The rows of a list by one thing; those of `other_values` values more are added up in `others`."""

    by: str
    groups: tuple[Group, ...]
    other_values: int = 0
    others: Group | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run's results add up to. `attempts` counts tried rows by 1, 2, … and `MOST_ATTEMPTS` or more.

    `whys` have most rows first, `look` the most urgent. Rows `in_flight` are no part of the counts: their call is under
    way at the moment. The charts are None where only the ledger could be read.
    """

    counts: Mapping[Status, int]
    whys: tuple[ReasonCount, ...] = ()
    look: tuple[Row, ...] = ()
    attempts: tuple[int, ...] | None = None
    timeline: Timeline | None = None
    throughput: Throughput | None = None
    in_flight: int = 0
    breakdowns: tuple[Breakdown, ...] = ()

    @property
    def rows(self) -> int:
        """The rows of the list."""
        return sum(self.counts.values()) + self.in_flight

    @property
    def to_look_at(self) -> int:
        """How many rows need a look, shown or not."""
        return sum(self.counts.get(status, 0) for status in LOOKED_AT)


@dataclass(frozen=True, slots=True)
class Report:
    """A page's content, as of a moment. `complete` is False where the list could not be read.

    `outcomes` are None where nobody asked for them.
    """

    about: About
    figures: Figures
    made_at: datetime
    notes: tuple[str, ...] = field(default=())
    complete: bool = True
    message: Message = field(default_factory=Message)
    passes: tuple[Pass, ...] = ()
    wire: tuple[Wire, ...] = ()
    left: Left | None = None
    commands: tuple[Command, ...] = ()
    remedies: Mapping[ReasonKey, Command] = field(default_factory=dict)
    rehearsal: bool = False
    outcomes: Outcomes | None = None
