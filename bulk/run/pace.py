"""Which pace an operation goes at: option, else the operation's table, else the campaign's, else AWS's default."""

from typing import Literal

from bulk.campaign import OperationPacing, Window
from bulk.pacing import Limits, inside
from bulk.run.opening import Opened

# "Amazon Connect service quotas", API throttling: 2 requests a second with a burst of 5 but for these.
DEFAULT = 2.0, 5
QUOTAS = {"StopContact": (10.0, 15), "StartChatContact": (5.0, 8)}


def windows(opened: Opened, operation: str) -> list[tuple[float, int]]:
    """Give the rates (a second) and bursts that hold for an operation."""
    rate, burst = _said(opened, operation)
    documented, usual = QUOTAS.get(operation, DEFAULT)
    if isinstance(rate, tuple):
        return [_limit(window, burst or usual) for window in rate]
    return [(documented if rate in (None, "auto") else float(rate), burst or usual)]


def limits(opened: Opened, operation: str) -> Limits:
    """Give the pace of an operation, within its rates and bursts."""
    return Limits(tuple(inside(rate, burst) for rate, burst in windows(opened, operation)))


def _said(opened: Opened, operation: str) -> tuple[float | Literal["auto"] | tuple[Window, ...] | None, int | None]:
    pacing, options = opened.campaign.pacing, opened.options
    own = pacing.operations.get(operation, OperationPacing())
    return options.rate or own.rate or pacing.rate, options.burst or own.burst or pacing.burst


def _limit(window: Window, burst: int) -> tuple[float, int]:
    rate, own = window.limit
    return rate, own if window.burst or not window.per_second else burst
