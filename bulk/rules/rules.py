"""All rules of a campaign, applied to one recipient.

`Rules.of(campaign)` has all that the campaign says of it; `judge` tells of one recipient whether to go, to wait, or to
leave it out. Nothing here reads a clock, a list or a ledger: what they say comes in.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from bulk.campaign import Campaign
from bulk.model import Refusal, Status
from bulk.rules import completion
from bulk.rules.caps import Limit, Written, limits_of
from bulk.rules.expiry import instant
from bulk.rules.hours import Hours
from bulk.rules.laws import Law, law
from bulk.rules.remedies import never_open
from bulk.rules.zones import Locality


@dataclass(frozen=True, slots=True)
class Wait:
    """The person's window is closed, and opens then (Unix seconds)."""

    until: float


_NO_ZONE = Refusal(
    "unknown_zone",
    "the time zone is unknown, and so is whether this is a good hour: "
    "fill in the column of [list] timezone_column with a name such as Europe/Berlin, or set [hours] unknown_zone",
    Status.SKIPPED,
)


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one campaign.

    `expires` is what the campaign says: a value, or a template whose value each row gives to `expiry`. `laws` are those
    in force, and `notes` says what the purpose turned off.
    """

    hours: Hours
    limits: tuple[Limit, ...] = ()
    expires: Any = None
    laws: tuple[Law, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @classmethod
    def of(cls, campaign: Campaign) -> Self:
        """Read the rules of a campaign, and the laws that it names. Raises `CampaignError`."""
        laws = tuple(law(name, campaign.folder) for name in campaign.hours.rules)
        limits = limits_of(campaign.caps, campaign.channel)
        if campaign.purpose == "transactional":
            return cls(Hours(campaign.hours), expires=campaign.expires, notes=_turned_off(campaign))
        return cls(Hours(campaign.hours, [one.week for one in laws]), limits, campaign.expires, laws)

    @property
    def active(self) -> bool:
        """Whether there is anything to judge."""
        return self.hours.active or bool(self.limits) or self.expires is not None

    def expiry(self, value: Any, place: Locality, began: float) -> float | Refusal | None:
        """Return the instant at which a row expires, None for never, or why the row's own word for it cannot be read.

        A refusal is kept in the ledger, so it does not repeat the word.
        """
        try:
            return instant(value, self.hours.zones(place), began)
        except (ValueError, OverflowError):
            return _UNREAD_EXPIRY

    def judge(
        self, place: Locality, *, now: float, expires_at: float | None = None, written: Written | None = None
    ) -> Wait | Refusal | None:
        """Judge one recipient at this moment (Unix seconds): None is "go".

        `written` counts what was sent to the person; it is asked last and only where a cap needs it. None leaves the
        caps out, as for a message that went out before and is only to be settled.
        """
        if expires_at is not None and expires_at <= now:
            return _expired(f"expired at {_said(expires_at)}, before its turn came")
        if self.hours.active:
            opens = self.hours.opening(place, now)[0]
            if opens > now:
                return self._closed(place, opens, expires_at)
        return self.capped(written, now) if written else None

    def capped(self, written: Written, now: float) -> Refusal | None:
        """Return why a person has been written to often enough, None where one more is allowed."""
        refusals = (limit.refusal(written, now) for limit in self.limits)
        return next((refusal for refusal in refusals if refusal), None)

    def finish_at(self, rows: Mapping[Locality, int], *, per_second: float, start: float) -> float:
        """Estimate when so many rows by locality will be sent (Unix seconds). Rows that never open take no time."""
        return completion.finish_at(self.hours, rows, per_second=per_second, start=start)

    def _closed(self, place: Locality, opens: float, expires_at: float | None) -> Wait | Refusal:
        if not self.hours.zones(place):
            return _NO_ZONE
        if opens == math.inf:
            return never_open(self.hours, place)
        if expires_at is not None and expires_at <= opens:
            return _expired(f"expires at {_said(expires_at)}, before its window opens at {_said(opens)}")
        return Wait(opens)


def _turned_off(campaign: Campaign) -> tuple[str, ...]:
    caps = [name for name in (campaign.channel, "any") if campaign.caps.of(name)]
    off = [f"[hours] rules {', '.join(campaign.hours.rules)}"] * bool(campaign.hours.rules)
    off += [f"[caps] {name}" for name in caps]
    return tuple(f'purpose = "transactional" turns off {what}' for what in off)


_UNREAD_EXPIRY = Refusal(
    "invalid_expiry",
    "expires: what the row says is no time; write 2026-12-24T18:00, 2026-12-24, or a duration such as 36h",
)


def _expired(message: str) -> Refusal:
    return Refusal("expired", message, Status.SKIPPED)


def _said(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"
