"""A ledger to try things on: the fixture is in `conftest`, and this begins the run that its tests are about."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bulk.ledger import Ledger, RunIdentity, RunLedger, RunRecord
from bulk.ledger.facts import moment
from bulk.ledger.lookup import names_of
from bulk.model import Announcement, Outcome, Recipient, Status

IDENTITY = RunIdentity("welcome", "default", "email", "https://connect.example", "us-west-2", "8f3c")
DIGEST = bytes(range(16))

DAMAGED = (
    "this is no ledger, or a damaged one. It is left as it is; restore it from a backup, or name another folder with "
    "--state-dir (a new ledger does not know what was sent)"
)


def begin(ledger: Ledger) -> RunLedger:
    """Begin the run, or another pass of it."""
    return ledger.begin(IDENTITY, {})


def intent(
    delivery: int,
    step: int,
    token: str,
    *,
    digest: bytes = DIGEST,
    at: float = 1.7e9,
    reaches: bool = True,
    reopens: bool = False,
) -> Announcement:
    """Announce a call that opens a contact and sends a message, unless it is said not to reach anybody."""
    return Announcement(delivery, step, token, digest, at, opens=reaches, writes=reaches, reopens=reopens)


async def called(ledger: Ledger) -> RunLedger:
    """Begin the run with three rows, and another run with a fourth: each is called, and nobody answers."""
    run, other = begin(ledger), ledger.begin(replace(IDENTITY, run="other"), {})
    run.claim([Recipient(row, f"key-{row}", f"{row}@example.com", {}) for row in range(3)])
    other.claim([Recipient(0, "key-1", "1@example.com", {})])
    for delivery in range(1, 5):
        await run.intend(intent(delivery, 0, "token 0"))
    return run


def outcomes(run: RunRecord, rows: Sequence[Recipient]) -> list[Outcome]:
    """Return what the ledger has of the rows of a list, read from its start."""
    found = run.recorded()(names_of(rows), [row.destination for row in rows])
    return [
        Outcome(
            Status(status),
            contact,
            tries,
            code,
            message,
            request,
            moment(at),
        )
        for status, contact, tries, code, message, request, at in found
    ]


Tables = Mapping[str, Mapping[str, Any]]

_KEYS = {
    "run": ["id"],
    "pass": ["run", "number"],
    "delivery": ["id"],
    "duplicate": ["run", "row"],
    "dispatch": ["delivery", "token"],
    "mark": ["delivery", "token"],
    "consent": ["delivery", "token"],
    "feedback": ["delivery", "kind"],
    "event_object": ["run", "name"],
}


def tables(run: RunRecord) -> Tables:
    """Return what the ledger holds, over all runs: each row by its table and key (`dispatch 1 token`)."""

    def rows(connection: sqlite3.Connection, _: int) -> Iterator[tuple[str, dict[str, Any]]]:
        for table, key in _KEYS.items():
            cursor = connection.execute(f"SELECT * FROM {table}")
            names = [name for name, *_ in cursor.description]
            for values in cursor:
                row = dict(zip(names, values, strict=True))
                yield " ".join([table, *(str(row[name]) for name in key)]), row

    return run.read(lambda *asked: dict(rows(*asked)))


class Written:
    """What a run writes from now on."""

    def __init__(self, run: RunLedger) -> None:
        self.run = run
        self.before = tables(run)

    async def __call__(self) -> dict[str, dict[str, Any] | None]:
        """Return the columns that have changed, those of new rows that hold something, None for a row that is gone."""
        await self.run.flush()
        now, changed = tables(self.run), dict[str, dict[str, Any] | None]()
        for name, row in now.items():
            was = self.before.get(name, {})
            if different := {column: value for column, value in row.items() if value != was.get(column)}:
                changed[name] = different
        return changed | dict.fromkeys(self.before.keys() - now.keys())
