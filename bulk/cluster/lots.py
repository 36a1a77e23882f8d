"""The driver's side of an operation: calls join lots, lots go to workers, answers come back.

A worker gets its next lot shortly before it has begun all calls of the last, so it never waits for one, and does not
have many when it dies or freezes. What comes back without an answer was not made, or is in doubt where the worker is
lost; both go through the call's own retrying, under the same token.
"""

from collections import deque
from collections.abc import Callable
from math import ceil, inf

import anyio
from anyio.abc import TaskGroup

from bulk.cluster.engine import EngineLost, WorkerLost
from bulk.cluster.lot import Lot, Waiting
from bulk.cluster.members import Members
from bulk.cluster.message import Body, SentCall, call_body, lost, not_made, result_of
from bulk.cluster.rate import SharedRate
from bulk.cluster.shares import Grant, Seat, Shares
from bulk.errors import BulkError, CallFailed, Halted, LedgerError
from bulk.model import Call, Reply, Verdict
from bulk.operations.verdicts import verdict

GATHER = 0.01  # seconds in which further calls may join a lot that could go
AHEAD = 0.1  # seconds before a worker has had the turns of all its calls at which it gets the next
HOLDS = 0.4, 1.2  # seconds, and times what its calls last at their rate, for which a lease holds
SEARCH = 2.0  # seconds for which it holds while the rate is searched for
GIVEN_UP = 5.0  # seconds after the last answer could have come at which a worker is given up
COUNTED = 0.02  # seconds for which the count of calls that may be under way holds, if no lot comes or goes
MORE = 1.5  # lots: so many calls a worker has, beside those that wait for their answers
RECHECK = 0.03  # seconds after which it is looked again whether a lease has ended
FASTER = 1.5  # times the rate of now is what a lot holds meanwhile: it grows until the lot is over


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
        self._enough = 1.0  # calls that wait, at which it is looked whether they can go
        self._capacity, self._counted_until = 0, -inf
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
        if len(self._pending) >= self._enough:
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
        """Return how many calls may be under way, those whose intents are being made durable among them.

        Those of a worker that does not answer count for nothing.
        """
        if now >= self._counted_until:
            live = self.shares.live(now)
            bounds = [self._bounds(seat, 1 / len(live)) for seat in live]
            calls = [size // 3 + 1 + room + seat.outstanding for seat, (size, room) in zip(live, bounds, strict=True)]
            self._capacity = max(2, sum(calls)) + self.shares.stuck(now)
            self._counted_until = now + COUNTED
        return self._capacity

    async def run(self) -> None:
        """Send lots, until cancelled."""
        self._seat_members()
        async with anyio.create_task_group() as group:
            while True:
                self._woken = anyio.Event()
                wait = self._send_what_can_go(group)
                with anyio.move_on_after(wait):
                    await self._woken.wait()
                    await anyio.sleep(GATHER)

    def _send_what_can_go(self, group: TaskGroup) -> float | None:
        """Send lots; return after how many seconds another may go, None where that is not known."""
        now = self._clock()
        self._seat_members()
        if self._members.stop.asked:
            self._hand_back()
        self._enough = 1
        while self._pending:
            lot, wait = self._next(now)
            if lot is None:
                return wait
            group.start_soon(self._send, lot)
        return None

    def _seat_members(self) -> None:
        """Add seats for workers that came, and remove those of workers that were lost."""
        now = self._clock()
        for seat in [seat for seat in self.shares.seats if seat.member.lost]:
            self.shares.leave(seat, now)
        self.shares.release_frozen(now)
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

    def _next(self, now: float) -> tuple[Lot | None, float]:
        """Take the next lot from what waits; where no worker may have it yet, None and when to look again."""
        able = [
            (seat, fraction, size, room)
            for seat in sorted(self.shares.live(now), key=lambda seat: seat.busy_until)
            if (fraction := self.shares.fraction_for(seat, now))
            for size, room in [self._bounds(seat, fraction)]
            if room > 0
        ]
        for seat, fraction, size, room in able:
            number = min(size, room, ceil(len(self._pending) / len(able)))
            left = seat.busy_until - AHEAD - now
            if left <= 0 or number >= size or self.rate.is_searched:
                return self._lot(seat, fraction, number, now), 0.0
        self._enough = min([len(able) * (size - 1) + 1 for *_, size, _ in able], default=inf)
        return None, min([seat.busy_until - AHEAD - now for seat, *_ in able], default=RECHECK)

    def _bounds(self, seat: Seat, fraction: float) -> tuple[int, int]:
        """Return how many calls a lot of this worker may hold, and how many more it may have."""
        each = self.rate.per_second * fraction * (FASTER if self.rate.is_searched else 1)
        size = min(seat.most, ceil(each * self.rate.lot))
        return size, ceil(MORE * size) + ceil(each * self.tail) - seat.outstanding

    def _lot(self, seat: Seat, fraction: float, number: int, now: float) -> Lot:
        calls = [self._pending.popleft() for _ in range(number)]
        parts = sum(waiting.sent.parts for waiting in calls)
        before = [(grant.calls, grant.parts) for grant in seat.grants if now <= grant.not_after]
        lasts = self.rate.lasts(
            number + sum(calls for calls, _ in before), parts + sum(parts for _, parts in before), fraction
        )
        holds = SEARCH if self.rate.is_searched else HOLDS[0] + HOLDS[1] * lasts
        grant = Grant(fraction, number, parts, now + holds, since=now)
        idle = self.shares.take_idle(seat, fraction, now)
        lease = self.rate.lease(
            fraction, self._most, not_after=grant.not_after, ahead=seat.member.ahead, credit=seat.credit, idle=idle
        )
        seat.credit = None
        seat.grants.append(grant)
        self._counted_until = -inf
        seat.busy_until = max(seat.busy_until, now) + number / (self.rate.per_second * fraction)
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
            self._members.lose(seat.member, ended=isinstance(error, WorkerLost) and error.ended)
            self.shares.leave(seat, self._clock())
            self._lose(lot)
        else:
            try:
                self._take_in(lot, told)
            except LedgerError as error:  # the limiter is kept in a file
                self._members.stop.ask(str(error), Halted.exit_code)
        self.wake()

    def _lose(self, lot: Lot) -> None:
        for waiting in lot.calls:
            waiting.settle(lost(self.operation))

    def _take_in(self, lot: Lot, told: Body) -> None:
        """Take what a worker reports of a lot."""
        seat, now = lot.seat, self._clock()
        self._counted_until = -inf
        if seat.is_frozen(now):  # meanwhile others had its part, and the burst
            seat.credit = 0.0
        if lot.grant in seat.grants:
            seat.grants.remove(lot.grant)
        self._hasten(seat, now, told.get("tail", 0.0))
        if told.get("unknown"):
            self._members.lose(seat.member)
        self.tail = min(self._answer_within, max(told.get("tail", 0.0), 0.9 * self.tail))
        if not self._members.stop.asked:
            seat.learn(lot.grant, len(told.get("answers", ())), now)
        for place, body, at in told.get("answers", ()):
            self._answer(lot.calls[place], result_of(self.operation, body), at - seat.member.ahead)
        for waiting in lot.calls:
            waiting.settle(not_made(self.operation))
        self.rate.learn(now, self.tail)

    def _hasten(self, seat: Seat, now: float, tail: float) -> None:
        """Correct until when a worker is busy: it is in the middle of its next lot, if it has one."""
        fraction = seat.grants[0].fraction if seat.grants else 1.0
        left = seat.outstanding / (self.rate.per_second * fraction) - tail
        seat.busy_until = now + max(0.0, left)

    def _answer(self, waiting: Waiting, result: Reply | BulkError, at: float) -> None:
        judged = verdict(result) if isinstance(result, CallFailed) else None
        if isinstance(result, Reply) or judged is Verdict.THROTTLE:
            self.rate.note(at, throttled=judged is Verdict.THROTTLE)
        if judged is Verdict.HOLD:
            self._hand_back()
        waiting.settle(result)
