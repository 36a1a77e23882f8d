"""The parts of a sending, each as it is made for a campaign (`run.wiring`): it …"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import polars as pl
import pytest
from ledgers import intent
from sandbox_runs import CHAT, CREATE, DRAFT, EMAIL, MAIL, SMS

from bulk.campaign import Campaign
from bulk.errors import LedgerError
from bulk.ledger import Ledger, RunLedger
from bulk.model import Call, Delivery, Recipient
from bulk.pacing.limiter import AdaptiveLimiter
from bulk.pacing.open_contacts import OpenContactLimit
from bulk.pacing.shared import FileStore, steady_clock
from bulk.pacing.waiters import WaiterCount
from bulk.run.context import RunContext, open_campaign
from bulk.run.eligibility import Judge
from bulk.run.options import Options
from bulk.run.plan import DryRun
from bulk.run.pool import Pool
from bulk.run.wiring import (
    deliverer,
    limiters_of,
    open_contact_limits,
    opened_pass,
    parts_counter,
    permitted,
    queues_of,
    replay_within,
)
from bulk.stop import Stop

NOW, HOUR = 1.8e9, 3600.0
FRAME = pl.DataFrame({"phone": ["+12065550100"], "email": ["ann@example.com"], "key": ["1"], "name": ["Ann"]})
MAILS: dict[str, Any] = {"channel": "email", "request": EMAIL, "create_contact": DRAFT}
LONG = Call(CHAT, {"InitialSystemMessage": {"Content": "x" * 200}})


def opened(tables: dict[str, Any] | None = None, **options: Any) -> RunContext:
    campaign = Campaign(**{"name": "spring", "channel": "sms", "request": SMS, **(tables or {})})
    return open_campaign(campaign, Options(contacts=FRAME, **options))


def begun(context: RunContext, ledger: Ledger) -> RunLedger:
    return ledger.begin(context.identity("", ""), {})


# What a pass needs


async def test_opens_no_pass_of_a_campaign_that_changed_unless_that_is_accepted_or_only_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")

    async def opens(text: str, **options: bool) -> None:
        tables = {"request": SMS | {"InitialSystemMessage": {"Content": text}}}
        there: dict[str, Any] = {
            "state_dir": tmp_path / "s",
            "endpoint_url": "http://127.0.0.1:9",
            "region": "us-west-2",
        }
        context = opened(tables, **there, **options)
        async with opened_pass(context, Stop(), DryRun(context)):
            pass

    await opens("one")
    with pytest.raises(LedgerError, match="changed"):
        await opens("two")
    await opens("two", accept_changes=True)
    await opens("two")
    await opens("three", dry_run=True)


# What is counted of a call


@pytest.mark.parametrize(
    "tables, parts",
    [({"pacing": {"parts_per_second": 1}}, 2), ({}, 1), (MAILS | {"pacing": {"parts_per_second": 1}}, 1)],
)
def test_counts_the_parts_of_an_sms_where_anything_limits_them(tables: dict[str, Any], parts: int) -> None:
    assert parts_counter(opened(tables))(LONG) == parts


# The tokens of its calls


def delivery(**more: Any) -> Delivery:
    recipient = Recipient(0, more.pop("key", "ann"), None, {}, identity=more.pop("identity", ""))
    return Delivery(more.pop("id", 1), recipient, {}, **more)


def test_names_a_call_by_who_what_and_which_run_and_by_nothing_else(ledger: Ledger) -> None:
    context, summer = opened(), opened({"name": "summer"})
    one = driving(context, begun(context, ledger), ledger).token_of
    token = one(CHAT, 0, delivery())
    assert token == one(CHAT, 0, delivery(id=9, occurrence=0))
    assert len(token) == 32
    others = [
        one(MAIL, 0, delivery()),
        one(CHAT, 1, delivery()),
        one(CHAT, 0, delivery(key="bob")),
        one(CHAT, 0, delivery(identity="a person")),
        one(CHAT, 0, delivery(decisions=1)),
        one(CHAT, 0, delivery(occurrence=1)),
        one(CHAT, 0, delivery(occurrence=2)),
        driving(summer, begun(summer, ledger), ledger).token_of(CHAT, 0, delivery()),
    ]
    assert len({token, *others}) == 9
    assert one(CHAT, 0, delivery(key="x", identity="ann")) == token
    assert one(CHAT, 0, delivery(key="x", identity="bob")) == others[2]


def driving(context: RunContext, run: RunLedger, ledger: Ledger, waiting: WaiterCount | None = None) -> Any:
    judge = Judge.of(context.eligibility, ledger, run.facts, now=lambda: NOW, waits=True)
    queues: Any = {CHAT: None}
    return deliverer(context, run, Nowhere(), queues=queues, judge=judge, stop=Stop(), waiting=waiting or WaiterCount())


class Nowhere:
    """A transport that nothing goes over."""

    async def prepare(self) -> None:
        """Need nothing."""

    async def call(self, call: Call, token: str) -> Any:
        raise NotImplementedError


async def test_has_no_more_deliveries_begun_while_one_waits_for_a_full_service(ledger: Ledger) -> None:
    context, waiting = opened(), WaiterCount()
    gate = driving(context, begun(context, ledger), ledger, waiting).caller._gates[CHAT]
    gate.close(probing=False)

    async def probe() -> None:
        async with gate.passing():
            pass

    assert waiting.nobody
    async with anyio.create_task_group() as group:
        group.start_soon(probe)
        await anyio.wait_all_tasks_blocked()
        assert (waiting.nobody, waiting.is_full) == (False, True)
        group.cancel_scope.cancel()
    assert (waiting.nobody, waiting.is_full) == (True, False)


async def test_counts_calls_and_throttles_of_a_run_with_what_is_written_of_it(ledger: Ledger) -> None:
    context = opened()
    run = begun(context, ledger)
    one = driving(context, run, ledger)
    one.caller.call_counts.calls, one.caller.call_counts.throttled = 3, 1
    (claim,) = run.claim([Recipient(0, "1", "+12065550100", {})])
    await run.intend(intent(claim.id, 0, "token"))
    (facts,) = ledger.runs()
    assert (facts.calls, facts.throttled) == (3, 1)


def test_puts_the_parts_of_a_delivery_together_as_the_campaign_says(ledger: Ledger) -> None:
    context = opened({"doubt": {"attribute": "mark"}, "retry": {"attempts": 7}, "consent": {"column": "name"}})
    run = begun(context, ledger)
    one = driving(context, run, ledger)
    assert (one.journal, one.mark, one.now()) == (run, "mark", NOW)
    assert one.exchange is context.campaign.channel_facts.exchange
    ann = Recipient(0, "", None, {"name": "Ann"})
    assert (one.admission.segments_of(LONG), one.admission.consent_of(ann)[0]) == (2, "Ann")
    assert one.replay_within == replay_within(context.campaign)
    mails = driving(opened(MAILS), run, ledger)
    assert mails.admission.segments_of(LONG) == 1


def test_knows_for_how_long_the_token_of_each_operation_is_known() -> None:
    found = replay_within(opened(MAILS | {"retry": {"replay_within": "2h"}}).campaign)
    assert found == dict.fromkeys((CREATE, MAIL, "StopContact"), 2 * HOUR)


# Its paces


@contextmanager
def paces(context: RunContext, folder: Path, applied: dict[str, float | None]) -> Iterator[dict[str, FileStore]]:
    with limiters_of(context.rates, ("account", "region"), applied, pool=Pool(), state_dir=folder) as limiters:
        yield limiters


def test_keeps_a_pace_for_each_operation_which_begins_with_what_was_granted(tmp_path: Path) -> None:
    context = opened(MAILS | {"pacing": {"rate": "auto", "StopContact": {"rate": 3}}})
    with paces(context, tmp_path, {CREATE: 7.0}) as limiters:
        assert list(limiters) == [CREATE, MAIL, "StopContact"]
        assert [store.look().estimator.guess for store in limiters.values()] == [7.0, 2.0, 3.0]
        assert [permitted(context.rates, limiters, name) for name in limiters] == [2.0, 2.0, 3.0]
    assert len(list((tmp_path / "pace").iterdir())) == 3


def test_closes_the_files_of_its_paces(tmp_path: Path) -> None:
    with paces(opened(), tmp_path, {}) as limiters:
        pass
    with pytest.raises((OSError, ValueError, LedgerError)):
        limiters[CHAT].look()


def test_shows_the_pace_that_a_service_is_asked_at_else_what_was_granted(tmp_path: Path) -> None:
    context = opened({"pacing": {"rate": 0.5, "burst": 9}}, rate_share=0.5)
    with paces(context, tmp_path, {}) as limiters:
        assert permitted(context.rates, limiters, CHAT) == 0.25
        now = NOW
        for _ in range(3):
            now += limiters[CHAT].change(partial(AdaptiveLimiter.take, now=now))
        paced = limiters[CHAT].look().estimator.paced_at
        assert 0 < paced < 1
        assert permitted(context.rates, limiters, CHAT) == paced
        (file,) = (tmp_path / "pace").iterdir()
        kept = file.read_bytes()
        file.write_bytes(b"bulk pace 99: of a later version\n")
        assert permitted(context.rates, limiters, CHAT) == 0.25
        file.write_bytes(kept)
    assert permitted(context.rates, {}, CHAT) == 0.25


@pytest.mark.parametrize("rate, is_told", [("auto", True), (40, False)])
def test_tells_what_was_learned_of_a_rate_that_nobody_said(
    rate: Any,
    is_told: bool,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="bulk")
    context = opened({"pacing": {"rate": rate}})
    with paces(context, tmp_path, {}) as limiters:
        store = limiters[CHAT]
        kept = store.look()
        known = kept._replace(estimator=kept.estimator._replace(estimate=12.345))
        store.change(lambda _: (known, None))
    told = [f"{CHAT}: 12.3 calls a second were learned"] if is_told else []
    assert [record.getMessage() for record in caplog.records] == told
    caplog.clear()
    with paces(context, tmp_path / "new", {}):
        pass
    assert caplog.records == []


def test_gives_each_operation_a_queue_of_its_pace_and_room(tmp_path: Path) -> None:
    context, stop, waiting = opened(), Stop(), WaiterCount()
    room = OpenContactLimit(1, HOUR)
    with paces(context, tmp_path, {}) as limiters:
        (queue,) = queues_of(limiters, {CHAT: room}, stop=stop, waiting=waiting).values()
        assert (queue.state.room, queue._waiting, queue._stop) == (room, waiting, stop)
        assert queue._clock() == pytest.approx(steady_clock()(), abs=60)
        (queue,) = queues_of(limiters, {}, stop=stop, waiting=waiting).values()
        assert queue.state.room is None


# The room that it begins with


async def test_begins_with_the_room_that_the_ledgers_open_contacts_leave(ledger: Ledger) -> None:
    context = opened({"hold": {"open_contacts": 2, "open_for": "1h"}})
    run = begun(context, ledger)
    rows = [Recipient(row, str(row), "+12065550100", {}) for row in range(4)]
    for claim, ago in zip(run.claim(rows), (2 * HOUR, 1800, 600, 60), strict=True):
        await run.intend(intent(claim.id, 0, f"token {claim.id}", at=NOW - ago))
    await run.flush()
    rooms = open_contact_limits(context.rates, run.facts.identity, ledger, now=NOW)
    assert list(rooms) == [CHAT]
    room = rooms[CHAT]
    assert (room.limit, room.count(NOW), room.wait(NOW)) == (2, 2, HOUR - 600)


def test_bounds_no_room_where_the_campaign_does_not(ledger: Ledger) -> None:
    context = opened()
    assert open_contact_limits(context.rates, begun(context, ledger).facts.identity, ledger, now=NOW) == {}


def test_bounds_the_operation_that_opens_a_contact_alone(ledger: Ledger) -> None:
    context = opened(MAILS | {"hold": {"open_contacts": 2}})
    assert list(open_contact_limits(context.rates, begun(context, ledger).facts.identity, ledger, now=NOW)) == [CREATE]
