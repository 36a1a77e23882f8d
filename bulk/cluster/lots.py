"""The driver's side of an operation: calls join lots, lots go to workers, answers come back.

A worker has as many calls as two lots hold, and more while answers take long: it never waits for the next lot. What
comes back without an answer was not made, or is in doubt where the worker is lost; both go through the call's own
retrying, under the same token.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil

import anyio
from anyio.abc import TaskGroup

from bulk.cluster.engine import EngineLost, WorkerLost
from bulk.cluster.lease import Lease
from bulk.cluster.members import Members
from bulk.cluster.message import Body, SentCall, call_body, lost, not_made, result_of
from bulk.cluster.rate import SharedRate
from bulk.cluster.shares import Grant, Seat, Shares
from bulk.errors import BulkError, CallFailed, Halted, LedgerError
from bulk.model import Call, Reply, Verdict
from bulk.operations.verdicts import verdict

GATHER = 0.01  # seconds in which further calls may join a lot that could go
PATIENCE = 0.2  # lots: for so long a call waits for its own to be half full, where its worker has others
HOLDS = 0.4, 1.2  # seconds, and times what its calls last at their rate, for which a lease holds
SEARCH = 2.0  # seconds for which it holds while the rate is searched for
GIVEN_UP = 5.0  # seconds after the last answer could have come at which a worker is given up
FASTER = 1.5  # times the rate of now is what a lot holds meanwhile: it grows until the lot is over


@dataclass(slots=True, eq=False)
class Waiting:
    """A call that waits for its lot, and then for its answer."""

    sent: SentCall
    since: float
    result: Reply | BulkError | None = None
    answered: anyio.Event = field(default_factory=anyio.Event)

    def settle(self, result: Reply | BulkError) -> None:
        """Hand over what became of it."""
        if self.result is None:
            self.result = result
            self.answered.set()


@dataclass(frozen=True, slots=True, eq=False)
class Lot:
    """Calls on their way to a worker, under a lease."""

    seat: Seat
    grant: Grant
    lease: Lease
    calls: Sequence[Waiting]


class Lots:
    """The lots of one operation. `answer_within` are the seconds in which a call that left is answered."""

    def __init__(
        self, operation: str, rate: SharedRate, members: Members, *, clock: Callable[[], float], answer_within: float
    ) -> None:
        self.operation = operation
        self.rate = rate
        self.shares = Shares()
        self.tail = 0.0  # seconds from the last turn of a lot to its last answer, the longest of late
        self._members = members
        self._clock = clock
        self._answer_within = answer_within
        self._pending: deque[Waiting] = deque()
        self._woken = anyio.Event()
        self._most = 1
        members.when_changed.append(self.wake)

    def wake(self) -> None:
        """Have another look at what can go."""
        self._woken.set()

    async def make(self, call: Call, token: str, parts: int) -> Reply:
        """Have a call made. Raises what became of it: `CallNotMade` where no worker made it."""
        if self._members.stop.asked:
            raise not_made(self.operation)
        waiting = Waiting(SentCall(call, token, parts), self._clock())
        self._pending.append(waiting)
        self.wake()
        try:
            await waiting.answered.wait()
        finally:
            if waiting.result is None and waiting in self._pending:
                self._pending.remove(waiting)
        if isinstance(waiting.result, BulkError):
            raise waiting.result
        assert waiting.result is not None  # noqa: S101 - it was settled
        return waiting.result

    def capacity(self, now: float) -> int:
        """Return how many calls may be under way, those whose intents are being made durable among them."""
        live = self.shares.live(now)
        bounds = [self._bounds(seat, 1 / len(live)) for seat in live]
        under_way = sum(
            size // 3 + 1 + room + seat.outstanding for seat, (size, room) in zip(live, bounds, strict=True)
        )
        return max(2, under_way)

    async def run(self) -> None:
        """Send lots, until cancelled."""
        self._seat_members()
        async with anyio.create_task_group() as group:
            while True:
                self._woken = anyio.Event()
                self._send_what_can_go(group)
                with anyio.move_on_after(PATIENCE / 2 * self.rate.lot if self._pending else None):
                    await self._woken.wait()
                    await anyio.sleep(GATHER)

    def _send_what_can_go(self, group: TaskGroup) -> None:
        now = self._clock()
        self._seat_members()
        if self._members.stop.asked:
            self._hand_back()
        while self._pending and (lot := self._next(now)) is not None:
            group.start_soon(self._send, lot)

    def _seat_members(self) -> None:
        """Add seats for workers that came, and remove those of workers that were lost."""
        for seat in [seat for seat in self.shares.seats if seat.member.lost]:
            self.shares.leave(seat, ended=False)
        seated = [seat.member for seat in self.shares.seats]
        fresh = [member for member in self._members.there if member not in seated]
        fresh = fresh[: max(0, self.rate.burst - len(seated))]  # each can make one call at once, at least
        first = not self.shares.seats and not self.shares.spent and self._most == 1
        self._most = max(self._most, len(seated) + len(fresh))
        for member in fresh:
            credit = self.rate.credit / len(fresh) if first else 0.0
            self.shares.seats.append(Seat(member, credit))

    def _hand_back(self) -> None:
        """Hand back what has not gone to a worker."""
        while self._pending:
            self._pending.popleft().settle(not_made(self.operation))

    def _next(self, now: float) -> Lot | None:
        """Take the next lot from what waits; None where no worker may have it yet."""
        able = [
            (seat, fraction, size, room)
            for seat in sorted(self.shares.live(now), key=lambda seat: seat.outstanding)
            if (fraction := self.shares.fraction_for(seat, now))
            for size, room in [self._bounds(seat, fraction)]
            if room > 0
        ]
        for seat, fraction, size, room in able:
            number = min(size, room, ceil(len(self._pending) / len(able)))
            is_young = now - self._pending[0].since < PATIENCE * self.rate.lot
            if not (seat.outstanding and number < size / 2 and is_young and not self.rate.is_searched):
                return self._lot(seat, fraction, number, now)
        return None

    def _bounds(self, seat: Seat, fraction: float) -> tuple[int, int]:
        """Return how many calls a lot of this worker may hold, and how many more it may have."""
        each = self.rate.per_second * fraction * (FASTER if self.rate.is_searched else 1)
        size = min(seat.most, ceil(each * self.rate.lot))
        return size, 2 * size + ceil(each * self.tail) - seat.outstanding

    def _lot(self, seat: Seat, fraction: float, number: int, now: float) -> Lot:
        calls = [self._pending.popleft() for _ in range(number)]
        parts = sum(waiting.sent.parts for waiting in calls)
        before = [(grant.calls, grant.parts) for grant in seat.grants if now <= grant.not_after]
        lasts = self.rate.lasts(
            number + sum(calls for calls, _ in before), parts + sum(parts for _, parts in before), fraction
        )
        holds = SEARCH if self.rate.is_searched else HOLDS[0] + HOLDS[1] * lasts
        grant = Grant(fraction, number, parts, now + holds)
        lease = self.rate.lease(
            fraction, self._most, not_after=grant.not_after, ahead=seat.member.ahead, credit=seat.credit
        )
        seat.credit = None
        seat.grants.append(grant)
        return Lot(seat, grant, lease, calls)

    async def _send(self, lot: Lot) -> None:
        """Have a worker make a lot."""
        seat = lot.seat
        calls = [call_body(waiting.sent) for waiting in lot.calls]
        body = {"operation": self.operation, "lease": lot.lease.body(), "calls": calls}
        try:
            with anyio.fail_after(lot.grant.not_after - self._clock() + self._answer_within + GIVEN_UP):
                told = await self._members.post(seat.member, "lot", body)
        except EngineLost as error:
            self._members.halt(error)
            self._lose(lot)
        except (WorkerLost, TimeoutError, Halted) as error:
            self.shares.leave(seat, ended=isinstance(error, WorkerLost) and error.ended)
            self._members.lose(seat.member)
            self._lose(lot)
        else:
            try:
                self._heed(lot, told)
            except LedgerError as error:  # the limiter is kept in a file
                self._members.stop.ask(str(error), Halted.exit_code)
        self.wake()

    def _lose(self, lot: Lot) -> None:
        for waiting in lot.calls:
            waiting.settle(lost(self.operation))

    def _heed(self, lot: Lot, told: Body) -> None:
        """Take what a worker reports of a lot."""
        seat, now = lot.seat, self._clock()
        if seat.is_frozen(now):  # meanwhile others had its part, and the burst
            seat.credit = 0.0
        if lot.grant in seat.grants:
            seat.grants.remove(lot.grant)
        if told.get("unknown"):
            self._members.lose(seat.member)
        self.tail = min(self._answer_within, max(told.get("tail", 0.0), 0.9 * self.tail))
        if not self._members.stop.asked:
            seat.learn(len(lot.calls), len(told.get("answers", ())))
        for place, body, at in told.get("answers", ()):
            self._answer(lot.calls[place], result_of(self.operation, body), at - seat.member.ahead)
        for waiting in lot.calls:
            waiting.settle(not_made(self.operation))
        self.rate.learn(now, self.tail)

    def _answer(self, waiting: Waiting, result: Reply | BulkError, at: float) -> None:
        judged = verdict(result) if isinstance(result, CallFailed) else None
        if isinstance(result, Reply) or judged is Verdict.THROTTLE:
            self.rate.note(at, throttled=judged is Verdict.THROTTLE)
        if judged is Verdict.HOLD:
            self._hand_back()
        waiting.settle(result)
