"""Which pace an operation goes at: option, else the operation's table, else the campaign's, else AWS's default."""

from typing import Literal

from bulk.campaign import OperationPacing, Window
from bulk.learning import Learner
from bulk.model import Call
from bulk.pacing import Bucket, Limits, Pace, inside
from bulk.parts import parts
from bulk.run.opening import Opened

# "Amazon Connect service quotas", API throttling: 2 requests a second with a burst of 5 but for these.
DEFAULT = 2.0, 5
QUOTAS = {"StopContact": (10.0, 15), "StartChatContact": (5.0, 8)}

AT_ONCE = 64  # calls in flight where nothing is said: 50 a second at a latency of more than a second

# "StartOutboundChatContact", ChatDurationInMinutes; "Amazon Connect service quotas", active email contact expiry.
CHAT_MINUTES, EMAIL_MINUTES = 25 * 60, 14 * 24 * 60

STOPS = "stop_contact"  # the table of the call that ends a contact


def windows(opened: Opened, operation: str) -> list[tuple[float, int]]:
    """Give the rates (a second) and bursts that hold for an operation."""
    rate, burst = _said(opened, operation)
    documented, usual = QUOTAS.get(operation, DEFAULT)
    if isinstance(rate, tuple):
        return [_limit(window, burst or usual) for window in rate]
    return [(documented if rate in (None, "auto") else float(rate), burst or usual)]


def at_once(opened: Opened) -> int:
    """Tell how many calls may be in flight."""
    return opened.options.at_once or opened.campaign.pacing.at_once or AT_ONCE


def is_auto(opened: Opened, operation: str) -> bool:
    """Tell whether the rate of an operation is to be learned."""
    return _said(opened, operation)[0] == "auto"


def pace(opened: Opened, operation: str, guess: float | None = None) -> Pace:
    """Give the pace of an operation: within its rates and bursts, and learning, where a rate is `auto`, what they are.

    A configured rate is a ceiling: it gives way where others use the account too. `guess` is where learning begins.
    """
    asked = windows(opened, operation)
    share = opened.options.rate_share
    buckets = tuple(inside(per_second * share, max(1, int(burst * share))) for per_second, burst in asked)
    first = buckets[0].per_second
    learner = Learner(guess * share if guess else first) if is_auto(opened, operation) else Learner(first, first)
    return Pace(Limits((*buckets, *_parts(opened))), learner)


def room(opened: Opened, operation: str) -> int | None:
    """Tell for how many open contacts there is room, to the operation that opens them; None where that is unbounded."""
    hold, tables = opened.campaign.hold, opened.campaign.tables
    opens = next(iter(opened.campaign.way.OPERATIONS.values())) == operation
    return hold.open_contacts if opens and STOPS not in tables else None


def lasting_calls(opened: Opened) -> int:
    """Tell how many calls a conversation has that leave its contact open."""
    return sum(table != STOPS for table in opened.campaign.way.OPERATIONS)


def open_for(opened: Opened) -> float:
    """Tell how long a contact stays open, in seconds: as said, else as the request says, else as AWS has it."""
    said = opened.campaign.hold.open_for
    if said is not None:
        return said
    minutes = [
        table[name]
        for table in opened.campaign.tables.values()
        for name in ("ChatDurationInMinutes", "ExpiryDurationInMinutes")
        if isinstance(table.get(name), int)
    ]
    usual = CHAT_MINUTES if opened.campaign.way.KIND == "phone" else EMAIL_MINUTES
    return 60.0 * (minutes[0] if minutes else usual)


def parts_of(call: Call) -> int:
    """Count the parts of the SMS that a call sends: one where its text is not ours."""
    message = call.parameters.get("InitialSystemMessage")
    return parts(message["Content"]) if message else 1


def _parts(opened: Opened) -> tuple[Bucket, ...]:
    """Give the limit of the number that the messages come from."""
    per_second = opened.campaign.pacing.parts_per_second
    if per_second is None or opened.campaign.way.KIND != "phone":
        return ()
    return (Bucket(per_second, max(1, round(per_second)), of_parts=True),)


def _said(opened: Opened, operation: str) -> tuple[float | Literal["auto"] | tuple[Window, ...] | None, int | None]:
    pacing, options = opened.campaign.pacing, opened.options
    own = pacing.operations.get(operation, OperationPacing())
    return options.rate or own.rate or pacing.rate, options.burst or own.burst or pacing.burst


def _limit(window: Window, burst: int) -> tuple[float, int]:
    rate, own = window.limit
    return rate, own if window.burst or not window.per_second else burst
