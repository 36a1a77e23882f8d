"""Makes one call, with as many attempts as it needs.

A try takes its turn from the operation's pacer, then the intent is made durable, then the request goes out; so what the
ledger does not know of was never tried. All tries of a call carry the same `ClientToken`.

    the answer            what follows
    a reply               given to the channel
    THROTTLE              again, as often as it takes: nothing was accepted
    RETRY                 again, `attempts` times in all; then nobody can tell
    HOLD                  the gate closes, and the call waits behind it
    REJECT                the final no; after a try that may have been accepted, nobody can tell
    DOUBT                 accepted once before, so nobody can tell
    NOT_MADE              again, and it counts as no try: it was certainly never sent
    HALT                  the run halts; the row stays unsent
"""

import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import tenacity

from bulk.delivery.attempts import AttemptState, CallCounts, Full, RetryAfter
from bulk.delivery.ports import Queue, Transport
from bulk.errors import CallFailed, CallRejected, CallUnsettled, Halted, SetupError
from bulk.model import Call, Reply, Verdict
from bulk.operations.verdicts import is_of_transport, verdict
from bulk.pacing.gate import Gate
from bulk.pacing.waiters import WaiterCount
from bulk.stop import Stop

log = logging.getLogger("bulk")

FIRST_WAIT = 0.5  # seconds before the second try of a call; each further wait is twice the last
GIVE_WAY = 0.02  # seconds before a throttled call queues again, likewise: the pace has come down meanwhile


@dataclass(frozen=True, slots=True)
class Policy:
    """When to give up.

    `attempts` are the tries of one call that failed for other reasons than the rate, `longest_wait` bounds the seconds
    between two of them. `varies` tells for which operations a row itself names a resource (see `errors.verdict`).
    """

    attempts: int = 5
    longest_wait: float = 20.0
    varies: Mapping[str, bool] = field(default_factory=dict)

    def wait(self, tries: int, first: float = FIRST_WAIT) -> float:
        """Return how many seconds to wait after so many tries: at first `first`, then twice as long each time."""
        return min(self.longest_wait, first * 2.0 ** min(tries - 1, 32))


def _pause(state: tenacity.RetryCallState) -> float:
    """Wait what `RetryAfter` says."""
    again = state.outcome.exception() if state.outcome else None
    return _jittered(again) if isinstance(again, RetryAfter) else 0.0


def _jittered(again: RetryAfter) -> float:
    """Return a little less than the wait, each time another little, but never less than the answer asked for."""
    return max(again.at_least, again.wait * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, no secret


class CallRunner:
    """Makes the calls of a run."""

    def __init__(
        self,
        transport: Transport,
        turns: Mapping[str, Queue],
        stop: Stop,
        *,
        policy: Policy,
        parts_of: Callable[[Call], int] = lambda _: 1,
        waiting: WaiterCount | None = None,
    ) -> None:
        self._transport = transport
        self._stop = stop
        self._parts_of = parts_of
        self._turns = turns
        self._gates = {operation: Gate(stop, waiting=waiting) for operation in turns}
        self._policy = policy
        self._retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(RetryAfter), wait=_pause, sleep=stop.sleep
        )
        self.call_counts = CallCounts()

    def full(self) -> tuple[str, ...]:
        """Name the operations that wait until the service has room again."""
        return tuple(operation for operation, gate in self._gates.items() if gate.closed_at is not None)

    def probes_in(self) -> dict[str, float]:
        """Return when each operation that waits for room is tried again: in so many seconds."""
        return {name: gate.probes_in() for name, gate in self._gates.items() if gate.closed_at is not None}

    async def make(self, call: Call, token: str, *, ready: Callable[[], Awaitable[None]], tries: AttemptState) -> Reply:
        """Make a call until it has its reply. `ready` is awaited before each try, when it has its turn.

        Raises `CallRejected`, `CallUnsettled`, `Halted`, and `Stopped` where no further try may start.
        """
        try:
            return await self._made(call, token, ready, tries)
        except BaseException:
            if tries.placed and not tries.in_doubt:
                self._turns[call.operation].give_back()
            raise

    def ended(self, operation: str) -> None:
        """Record that a contact which an operation opened has ended."""
        self._turns[operation].give_back()

    async def _made(self, call: Call, token: str, ready: Callable[[], Awaitable[None]], tries: AttemptState) -> Reply:
        try:  # most calls are made once, and spare themselves the machinery of retrying
            return await self._try(call, token, ready, tries)
        except RetryAfter as again:
            await self._stop.sleep(_jittered(again))
        async for attempt in self._retrying.copy():
            with attempt:
                return await self._try(call, token, ready, tries)
        raise AssertionError("a retry without a limit ends with a reply or an exception")

    async def _try(self, call: Call, token: str, ready: Callable[[], Awaitable[None]], tries: AttemptState) -> Reply:
        gate, turns = self._gates[call.operation], self._turns[call.operation]
        async with gate.passing() as probing:
            await turns.take(self._parts_of(call), opens=not tries.placed)
            try:
                tries.placed = True
                await self._transport.prepare()
                await self._prepare(turns, ready, tries)
                self.call_counts.in_flight += 1
                try:
                    reply = await self._called(call, token, tries, probing=probing)
                finally:
                    self.call_counts.in_flight -= 1
            finally:
                turns.release()
            if probing:
                log.info("%s: room again after %.0f s", call.operation, gate.closed_for())
                gate.open()
        turns.accepted()
        tries.request_id = reply.request_id
        return reply

    async def _called(self, call: Call, token: str, tries: AttemptState, *, probing: bool) -> Reply:
        """Make one request. Raises what follows from its failure."""
        try:
            return await self._transport.call(call, token)
        except CallFailed as failure:
            tries.request_id = failure.request_id
            error = self._judged(call, failure, tries, probing=probing)
            self._note_unstopped(call, error)
            raise error from failure
        except SetupError:  # nothing left: no try, and no call
            self._uncount(tries)
            raise

    def _uncount(self, tries: AttemptState) -> None:
        """Take a try back that was not made."""
        tries.made -= 1
        self.call_counts.calls -= 1

    async def _prepare(self, turns: Queue, ready: Callable[[], Awaitable[None]], tries: AttemptState) -> None:
        """Prepare the attempt. It counts from here on: the announcement is committed together with the count."""
        tries.made += 1
        self.call_counts.calls += 1
        try:
            await ready()
            self._stop.check()
        except BaseException as why:
            self._uncount(tries)
            if isinstance(why, Full):
                turns.refill(why.opened)
                tries.placed = False
                raise RetryAfter from why
            raise

    def _judged(self, call: Call, failure: CallFailed, tries: AttemptState, *, probing: bool) -> Exception:
        """Return the exception that says what follows from a failure."""
        match verdict(failure, varies=self._policy.varies.get(call.operation, False)):
            case Verdict.THROTTLE:
                self.call_counts.throttled += 1
                self._turns[call.operation].throttled()
                tries.throttles += 1
                return RetryAfter(self._policy.wait(tries.throttles, GIVE_WAY), failure.retry_after)
            case Verdict.RETRY:
                return self._after_a_fault(failure, tries)
            case (Verdict.HOLD | Verdict.NOT_MADE) as judged:
                if judged is Verdict.HOLD:
                    self._close(call.operation, failure.code, probing=probing)
                else:
                    self._uncount(tries)
                return RetryAfter()
            case Verdict.HALT if not call.optional or is_of_transport(failure):
                return Halted(str(failure))
            case Verdict.DOUBT:
                return _ended(CallUnsettled, failure)
            case _:  # an attempt that may have been accepted may be the reason for this rejection
                return _ended(CallUnsettled if tries.in_doubt else CallRejected, failure)

    def _note_unstopped(self, call: Call, error: Exception) -> None:
        """Count a call that only tidied up and failed, and say so the first time: nothing else comes of it."""
        if call.optional and isinstance(error, CallFailed):
            self.call_counts.unstopped += 1
            level = logging.WARNING if self.call_counts.unstopped == 1 else logging.DEBUG
            log.log(level, "%s fails (%s): the contact stays open until it expires", call.operation, error.code)

    def _close(self, operation: str, code: str, *, probing: bool) -> None:
        """Close the gate, and say so: once when it closes, and again at each probe that finds it closed."""
        gate = self._gates[operation]
        waited = gate.closed_for()
        if probing or gate.closed_at is None:
            log.warning("%s: full (%s) for %.0f s; waiting for contacts to end", operation, code, waited)
        gate.close(probing=probing)

    def _after_a_fault(self, failure: CallFailed, tries: AttemptState) -> Exception:
        """Try again, or give up: the outcome is unknown, nothing answers, or the call is rejected."""
        tries.faults += 1
        tries.in_doubt |= failure.went_out and (failure.status is None or failure.status >= 500)
        if tries.faults < self._policy.attempts:
            return RetryAfter(self._policy.wait(tries.faults), failure.retry_after)
        if not failure.went_out or failure.foreign:
            return Halted(str(failure))  # what is in doubt stays so, and the next run settles it
        return _ended(CallUnsettled if tries.in_doubt else CallRejected, failure)


def _ended(kind: type[CallFailed], failure: CallFailed) -> CallFailed:
    return kind(failure.operation, failure.code, failure.message, status=failure.status, request_id=failure.request_id)
