"""The progress of a pass: what is done, what it waits for, and when it ends by rate, holds, and sending hours."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from bulk.delivery.attempts import CallCounts
from bulk.model import Status
from bulk.pacing.queue import QueueState, RateLimitQueue
from bulk.rules import Locality, Rules
from bulk.run.meter import Meter
from bulk.run.rates import Rates
from bulk.run.summary import Progress, Waiting

FAR = 2.0  # seconds to the next call, from which on that is a wait to speak of
LESS = 0.9  # of what is permitted: a service that takes less than that grants less
FAILED = Status.REFUSED, Status.REJECTED, Status.UNKNOWN
SETTLED = 3.0  # seconds after which the first estimate of a rate has been corrected
STEADY = 10.0  # seconds without a wait, after which what was done tells how fast the service is


@dataclass(slots=True)
class ClosedRows:
    """The rows that wait for a window: by when it opens (Unix seconds), how many for each place."""

    opens: dict[float, Counter[Locality]] = field(default_factory=dict)

    def note(self, until: float, place: Locality) -> None:
        """Count one."""
        self.opens.setdefault(until, Counter())[place] += 1

    def waits(self) -> Iterator[Waiting]:
        """Yield what they wait for, the first window first; the zone is that of most rows."""
        for until in sorted(self.opens):
            rows = self.opens[until]
            ((place, _),) = rows.most_common(1)
            yield Waiting("hours", until, rows=rows.total(), zone=place.zones[0] if place.zones else None)

    def clear(self) -> None:
        """Forget them: the list is read again."""
        self.opens.clear()

    def finish_at(self, rules: Rules, *, per_second: float, now: float) -> float:
        """Return when the last of them is sent (Unix seconds)."""
        rows: Counter[Locality] = sum(self.opens.values(), Counter())
        return rules.finish_at(rows, per_second=per_second, start=now) if rows else now


@dataclass(slots=True)
class Watch:
    """Counts what one pass does. `recorded` rows had their end before it; `queues` are those of its operations.

    `limit` and `max_duration` (seconds) end it early. `clock` is that of the queues (Unix seconds), `ticks` that
    of durations.
    """

    ticks: Callable[[], float]
    rates: Rates
    rules: Rules
    recorded: int = 0
    queues: Mapping[str, RateLimitQueue] = field(default_factory=dict)
    clock: Callable[[], float] = time.time
    ended: Counter[Status] = field(default_factory=Counter)
    before: int = 0
    closed: ClosedRows = field(default_factory=ClosedRows)
    readings: int = 0
    _meter: Meter = field(init=False)
    _started: float = field(init=False)
    _waited_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._started = self._waited_at = self.ticks()
        self._meter = Meter(self._started)

    @property
    def seconds(self) -> float:
        """How long the pass has taken; also asked in a thread."""
        return self.ticks() - self._started

    def count(self, status: Status) -> None:
        """Count a row that came to its end."""
        self.ended[status] += 1
        self._meter.count(sent=status is Status.SENT)

    def claimed(self, status: Status, *, fresh: bool) -> None:
        """Count a row that needs no call: it has its end since now (`fresh`), or had it before this pass."""
        if fresh:
            self.ended[status] += 1
        elif not self.readings:
            self.before += 1

    def progress(self, total: int | None, counts: CallCounts, probes: Mapping[str, float]) -> Progress:
        """Return where the pass stands; `total` are the rows of the list, `probes` when a full service is asked."""
        now, at, done = self.ticks(), self.clock(), sum(self.ended.values())
        waits, states = (*self._waits(at, probes),), {name: queue.state for name, queue in self.queues.items()}
        if waits:
            self._waited_at = now
        rest = None if total is None else max(0, total - self._earlier(total) - done)
        left = None if rest is None else self._seconds_left(rest, now, at, states)
        return Progress(
            total=None if rest is None else done + rest,
            done=done,
            sent=self.ended[Status.SENT],
            failed=sum(self.ended[status] for status in FAILED),
            calls=counts.calls,
            throttled=counts.throttled,
            seconds=now - self._started,
            full=tuple(probes),
            per_second=self._meter.per_second(now),
            seconds_left=left,
            skipped=self.ended[Status.SKIPPED],
            refused=self.ended[Status.REFUSED],
            rejected=self.ended[Status.REJECTED],
            unknown=self.ended[Status.UNKNOWN],
            before=self.before,
            in_flight=counts.in_flight,
            permitted=self._permitted(states),
            granted=self._granted(states) if counts.throttled and now - self._started >= SETTLED else None,
            ends_at=None if left is None else at + left,
            waits=waits,
            campaign=self.rates.campaign.name,
            run=self.rates.options.run_id,
        )

    def _earlier(self, total: int) -> int:
        """Return how many rows of the list had their end before this pass; while the list is read first, about."""
        return self.before if self.readings else max(self.before, min(total, self.recorded))

    def _waits(self, at: float, probes: Mapping[str, float]) -> Iterator[Waiting]:
        for name, seconds in probes.items():
            yield Waiting("full", at + seconds, operation=name)
        for name, queue in self.queues.items():
            room, room_at, turn_at, _ = queue.state
            if room is not None and room_at is not None:
                yield Waiting("open_contacts", room_at, operation=name, open=room.count(at), limit=room.limit)
            if turn_at is not None and turn_at - at > FAR:
                yield Waiting("rate", turn_at, operation=name)
        yield from self.closed.waits()

    def _seconds_left(self, rest: int, now: float, at: float, states: Mapping[str, QueueState]) -> float | None:
        """Return how long the rest takes: as the pace allows, and no faster than the service was, where nobody waited.

        None where nothing tells.
        """
        if not rest:
            return 0.0
        learned = [rest / rate for rate in self._learned(states)]
        held = [state.room.wait_for(rest, at) for state in states.values() if state.room is not None]
        paced = max([self.rates.permitted(rest), *learned])
        if not paced or now - self._waited_at > STEADY:
            paced = max(paced, self._meter.seconds_left(now, rest))
        if not paced:
            return None
        opens = self.closed.finish_at(self.rules, per_second=rest / paced, now=at) - at
        return max(paced, opens, *held)

    def _learned(self, states: Mapping[str, QueueState]) -> Iterator[float]:
        """Yield the rates that the service has shown, where none is said, or less than was said."""
        for name, state in states.items():
            if state.estimator is not None and state.estimator.knows and name in self.rates.made:
                yield state.estimator.estimate

    def _granted(self, states: Mapping[str, QueueState]) -> float | None:
        """Return what the service grants where it grants less than a configured rate."""
        estimators = [state.estimator for state in states.values() if state.estimator is not None]
        # an estimate that is not known is NaN, and less than nothing
        less = [one.estimate for one in estimators if not one.is_free and one.estimate < LESS * one.ceiling]
        return min(less, default=None)

    def _permitted(self, states: Mapping[str, QueueState]) -> float | None:
        """Return how many rows a second the limits allow now: what is said, or where it is learned, the pace."""
        rates = []
        for name in self.rates.made:
            estimator = states[name].estimator if name in states else None
            if not self.rates.is_auto(name):
                rates.append(self.rates.quota(name)[0] * self.rates.options.rate_share)
            elif estimator is not None and estimator.paced_at > 0:
                rates.append(estimator.paced_at)
        return min(rates, default=None)
