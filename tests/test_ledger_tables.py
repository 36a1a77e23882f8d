"""The tables as they were released: of bulk.ledger.schema, and of bulk.ledger.dispatches, bulk.ledger.passes,
bulk.ledger.marks, bulk.ledger.ends, bulk.ledger.consents and bulk.ledger.feedback.

Ledgers of every version are out there. A migration that was released is never edited: what changes comes in a new one,
and `ledger_tables.sql` beside this file grows by what that makes.
"""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bulk.errors import LedgerError
from bulk.ledger import Ledger
from bulk.ledger.database import FILE

RELEASED = Path(__file__).with_name("ledger_tables.sql")


def plain(statement: str) -> str:
    """Return a statement without comments and layout."""
    return " ".join(re.sub(r"--[^\n]*", "", statement).split())


def released() -> list[str]:
    return [plain(statement) for statement in re.split(r";\n\n", RELEASED.read_text())]


def test_a_ledger_has_the_tables_that_were_released_and_no_others(tmp_path: Path) -> None:
    Ledger.open(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        found = connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid").fetchall()
    assert [plain(statement) for (statement,) in found] == released()


def test_a_ledger_that_cannot_be_opened_is_let_go_of_at_once(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"this is a text")
    with pytest.raises(LedgerError) as raised:  # its traceback would keep the file open
        Ledger.open(tmp_path)
    held = [link for link in Path("/proc/self/fd").iterdir() if str(tmp_path) in str(link.resolve())]
    assert held == []
    assert raised.value.__traceback__ is not None
