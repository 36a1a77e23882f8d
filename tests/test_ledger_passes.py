"""Who began each pass, and what went over the wire in it: kept, also beside ledgers of before."""

import json
import sqlite3
from pathlib import Path

from ledgers import DIGEST, IDENTITY, intent

from bulk.delivery.traffic import EVERY, Traffic, bucket_of, seconds_of
from bulk.ledger import Ledger, Origin
from bulk.ledger.database import FILE
from bulk.model import Recipient

WHO = Origin("ann@desk", "0.1.0")


class Clock:
    now = 1.7e9

    def __call__(self) -> float:
        return self.now


def test_each_pass_is_kept_with_who_began_it(tmp_path: Path) -> None:
    clock = Clock()
    for who, halted in ((WHO, "no such flow"), (Origin("ben@desk", "0.2.0"), None)):
        with Ledger.open(tmp_path, now=clock) as ledger:
            run = ledger.begin(IDENTITY, {}, origin=who)
            clock.now += 60
            run.close_pass(halted=halted)
    with Ledger.open(tmp_path, now=clock) as ledger:
        ledger.begin(IDENTITY, {}, origin=WHO)  # killed: it has no end
        found = ledger.find(IDENTITY.campaign, IDENTITY.run)
        assert found is not None
        told = [(one.number, one.sender, one.version, one.halted) for one in found.passes()]
        assert told == [
            (1, "ann@desk", "0.1.0", "no such flow"),
            (2, "ben@desk", "0.2.0", None),
            (3, "ann@desk", "0.1.0", None),
        ]
        first, _, last = found.passes()
        assert first.ended_at is not None
        assert (first.ended_at - first.started_at).total_seconds() == 60
        assert last.ended_at is None


def test_windows_grow_with_the_pass_and_none_is_lost(tmp_path: Path) -> None:
    clock = Clock()
    traffic = Traffic(clock, lambda _: 20.0)
    with Ledger.open(tmp_path, now=clock) as ledger:
        run = ledger.begin(IDENTITY, {}, origin=WHO)
        run.measure(traffic.due, traffic.rest)
        for seconds, throttled in ((0.0, False), (0.5, True), (1.2, False), (70.0, False), (4000.0, False)):
            clock.now = 1.7e9 + seconds
            traffic.note("CreateContact", 0.1, throttled=throttled, segments=2)
        run.close_pass()
        rows = run.traffic()
    told = [(row.at - 1.7e9, row.seconds, row.calls, row.throttled, row.segments) for row in rows]
    assert told == [(0, 1, 2, 1, 4), (1, 1, 1, 0, 2), (70, 10, 1, 0, 2), (3960, 60, 1, 0, 2)]
    assert {row.permitted for row in rows} == {20.0}
    assert json.loads(rows[0].latencies) == {str(bucket_of(0.1)): 2}


async def test_a_window_that_is_not_over_is_kept_now_and_then(tmp_path: Path) -> None:
    clock = Clock()
    traffic = Traffic(clock, lambda _: 20.0)
    traffic.note("CreateContact", 0.1)
    assert traffic.due() is None
    clock.now += EVERY
    first, second = traffic.due(), traffic.due()
    assert first is not None
    assert first[3] == 1
    assert second is None
    with Ledger.open(tmp_path, now=clock) as ledger:
        run = ledger.begin(IDENTITY, {}, origin=WHO)
        run.measure(traffic.due, traffic.rest)
        traffic.note("CreateContact", 0.1)
        traffic.note("CreateContact", 0.1)
        clock.now += EVERY
        (claim,) = run.claim([Recipient(0, "k0", "a@example.com", {})])
        await run.intend(intent(claim.id, 0, "t"))
        await run.flush()
        assert sum(row.calls for row in run.traffic()) == 2, "a process that is killed now has told of them"


def test_a_latency_is_known_to_a_twentieth() -> None:
    for seconds in (0.0004, 0.013, 0.25, 3.1, 29.0):
        assert abs(seconds_of(bucket_of(seconds)) / seconds - 1) < 0.05


def test_a_ledger_of_before_is_read_as_it_is_and_kept_when_it_is_sent_on(tmp_path: Path) -> None:
    with Ledger.open(tmp_path) as ledger:
        ledger.begin(IDENTITY, {"request.Text": DIGEST.hex()[:12]}).close_pass(calls=7, throttled=2)
    with sqlite3.connect(tmp_path / FILE) as connection:
        for table in ("pass", "traffic"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("DELETE FROM migration WHERE name = 'passes_of_their_own'")
    connection.close()
    with Ledger.read(tmp_path) or Ledger.open(tmp_path) as ledger:
        found = ledger.find(IDENTITY.campaign, IDENTITY.run)
        assert found is not None
        assert (found.passes(), found.traffic(), found.facts.calls) == ([], [], 7)
    with Ledger.open(tmp_path) as ledger:
        run = ledger.begin(IDENTITY, {"request.Text": DIGEST.hex()[:12]}, origin=WHO)
        assert (run.facts.passes, run.facts.calls, run.facts.throttled) == (2, 7, 2)
        assert [one.number for one in run.passes()] == [2]
