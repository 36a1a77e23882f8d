"""How the rate of an operation is divided among its workers. Arithmetic only.

All workers that answer get the same part. What a lease allows stays reserved until its lot has come back or its time is
over, so the parts never add up to more than the whole: a worker that froze keeps its part until its leases end, then
the others have it, and when it is back it waits until theirs have ended. What nobody spends between the end of one's
part and its beginning elsewhere is not lost: who gets the part makes these calls up.
"""

import math
from dataclasses import dataclass, field

from bulk.cluster.lease import Idle
from bulk.cluster.members import Member

LATE = 0.25  # seconds after the end of its lease at which a worker that has not answered is taken for frozen
FIRST, FEWEST = 50, 4  # calls of a lot at most: of a worker's first, of a slow one's
QUICK = 0.4  # of its lease: a lot that took no longer may be followed by one twice as large
LEAST_IDLE = 1e-6  # of a rate: less is what a division leaves
LEAST = 0.4  # of a fair part: with less a worker waits for its lease


@dataclass(slots=True)
class Grant:
    """What a lease allows from `since` until `not_after` (our clock): a `fraction` of the rate, and so many calls.

    These are of so many `parts`.
    """

    fraction: float
    calls: int
    parts: int
    not_after: float
    since: float = 0.0


@dataclass(slots=True, eq=False)
class Seat:
    """A worker of an operation. `credit` goes with its next lease (see `Lease`).

    `most` is how many calls a lot may hold that it makes before its lease ends, as far as is known: where the rate is
    higher than what a worker makes, that decides. `busy_until` is when its calls will have had their turns (our clock).
    `last` is the part of the rate that its last lease gave it, and nobody else was given since.
    """

    member: Member
    credit: float | None
    last: float = 0.0
    most: int = FIRST
    grants: list[Grant] = field(default_factory=list)
    busy_until: float = -math.inf

    @property
    def outstanding(self) -> int:
        """How many calls it has not answered."""
        return sum(grant.calls for grant in self.grants)

    def learn(self, grant: Grant, made: int, now: float) -> None:
        """Learn from a lot that came back with so many calls made, how many the next ones may hold."""
        used = (now - grant.since) / (grant.not_after - grant.since)
        if made < grant.calls:
            self.most = max(FEWEST, made)
        elif grant.calls >= self.most / 2 and used < QUICK:
            self.most *= 2

    def is_frozen(self, now: float) -> bool:
        """Whether it has not answered although its lease is over."""
        return bool(self.grants) and now > LATE + min([grant.not_after for grant in self.grants])

    def fraction(self, now: float) -> float:
        """Return what part of the rate it may be spending."""
        return max((grant.fraction for grant in self.grants if now <= grant.not_after), default=0.0)


@dataclass(slots=True)
class Shares:
    """The seats of an operation. `spent` are the grants of lost workers that nobody knows to have ended.

    `idle` are parts of workers that left or froze, which no other has yet.
    """

    seats: list[Seat] = field(default_factory=list)
    spent: list[Grant] = field(default_factory=list)
    idle: list[Idle] = field(default_factory=list)

    def live(self, now: float) -> list[Seat]:
        """Return the seats that get lots."""
        return [seat for seat in self.seats if not seat.member.lost and not seat.is_frozen(now)]

    def fraction_for(self, seat: Seat, now: float) -> float:
        """Return the part of the rate for a worker's next lease; 0 while others still have it."""
        fair = 1 / len(self.live(now))
        held = sum(other.fraction(now) for other in self.seats if other is not seat)
        self.spent = [grant for grant in self.spent if now <= grant.not_after]
        held += sum(grant.fraction for grant in self.spent)
        free = min(fair, 1 - held)
        return free if free >= LEAST * fair else 0.0

    def stuck(self, now: float) -> int:
        """Return how many calls are with workers that do not answer."""
        return sum(seat.outstanding for seat in self.seats if seat.is_frozen(now))

    def leave(self, seat: Seat, now: float) -> None:
        """Take a lost worker's seat away."""
        if not seat.member.ended:
            self.spent += seat.grants
        if fraction := seat.fraction(now):
            ends = max(grant.not_after for grant in seat.grants)
            self.idle.append(Idle(fraction, now if seat.member.ended else ends))
        seat.grants = []
        if seat in self.seats:
            self.seats.remove(seat)

    def release_frozen(self, now: float) -> None:
        """Note which parts idle because their workers do not answer."""
        for seat in self.seats:
            if seat.last and seat.is_frozen(now):
                self.idle.append(Idle(seat.last, max(grant.not_after for grant in seat.grants)))
                seat.last = 0.0

    def take_idle(self, seat: Seat, fraction: float, now: float) -> Idle | None:
        """Return what of an idle part a worker takes over that now gets a `fraction`; note that it has that."""
        more, seat.last = fraction - seat.last, fraction
        idle = next((idle for idle in self.idle if idle.since <= now), None)
        if idle is None or more <= 0:
            return None
        self.idle.remove(idle)
        if (rest := idle.fraction - more) > LEAST_IDLE:
            self.idle.append(Idle(rest, idle.since))
        return Idle(min(more, idle.fraction), idle.since)
