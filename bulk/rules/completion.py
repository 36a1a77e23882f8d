"""When will a run be done? An estimate: rows flow at a rate, each locality's while its windows are open.

Localities that are open at once share the rate by what each has left, as a list in no particular order does. Between
two instants at which a window opens or closes nothing changes, so the estimate goes from one to the next.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from bulk.rules.hours import Hours
from bulk.rules.room import ROUNDS, Filling, Room
from bulk.rules.spans import Span
from bulk.rules.zones import Locality

_NOTHING = 1e-3  # of a row: what is left by the rounding of numbers must not wait for a room that is full


@dataclass(slots=True)
class _Share:
    """What one locality has left, and its window: open now, or the next to come."""

    place: Locality
    rows: float
    window: Span


def finish_at(
    hours: Hours, rows: Mapping[Locality, int], *, per_second: float, start: float, room: Room | None = None
) -> float:
    """Return when so many rows, by locality, will be sent (Unix seconds). What is never open takes no time.

    `room` bounds the contacts that are open; none is at the start.
    """
    total = sum(rows.values())
    if room is not None and total > room.limit * ROUNDS:
        per_second, room = room.mean(per_second), None
    if not hours.active and room is None:
        return start + total / per_second
    now, filling = start, Filling(room) if room is not None else None
    shares = _open_someday([_Share(place, count, hours.opening(place, now)) for place, count in rows.items() if count])
    while shares:
        opened = [share for share in shares if share.window[0] <= now]
        change = min(share.window[1] if share.window[0] <= now else share.window[0] for share in shares)
        rate, until = filling.rate(now, per_second) if filling else (per_second, math.inf)
        change, left = min(change, until), sum(share.rows for share in opened)
        done = now + left / rate if opened and rate else math.inf
        _send(opened, 1.0 if done <= change else (change - now) * rate / left if left else 0.0)
        if filling and opened:
            filling.note(now, min(done, change), rate)
        now = min(done, change)
        shares = _open_someday([_at(hours, share, now) for share in shares if share.rows])
    return now


def _send(opened: list[_Share], part: float) -> None:
    for share in opened:
        left = 0.0 if part == 1.0 else share.rows * (1 - part)
        share.rows = left if left > _NOTHING else 0.0


def _at(hours: Hours, share: _Share, now: float) -> _Share:
    if share.window[1] <= now:
        share.window = hours.opening(share.place, now)
    return share


def _open_someday(shares: list[_Share]) -> list[_Share]:
    return [share for share in shares if share.window[0] < math.inf]
