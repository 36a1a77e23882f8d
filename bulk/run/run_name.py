"""Names of runs with a date: `{date}` stands for the day on which the run begins."""

from datetime import datetime

DATE = "{date}"


def dated(name: str) -> str:
    """Return the name of a run with `{date}` filled in: today, as 2026-11-20, by this machine's clock and time zone.

    That is the zone of `TZ` where it is set. The day is that of the command, also where it waits for `--start-at`.
    """
    return name.replace(DATE, f"{datetime.now().astimezone():%Y-%m-%d}")
