"""Who may be written to, by rules and ledger (`run.eligibility`), asked before each attempt (`run.admission`): it …"""

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from ledgers import intent
from sandbox_runs import CHAT, SMS

from bulk.campaign import Campaign
from bulk.delivery.announcements import Deferred
from bulk.delivery.attempts import Full
from bulk.ledger import Ledger, RunLedger
from bulk.model import Call, Delivery, Recipient, Refusal, Status
from bulk.rules import Locality, Wait
from bulk.run.admission import admission
from bulk.run.context import RunContext, open_campaign
from bulk.run.eligibility import Judge
from bulk.run.options import Options

NOW = 1.8e9  # a Friday, 08:00 UTC
HOUR = 3600.0
ANN = "+442071234567"
CELLS = {"phone": ANN, "email": "ann@example.com", "key": "1", "name": "Ann", "zone": "Asia/Tokyo"}
FRAME = pl.DataFrame([CELLS])
CLOSED, OPEN = {"every_day": ["09:00-10:00"]}, {"every_day": ["08:00-09:00"]}
CAPPED = {"sms": {"at_most": 1, "within": "24h"}}
OPENS, WRITES, NEITHER = Call(CHAT, {}, opens=True), Call(CHAT, {}, writes=True), Call(CHAT, {})


class Asked:
    """A campaign whose rules are asked, with a ledger of which it is `NOW`."""

    def __init__(self, ledger: Ledger, tables: Mapping[str, Any], *, waits: bool = True) -> None:
        common = {"name": "spring", "channel": "sms", "request": SMS}
        self.context: RunContext = open_campaign(Campaign(**{**common, **tables}), Options(contacts=FRAME))
        self.ledger = ledger
        self.run: RunLedger = ledger.begin(self.context.identity("", ""), {})
        self.judge = Judge.of(self.context.eligibility, ledger, self.run.facts, now=lambda: NOW, waits=waits)
        self.admission = admission(
            self.context.rates, self.judge, self.run.facts.identity, lambda _: 3, lambda _: ("yes",)
        )

    def deliveries(self, *people: str | None) -> list[Delivery]:
        rows = [Recipient(row, str(row), to, CELLS) for row, to in enumerate(people)]
        return [Delivery(claim.id, row, {}) for claim, row in zip(self.run.claim(rows), rows, strict=True)]

    async def tried(self, delivery: Delivery, at: float) -> None:
        """Announce a call that opens a contact and writes."""
        await self.run.intend(intent(delivery.id, 0, f"token {delivery.id}", at=at))
        await self.run.flush()

    def objection(self, delivery: Delivery, call: Call = OPENS) -> Exception | None:
        """Return what the guard of a call says."""
        guard = self.admission.guard(delivery, call)
        assert guard is not None
        return self.run.read(lambda connection, _: guard(connection))


@pytest.fixture
def asked(ledger: Ledger) -> Callable[..., Asked]:
    def begin(*, waits: bool = True, **tables: Any) -> Asked:
        return Asked(ledger, tables, waits=waits)

    return begin


# One row judged


@pytest.mark.parametrize(
    "tables, judged",
    [
        ({}, None),
        ({"hours": CLOSED}, Wait(NOW + HOUR)),
        ({"hours": OPEN}, None),
        ({"hours": {"every_day": ["17:00-18:00"]}, "list": {"timezone_column": "zone"}}, None),
        ({"expires": "2027-01-15T07:59:59Z"}, "expired"),
        ({"expires": "2027-01-15T08:00:01Z"}, None),
        ({"expires": "{{ name }}"}, "invalid_expiry"),
        ({"expires": "{{ 1 // (key | int - 1) }}"}, "template_error"),
    ],
)
def test_lets_a_row_go_or_wait_or_leaves_it_out(
    asked: Callable[..., Asked], tables: dict[str, Any], judged: Any
) -> None:
    one = asked(**tables)
    (delivery,) = one.deliveries(ANN)
    found = one.judge(delivery.recipient)
    assert (found.code if isinstance(found, Refusal) else found) == judged
    assert one.context.eligibility.active == bool(tables)


def test_waits_for_nobody_where_nothing_goes_out(asked: Callable[..., Asked]) -> None:
    (delivery,) = (closed := asked(waits=False, hours=CLOSED)).deliveries(ANN)
    assert closed.judge(delivery.recipient) is None


def test_leaves_out_where_nothing_goes_out_all_the_same(asked: Callable[..., Asked]) -> None:
    (delivery,) = (over := asked(waits=False, expires="2020-01-01")).deliveries(ANN)
    found = over.judge(delivery.recipient)
    assert isinstance(found, Refusal)
    assert (found.code, found.status) == ("expired", Status.SKIPPED)


def test_leaves_out_who_is_suppressed_in_whatever_form(asked: Callable[..., Asked], tmp_path: Path) -> None:
    (tmp_path / "stop.csv").write_text("phone\n020 7123 4567\n")
    one = asked(folder=tmp_path, list={"suppress": ["stop.csv"], "country": "GB"})
    ann, bob, nobody = one.deliveries(ANN, "+442071234568", None)
    assert one.context.eligibility.active
    found = one.judge(ann.recipient)
    assert isinstance(found, Refusal)
    assert found.code == "suppressed"
    assert (one.judge(bob.recipient), one.judge(nobody.recipient)) == (None, None)


def test_counts_a_relative_expiry_from_when_the_run_began(asked: Callable[..., Asked]) -> None:
    one = asked(expires="1h")
    (delivery,) = one.deliveries(ANN)
    assert one.judge.began == one.run.facts.started_at.timestamp()
    assert one.judge.channel == "sms"
    assert one.judge(delivery.recipient) is None


def test_knows_where_somebody_is_by_the_column_of_the_list_or_the_number(asked: Callable[..., Asked]) -> None:
    one, two = asked(list={"timezone_column": "zone"}), asked(expires="{{ name }}")
    british = "Europe/Guernsey", "Europe/Isle_of_Man", "Europe/Jersey", "Europe/London"
    (delivery,) = one.deliveries(ANN)
    assert one.context.eligibility.place(delivery.recipient) == Locality(("Asia/Tokyo",), "GB")
    assert two.context.eligibility.place(delivery.recipient) == Locality(british, "GB")
    assert (set(one.context.eligibility.columns), set(two.context.eligibility.columns)) == ({"zone"}, {"name"})
    assert set(asked().context.eligibility.columns) == set()


# How often, over all runs


async def test_counts_what_the_others_of_a_person_were_sent_and_not_a_row_itself(asked: Callable[..., Asked]) -> None:
    one = asked(caps=CAPPED)
    first, second, other = one.deliveries(ANN, ANN, "+442071234568")
    await one.tried(first, NOW - 2 * HOUR)
    found = one.judge(second.recipient, delivery=second.id)
    assert isinstance(found, Refusal)
    assert found.message == "written to once since 2027-01-14 08:00 UTC; [caps] sms allows 1 within 24h"
    assert isinstance(one.judge(second.recipient), Refusal)
    assert one.judge(first.recipient, delivery=first.id) is None
    assert one.judge(second.recipient, delivery=second.id, caps=False) is None
    assert one.judge(other.recipient, delivery=other.id) is None


async def test_does_not_count_what_is_too_old(asked: Callable[..., Asked]) -> None:
    one = asked(caps=CAPPED)
    first, second = one.deliveries(ANN, ANN)
    await one.tried(first, NOW - 25 * HOUR)
    assert one.judge(second.recipient, delivery=second.id) is None


async def test_counts_as_the_transaction_sees_it_that_announces_a_call(
    asked: Callable[..., Asked], tmp_path: Path
) -> None:
    one = asked(caps=CAPPED)
    first, second = one.deliveries(ANN, ANN)
    (tmp_path / "copy").mkdir()
    one.ledger.copy(tmp_path / "copy")
    await one.tried(first, NOW - HOUR)
    with closing(sqlite3.connect(tmp_path / "copy" / "ledger.db")) as before:
        assert one.judge.capped(second.recipient, second.id, before, NOW) is None
    assert one.run.read(lambda now, _: one.judge.capped(second.recipient, second.id, now, NOW)) is not None


# Before each attempt


@pytest.mark.parametrize(
    "tables, why", [({}, None), ({"hours": CLOSED}, NOW + HOUR), ({"expires": "2020-01-01"}, "expired")]
)
def test_asks_the_rules_before_each_attempt(asked: Callable[..., Asked], tables: dict[str, Any], why: Any) -> None:
    one = asked(**tables)
    (delivery,) = one.deliveries(ANN)
    if why is None:
        one.admission.ask(delivery)
        return
    with pytest.raises(Deferred) as raised:
        one.admission.ask(delivery)
    found = raised.value.why
    assert (found.code if isinstance(found, Refusal) else found) == why


async def test_leaves_caps_to_the_guard(asked: Callable[..., Asked]) -> None:
    one = asked(caps=CAPPED)
    first, second = one.deliveries(ANN, ANN)
    await one.tried(first, NOW - HOUR)
    one.admission.ask(second)
    for call in (OPENS, WRITES):
        objection = one.objection(second, call)
        assert isinstance(objection, Deferred)
        assert isinstance(objection.why, Refusal)
        assert objection.why.code == "capped"
    assert one.objection(first) is None
    assert not one.admission.counts_open


async def test_has_no_room_while_as_many_contacts_are_open_as_may_be(
    asked: Callable[..., Asked],
) -> None:
    one = asked(hold={"open_contacts": 2, "open_for": "1h"})
    one.ledger.index_open()
    rows = one.deliveries(*[ANN] * 5)
    await one.tried(rows[0], NOW - 2 * HOUR)
    await one.tried(rows[1], NOW - 1800)
    assert one.objection(rows[3]) is None
    await one.tried(rows[3], NOW)
    objection = one.objection(rows[4])
    assert isinstance(objection, Full)
    assert objection.opened == [NOW - 1800, NOW]
    assert one.objection(rows[3]) is None
    assert one.admission.counts_open
    assert one.admission.guard(rows[4], WRITES) is None


async def test_asks_both_where_both_are_bounded(asked: Callable[..., Asked]) -> None:
    one = asked(hold={"open_contacts": 1, "open_for": "1h"}, caps=CAPPED)
    one.ledger.index_open()
    first, same, other = one.deliveries(ANN, ANN, "+442071234568")
    await one.tried(first, NOW - 60)
    assert isinstance(one.objection(same), Deferred)
    assert isinstance(one.objection(other), Full)
    assert one.objection(other, WRITES) is None


def test_guards_nothing_where_nothing_is_bounded(asked: Callable[..., Asked]) -> None:
    one = asked(hours=OPEN)
    (delivery,) = one.deliveries(ANN)
    assert [one.admission.guard(delivery, call) for call in (OPENS, WRITES, NEITHER)] == [None] * 3
    assert (one.admission.counts_open, one.admission.segments_of(OPENS)) == (False, 3)
    assert one.admission.consent_of(delivery.recipient) == ("yes",)
