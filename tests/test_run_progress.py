"""Where a pass stands and when it ends, from counts, queues and windows at moments that are given: a watch …"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from bulk.campaign import Campaign
from bulk.delivery.attempts import CallCounts
from bulk.model import Status
from bulk.pacing.estimator import RateEstimator
from bulk.pacing.open_contacts import OpenContactLimit
from bulk.pacing.queue import QueueState
from bulk.rules import Locality, Rules
from bulk.run.context import open_campaign
from bulk.run.options import Options
from bulk.run.progress import FAR, LESS, SETTLED, STEADY, ClosedRows, Watch
from bulk.run.summary import Progress, Waiting

CHAT = "StartOutboundChatContact"
ID = "11111111-1111-4111-8111-111111111111"
REQUEST = {
    "InstanceId": ID,
    "ContactFlowId": ID,
    "SourceEndpoint": {"Address": "arn:aws:connect:us-west-2:123456789012:phone-number/3f0b"},
    "InitialSystemMessage": {"Content": "Hi"},
}
FRAME = pl.DataFrame({"phone": ["+12065550100"]})
AT = 1_800_000_000.0  # 2027-01-15 08:00 UTC, by the clock of the queues
DENVER, LONDON = Locality(("America/Denver",), "US"), Locality(("Europe/London",), "GB")


@dataclass
class World:
    """The two clocks of a watch: `ticks` since it began, and the time of day."""

    ticks: float = 100.0

    def watch(self, pacing: Mapping[str, Any] | None = None, *, recorded: int = 0, **more: Any) -> Watch:
        hours = more.pop("hours", {})
        campaign = Campaign(name="seen", channel="sms", request=REQUEST, pacing=pacing or {"rate": 2}, hours=hours)
        context = open_campaign(campaign, Options(contacts=FRAME, **more))
        rules = Rules.of(context.campaign)
        return Watch(lambda: self.ticks, context.rates, rules, recorded, clock=lambda: AT + self.ticks - 100.0)


def told(
    watch: Watch, total: int | None = 100, *, probes: Mapping[str, float] | None = None, **counts: int
) -> Progress:
    return watch.progress(total, CallCounts(**counts), probes or {})


def queue(
    *,
    room: OpenContactLimit | None = None,
    room_at: float | None = None,
    turn_at: float | None = None,
    known: Any = None,
) -> Any:
    return SimpleNamespace(state=QueueState(room, room_at, turn_at, known))


def learned(estimate: float, ceiling: float | None = None) -> RateEstimator:
    estimator = RateEstimator(estimate) if ceiling is None else RateEstimator(estimate, ceiling)
    return estimator._replace(estimate=estimate, since=0.0, paced_at=estimate)


# What is done


def test_counts_each_end_by_its_kind() -> None:
    watch = World().watch()
    ends = {Status.SENT: 5, Status.SKIPPED: 4, Status.REFUSED: 3, Status.REJECTED: 2, Status.UNKNOWN: 1}
    for status, rows in ends.items():
        for _ in range(rows):
            watch.count(status)
    one = told(watch, calls=9, throttled=0, in_flight=2)
    assert (one.sent, one.skipped, one.refused, one.rejected, one.unknown) == (5, 4, 3, 2, 1)
    assert (one.done, one.failed, one.total) == (15, 6, 100)
    assert (one.calls, one.throttled, one.in_flight) == (9, 0, 2)
    assert (one.campaign, one.run, one.full) == ("seen", "default", ())


def test_counts_what_needs_no_call_as_done_now_or_before_and_the_latter_once() -> None:
    watch = World().watch()
    watch.claimed(Status.SKIPPED, fresh=True)
    watch.claimed(Status.SENT, fresh=False)
    watch.claimed(Status.SENT, fresh=False)
    watch.readings = 1
    watch.claimed(Status.SENT, fresh=False)
    watch.claimed(Status.REFUSED, fresh=True)
    one = told(watch)
    assert (one.before, one.skipped, one.refused, one.sent, one.done) == (2, 1, 1, 0, 2)
    assert one.total == 98


@pytest.mark.parametrize(
    "recorded, before, readings, total",
    [(0, 0, 0, 100), (40, 0, 0, 60), (40, 50, 0, 50), (40, 10, 1, 90), (200, 0, 0, 0), (0, 10, 0, 90)],
)
def test_leaves_out_what_earlier_passes_did(recorded: int, before: int, readings: int, total: int) -> None:
    watch = World().watch(recorded=recorded)
    watch.before, watch.readings = before, readings
    assert told(watch).total == total


def test_knows_no_total_before_the_list_is_counted() -> None:
    one = told(World().watch(), None)
    assert (one.total, one.seconds_left, one.ends_at, one.percent) == (None, None, None, None)


def test_tells_how_long_it_took_and_how_many_are_sent_a_second() -> None:
    world = World()
    watch = world.watch()
    world.ticks += 10
    for status in (Status.SENT, Status.SENT, Status.REJECTED, Status.SENT):
        watch.count(status)
    one = told(watch)
    assert (watch.seconds, one.seconds, one.per_second) == (10.0, 10.0, 0.3)


# How long the rest takes


def test_the_rest_takes_as_long_as_the_limits_allow() -> None:
    one = told(World().watch())
    assert one.seconds_left == pytest.approx(100 / 1.98, rel=0.02)
    assert one.ends_at == pytest.approx(AT + (one.seconds_left or 0))


def test_nothing_takes_no_time() -> None:
    one = told(World().watch(), 0)
    assert (one.seconds_left, one.ends_at, one.total) == (0.0, AT, 0)


def test_a_service_that_is_slower_than_its_limits_is_known_by_what_it_did_once_nobody_waited_for_a_while() -> None:
    world = World()
    watch = world.watch()
    for _ in range(10):
        watch.count(Status.SENT)
    world.ticks += STEADY
    assert told(watch, 110).seconds_left == pytest.approx(100 / 1.98, rel=0.02)
    world.ticks += 10
    assert told(watch, 110).seconds_left == pytest.approx(200.0)  # 10 rows in 20 s
    watch.closed.note(AT + 3, DENVER)
    told(watch, 110)
    watch.closed.clear()
    assert told(watch, 110).seconds_left == pytest.approx(100 / 1.98, rel=0.02)


def test_where_the_rate_is_learned_nothing_is_known_before_something_is_done() -> None:
    world = World()
    watch = world.watch({"rate": "auto"})
    assert told(watch).seconds_left is None
    world.ticks += 4
    watch.count(Status.SENT)
    assert told(watch).seconds_left == pytest.approx(4 * 99)


def test_what_the_service_has_shown_counts_where_it_is_less() -> None:
    watch = World().watch()
    watch.queues = {CHAT: queue(known=learned(0.5, 2.0)), "StopContact": queue(known=learned(0.001))}
    assert told(watch).seconds_left == pytest.approx(200.0)


def test_waits_for_room_and_for_windows_where_these_take_longer() -> None:
    watch = World().watch()
    watch.queues = {CHAT: queue(room=OpenContactLimit(10, 3600.0, [AT] * 10))}
    assert told(watch).seconds_left == pytest.approx(10 * 3600.0)
    watch = World().watch(hours={"every_day": "09:00-17:00"})
    watch.closed.note(AT + 3600.0, LONDON)
    assert told(watch, 1).seconds_left == pytest.approx(3600.0, abs=1)


# What it waits for


def test_names_each_wait_with_its_end() -> None:
    watch = World().watch()
    room = OpenContactLimit(2, 60.0, [AT - 90, AT - 30])
    watch.queues = {CHAT: queue(room=room, room_at=AT + 30.0, turn_at=AT + FAR + 0.5)}
    watch.closed.note(AT + 7200.0, LONDON)
    watch.closed.note(AT + 3600.0, DENVER)
    watch.closed.note(AT + 3600.0, LONDON)
    watch.closed.note(AT + 3600.0, DENVER)
    one = told(watch, probes={CHAT: 8.0})
    assert one.full == (CHAT,)
    assert one.waits == (
        Waiting("full", AT + 8.0, operation=CHAT),
        Waiting("open_contacts", AT + 30.0, operation=CHAT, open=1, limit=2),
        Waiting("rate", AT + FAR + 0.5, operation=CHAT),
        Waiting("hours", AT + 3600.0, rows=3, zone="America/Denver"),
        Waiting("hours", AT + 7200.0, rows=1, zone="Europe/London"),
    )


def test_a_turn_that_comes_soon_is_no_wait_and_neither_is_room_that_nobody_waits_for() -> None:
    watch = World().watch()
    watch.queues = {CHAT: queue(room=OpenContactLimit(2, 60.0), turn_at=AT + FAR)}
    assert told(watch).waits == ()


def test_rows_whose_place_nobody_knows_wait_in_no_zone() -> None:
    rows = ClosedRows()
    rows.note(AT, Locality())
    assert list(rows.waits()) == [Waiting("hours", AT, rows=1)]
    rows.clear()
    assert (list(rows.waits()), rows.opens) == ([], {})


# What is permitted and granted


def test_permits_what_is_said_and_this_hosts_part_of_it() -> None:
    assert told(World().watch()).permitted == 2
    assert told(World().watch({"rate": 9}, rate_share=1 / 3)).permitted == pytest.approx(3.0)


def test_permits_the_pace_where_the_rate_is_learned() -> None:
    watch = World().watch({"rate": "auto"})
    assert told(watch).permitted is None
    watch.queues = {CHAT: queue(known=learned(7.0)._replace(paced_at=0.0))}
    assert told(watch).permitted is None
    watch.queues = {CHAT: queue(known=learned(7.0))}
    assert told(watch).permitted == 7.0


@pytest.mark.parametrize("estimate, granted", [(2.0 * LESS, None), (1.7, 1.7), (0.5, 0.5)])
def test_tells_what_the_service_grants_where_it_throttles_and_that_is_less(
    estimate: float, granted: float | None
) -> None:
    world = World()
    watch = world.watch()
    watch.queues = {"StopContact": queue(known=learned(9.0)), CHAT: queue(known=learned(estimate, 2.0))}
    world.ticks += SETTLED - 0.5
    assert told(watch, throttled=1).granted is None  # the first estimate is not to be told yet
    world.ticks += 0.5
    assert told(watch, throttled=1).granted == granted
    assert told(watch, throttled=0).granted is None


# The bounds, by their numbers


def test_a_turn_is_a_wait_to_speak_of_from_two_seconds_on() -> None:
    watch = World().watch()
    watch.queues = {CHAT: queue(turn_at=AT + 2.0)}
    assert told(watch).waits == ()
    watch.queues = {CHAT: queue(turn_at=AT + 2.1)}
    assert told(watch).waits == (Waiting("rate", AT + 2.1, operation=CHAT),)


def test_what_a_service_grants_is_told_after_three_seconds_where_it_is_less_than_nine_tenths() -> None:
    world = World()
    watch = world.watch({"rate": 10})
    watch.queues = {CHAT: queue(known=learned(8.9, 10.0))}
    world.ticks += 2.9
    assert told(watch, throttled=1).granted is None
    world.ticks += 0.1
    assert told(watch, throttled=1).granted == 8.9
    watch.queues = {CHAT: queue(known=learned(9.1, 10.0))}
    assert told(watch, throttled=1).granted is None
    watch.queues = {CHAT: queue(known=learned(8.9, 10.0)._replace(estimate=math.nan)), "StopContact": queue()}
    assert told(watch, throttled=1).granted is None


def test_what_was_done_tells_how_fast_the_service_is_after_ten_seconds_without_a_wait() -> None:
    world = World()
    watch = world.watch({"rate": 1000, "burst": 1})
    watch.count(Status.SENT)
    world.ticks += 10.0
    assert (told(watch, 11).seconds_left or 0) < 1
    world.ticks += 0.5
    assert told(watch, 11).seconds_left == pytest.approx(105.0)


def test_rows_that_wait_for_two_windows_are_sent_in_their_places_when_the_last_opens() -> None:
    rows, rules = ClosedRows(), World().watch(hours={"every_day": "09:00-17:00"}).rules
    for _ in range(10):
        rows.note(AT + 3600.0, LONDON)  # 09:00 in London
    rows.note(AT + 8 * 3600.0, DENVER)  # 09:00 in Denver
    assert rows.finish_at(rules, per_second=0.1, now=AT) == pytest.approx(AT + 8 * 3600.0 + 10)
    rows.clear()
    assert rows.finish_at(rules, per_second=0.1, now=AT) == AT


def test_a_pace_that_is_learned_counts_however_slow_it_is() -> None:
    watch = World().watch({"rate": "auto"})
    watch.queues = {CHAT: queue(known=learned(0.5))}
    assert told(watch).permitted == 0.5
