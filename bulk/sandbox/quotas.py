"""How often each operation may be called: token buckets, as Amazon Connect keeps them per account and Region.

A bucket holds at most `burst` tokens, starts full and gains `rate` a second; a call takes one or is
throttled. So no window of T seconds ever sees more than `burst + rate × T` calls accepted. "Amazon Connect
service quotas", API throttling.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DEFAULT = (2.0, 5)
DOCUMENTED: Mapping[str, tuple[float, int]] = {
    "StopContact": (10.0, 15),
    "DescribeContact": (10.0, 15),
    "GetContactAttributes": (10.0, 15),
    "UpdateContactAttributes": (10.0, 15),
    "TagContact": (20.0, 25),
    "UntagContact": (20.0, 25),
    "SearchContacts": (0.5, 1),
    "GetMessageTemplate": (10.0, 10),
    "RenderMessageTemplate": (10.0, 10),
    "SearchMessageTemplates": (10.0, 10),
}
"""Where AWS's defaults differ from `DEFAULT`. For message templates it documents no burst: it is taken as the rate."""


_PLACE = re.compile(r"([0-9]{12}/)?([a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}/)?")
_ROUNDING = 1e-9  # a call that comes exactly on time must not be refused for the last bit of a sum


@dataclass(frozen=True, slots=True)
class Quotas:
    """Rate per second (`math.inf` = unlimited) and burst, by operation.

    `operations` wins: by the name of an operation or `*`, with a Region, an account of 12 digits or both before it and
    a `/` after each (`eu-west-2/CreateContact`, `123456789012/us-west-2/*`); the most exact place first. Else `rate`
    and `burst` hold where either was given; else what AWS documents for a new account.
    """

    rate: float | None = None
    burst: int | None = None
    operations: Mapping[str, tuple[float, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.operations:
            if not _PLACE.fullmatch(name.removesuffix(name.rpartition("/")[2])):
                raise ValueError(
                    f"quotas.{name}: before an operation stand an account of 12 digits, a Region, or both, "
                    "such as 123456789012/us-west-2/CreateContact"
                )
        for rate, burst in [(self.rate, self.burst), *self.operations.values()]:
            if rate is not None and not (_is_number(rate) and rate >= 0):
                raise ValueError(f"a rate is calls per second, 0 or more, or inf: {rate!r} is not")
            if burst is not None and not (_is_number(burst) and burst >= 1):
                raise ValueError(f"a burst is a number of calls, 1 or more: {burst!r} is not")

    def of(self, operation: str, account: str = "", region: str = "") -> tuple[float, int]:
        """Return the rate and the burst of one operation, in general or for an account in a Region."""
        for place in (f"{account}/{region}/", f"{account}/", f"{region}/", "") if self.operations else ():
            for name in (operation, "*"):
                if place + name in self.operations:
                    return self.operations[place + name]
        if self.rate is None and self.burst is None:
            return DOCUMENTED.get(operation, DEFAULT)
        rate = DEFAULT[0] if self.rate is None else self.rate
        return rate, DEFAULT[1] if self.burst is None else self.burst

    def change(self, given: Mapping[str, Any]) -> "Quotas":
        """Return these quotas with `rate`, `burst` or `quotas` changed as given; a null rate is unlimited."""
        named = given.get("quotas") or {}
        if not isinstance(named, Mapping):
            raise ValueError(f"quotas: must be an object of [rate, burst] by operation, is {named!r}")  # noqa: TRY004 - a setting
        operations = {name: _pair(name, pair) for name, pair in named.items()}
        rate, burst = given.get("rate", self.rate), given.get("burst", self.burst)
        if "rate" in given and rate is None:
            rate = math.inf
        return Quotas(rate, burst, {**self.operations, **operations})


def _pair(name: str, pair: Any) -> tuple[float, int]:
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        raise ValueError(f"quotas.{name}: must be [rate, burst], is {pair!r}")
    return math.inf if pair[0] is None else pair[0], pair[1]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)


class Bucket:
    """The tokens of one operation."""

    __slots__ = ("at", "burst", "level", "rate")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self.rate, self.burst = rate, burst
        self.level: float = burst
        self.at = now

    def take(self, now: float) -> bool:
        """Take a token, or tell that there is none."""
        self._refill(now)
        if self.level < 1 - _ROUNDING:
            return False
        self.level -= 1
        return True

    def level_at(self, now: float) -> float:
        """Return how many tokens there are."""
        self._refill(now)
        return self.level

    def change(self, rate: float, burst: float, now: float) -> None:
        """Take on another rate and burst; what was gained stays, as far as the new burst holds it."""
        self._refill(now)
        self.rate, self.burst = rate, burst
        self.level = min(self.level, burst)

    def _refill(self, now: float) -> None:
        if self.rate == math.inf:
            self.level = self.burst
        elif now > self.at:
            self.level = min(self.burst, self.level + (now - self.at) * self.rate)
        self.at = max(now, self.at)
