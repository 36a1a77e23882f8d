"""What a page tells, in numbers: frozen values, which the fold fills and the page shows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bulk.model import Status

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
class Figures:
    """What a run's results add up to. `attempts` counts tried rows by 1, 2, … and `MOST_ATTEMPTS` or more.

    `whys` have most rows first, `look` the most urgent. The charts are None where only the ledger could be read.
    """

    counts: Mapping[Status, int]
    whys: tuple[ReasonCount, ...] = ()
    look: tuple[Row, ...] = ()
    attempts: tuple[int, ...] | None = None
    timeline: Timeline | None = None
    throughput: Throughput | None = None

    @property
    def rows(self) -> int:
        """The rows of the list."""
        return sum(self.counts.values())

    @property
    def to_look_at(self) -> int:
        """How many rows need a look, shown or not."""
        return sum(self.counts.get(status, 0) for status in LOOKED_AT)


@dataclass(frozen=True, slots=True)
class Report:
    """A page's content, as of a moment. `complete` is False where the list could not be read."""

    about: About
    figures: Figures
    made_at: datetime
    notes: tuple[str, ...] = field(default=())
    complete: bool = True
