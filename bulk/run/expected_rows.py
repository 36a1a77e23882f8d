"""The rows that a plan expects to be sent, in the order of the list: place, person, and SMS parts of each.

The plan sends nothing, so no ledger knows whom the run itself will have written to. What a cap leaves out therefore
follows from when each row's turn comes, by the course that the plan expects: a person who stands in the list twice gets
both messages where so much time lies between them as the cap asks for. People are known by a hash of 64 bits.
"""

from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import pairwise

from bulk.rules import Course, Limit, Locality
from bulk.text.identity import identity

ZONES = 4  # of the possible ones that are named
_STRETCHES = 64  # of the list, in which localities are taken for evenly mixed


class ExpectedRows:
    """The rows of a list that would be sent."""

    def __init__(self, limits: Sequence[Limit]) -> None:
        self._limits = limits
        self._numbers: dict[int, int] = {}
        self._localities: list[Locality] = []
        self._places, self._people, self._parts = array("I"), array("q"), array("I")

    def note(self, place: Locality, destination: str | None, parts: int) -> None:
        """Note a row. Equal places are mostly one object, which is found by its identity at a third of the cost."""
        number = self._numbers.get(id(place))
        if number is None:
            number = self._numbers[id(place)] = len(self._localities)
            self._localities.append(place)
        self._places.append(number)
        self._parts.append(parts)
        if self._limits:
            self._people.append(hash(identity(destination or "")))

    def __len__(self) -> int:
        return len(self._places)

    @property
    def parts(self) -> int:
        """The SMS parts of all of them."""
        return sum(self._parts)

    @property
    def order(self) -> Sequence[int]:
        """Where each of them goes, by the number among `localities`."""
        return self._places

    @property
    def localities(self) -> Sequence[Locality]:
        """Where any of them goes."""
        return self._localities

    @property
    def places(self) -> Counter[Locality]:
        """How many go where."""
        return self._counted(0, len(self))

    def stretches(self) -> list[Counter[Locality]]:
        """Return how many go where in each stretch of the list."""
        size = -(-len(self) // _STRETCHES)
        return [self._counted(first, first + size) for first in range(0, len(self), size)] if size else []

    def leave_out(self, expected: Callable[[], Course]) -> int:
        """Leave out what a cap will leave out, by the course expected for all rows, and return how many."""
        repeated = {one for one, other in pairwise(sorted(self._people)) if one == other}
        if not repeated:
            return 0
        before, kept = len(self), array("I", self._allowed(repeated, expected().when))
        self._places = array("I", [self._places[row] for row in kept])
        self._parts = array("I", [self._parts[row] for row in kept])
        return before - len(kept)

    def _counted(self, first: int, end: int) -> Counter[Locality]:
        places = Counter[Locality]()
        for number, rows in Counter(self._places[first:end]).items():
            places[self._localities[number]] += rows
        return places

    def _allowed(self, repeated: AbstractSet[int], when: Callable[[int], float]) -> Iterator[int]:
        sent, times = 0, defaultdict[int, list[float]](list)
        for row, person in enumerate(self._people):
            if person in repeated:
                now = when(sent)
                if self._is_capped(times[person], now):
                    continue
                times[person].append(now)
            sent += 1
            yield row

    def _is_capped(self, times: Sequence[float], now: float) -> bool:
        return any(sum(at >= now - one.cap.within for at in times) >= one.cap.at_most for one in self._limits)


def country_of(place: Locality) -> str:
    """Return the country of a place: what a region of it begins with."""
    return place.region[:2] if place.region else "unknown"


def zones_of(place: Locality) -> str:
    """Name the possible zones, the first of many; they are unknown only where there is none."""
    if len(place.zones) <= ZONES:
        return " or ".join(place.zones) or "unknown"
    return " or ".join([*place.zones[: ZONES - 1], f"one of {len(place.zones) - ZONES + 1} others"])
