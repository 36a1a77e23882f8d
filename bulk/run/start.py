"""When a run starts: at a time (`start_at`), and once nobody else sends it (`lock_wait`).

What is wrong with a campaign is found before the wait, not at the end of it; the list is read after it.
"""

import logging
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from bulk.errors import CampaignError
from bulk.ledger.lock import sender
from bulk.pacing import virtual_time
from bulk.run.context import RunRef, Source, choose
from bulk.run.environment import open_from
from bulk.run.options import Options
from bulk.run.results import check_results
from bulk.stop import Stop, Stopped
from bulk.text.plain import duration
from bulk.threads import in_thread

log = logging.getLogger("bulk")

_TIME_OF_DAY = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
LATE = 300.0  # seconds that a time of day may be over and still mean today: a scheduler is never on the second
LOOK = 1.0  # seconds between two looks at a lock
NAP = 30.0  # seconds of sleep at a time: a clock that is set, or a machine that was suspended, is noticed


def moment(said: datetime | str, now: float) -> float:
    """Return a time as Unix seconds: `09:00` (the next one), `2026-11-20T09:00`, `2026-11-20`, or one with an offset.

    Without an offset it is by this machine's time zone. Raises `CampaignError` where it is none.
    """
    if isinstance(said, datetime):
        return said.timestamp()
    found = _TIME_OF_DAY.fullmatch(said.strip())
    try:
        if found is None:
            return datetime.fromisoformat(said.strip()).timestamp()
        hour, minute, second = (int(part or 0) for part in found.groups())
        today = datetime.fromtimestamp(now).astimezone()
        then = today.replace(hour=hour, minute=minute, second=second, microsecond=0, tzinfo=None)
    except (ValueError, OverflowError, OSError):
        raise CampaignError(
            f"start-at is {said[:40]!r}, and no time: write 09:00, 2026-11-20T09:00, or one with an offset: "
            "2026-11-20T09:00-07:00"
        ) from None
    return then.timestamp() if then.timestamp() > now - LATE else (then + timedelta(days=1)).timestamp()


async def wait_to_start(campaigns: Sequence[Source], options: Options, stop: Stop) -> None:
    """Wait until the campaigns may be sent, or until the stop. Raises what would keep them from being sent."""
    refs, now = [await in_thread(choose, campaign, options) for campaign in campaigns], virtual_time.clock()
    start = None if options.start_at is None else moment(options.start_at, now())
    most = options.lock_wait or 0.0
    if (start is None or start <= now()) and not (most > 0 and any(map(_sender, refs))):
        return
    for campaign in campaigns:
        check_results(await open_from(campaign, options))
    with suppress(Stopped):
        if start is not None:
            await _until(start, stop)
        await _while_sent(refs, most, stop)


async def _until(start: float, stop: Stop) -> None:
    now = virtual_time.clock()
    if (left := start - now()) > 0:
        told = f"{datetime.fromtimestamp(start).astimezone():%Y-%m-%d %H:%M:%S %Z}"
        log.info("waiting until %s to start, in %s (--start-at)", told, duration(left))
    while (left := start - now()) > 0:
        await stop.sleep(min(left, NAP))


async def _while_sent(refs: Sequence[RunRef], most: float, stop: Stop) -> None:
    """Wait while others send one of the runs, for so many seconds at most."""
    until, told = time.monotonic() + most, set[str]()
    while (busy := next(filter(None, map(_sender, refs)), None)) and (left := until - time.monotonic()) > 0:
        if busy not in told:
            log.info("the run is being sent by %s: waiting up to %s (--lock-wait)", busy, duration(left))
            told.add(busy)
        await stop.sleep(min(left, LOOK))


def _sender(ref: RunRef) -> str | None:
    return sender(ref.state_dir, ref.campaign.name, ref.options.run_id)
