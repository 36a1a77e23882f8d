"""What a ledger of the first version says of who may have been reached, as bulk.ledger.dispatches takes it over.

Its deliveries had one call each, the last; a dispatch is made of those that may have been accepted.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bulk.ledger import schema

RUN = """
INSERT INTO run (id, campaign, name, channel, endpoint, region, instance, digests, passes, first_delivery, started_at)
VALUES (?, ?, 'default', ?, '', 'r', 'i', '{}', 1, 1, ?)
"""
DELIVERY = """
INSERT INTO delivery (id, run, key, state, token, step, person, replies, contact_id, error_code, intended_at,
    finished_at, decisions)
VALUES (1, :run, x'00', :state, :token, :step, x'aa', :replies, :contact, :code, :intended, :finished, 1)
"""
EMAIL, SMS = 1, 2
STARTED = {EMAIL: 100.0, SMS: 200.0}


@pytest.fixture
def old() -> Iterator[sqlite3.Connection]:
    """The tables of the first version, with a run by email and one by SMS."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE migration (name TEXT PRIMARY KEY, applied_at REAL) STRICT")
        schema.first_tables(connection)
        connection.execute("INSERT INTO migration VALUES ('first_tables', 0)")
        connection.execute("DROP TRIGGER delivery_begins")  # rows are put in as they were left
        for run, channel in ((EMAIL, "email"), (SMS, "sms")):
            connection.execute(RUN, (run, channel, channel, STARTED[run]))
        yield connection


def dispatches(old: sqlite3.Connection, run: int, **facts: Any) -> list[tuple[Any, ...]]:
    """Return the dispatches made of one delivery: opens, writes, when, how often announced, how many segments."""
    delivery = {"token": "t", "step": 0} | dict.fromkeys(("replies", "contact", "code", "intended", "finished"))
    old.execute(DELIVERY, delivery | facts | {"run": run})
    schema.prepare(old, Path("ledger.db"))
    found = old.execute("SELECT * FROM dispatch").fetchall()
    assert [row[:3] for row in found] == [(1, "t", b"\xaa")] * len(found)
    assert {row[7] for row in found} <= {None}  # nobody knows of contacts that were ended
    return [(*row[3:7], row[8]) for row in found]


@pytest.mark.parametrize("state", ["sent", "unknown", "intended"])
def test_what_was_or_may_have_been_accepted_is_one_dispatch(old: sqlite3.Connection, state: str) -> None:
    assert dispatches(old, SMS, state=state, contact="c" if state == "sent" else None) == [(1, 1, 200.0, 1, 1)]


@pytest.mark.parametrize("state", ["pending", "rejected", "refused", "skipped"])
@pytest.mark.parametrize("replies", [None, "[]"])
@pytest.mark.parametrize("code", [None, "given_up", "Other"])
def test_of_the_others_only_a_draft_and_what_was_given_up_by_hand_are(
    old: sqlite3.Connection, state: str, replies: str | None, code: str | None
) -> None:
    may_have_reached = (state == "pending" and replies is not None) or (state == "rejected" and code == "given_up")
    assert len(dispatches(old, SMS, state=state, replies=replies, code=code)) == may_have_reached


def test_a_row_that_was_not_called_is_none(old: sqlite3.Connection) -> None:
    assert dispatches(old, SMS, state="pending", token=None, step=None) == []


@pytest.mark.parametrize(
    "run, step, contact, writes",
    [(EMAIL, 0, None, 0), (EMAIL, 1, None, 1), (EMAIL, 2, None, 1), (EMAIL, 0, "c", 1), (SMS, 0, None, 1)],
)
def test_the_first_call_of_an_email_writes_to_nobody(
    old: sqlite3.Connection, run: int, step: int, contact: str | None, writes: int
) -> None:
    made = dispatches(old, run, state="unknown", step=step, contact=contact)
    assert made == [(1, writes, STARTED[run], 1, 1)]


@pytest.mark.parametrize("intended, finished, at", [(7.0, 9.0, 7.0), (None, 9.0, 9.0), (None, None, 100.0)])
def test_it_was_when_it_was_announced_else_when_it_ended_else_when_its_run_began(
    old: sqlite3.Connection, intended: float | None, finished: float | None, at: float
) -> None:
    assert dispatches(old, EMAIL, state="unknown", intended=intended, finished=finished) == [(1, 0, at, 1, 1)]
