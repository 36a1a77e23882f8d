"""The facts of a run in the ledger: values only."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from bulk.model import Outcome


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """Which run, and where it is sent to. A run never changes its channel, endpoint, Region or instance."""

    campaign: str
    run: str
    channel: str
    endpoint: str
    region: str
    instance: str


@dataclass(frozen=True, slots=True)
class RunFacts:
    """A run as the ledger keeps it. `rows` is the list's length, None until it has been read to its end.

    `latest_at` (Unix seconds) is the latest time known since the clock was last set back, `naming` the version of how
    rows are named, `under_way` while a pass is open the states that it sends again, else None.
    """

    identity: RunIdentity
    digests: Mapping[str, str]
    passes: int
    rows: int | None
    started_at: datetime
    ended_at: datetime | None
    halted: str | None
    calls: int
    throttled: int
    latest_at: float | None
    naming: int
    under_way: str | None

    def changed(self, digests: Mapping[str, str]) -> list[str]:
        """Return the paths of the campaign that are not what they were in the pass before."""
        paths = self.digests.keys() | digests.keys()
        return sorted(path for path in paths if self.digests.get(path) != digests.get(path))


@dataclass(frozen=True, slots=True)
class Tried:
    """A row of which a call was announced: its place, None where the list lost it, and its state in the ledger.

    `tokens` are those of the calls that may have been accepted. `destination` is masked.
    """

    row: int | None
    state: str
    contact_id: str | None
    destination: str | None
    tokens: frozenset[str]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A row that was tried, and nobody can tell whether it was accepted. `row` is None where the list lost it.

    `id` is its number in the ledger; `in_doubt` tells that the next pass settles it.
    """

    id: int
    in_doubt: bool
    row: int | None
    destination: str | None
    outcome: Outcome
    intended_at: datetime | None


def moment(seconds: float | None) -> datetime | None:
    """Return Unix seconds as a time in UTC; None where nobody knows it."""
    return None if seconds is None or math.isinf(seconds) else datetime.fromtimestamp(seconds, UTC)
