"""The facts of a run on its page: what was sent, by whom, how fast, and what is left. Frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Message:
    """What was sent, as the campaign writes it: `texts` and `template` by their paths, without any row's values.

    `changed` are the parts of the campaign that are not what the last pass sent.
    """

    sender: str | None = None
    flow: str | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    template: Mapping[str, str] = field(default_factory=dict)
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pass:
    """Who sent, with which version, from when to when."""

    number: int
    started_at: datetime
    ended_at: datetime | None
    sender: str
    version: str
    halted: str | None


@dataclass(frozen=True, slots=True)
class WireBar:
    """The calls of one interval, which begins at `start` (Unix seconds), and the rate permitted then (a second)."""

    start: int
    calls: int
    throttled: int
    permitted: float


@dataclass(frozen=True, slots=True)
class Latency:
    """How long answers took, in seconds: half of them at most the median, and so on."""

    median: float
    p95: float
    p99: float
    longest: float


@dataclass(frozen=True, slots=True)
class Wire:
    """What went over the wire for one operation. `permitted` is the rate of the campaign, `busiest` that reached.

    Both are calls a second; `busiest` is measured over intervals of `interval` seconds.
    """

    operation: str
    permitted: float
    calls: int
    throttled: int
    segments: int
    busiest: float
    latency: Latency | None
    interval: int
    bars: tuple[WireBar, ...]


@dataclass(frozen=True, slots=True)
class Left:
    """So many rows are pending, take so long (seconds) and are sent by then, if the sending goes on now."""

    rows: int
    seconds: float
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of the contacts after they were accepted, in contacts, as far as it was tracked; `note` says of what.

    `states` counts them by whether they ended, `reasons` the ended ones by why, `answers` by whether the person wrote
    back, `feedback` what came back about people.
    """

    contacts: int
    states: Mapping[str, int]
    reasons: Mapping[str, int]
    answers: Mapping[str, int]
    feedback: Mapping[str, int]
    note: str


@dataclass(frozen=True, slots=True)
class Command:
    """What to do, in words, and what to type for it; empty where there is nothing to type."""

    why: str
    words: str = ""
