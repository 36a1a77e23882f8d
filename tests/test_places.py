"""`bulk.run.places` and `bulk.run.pool`: where unknown rows stand in the list now, and what runs of a process share."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest
from ledgers import begin, intent

from bulk.errors import ListError
from bulk.ledger import Ledger, RunLedger
from bulk.loader import Batch, ContactList, ReadSpec
from bulk.run.list_reader import ListReader
from bulk.run.places import Place, places_of
from bulk.run.pool import Pool

SPEC = ReadSpec(kind="email", destination="email", key="id")


@dataclass(frozen=True, slots=True)
class Noted(ListReader):
    """Notes how far it was read, and in batches of which size."""

    read: list[tuple[int, int]] = field(default_factory=list)

    def batches(self, *, size: int, frames: bool = False) -> Iterator[Batch]:
        for batch in ListReader.batches(self, size=size, frames=frames):
            self.read.append((size, batch.recipients.first))
            yield batch


def listed(folder: Path, rows: range, *, top: str = "") -> Noted:
    lines = "".join(f"k{row},{row}@example.com\n" for row in rows)
    (folder / "list.csv").write_text(f"id,email\n{top}{lines}")
    return Noted(ContactList.open(folder / "list.csv"), SPEC)


async def run_of(ledger: Ledger, reader: Noted, unknown: list[int]) -> RunLedger:
    """Leave rows of the list in doubt."""
    run = begin(ledger)
    for batch in reader.batches(size=4096):
        rows = batch.recipients
        for claim, row in zip(run.claim(list(rows), rows.names), range(rows.first, rows.first + 9999), strict=False):
            if row in unknown:
                await run.intend(intent(claim.id, 0, f"token {claim.id}"))
    run.close_pass()
    reader.read.clear()
    return run


async def test_unknown_rows_are_found_where_they_stand_now_and_no_further_is_read(
    ledger: Ledger, tmp_path: Path
) -> None:
    run = await run_of(ledger, listed(tmp_path, range(9000)), [2, 5000])
    reader = listed(tmp_path, range(9000), top="new,new@example.com\n")
    unknown = run.unknown()
    assert [one.row for one in unknown] == [2, 5000]
    assert places_of(reader, run, unknown) == {
        3: Place(3, "k2", 5),
        5001: Place(5001, "k5000", 5003),
    }
    assert reader.read == [(4096, 0), (4096, 4096)]


async def test_what_the_list_lost_has_no_place_and_what_is_looked_for_nowhere_is_not_read(
    ledger: Ledger, tmp_path: Path
) -> None:
    run = await run_of(ledger, listed(tmp_path, range(3)), [0, 2])
    reader = listed(tmp_path, range(2))
    assert places_of(reader, run, run.unknown()) == {1: Place(0, "k0", 2)}
    reader.read.clear()
    assert (places_of(reader, run, []), reader.read) == ({}, [])


async def test_where_the_list_cannot_be_read_rows_are_where_they_were(
    ledger: Ledger, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = await run_of(ledger, listed(tmp_path, range(4)), [1, 3])
    run.close_pass(rows=3)
    assert places_of(ListError("it is gone"), run, run.unknown()) == {2: Place(1)}
    told = "the list cannot be read, so rows are named as they stood when it last was: it is gone"
    assert caplog.record_tuples == [("bulk", logging.WARNING, told)]


# What runs share


def test_runs_of_one_state_directory_share_its_writer_by_whatever_name(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "state")
    pool = Pool()
    first = pool.ledger(tmp_path / "state", now=lambda: 1.0, at_once=3)
    second = pool.ledger(tmp_path / "link", now=lambda: 2.0, at_once=4)
    other = pool.ledger(tmp_path / "other", now=lambda: 3.0, at_once=5)
    writers = [ledger._writing() for ledger in (first, second, other)]
    assert (writers[0] is writers[1], writers[1] is writers[2]) == (True, False)
    assert [writer._at_once for writer in writers] == [7, 7, 5]
    assert [ledger._now() for ledger in (first, second, other)] == [1.0, 2.0, 3.0]
    for ledger in (first, second, other):
        ledger.close()


def test_the_pace_of_a_place_is_kept_where_the_first_run_that_goes_there_has_its_state(tmp_path: Path) -> None:
    pool = Pool()
    places = ("a",), ("b",), ("a",)
    assert [pool.pace_folder(place, tmp_path / str(number)).name for number, place in enumerate(places)] == [
        "0",
        "1",
        "0",
    ]


async def test_what_is_on_a_disk_is_kept_at_once_and_rows_are_claimed_as_they_are_read() -> None:
    pool = Pool()
    with anyio.fail_after(1):
        await pool.keep()
    assert pool.lot() == 0
