"""A ledger of an older version: it is read as it is, and brought up to date by the next sending."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bulk.ledger import Ledger, schema
from bulk.ledger.database import FILE
from bulk.model import Status

PENDING = "INSERT INTO delivery (run, key, row, state) VALUES (1, x'02', 1, 'pending')"
RUN = """
INSERT INTO run (campaign, name, channel, endpoint, region, instance, digests, passes, rows, first_delivery, started_at)
VALUES ('a', 'default', 'sms', '', 'r', 'i', '{}', 1, 2, 1, 0)
"""


def old(folder: Path, versions: int) -> Path:
    """Make a ledger as the first versions of the tables had it, with one row sent and one pending."""
    folder.mkdir(mode=0o700)
    with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE migration (name TEXT PRIMARY KEY, applied_at REAL) STRICT")
        for number, migration in enumerate(schema.MIGRATIONS[:versions]):
            migration(connection)
            connection.execute("INSERT INTO migration VALUES (?, 0)", (migration.__name__,))
            if number == 0:
                connection.execute(RUN)
                connection.execute(PENDING.replace("x'02', 1", "x'01', 0"))
                connection.execute("UPDATE delivery SET state = 'intended', token = 't', intended_at = 0")
                connection.execute("UPDATE delivery SET state = 'sent', contact_id = 'c'")
                connection.execute(PENDING)
    (folder / FILE).chmod(0o600)
    return folder


@pytest.mark.parametrize("versions", range(1, len(schema.MIGRATIONS)))
def test_it_is_read_and_left_as_it_is(tmp_path: Path, versions: int) -> None:
    folder = old(tmp_path / "state", versions)
    before = (folder / FILE).read_bytes()
    ledger = Ledger.read(folder)
    assert ledger is not None
    with ledger:
        record = ledger.find("a", "default")
        assert record is not None
        counts = record.counts()
    assert (counts[Status.SENT], counts[Status.PENDING]) == (1, 1)
    assert (folder / FILE).read_bytes() == before


@pytest.mark.parametrize("versions", range(1, len(schema.MIGRATIONS)))
def test_it_is_brought_up_to_date_by_the_next_sending(tmp_path: Path, versions: int) -> None:
    folder = old(tmp_path / "state", versions)
    with Ledger.open(folder) as ledger:
        record = ledger.find("a", "default")
        assert record is not None
        assert record.counts()[Status.SENT] == 1
    with closing(sqlite3.connect(folder / FILE)) as connection:
        done = [name for (name,) in connection.execute("SELECT name FROM migration ORDER BY applied_at, rowid")]
    assert set(done) == {migration.__name__ for migration in schema.MIGRATIONS}
