"""The parts of a report that its results do not tell: it …"""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from sandbox_runs import DRAFT, EMAIL, SMS, rows

import bulk
from bulk.reports import Outcomes
from bulk.rules import Locality
from bulk.run import report_parts
from bulk.run.context import RunRef, open_campaign
from bulk.run.options import Options
from bulk.run.report_parts import Remaining, message_of, outcomes_of
from bulk.run.track_summary import NO_RECEIPT, Tracking


def test_shows_the_message_as_the_campaign_writes_it() -> None:
    config = {"KnowledgeBaseId": "kb", "TemplateAttributes": {"CustomAttributes": {"seat": ["1", "é"], "row": 2}}}
    mail = {
        "InstanceId": "i",
        "FromEmailAddress": {"EmailAddress": "{{ from }}"},
        "EmailMessage": {"RawMessage": {"Subject": "S"}, "TemplatedMessageConfig": config},
    }
    shown = message_of(RunRef(bulk.Campaign(name="c", channel="email", request=mail), Options()), ("a",))
    assert shown.template == {
        "KnowledgeBaseId": "kb",
        "TemplateAttributes.CustomAttributes.seat": '["1", "é"]',
        "TemplateAttributes.CustomAttributes.row": "2",
    }
    assert (shown.sender, shown.flow, shown.texts) == ("{{ from }}", None, {"EmailMessage.RawMessage.Subject": "S"})
    assert shown.changed == ("a",)


def test_shows_no_sender_of_a_message_that_comes_in() -> None:
    request = {"InstanceId": "i", "FromEmailAddress": {"EmailAddress": "a@example.com"}, "ContactFlowId": "f"}
    shown = message_of(RunRef(bulk.Campaign(name="c", channel="inbound-email", request=request), Options()))
    assert (shown.sender, shown.flow, shown.template, shown.changed) == (None, "f", {}, ())


@pytest.mark.parametrize(
    "number, settings, seconds, later",
    [
        (0, {}, None, None),
        (5, {"pacing": {"rate": 1000, "burst": 1000}}, 0.0, 1.0),
        (5, {"pacing": {"rate": 3, "burst": 1}}, 1.333, 4 / 3),
        (5, {"pacing": {"rate": 1000}, "hold": {"open_contacts": 2, "open_for": "60s"}}, 120.0, 120.0),
        (5, {"pacing": {"rate": 1000, "burst": 9}, "hold": {"open_contacts": 5, "open_for": "60s"}}, 0.0, 1.0),
        (5, {"pacing": {"rate": 1, "burst": 1}, "hold": {"open_contacts": 4, "open_for": "1s"}}, 4.0, 4.0),
    ],
)
def test_what_is_left_takes_as_long_as_pace_and_room_allow(
    number: int, settings: dict[str, Any], seconds: float | None, later: float | None
) -> None:
    context = open_campaign(
        bulk.Campaign(name="c", channel="sms", request=SMS, **settings), Options(contacts=pl.DataFrame(rows("a")))
    )
    now = datetime(2027, 1, 15, 8, tzinfo=UTC)
    left = Remaining(Counter({Locality(("Europe/London",), "GB"): number})).left(context, now)
    if seconds is None:
        assert left is None
    else:
        assert left is not None
        assert left.ends_at is not None
        assert (left.rows, left.seconds) == (number, seconds)
        assert (left.ends_at - now).total_seconds() == pytest.approx(later)
        assert left.ends_at.tzinfo is UTC


@pytest.mark.parametrize("tables, seconds", [({}, 120.0), ({"stop_contact": {}}, 0.0)])
def test_what_is_left_needs_no_room_where_each_contact_is_ended_by_us(tables: dict[str, Any], seconds: float) -> None:
    given = {"pacing": {"rate": 1000, "burst": 9}, "hold": {"open_contacts": 2, "open_for": "60s"}, **tables}
    source = bulk.Campaign(name="c", channel="email", request=EMAIL, create_contact=DRAFT, **given)
    context = open_campaign(source, Options(contacts=pl.DataFrame(rows("a"))))
    left = Remaining(Counter({Locality(): 5})).left(context, datetime(2027, 1, 15, 8, tzinfo=UTC))
    assert left is not None
    assert left.seconds == seconds


def outcomes(monkeypatch: pytest.MonkeyPatch, **numbers: Any) -> Outcomes:
    """Return what a report tells of contacts that ended so."""
    nothing = dict.fromkeys(["ended", "open", "gone", "untracked", "answered", "silent"], 0)
    found = Tracking("c", "r", reasons={"CUSTOMER_DISCONNECT": 3}, asked=0, **{**nothing, **numbers})
    monkeypatch.setattr(report_parts, "tracking", lambda *_: found)
    no_record: Any = None
    return outcomes_of(RunRef(bulk.Campaign(name="c", channel="sms", request=SMS), Options()), no_record)


def test_what_became_of_contacts_is_told_kind_by_kind_and_nothing_of_none(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = {"contacts": 20, "ended": 9, "open": 4, "gone": 2, "untracked": 5, "answered": 6, "silent": 7}
    assert outcomes(monkeypatch, **ends, stops=1, bounces=2, soft_bounces=3, complaints=4) == Outcomes(
        20,
        {"ended": 9, "open": 4, "gone": 2, "not asked about": 5},
        {"CUSTOMER_DISCONNECT": 3},
        {"answered": 6, "did not answer": 7, "not told": 7},
        {"said STOP": 1, "bounced for good": 2, "bounced for now": 3, "complained": 4},
        NO_RECEIPT,
    )
    none = outcomes(monkeypatch, contacts=2, ended=2, answered=2)
    assert (none.states, none.answers, none.feedback) == ({"ended": 2}, {"answered": 2}, {})
