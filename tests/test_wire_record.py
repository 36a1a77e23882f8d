"""What went over the wire, put together for a report: it …"""

import json

import pytest

from bulk.delivery.traffic import bucket_of, seconds_of
from bulk.ledger import TrafficRow
from bulk.reports import Latency, WireBar
from bulk.reports.intervals import BARS, STEPS
from bulk.run.wire_record import wires

AT = 1_800_000_000.0


def row(
    operation: str = "A", at: float = 0.0, *, calls: int = 1, throttled: int = 0, segments: int = 0, **more: object
) -> TrafficRow:
    seconds, permitted, latencies = more.get("seconds", 1.0), more.get("permitted", 2.0), more.get("latencies", {})
    kept = json.dumps(latencies)
    return TrafficRow(operation, AT + at, seconds, permitted, calls, throttled, segments, kept)  # type: ignore[arg-type]  # floats


def test_each_operation_is_told_once_that_of_most_calls_first() -> None:
    rows = [row("A", calls=2), row("B", calls=9), row("A", 1, calls=3), row("C", calls=7)]
    found = list(wires(rows, {"A": 1.0, "B": 2.0, "C": 3.0}.__getitem__))
    assert [(one.operation, one.calls, one.permitted) for one in found] == [("B", 9, 2.0), ("C", 7, 3.0), ("A", 5, 1.0)]
    assert list(wires([], lambda _: 1.0)) == []


def test_its_windows_add_up_and_the_busiest_is_told_by_the_second() -> None:
    rows = [
        row(calls=6, throttled=1, segments=4, seconds=1.0),
        row(at=1, calls=20, throttled=2, segments=5, seconds=10.0),
    ]
    (one,) = wires(rows, lambda _: 5.0)
    assert (one.calls, one.throttled, one.segments, one.busiest) == (26, 3, 9, 6.0)


def test_bars_are_even_and_have_no_gaps() -> None:
    rows = [row(at=0.0, calls=3), row(at=0.5, calls=1, throttled=1, permitted=4.0), row(at=3.0, calls=5, permitted=0.5)]
    (one,) = wires(rows, lambda _: 5.0)
    assert one.interval == 1
    start = int(AT)
    assert one.bars == (
        WireBar(start, 4, 1, 4.0),
        WireBar(start + 1, 0, 0, 0.0),
        WireBar(start + 2, 0, 0, 0.0),
        WireBar(start + 3, 5, 0, 0.5),
    )


@pytest.mark.parametrize("seconds", [1.0, 10.0, 60.0])
def test_an_interval_is_no_shorter_than_a_window(seconds: float) -> None:
    (one,) = wires([row(seconds=seconds)], lambda _: 1.0)
    assert one.interval == next(step for step in STEPS if step >= seconds)


@pytest.mark.parametrize("step", STEPS[:3])
def test_so_many_intervals_fit_on_a_page_and_no_more(step: int) -> None:
    fits = step * (BARS - 1) - 1
    (one,) = wires([row(), row(at=fits)], lambda _: 1.0)
    assert one.interval == step
    (one,) = wires([row(), row(at=fits + 1)], lambda _: 1.0)
    assert one.interval == STEPS[STEPS.index(step) + 1]


def test_a_run_of_years_has_the_longest_interval() -> None:
    (one,) = wires([row(), row(at=STEPS[-1] * BARS * 2.0)], lambda _: 1.0)
    assert one.interval == STEPS[-1]


def test_latencies_are_told_by_how_many_calls_did_not_exceed_them() -> None:
    fast, slow, slowest = bucket_of(0.05), bucket_of(0.5), bucket_of(5.0)
    (one,) = wires(
        [row(latencies={str(fast): 90, str(slow): 5}), row(at=1, latencies={str(slow): 4, str(slowest): 1})],
        lambda _: 1.0,
    )
    expected = [round(seconds_of(bucket), 4) for bucket in (fast, slow, slow, slowest)]
    assert one.latency == Latency(*expected)
    (one,) = wires([row(latencies={str(fast): 50, str(slow): 50})], lambda _: 1.0)
    assert one.latency is not None
    assert one.latency.median == expected[0]


def test_where_nothing_was_answered_no_latency_is_told() -> None:
    (one,) = wires([row()], lambda _: 1.0)
    assert one.latency is None


@pytest.mark.parametrize("seconds", [0.0001, 0.001, 0.05, 1.0, 29.0])
def test_a_latency_is_kept_within_five_per_cent(seconds: float) -> None:
    assert seconds_of(bucket_of(seconds)) == pytest.approx(seconds, rel=0.05)
