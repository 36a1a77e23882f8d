"""Questions to the service: calls that change nothing, each at the rate of its operation, with retries.

A throttle and a fault are waited for, a bounded number of times: nobody is better off with an answer tomorrow. What
no question gets past is `Halted`, and what is known by then is kept.
"""

from collections.abc import Mapping
from itertools import count
from typing import Protocol

from bulk.errors import CallFailed, Halted
from bulk.model import Call, Parameters, Reply, Verdict
from bulk.operations.verdicts import verdict
from bulk.pacing.queue import RateLimitQueue
from bulk.stop import Stop

FIRST_WAIT = 0.5  # seconds before a question is asked again; each further wait is twice the last


class Asked(Protocol):
    """What makes requests."""

    async def prepare(self) -> None:
        """See to it that the next request can be signed. Raises `SetupError`."""

    async def call(self, call: Call, token: str) -> Reply:
        """Make one request, once. Raises `CallFailed` or `Halted`."""


class Enquirer:
    """Asks the service, at the pace of each operation. `attempts` bounds the tries of one question."""

    def __init__(
        self, transport: Asked, queues: Mapping[str, RateLimitQueue], stop: Stop, *, attempts: int, longest_wait: float
    ) -> None:
        self._transport = transport
        self._queues = queues
        self._stop = stop
        self._attempts = attempts
        self._longest_wait = longest_wait
        self.calls = 0

    async def ask(self, operation: str, parameters: Parameters, *, of_one: bool = False) -> Reply:
        """Return the answer. `of_one`: the question names a single contact, so that a no is about that one alone.

        Raises `CallFailed` for a no about one, `Halted` for what every other question would meet too, and `Stopped`.
        """
        for tries in count(1):
            try:
                return await self._once(Call(operation, parameters))
            except CallFailed as failure:
                judged = verdict(failure, varies=of_one)
                if judged is Verdict.THROTTLE:
                    self._queues[operation].throttled()
                if judged is Verdict.REJECT and of_one:
                    raise
                again = judged in {Verdict.THROTTLE, Verdict.RETRY, Verdict.HOLD}
                if not again or tries >= self._attempts:
                    raise Halted(_cause(failure, tries)) from failure
                wait = min(self._longest_wait, FIRST_WAIT * 2.0 ** min(tries - 1, 32))
                await self._stop.sleep(max(wait, failure.retry_after or 0.0))
        raise AssertionError("a question ends with its answer or an exception")

    async def _once(self, call: Call) -> Reply:
        queue = self._queues[call.operation]
        await queue.take()
        await self._transport.prepare()
        self.calls += 1
        reply = await self._transport.call(call, "")
        queue.accepted()
        return reply


def _cause(failure: CallFailed, tries: int) -> str:
    denied = "AccessDenied" in failure.code or failure.code in {"NotAuthorized", "UnauthorizedOperation"}
    remedy = f". Is connect:{failure.operation} allowed?" if denied else ""
    return f"{failure}{remedy}" if tries == 1 else f"{failure} ({tries} times){remedy}"
