"""`bulk.ledger.database`: how the ledger's file is made, told from one that was lost, opened, and checked."""

import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from ledgers import DAMAGED

from bulk.errors import LedgerError
from bulk.ledger.database import FILE, connect, create, empty, missing


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.execute("CREATE TABLE fact (id INTEGER PRIMARY KEY, what BLOB)")
        connection.execute("CREATE TABLE other (id INTEGER PRIMARY KEY REFERENCES fact)")
    return tmp_path / FILE


def prepare(path: Path) -> None:
    path.write_bytes(b"prepared")


# Made


def test_an_empty_file_is_its_owners_alone_and_so_are_the_folders_above_it(tmp_path: Path) -> None:
    path = tmp_path / "one" / "two" / FILE
    empty(path)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"", 0o600)
    assert [folder.stat().st_mode & 0o777 for folder in (path.parent, path.parent.parent)] == [0o700, 0o700]
    path.write_bytes(b"there")
    empty(path)
    assert path.read_bytes() == b"there"


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The inodes of what was brought to the disk."""
    found: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda file: found.append(os.fstat(file).st_ino))
    return found


def test_it_is_made_elsewhere_and_then_put_in_its_place_for_good(tmp_path: Path, synced: list[int]) -> None:
    seen: list[tuple[Path, bool]] = []

    def look(path: Path) -> None:
        seen.append((path, (tmp_path / "state" / FILE).exists()))
        assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"", 0o600)
        prepare(path)

    create(tmp_path / "state" / FILE, look)
    ((path, there),) = seen
    assert (path.name, path.parent.parent, there) == (FILE, tmp_path / "state", False)
    assert {one.name: one.read_bytes() for one in (tmp_path / "state").iterdir()} == {FILE: b"prepared"}
    assert synced == [(tmp_path / "state").stat().st_ino]
    assert [link for link in Path("/proc/self/fd").iterdir() if link.resolve() == tmp_path / "state"] == []
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


def test_what_another_made_meanwhile_is_left(tmp_path: Path) -> None:
    def late(path: Path) -> None:
        prepare(path)
        (tmp_path / FILE).write_bytes(b"another's")

    create(tmp_path / FILE, late)
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {FILE: b"another's"}


def test_it_is_made_where_the_file_system_knows_no_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path, target: Path) -> None:
        raise PermissionError(1, f"no links: {target}")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    create(tmp_path / FILE, prepare)
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {FILE: b"prepared"}


def test_one_that_is_there_is_left_and_made_private_by_whatever_second_name_it_is_known(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"there")
    (tmp_path / FILE).chmod(0o644)
    (tmp_path / "second").hardlink_to(tmp_path / FILE)  # as a process leaves it that is killed while it makes it
    create(tmp_path / FILE, prepare)
    assert ((tmp_path / FILE).read_bytes(), (tmp_path / FILE).stat().st_mode & 0o777) == (b"there", 0o600)


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"somebody's")
    (tmp_path / FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        create(tmp_path / FILE, prepare)


def test_a_folder_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(0o777)
    with pytest.raises(LedgerError, match="others may write to it"):
        create(tmp_path / "state" / FILE, prepare)


@pytest.mark.parametrize(
    "there, told",
    [
        ({FILE: b""}, "it is empty"),
        ({FILE: b"", f"{FILE}-wal": b"x"}, "it is empty"),
        ({f"{FILE}-wal": b"x"}, "it is gone, and its -wal is there"),
    ],
)
def test_one_that_was_lost_is_not_taken_for_one_that_never_was(
    tmp_path: Path, there: dict[str, bytes], told: str
) -> None:
    for name, content in there.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(LedgerError) as raised:
        missing(tmp_path / FILE)
    assert str(raised.value) == f"{tmp_path / FILE}: {DAMAGED} ({told})"


@pytest.mark.parametrize("there", [{}, {FILE: b"x"}, {FILE: b"x", f"{FILE}-wal": b""}])
def test_one_is_missing_where_there_is_none(tmp_path: Path, there: dict[str, bytes]) -> None:
    for name, content in there.items():
        (tmp_path / name).write_bytes(content)
    assert missing(tmp_path / FILE) is (not there)


# Opened


SETTINGS = {
    "foreign_keys": (1, 1),
    "query_only": (0, 1),
    "synchronous": (2, 2),
    "cache_size": (-8000, -2000),
    "busy_timeout": (60_000, 60_000),
    "journal_mode": ("wal", "wal"),
    "wal_autocheckpoint": (4000, 1000),
    "journal_size_limit": (67_108_864, -1),
}


def test_it_is_opened_to_be_written_durably_and_to_be_read_only(path: Path) -> None:
    with closing(connect(path, writing=True)) as writer, closing(connect(path, writing=False)) as reader:
        assert (writer.isolation_level, reader.isolation_level) == (None, None)
        for name, values in SETTINGS.items():
            found = tuple(one.execute(f"PRAGMA {name}").fetchone()[0] for one in (writer, reader))
            assert (name, found) == (name, values)


def test_a_connection_may_be_used_by_another_thread(path: Path) -> None:
    with closing(connect(path, writing=True)) as connection, ThreadPoolExecutor(1) as beside:
        assert beside.submit(connection.execute, "SELECT 1").result().fetchone() == (1,)


@pytest.mark.parametrize("name", ["a b", "what?", "100%", "#1", "ä"])
def test_it_is_opened_whatever_its_folder_is_called_and_never_made(tmp_path: Path, name: str) -> None:
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        connect(tmp_path / name, writing=True)
    sqlite3.connect(tmp_path / name).execute("CREATE TABLE fact (id)").connection.close()
    with closing(connect(tmp_path / name, writing=False)) as connection:
        assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("fact",)]


@pytest.mark.parametrize("version, new_enough", [((3, 36, 9), False), ((3, 37, 0), True)])
def test_a_sqlite_that_knows_no_strict_tables_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch, version: tuple[int, int, int], *, new_enough: bool
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.36.9")
    if new_enough:
        connect(path, writing=True).close()
    else:
        with pytest.raises(LedgerError) as raised:
            connect(path, writing=True)
        assert str(raised.value) == "SQLite 3.36.9 is too old for the ledger; 3.37 is the oldest that will do"


def damaged(path: Path, size: int) -> None:
    """Fill it, and damage a page that opening alone does not look at."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany("INSERT INTO fact (what) VALUES (?)", [(bytes(3000),)] * (size // 4096))
    with path.open("r+b") as file:
        file.seek(-4096, os.SEEK_END)
        file.write(bytes(4096))


def test_a_small_ledger_is_checked_as_a_whole_before_it_is_written(path: Path) -> None:
    damaged(path, 3_500_000)
    connect(path, writing=False).close()
    with pytest.raises(LedgerError) as raised:
        connect(path, writing=True)
    head, _, tail = str(raised.value).partition(" (***")
    assert head == f"{path}: {DAMAGED}"
    assert tail.endswith(")")
    assert [link for link in Path("/proc/self/fd").iterdir() if link.resolve() == path] == []


def test_a_large_one_is_not_since_that_takes_long(path: Path) -> None:
    damaged(path, 4_500_000)
    connect(path, writing=True).close()
