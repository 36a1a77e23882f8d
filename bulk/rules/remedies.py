"""What helps if a window never opens: only changes that were tried here and open it are recommended."""

import math
from functools import lru_cache

from bulk.model import Refusal, Status
from bulk.rules.hours import Hours
from bulk.rules.zones import Locality

SHOWN = 3  # zones that are named, of which there may be dozens


@lru_cache(4096)
def never_open(hours: Hours, place: Locality) -> Refusal:
    """Return why nobody there is ever written to, and what would change that."""
    zones = hours.zones(place)
    remedies = " or ".join(_remedies(hours, place)) or "[hours] rules close it all week: no hours of your own open it"
    where = zones[0] if len(zones) == 1 else f"every possible zone ({_named(zones)})"
    within = f", {place.region}" if place.region else ""
    return Refusal("never_open", f"no hour is open in {where}{within}: {remedies}", Status.SKIPPED)


def _remedies(hours: Hours, place: Locality) -> list[str]:
    zones = hours.zones(place)
    found = []
    if any(_opens(hours, Locality((zone,), place.region)) for zone in zones):
        found.append("fill in the column of [list] timezone_column")
        found += [] if place.zones else ["name fewer zones in [hours] unknown_zone"]
    if _opens(hours.widened(), place):
        found.append("widen [hours]")
    return found


def _opens(hours: Hours, place: Locality) -> bool:
    return hours.opening(place, 0.0)[0] < math.inf


def _named(zones: tuple[str, ...]) -> str:
    more = f" and {len(zones) - SHOWN} more" if len(zones) > SHOWN else ""
    return ", ".join(zones[:SHOWN]) + more
