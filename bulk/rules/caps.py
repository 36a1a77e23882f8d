"""How often may a person be written to? Compares a count with a limit.

The count is over all runs of a state directory, by destination: the same number, or the same address, is the same
person.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from bulk.campaign import Cap, CapsTable
from bulk.channels import CHANNELS
from bulk.model import Refusal, Status

CAPPED = "capped"
"""The code of a row whose person was written to often enough."""

Written = Callable[[str, float], int]
"""How often one person was written to over a channel since a time (Unix seconds)."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A cap and the channels that it counts together."""

    name: str
    channels: tuple[str, ...]
    cap: Cap

    def refusal(self, written: Written, now: float) -> Refusal | None:
        """Return why nothing more may be sent to a person now; None where it may."""
        since = now - self.cap.within
        count = sum(written(channel, since) for channel in self.channels)
        if count < self.cap.at_most:
            return None
        times = "once" if count == 1 else f"{count} times"
        at = f"{datetime.fromtimestamp(since, UTC):%Y-%m-%d %H:%M} UTC"
        allowed = f"[caps] {self.name} allows {self.cap}"
        return Refusal(CAPPED, f"written to {times} since {at}; {allowed}", Status.SKIPPED)


def limits_of(table: CapsTable, channel: str) -> tuple[Limit, ...]:
    """Return the limits that a message over a channel has to keep."""
    own, over_all = table.of(channel), table.any
    limits = [Limit(channel, (channel,), own)] if own else []
    return (*limits, Limit("any", tuple(CHANNELS), over_all)) if over_all else tuple(limits)
