"""The traffic of a run for its report: the ledger's windows, combined by operation."""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, groupby

from bulk.delivery.traffic import seconds_of
from bulk.ledger import TrafficRow
from bulk.reports import Latency, Wire, WireBar
from bulk.reports.intervals import BARS, STEPS


def wires(rows: Sequence[TrafficRow], permitted: Callable[[str], float]) -> Iterator[Wire]:
    """Yield each operation, that of most calls first. `permitted` is the rate of the campaign, in calls a second."""
    by_name = sorted(rows, key=lambda row: row.operation)
    found = [
        _wire(name, list(windows), permitted(name)) for name, windows in groupby(by_name, lambda row: row.operation)
    ]
    yield from sorted(found, key=lambda wire: -wire.calls)


def _wire(operation: str, windows: Sequence[TrafficRow], permitted: float) -> Wire:
    step = _step(windows)
    bars = tuple(_bars(windows, step))
    return Wire(
        operation=operation,
        permitted=permitted,
        calls=sum(one.calls for one in windows),
        throttled=sum(one.throttled for one in windows),
        segments=sum(one.segments for one in windows),
        busiest=max(one.calls / one.seconds for one in windows),
        latency=_latency(windows),
        interval=step,
        bars=bars,
    )


def _step(windows: Sequence[TrafficRow]) -> int:
    """Return how long an interval of the chart is: no shorter than a window, and few enough fit on a page."""
    first, last = (choose(one.at for one in windows) for choose in (min, max))
    least = max(one.seconds for one in windows)
    return next((step for step in STEPS if step >= least and (last - first) / step < BARS - 1), STEPS[-1])


def _bars(windows: Sequence[TrafficRow], step: int) -> Iterator[WireBar]:
    calls, throttled, permitted = Counter[int](), Counter[int](), dict[int, float]()
    for one in windows:
        start = int(one.at // step) * step
        calls[start] += one.calls
        throttled[start] += one.throttled
        permitted[start] = max(permitted.get(start, 0.0), one.permitted)
    for start in range(min(calls), max(calls) + 1, step):
        yield WireBar(start, calls[start], throttled[start], permitted.get(start, 0.0))


def _latency(windows: Iterable[TrafficRow]) -> Latency | None:
    buckets = Counter[int]()
    for one in windows:
        buckets.update({int(bucket): calls for bucket, calls in json.loads(one.latencies).items()})
    if not buckets:
        return None
    half, p95, p99, longest = (_quantile(buckets, part) for part in (0.5, 0.95, 0.99, 1.0))
    return Latency(half, p95, p99, longest)


def _quantile(buckets: Counter[int], part: float) -> float:
    """Return the latency (seconds) that so large a part of the calls did not exceed."""
    wanted, ordered = math.ceil(part * buckets.total()), sorted(buckets)
    seen = accumulate(buckets[bucket] for bucket in ordered)
    return round(seconds_of(next(bucket for bucket, calls in zip(ordered, seen, strict=True) if calls >= wanted)), 4)
