"""Rows of the ledger as they are read, with their columns in the order of the statements.

A list that did not change is claimed, and its outcomes are read, in some microseconds a row. So what is asked of every
row stays the tuple that SQLite makes, and its columns get their names where it is unpacked: a named tuple would be
another copy of each row, and took 10 to 20 % longer.
"""

from typing import Final, NamedTuple, TypeVar

KnownRow = tuple[int, bytes, int | None, str, bytes | None]
"""A row that is claimed again: id, key, place in the list, state, content."""

EndedRow = tuple[
    int,
    bytes,
    int | None,
    str,
    str,
    str | None,
    int,
    str | None,
    str | None,
    str | None,
    float | None,
    bytes | None,
    str | None,
]
"""A row whose end is told: id, key, place, state; the end, as `Recorded` has it; person, replies."""

R = TypeVar("R", KnownRow, EndedRow)

KEY: Final = 1
PLACE: Final = 2
"""Where these two stand in both."""


class OpenRow(NamedTuple):
    """A row that is not done: what is known of it, and all else that is needed to go on (`queries.FURTHER`).

    `place` is None where the list lost the row.
    """

    id: int
    key: bytes
    place: int | None
    state: str
    content: bytes | None
    decisions: int
    person: bytes | None
    contact_id: str | None
    step: int
    attempts: int
    replies: str | None
    intended_at: float | None
    digest: bytes | None
    error_code: str | None
    doubted_at: float | None
