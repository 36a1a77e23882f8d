"""`bulk.ledger.copies.doubt`, row by row: what may have been tried since a copy, and what ends the doubt.

The rows are written as SQL, in every state that a row can have; whole tables are compared.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bulk.ledger import Ledger
from bulk.ledger.copies import doubt
from bulk.ledger.database import FILE

SINCE = 100.0
OTHERS = "'sms', '', 'r', 'i', '{}', 1, 1, 0"
RUNS = f"""
INSERT INTO run (id, under_way, campaign, name, channel, endpoint, region, instance, digests, passes, first_delivery,
    started_at)
VALUES (1, 'rejected unknown', 'a', 'a', {OTHERS}), (2, NULL, 'b', 'b', {OTHERS}), (3, '', 'c', 'c', {OTHERS})
"""
ENTER = "INSERT INTO delivery (id, run, key, state, person) VALUES (?1, ?2, CAST(?1 AS BLOB), 'pending', ?3)"
CHANGES = {
    3: ["replies = '[{}]', token = 't3', step = 0"],
    4: ["state = 'intended', token = 't4', step = 0, digest = x'04', announced = 1, intended_at = 5.0"],
    5: ["state = 'intended', token = 't5'", "state = 'sent', contact_id = 'c'"],
    6: ["state = 'intended', token = 't6'", "state = 'rejected', error_code = 'no'"],
    7: ["state = 'intended', token = 't7'", "state = 'rejected', error_code = 'given_up'"],
    8: ["state = 'intended', token = 't8'", "state = 'unknown', replies = '[{}]'"],
    9: ["state = 'refused'"],
    10: ["contact_id = 'draft', token = 't10'"],
    12: ["state = 'intended', token = 't12'", "state = 'rejected', error_code = 'no'"],
    13: ["doubted_at = 50.0"],
    14: ["doubted_at = 200.0"],
    15: ["state = 'intended', token = '', digest = x'', step = 0, intended_at = 30.0, doubted_at = 30.0"],
}
DISPATCHES = [(3, "t3", 1, 0, 4.0), (4, "t4", 1, 1, 5.0), (8, "t8", 1, 1, 5.0), (15, "", 0, 1, 30.0)]
DELIVERIES = """
SELECT id, state, decisions, token, digest, announced, step, intended_at, doubted_at, error_code FROM delivery
"""


def people(delivery: int) -> bytes | None:
    return None if delivery == 2 else b"p%d" % delivery


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A state directory as it is restored of a copy."""
    Ledger.open(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / FILE)) as connection, connection:
        connection.execute(RUNS)
        for delivery in range(1, 16):
            connection.execute(ENTER, (delivery, 1 if delivery < 11 else 2 if delivery == 11 else 3, people(delivery)))
            for change in CHANGES.get(delivery, []):
                connection.execute(f"UPDATE delivery SET {change} WHERE id = ?", (delivery,))
        for delivery, token, opens, writes, at in DISPATCHES:
            dispatch(connection, delivery, token, opens, writes, at)
    return tmp_path


def dispatch(
    connection: sqlite3.Connection, delivery: int, token: str, opens: int, writes: int, at: float = 7.0
) -> None:
    values = delivery, token, people(delivery), opens, writes, at
    columns = "delivery, token, person, opens, writes, last_at, announced"
    connection.execute(f"INSERT INTO dispatch ({columns}) VALUES (?, ?, ?, ?, ?, ?, 1)", values)


@pytest.fixture
def doubted(copy: Path) -> Iterator[sqlite3.Connection]:
    """That ledger with its doubts."""
    doubt(copy, SINCE)
    with closing(sqlite3.connect(copy / FILE)) as connection, connection:
        yield connection


def ask(folder: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(folder / FILE)) as connection:
        return connection.execute(query).fetchall()


def test_rows_not_at_their_end_and_those_sent_again_are_announced_under_no_token(copy: Path) -> None:
    assert doubt(copy, SINCE) == 9
    assert ask(copy, DELIVERIES) == [
        (1, "intended", 0, "", b"", 1, 0, SINCE, SINCE, None),
        (2, "intended", 0, "", b"", 1, 0, SINCE, SINCE, None),
        (3, "intended", 0, "", b"", 1, 1, SINCE, SINCE, None),
        (4, "intended", 0, "t4", b"\x04", 1, 0, 5.0, SINCE, None),  # its own call is known
        (5, "sent", 0, "t5", None, 0, None, None, None, None),
        (6, "intended", 1, "", b"", 1, 0, SINCE, SINCE, None),
        (7, "rejected", 0, "t7", None, 0, None, None, None, "given_up"),
        (8, "intended", 1, "", b"", 1, 1, SINCE, SINCE, None),
        (9, "refused", 0, None, None, 0, None, None, None, None),  # the pass does not send these again
        (10, "pending", 0, "t10", None, 0, None, None, None, None),
        (11, "pending", 0, None, None, 0, None, None, None, None),  # its run was at rest
        (12, "rejected", 0, "t12", None, 0, None, None, None, "no"),  # another run sends such rows again
        (13, "intended", 0, "", b"", 1, 0, 50.0, 50.0, None),  # the earliest doubt stands
        (14, "intended", 0, "", b"", 1, 0, SINCE, SINCE, None),
        (15, "intended", 0, "", b"", 0, 0, 30.0, 30.0, None),
    ]
    assert ask(copy, "SELECT under_way FROM run") == [(None,)] * 3


NAMELESS = {1: (1, 1), 3: (0, 1), 4: (0, 1), 6: (1, 1), 8: (0, 1), 13: (1, 1), 14: (1, 1)}
"""Of the rows that may have been tried under no token: whether a contact was opened, and a message sent."""


def rows_of_dispatches(nameless: dict[int, tuple[int, int]]) -> list[tuple[Any, ...]]:
    new = [(delivery, "", *flags, SINCE) for delivery, flags in nameless.items()]
    return sorted((one, token, people(one), *rest, 1) for one, token, *rest in [*DISPATCHES, *new])


ALL_DISPATCHES = "SELECT delivery, token, person, opens, writes, last_at, announced FROM dispatch ORDER BY 1, 2"


def test_who_may_have_been_written_to_is_counted_once_and_a_contact_where_nothing_was_announced(
    doubted: sqlite3.Connection,
) -> None:
    assert doubted.execute(ALL_DISPATCHES).fetchall() == rows_of_dispatches(NAMELESS)


def test_doubting_twice_changes_nothing(copy: Path) -> None:
    doubt(copy, SINCE)
    before = ask(copy, DELIVERIES), ask(copy, ALL_DISPATCHES)
    with closing(sqlite3.connect(copy / FILE)) as connection, connection:
        connection.execute("UPDATE run SET under_way = '' WHERE id <> 2")
    assert doubt(copy, SINCE + 1) == 9
    assert (ask(copy, DELIVERIES), ask(copy, ALL_DISPATCHES)) == before


def test_what_a_row_announces_itself_takes_the_place_of_what_it_may_have_announced(doubted: sqlite3.Connection) -> None:
    own = [(1, "own", 1, 0, 7.0), (3, "own", 0, 1, 7.0), (4, "own", 1, 1, 7.0), (6, "own", 0, 0, 7.0)]
    for one in own:
        dispatch(doubted, *one)
    left = NAMELESS | {1: (0, 1)}
    del left[3], left[4]
    expected = [*rows_of_dispatches(left), *((one, token, people(one), *rest, 1) for one, token, *rest in own)]
    assert doubted.execute(ALL_DISPATCHES).fetchall() == sorted(expected)


def test_what_stands_for_an_unknown_call_takes_the_place_of_nothing(doubted: sqlite3.Connection) -> None:
    doubted.execute("DELETE FROM dispatch WHERE delivery = 4")
    dispatch(doubted, 4, "", 1, 1)
    assert doubted.execute("SELECT token FROM dispatch WHERE delivery = 4").fetchall() == [("",)]


@pytest.mark.parametrize(
    "delivery, change, stays",
    [
        (1, "state = 'rejected', error_code = 'no'", False),
        (1, "state = 'rejected'", False),
        (1, "state = 'rejected', error_code = 'given_up'", True),
        (1, "state = 'unknown', error_code = 'no'", True),
        (1, "state = 'sent', contact_id = 'c'", True),
        (13, "step = 1; state = 'refused'", False),
        (13, "step = 1; state = 'skipped'", False),
        (8, "state = 'rejected', error_code = 'no'", False),  # and t8 stays, which was announced before
    ],
)
def test_what_was_certainly_not_accepted_counts_no_more(
    doubted: sqlite3.Connection, delivery: int, change: str, *, stays: bool
) -> None:
    for one in change.split("; "):
        doubted.execute(f"UPDATE delivery SET {one} WHERE id = ?", (delivery,))
    left = {one: flags for one, flags in NAMELESS.items() if one != delivery or stays}
    assert doubted.execute(ALL_DISPATCHES).fetchall() == rows_of_dispatches(left)


@pytest.mark.parametrize("marked", [True, False])
def test_only_a_ledger_with_doubts_looks_at_what_ends_them(copy: Path, *, marked: bool) -> None:
    if not marked:
        with closing(sqlite3.connect(copy / FILE)) as connection, connection:
            connection.execute("UPDATE run SET under_way = NULL WHERE id <> 2")
            connection.execute("UPDATE run SET under_way = '' WHERE id = 2")
            connection.execute("UPDATE delivery SET state = 'refused' WHERE id = 11")
    assert (doubt(copy, SINCE) > 0) is marked
    triggers = {name for (name,) in ask(copy, "SELECT name FROM sqlite_schema WHERE type = 'trigger'")}
    known = {"delivery_begins", "delivery_moves", "delivery_stays"}
    assert triggers - known == ({"dispatch_of_its_own", "delivery_not_accepted"} if marked else set())
    assert ask(copy, "SELECT under_way FROM run") == [(None,)] * 3
