"""`bulk.ledger.schema`: tables brought up to date once, read of an older version, and left alone of somebody else."""

import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from test_ledger_older import old

from bulk.errors import LedgerError
from bulk.ledger import Ledger, schema
from bulk.ledger.database import FILE

NAMES = [migration.__name__ for migration in schema.MIGRATIONS]


def run(folder: Path, *statements: str) -> list[tuple[object, ...]]:
    """Run statements, and return what the last of them answers."""
    with closing(sqlite3.connect(folder / FILE)) as connection, connection:
        *_, answer = [connection.execute(statement).fetchall() for statement in statements]
        return answer


def test_each_migration_is_made_once_and_noted_with_its_time(tmp_path: Path) -> None:
    before = time.time()
    for _ in range(2):
        Ledger.open(tmp_path).close()
    noted = run(tmp_path, "SELECT name, applied_at FROM migration ORDER BY rowid")
    assert [name for name, _ in noted] == NAMES
    assert all(isinstance(at, float) and before <= at <= time.time() for _, at in noted)


def test_what_was_made_before_is_not_made_again(tmp_path: Path) -> None:
    folder = old(tmp_path / "state", 3)
    Ledger.open(folder).close()
    noted = run(folder, "SELECT name, applied_at > 0 FROM migration ORDER BY rowid")
    assert noted == [(name, int(number >= 3)) for number, name in enumerate(NAMES)]


def test_each_ledger_has_a_secret_of_its_own(tmp_path: Path) -> None:
    for name in ("a", "b"):
        Ledger.open(tmp_path / name).close()
    secrets = [run(tmp_path / name, "SELECT value FROM setting WHERE name = 'salt'") for name in ("a", "b")]
    assert secrets[0] != secrets[1]


def test_an_older_one_is_read_as_a_copy_that_nobody_writes_and_that_lets_the_file_go(tmp_path: Path) -> None:
    folder = old(tmp_path / "state", 1)
    ledger = Ledger.read(folder)
    assert ledger is not None
    with ledger:
        held = [str(link.resolve()) for link in Path("/proc/self/fd").iterdir()]
        assert not [one for one in held if one.startswith(str(folder))]
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            ledger._source.reader.execute("DELETE FROM run")
        with ThreadPoolExecutor(1) as beside:
            assert len(beside.submit(ledger.runs).result()) == 1


@pytest.mark.parametrize("how", [Ledger.open, Ledger.read])
@pytest.mark.parametrize(
    "statements, told",
    [
        (["CREATE TABLE cake (id)"], "a database, but no ledger; name another folder with --state-dir"),
        (
            [
                "CREATE TABLE migration (name, applied_at)",
                "INSERT INTO migration VALUES ('first_tables', 0), ('zoom', 0), ('holograms', 0)",
            ],
            "made by a newer version of this program (holograms, zoom); use that one",
        ),
        (
            ["CREATE TABLE migration (name, applied_at)", "CREATE TABLE setting (id)"],
            "table setting already exists",
        ),
    ],
)
def test_what_is_somebody_elses_or_newer_is_left_as_it_is(
    tmp_path: Path, how: Callable[[Path], object], statements: list[str], told: str
) -> None:
    run(tmp_path, *statements)
    (tmp_path / FILE).chmod(0o600)
    before = run(tmp_path, "SELECT name, sql FROM sqlite_schema")
    with pytest.raises(LedgerError) as raised:
        how(tmp_path)
    assert str(raised.value) == f"{tmp_path / FILE}: {told}"
    assert run(tmp_path, "SELECT name, sql FROM sqlite_schema") == before
