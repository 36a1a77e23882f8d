"""`[hours]`, `[caps]`, and `expires`: when, how often, and until when a person may be written to."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Self
from zoneinfo import ZoneInfo

from pydantic import (
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    PlainValidator,
    PrivateAttr,
    WithJsonSchema,
    model_validator,
)

from bulk.campaign.types import Count, Duration, Table, brief, seconds
from bulk.channels import CHANNELS

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MIDNIGHT = 24 * 60
LONGEST_RANGE = 3660  # days

_WINDOW = re.compile(r"\s*(\d{1,2}):([0-5]\d)\s*[-–]\s*(\d{1,2}):([0-5]\d)\s*")


def _windows(value: Any) -> list[tuple[int, int]]:
    return [_window(text) for text in _several(value)]


def _window(text: Any) -> tuple[int, int]:
    """Read `21:00-02:00` as minutes after midnight; an end after the day's own end lies in the next day."""
    found = _WINDOW.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f"{brief(text)} is no window; write it as 09:00-12:30, by a clock of 24 hours")
    hour, minute, end_hour, end_minute = map(int, found.groups())
    start, end = hour * 60 + minute, end_hour * 60 + end_minute
    if start >= MIDNIGHT or end > MIDNIGHT:
        raise ValueError(f"{text!r} is no window: a day ends at 24:00")
    if start == end:
        raise ValueError(f"{text!r} is an empty window; a whole day is 00:00-24:00")
    return start, end if end > start else end + MIDNIGHT


def _several(value: Any) -> Sequence[Any]:
    """Take one for a list of one."""
    return value if isinstance(value, list | tuple) else [value]


def _date_ranges(value: Any) -> list[tuple[date, date]]:
    return [_date_range(entry) for entry in _several(value)]


def _date_range(entry: Any) -> tuple[date, date]:
    """Read a date, or two with a slash between (ISO 8601, 4.4): both are in the range."""
    first, _, last = str(entry).partition("/")
    try:
        found = date.fromisoformat(first.strip()), date.fromisoformat((last or first).strip())
    except ValueError:
        raise ValueError(f"{brief(str(entry))} is no date; write 2026-12-25, or 2026-12-24/2027-01-01") from None
    if (found[1] - found[0]).days > LONGEST_RANGE:
        raise ValueError(f"{brief(str(entry))} is longer than ten years; write the days that are meant")
    if found[1] < found[0]:
        raise ValueError(f"{str(entry)!r} ends before it begins")
    return found


@lru_cache(4096)
def is_zone(name: str) -> bool:
    """Return whether a name is an IANA time zone's, such as `Europe/Berlin`; of those without a place, `UTC` alone.

    The others (`EST`, `CET`, `localtime`) name an offset, or the zone of this machine, and not where a person is.
    """
    if name != "UTC" and ("/" not in name or name.startswith(("posix/", "right/", "Etc/Unknown"))):
        return False
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # a name that is no path, a folder's name, no such zone
        return False
    return True


def _zones(value: Any) -> list[str]:
    if value == "closed":
        return []
    names = ["UTC" if name == "utc" else str(name) for name in _several(value)]
    if wrong := [name for name in names if not is_zone(name)]:
        raise ValueError(
            f'{brief(wrong[0])} is no time zone; write "closed", "UTC", or IANA names such as "Europe/Berlin"'
        )
    return names


def _an_expiry(value: Any) -> Any:
    if isinstance(value, str):
        return value if "{{" in value or "{%" in value else moment(value)
    if value is None or isinstance(value, date):
        return value
    return timedelta(seconds=seconds(value))


def moment(text: str) -> datetime | date | timedelta:
    """Read a time (ISO 8601), a date, or a duration such as `36h`. Raises `ValueError`."""
    text = text.strip()
    for read in (date.fromisoformat, datetime.fromisoformat):
        try:
            return read(text)
        except ValueError:
            pass
    try:
        return timedelta(seconds=seconds(text))
    except ValueError:
        raise ValueError(
            f"{brief(text)} is no time; write 2026-12-24T18:00, 2026-12-24, or a duration such as 36h"
        ) from None


def _one_or_more(of: Mapping[str, Any]) -> WithJsonSchema:
    """Describe text, or a list of such texts."""
    return WithJsonSchema({"anyOf": [{"type": "string", **of}, {"type": "array", "items": {"type": "string", **of}}]})


_HOURS = _one_or_more({"pattern": r"^\s*\d{1,2}:[0-5]\d\s*[-–]\s*\d{1,2}:[0-5]\d\s*$"})
Windows = Annotated[tuple[tuple[int, int], ...], BeforeValidator(_windows), _HOURS]
"""Windows of one day: minutes after its midnight, from and to."""

_EXPIRY = WithJsonSchema({"type": ["string", "number"]})
Expiry = Annotated[datetime | date | timedelta | str | None, PlainValidator(_an_expiry), _EXPIRY]
"""A time, the end of a date, so long after the run began, or a template that gives one of these for each row."""


class WeekTable(Table):
    """The windows of a week, by the recipient's clock. What names a day more closely wins."""

    monday: Windows | None = None
    tuesday: Windows | None = None
    wednesday: Windows | None = None
    thursday: Windows | None = None
    friday: Windows | None = None
    saturday: Windows | None = None
    sunday: Windows | None = None
    weekdays: Windows | None = None
    weekend: Windows | None = None
    every_day: Windows | None = None

    @property
    def days(self) -> tuple[Windows, ...] | None:
        """The windows by day, from Monday; a day that nothing names has none. None where no day is named at all."""
        named = [self._day(place) for place in range(7)]
        return None if all(day is None for day in named) else tuple(day or () for day in named)

    def _day(self, place: int) -> Windows | None:
        part = self.weekdays if place < 5 else self.weekend
        said: tuple[Windows | None, ...] = (getattr(self, DAYS[place]), part, self.every_day)
        return next((windows for windows in said if windows is not None), None)


class HoursTable(WeekTable):
    """When a person may be written to. `unknown_zone` are the zones of one whose zone is unknown; none: never."""

    holidays: Annotated[tuple[tuple[date, date], ...], BeforeValidator(_date_ranges), _one_or_more({})] = ()
    rules: Annotated[tuple[str, ...], BeforeValidator(_several), _one_or_more({})] = ()
    unknown_zone: Annotated[tuple[str, ...], BeforeValidator(_zones), _one_or_more({})] = ()


class Cap(Table):
    """A person is written to at most so often within so long (seconds)."""

    at_most: Count
    within: Annotated[Duration, Field(gt=0)]
    _span: str = PrivateAttr("")

    @model_validator(mode="wrap")
    @classmethod
    def _keep_the_words(cls, data: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        cap = read(data)
        if isinstance(data, Mapping):
            said = data["within"]
            cap._span = " ".join(said.split()) if isinstance(said, str) else f"{cap.within:.15g} seconds"  # noqa: SLF001 - a private field of this very class
        return cap

    def __str__(self) -> str:
        """Return the cap in the words of the file."""
        return f"{self.at_most} within {self._span}"


class CapsTable(Table):
    """How often a person may be written to, by channel; `any` counts them all."""

    GATHERED: ClassVar = "channels"

    any: Cap | None = None
    channels: Mapping[str, Cap] = Field(default_factory=dict)

    @classmethod
    def gathered(cls) -> Collection[str]:
        """Return the channels."""
        return CHANNELS

    @model_validator(mode="before")
    @classmethod
    def _a_table(cls, data: Any) -> Any:
        if isinstance(data, dict) and {"at_most", "within"} & data.keys():
            raise ValueError('a cap is of a channel, or of any; write: sms = { at_most = 1, within = "24h" }')
        return data

    def of(self, channel: str) -> Cap | None:
        """Return the cap of one channel, or of `any`."""
        return self.any if channel == "any" else self.channels.get(channel)
