"""Which rows may go: so many (`run.allotment`), and one of a person at a time (`run.destination_lock`)."""

import anyio
import anyio.lowlevel
import pytest
from virtual import in_virtual_time

from bulk.run.allotment import Allotment
from bulk.run.destination_lock import DestinationLock

pytestmark = in_virtual_time

# --limit


async def test_there_is_always_one_more_row_without_a_limit() -> None:
    allotment = Allotment(None)
    for _ in range(3):
        assert await allotment.take()
    for _ in range(3):
        allotment.give_back(called=True)
    assert not allotment.is_used_up


async def test_so_many_rows_are_called_and_no_more() -> None:
    allotment, taken = Allotment(2), []
    for called in (True, False, False, True):
        taken.append(await allotment.take())
        assert not allotment.is_used_up
        allotment.give_back(called=called)
    assert taken == [True] * 4
    assert allotment.is_used_up
    assert await allotment.take() is False


async def test_a_row_waits_while_those_under_way_may_use_the_limit_up() -> None:
    allotment, told = Allotment(2), list[tuple[str, bool, float]]()

    async def row(name: str, seconds: float, called: bool) -> None:
        taken = await allotment.take()
        told.append((name, taken, anyio.current_time()))
        if taken:
            await anyio.sleep(seconds)
            allotment.give_back(called=called)

    rows = [("a", 1, False), ("b", 5, True), ("c", 3, False), ("d", 1, True), ("e", 1, True)]
    async with anyio.create_task_group() as group:
        for name, seconds, called in rows:
            group.start_soon(row, name, seconds, called)
    assert told == [("a", True, 0), ("b", True, 0), ("c", True, 1), ("d", True, 4), ("e", False, 5)]


# One row of a person at a time


async def seconds_of(lock: DestinationLock, destinations: list[str | None]) -> list[float]:
    """Let rows of these destinations go together, each for a second; return when each of them ended."""
    ended: list[float] = []
    began = anyio.current_time()

    async def row(destination: str | None) -> None:
        async with lock.with_(destination):
            await anyio.sleep(1)
        ended.append(anyio.current_time() - began)

    async with anyio.create_task_group() as group:
        for destination in destinations:
            group.start_soon(row, destination)
    return ended


async def test_rows_of_one_person_go_one_after_the_other_however_the_address_is_spelled() -> None:
    lock = DestinationLock(needed=True)
    assert await seconds_of(lock, ["a@x.org", "A@X.org", "b@x.org", "a@x.org"]) == [1, 1, 2, 3]


async def test_rows_go_together_that_nobody_knows_the_destination_of() -> None:
    assert await seconds_of(DestinationLock(needed=True), [None, None]) == [1, 1]


async def test_all_rows_go_together_where_nothing_counts_them() -> None:
    assert await seconds_of(DestinationLock(needed=False), ["a@x.org", "a@x.org", None]) == [1, 1, 1]


async def test_nobody_is_remembered_who_is_not_under_way() -> None:
    lock = DestinationLock(needed=True)
    await seconds_of(lock, ["a@x.org", "a@x.org", "b@x.org"])
    with pytest.raises(ZeroDivisionError):
        async with lock.with_("a@x.org"):
            raise ZeroDivisionError
    assert (lock._locks, +lock._under_way) == ({}, {})
    async with lock.with_("a@x.org"):
        assert (list(lock._locks), lock._under_way) == (["a@x.org"], {"a@x.org": 1})
