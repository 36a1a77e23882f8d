"""Groups of writes: when they go to the disk, and in which order."""

import asyncio
import sqlite3
from collections import defaultdict
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledgers import intent

from bulk.ledger import Ledger, RunIdentity
from bulk.ledger.database import together, write
from bulk.model import Recipient

IDENTITY = RunIdentity("reminder", "default", "sms", "https://connect.example", "us-west-2", "instance")


async def test_a_group_goes_to_the_disk_once_no_more_announcements_can_come(tmp_path: Path) -> None:
    """With as many calls announced as can be in flight, nobody waits for the time to gather others."""
    with Ledger.open(tmp_path, gather=3600.0, at_once=3) as ledger:
        run = ledger.begin(IDENTITY, {})
        claims = run.claim([Recipient(row, f"customer-{row}", None, {}) for row in range(3)])
        async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
            for claim in claims:
                tasks.create_task(run.intend(intent(claim.id, 0, "token", digest=b"digest", at=1.7e9)))
        assert run.unanswered() == 3


@pytest.mark.parametrize("count", [0, 1, 2, 3, 63, 64, 65, 200])
def test_many_rows_are_written_by_few_statements(count: int) -> None:
    """However many rows there are, each is written, and a statement is no longer than 64 rows."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE fact (id INTEGER PRIMARY KEY, what TEXT)")
        statements: list[str] = []
        connection.set_trace_callback(statements.append)
        rows = [(number, f"fact {number}") for number in range(count)]
        assert write(connection, "INSERT INTO fact VALUES {rows}", rows) == count
        assert connection.execute("SELECT id, what FROM fact ORDER BY id").fetchall() == rows
        inserts = [statement for statement in statements if statement.startswith("INSERT")]
        assert len(inserts) <= count // 64 + 6


def test_a_row_that_meets_nothing_is_not_counted_as_written() -> None:
    """The number of rows written is that of the rows found."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE fact (id INTEGER PRIMARY KEY, what TEXT)")
        connection.execute("INSERT INTO fact VALUES (1, 'old'), (2, 'old')")
        statement = "UPDATE fact SET what = column1 FROM (VALUES {rows}) WHERE id = column2"
        assert write(connection, statement, [("new", 1), ("new", 3), ("new", 2)]) == 2


@given(st.lists(st.tuples(st.sampled_from(["intend", "withdraw", "finish"]), st.integers(0, 5)), max_size=40))
def test_writes_of_a_kind_come_together_and_each_delivery_keeps_its_order(events: list[tuple[str, int]]) -> None:
    """No write is lost, no statement meets a delivery twice, and no delivery's writes change places."""
    writes = [(kind, (place, delivery)) for place, (kind, delivery) in enumerate(events)]
    brought = list(together(writes))
    assert sorted((kind, values) for kind, rows in brought for values in rows) == sorted(writes)
    places = defaultdict(list)
    for _, rows in brought:
        assert len({delivery for _, delivery in rows}) == len(rows)
        for place, delivery in rows:
            places[delivery].append(place)
    assert all(order == sorted(order) for order in places.values())
