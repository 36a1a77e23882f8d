"""The traffic of a run, counted by windows of time: calls, throttles, SMS segments, and latencies.

A window lasts a second in the first minute of a pass, ten seconds in the first hour, then a minute: so a short run is
seen closely, and a long one takes little room. Latencies are counted in buckets, each 9 % longer than the one before
(2 ** (1/8)), which is as exact as a percentile needs to be.
"""

import json
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from bulk.delivery.ports import Transport
from bulk.errors import CallFailed, CallNotMade
from bulk.model import Call, Reply, Verdict
from bulk.operations.verdicts import verdict

STEPS: Final = ((60.0, 1.0), (3600.0, 10.0), (math.inf, 60.0))
"""Until so many seconds of a pass, a window lasts so many seconds."""

EVERY: Final = 2.0  # seconds between two notes of a window that is not over
PER_DOUBLING: Final = 8  # buckets


def bucket_of(seconds: float) -> int:
    """Return the bucket of a latency: its logarithm, counted from a millisecond."""
    return round(PER_DOUBLING * math.log2(max(seconds, 1e-6) * 1000))


def seconds_of(bucket: int) -> float:
    """Return the latency in the middle of a bucket, in seconds."""
    return float(2 ** (bucket / PER_DOUBLING)) / 1000


@dataclass(slots=True)
class Window:
    """What went over the wire for one operation from `at` (Unix seconds) on. `permitted` is in calls a second."""

    operation: str
    at: float
    seconds: float
    permitted: float
    calls: int = 0
    throttled: int = 0
    segments: int = 0
    latencies: Counter[int] = field(default_factory=Counter)

    def values(self) -> tuple[object, ...]:
        """Return it as the ledger keeps it, its beginning last."""
        latencies = json.dumps({str(bucket): calls for bucket, calls in sorted(self.latencies.items())})
        counts = self.calls, self.throttled, self.segments
        return self.operation, self.seconds, self.permitted, *counts, latencies, self.at


@dataclass(slots=True)
class Traffic:
    """The windows of one pass. `now` is the time (Unix seconds), `permitted` the rate of an operation at the moment."""

    now: Callable[[], float]
    permitted: Callable[[str], float]
    _began: float = field(init=False)
    _noted_at: float = field(init=False)
    _open: dict[str, Window] = field(default_factory=dict, init=False)
    _over: list[Window] = field(default_factory=list, init=False)
    _changed: set[str] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        self._began = self._noted_at = self.now()

    def note(self, operation: str, seconds: float, *, throttled: bool = False, segments: int = 0) -> None:
        """Count a call that was answered after so many seconds."""
        window = self._window(operation)
        window.calls += 1
        window.throttled += throttled
        window.segments += segments
        window.latencies[bucket_of(seconds)] += 1
        self._changed.add(operation)

    def due(self) -> tuple[object, ...] | None:
        """Return one window to be kept now: one that is over, else now and then one that is not."""
        if self._over:
            return self._over.pop().values()
        if self._changed and self.now() - self._noted_at >= EVERY:
            operation = self._changed.pop()
            if not self._changed:
                self._noted_at = self.now()
            return self._open[operation].values()
        return None

    def rest(self) -> Iterator[tuple[object, ...]]:
        """Yield all that is still to be kept, at the end of a pass."""
        while self._over:
            yield self._over.pop().values()
        while self._changed:
            yield self._open[self._changed.pop()].values()

    def _window(self, operation: str) -> Window:
        now, known = self.now(), self._open.get(operation)
        if known is not None and known.at <= now < known.at + known.seconds:
            return known
        if known is not None and operation in self._changed:
            self._over.append(known)
        elapsed = max(0.0, now - self._began)
        length = next(length for until, length in STEPS if elapsed < until)
        begins = self._began + elapsed // length * length
        self._open[operation] = window = Window(operation, begins, length, self.permitted(operation))
        return window


@dataclass(frozen=True, slots=True)
class MeasuredTransport:
    """A transport whose calls are counted. `segments_of` counts those of a call that was accepted."""

    transport: Transport
    traffic: Traffic
    segments_of: Callable[[Call], int] = lambda _: 0

    async def prepare(self) -> None:
        """See to it that the next request can be signed."""
        await self.transport.prepare()

    async def call(self, call: Call, token: str) -> Reply:
        """Make one request, and count it."""
        began = time.perf_counter()
        try:
            reply = await self.transport.call(call, token)
        except CallNotMade:  # nothing went over the wire
            raise
        except CallFailed as failure:
            throttled = verdict(failure) is Verdict.THROTTLE
            self.traffic.note(call.operation, time.perf_counter() - began, throttled=throttled)
            raise
        segments = self.segments_of(call) if call.writes else 0
        self.traffic.note(call.operation, time.perf_counter() - began, segments=segments)
        return reply
