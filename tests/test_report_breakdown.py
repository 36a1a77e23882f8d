"""Rows counted by what they have in common, the wire's windows put together, and what to do about a reason."""

import json

import pytest

from bulk.delivery.traffic import bucket_of
from bulk.ledger import TrafficRow
from bulk.model import Status
from bulk.reports import Group, breakdown, remedy
from bulk.reports.breakdown import Grouping
from bulk.run.wire_record import wires

AT = 1_700_000_000


def window(second: float, calls: int, *, throttled: int = 0, seconds: float = 1.0, latency: float = 0.1) -> TrafficRow:
    latencies = json.dumps({str(bucket_of(latency)): calls})
    return TrafficRow("CreateContact", AT + second, seconds, 20.0, calls, throttled, 2 * calls, latencies)


def test_rows_are_counted_by_value_with_what_became_of_them() -> None:
    grouping = Grouping("branch")
    grouping.note(["Bern", "Bern", "Basel"], ["sent", "rejected", "skipped"])
    grouping.note(["Bern", None, "Basel", ""], ["pending", "refused", "in flight", "unknown"])
    told = grouping.breakdown()
    assert told.groups == (
        Group("Bern", 3, accepted=1, failed=1, pending=1),
        Group("(empty)", 2, failed=2),
        Group("Basel", 2, left_out=1, in_flight=1),
    )
    assert (told.by, told.other_values, told.others) == ("branch", 0, None)


def test_values_that_are_too_many_are_added_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breakdown, "KEPT", 40)
    grouping = Grouping("name")
    grouping.note([f"v{number}" for number in range(100)], ["sent"] * 100)
    told = grouping.breakdown()
    assert len(told.groups) == breakdown.SHOWN
    assert told.others is not None
    assert sum(group.rows for group in (*told.groups, told.others)) == 100


def test_windows_add_up_to_what_went_over_the_wire() -> None:
    (wire,) = wires(
        [window(0, 18), window(1, 20, throttled=3, latency=2.0), window(90, 40, seconds=10)], lambda _: 19.0
    )
    assert (wire.calls, wire.throttled, wire.segments, wire.permitted, wire.busiest) == (78, 3, 156, 19.0, 20.0)
    assert wire.interval == 10, "no interval is shorter than a window"
    assert sum(bar.calls for bar in wire.bars) == 78
    assert len(wire.bars) == 10
    assert wire.latency is not None
    assert wire.latency.median == pytest.approx(0.1, rel=0.05)
    assert wire.latency.longest == pytest.approx(2.0, rel=0.05)


def typed(name: str, *more: str) -> str:
    return " ".join(["bulk", name, *more])


@pytest.mark.parametrize(
    "status, code, command, told",
    [
        (Status.REFUSED, "invalid_phone", "bulk send --only refused", "country under [list]"),
        (Status.REJECTED, "NeverHeardOf", "bulk send --only rejected", "Correct these rows"),
        (Status.REJECTED, "given_up", "", "never sent again"),
        (Status.SKIPPED, "opted_out", "", "they said no"),
        (Status.SKIPPED, "expired", "bulk send --only skipped", "too late"),
        (Status.UNKNOWN, "unanswered", "bulk send", "no second message"),
        (Status.UNKNOWN, "ReadTimeout", "bulk resolve", "Decide"),
    ],
)
def test_each_reason_has_its_remedy_and_what_to_type(status: Status, code: str, command: str, told: str) -> None:
    found = remedy(status, code, typed)
    assert found.words == command
    assert told in found.why
