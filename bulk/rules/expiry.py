"""Until when may a message be sent? A time, a date, or a duration, as one instant."""

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from bulk.campaign import moment


def instant(value: Any, zones: tuple[str, ...], began: float) -> float | None:
    """Return the instant (Unix seconds) at which something expires, None where it never does.

    A time without an offset is the person's, and a date ends with their day: of several possible zones the first to
    get there decides, and UTC where there is none. A duration runs from `began`. Raises `ValueError`.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    said = moment(value) if isinstance(value, str) else value
    if isinstance(said, timedelta):
        return began + said.total_seconds()
    if isinstance(said, datetime):
        return said.timestamp() if said.tzinfo else _first(said, zones)
    if isinstance(said, date):
        return _first(datetime.combine(said + timedelta(days=1), time()), zones)
    raise ValueError(f"{value!r} is no time; write 2026-12-24T18:00, 2026-12-24, or a duration such as 36h")


@lru_cache(4096)
def _first(local: datetime, zones: tuple[str, ...]) -> float:
    return min(local.replace(tzinfo=ZoneInfo(zone)).timestamp() for zone in zones or ("UTC",))
