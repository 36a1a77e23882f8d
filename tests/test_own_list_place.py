"""`bulk.run.own_list_place`: a suppression list in a folder, and one in S3 that others change as well."""

import logging
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import anyio
import pytest
from memory_objects import PLACE, MemoryObjects, Store, in_memory
from virtual import in_virtual_time

from bulk.aws.objects import Unreachable
from bulk.errors import LedgerError
from bulk.loader.own_list import NAME, OwnList, Suppressed
from bulk.run.own_list_place import FOLLOWED, PAUSE, TRIES, OwnListPlace

pytestmark = in_virtual_time

KEPT = f"{PLACE}/{NAME}"
HEADER = "destination,added_at,reason\r\n"
ANN, BOB = (Suppressed(f"+1415555012{last}", "then") for last in (3, 4))


def text(*entries: Suppressed) -> bytes:
    return (HEADER + "".join(f"{one.destination},then,\r\n" for one in entries)).encode()


@pytest.fixture
def store() -> Iterator[Store]:
    with in_memory("bulk.run.own_list_place") as store:
        yield store


def place(store: Store, folder: Path) -> OwnListPlace:
    return OwnListPlace(OwnList(folder), MemoryObjects(store))


def add(*entries: Suppressed) -> Callable[[OwnList], int]:
    return lambda own: own.add(entries)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".lock"}


def unreachable(*acts: str, times: int = 99) -> Callable[[str, str], Awaitable[None]]:
    """Have these requests fail so many times."""
    left = [times]

    async def trouble(act: str, _: str) -> None:
        if act in acts and left[0]:
            left[0] -= 1
            raise Unreachable("s3: no answer")

    return trouble


async def test_in_a_folder_it_is_changed_there_and_nothing_is_fetched_or_followed(store: Store, tmp_path: Path) -> None:
    alone = OwnListPlace(OwnList(tmp_path))
    assert alone.name == tmp_path / NAME
    await alone.fetch()
    await alone.follow()  # it has an end
    assert await alone.change(add(ANN, BOB)) == 2
    assert (files(tmp_path), store.asked) == ({NAME: text(ANN, BOB)}, [])


async def test_in_s3_it_is_made_and_then_written_over_what_was_there(store: Store, tmp_path: Path) -> None:
    there = place(store, tmp_path)
    assert there.name == KEPT
    assert await there.change(add(ANN)) == 1
    assert await there.change(add(BOB)) == 1
    body, version = store.kept[KEPT]
    assert (body, version.holder, files(tmp_path)) == (text(ANN, BOB), "suppress", {NAME: body})
    assert [act for _, act, _ in store.asked] == ["fetch", "write"] * 2


async def test_what_changes_nothing_is_not_written(store: Store, tmp_path: Path) -> None:
    store.put(KEPT, text(ANN))
    assert await place(store, tmp_path).change(add(ANN)) == 0
    assert [act for _, act, _ in store.asked] == ["fetch"]


async def test_where_there_is_no_list_any_more_the_copy_goes(store: Store, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(text(ANN))
    there = place(store, tmp_path)
    await there.fetch()
    await there.fetch()
    assert files(tmp_path) == {}
    assert await there.change(lambda own: len(own.entries())) == 0


async def test_who_is_overtaken_makes_the_change_again_on_what_stands_there_then(store: Store, tmp_path: Path) -> None:
    async def overtake(act: str, _: str) -> None:
        if act == "write" and store.written < 3:
            store.put(KEPT, text(*[BOB] * (store.written > 0)))

    store.trouble = overtake
    assert await place(store, tmp_path).change(add(ANN)) == 1
    assert store.kept[KEPT][0] == text(BOB, ANN)
    assert store.times("write", NAME) == [0.0, PAUSE, pytest.approx(3 * PAUSE), pytest.approx(6 * PAUSE)]


async def test_who_is_overtaken_again_and_again_gives_up(store: Store, tmp_path: Path) -> None:
    async def overtake(act: str, _: str) -> None:
        if act == "write":
            store.put(KEPT, text(BOB))

    store.trouble = overtake
    with pytest.raises(LedgerError) as raised:
        await place(store, tmp_path).change(add(ANN))
    assert str(raised.value) == f"{KEPT} is being changed by others: try again"
    assert (len(store.times("write", NAME)), TRIES, PAUSE, FOLLOWED) == (50, 50, 0.05, 2.0)


@pytest.mark.parametrize(
    "act, told",
    [
        ("fetch", "s3: no answer; try again when S3 can be reached"),
        ("write", "s3: no answer; whether it was changed is not known: list it"),
    ],
)
async def test_where_s3_gives_no_answer_it_is_said_what_is_known(
    store: Store, tmp_path: Path, act: str, told: str
) -> None:
    store.trouble = unreachable(act)
    with pytest.raises(LedgerError) as raised:
        await place(store, tmp_path).change(add(ANN))
    assert str(raised.value) == f"{KEPT}: {told}"
    assert store.kept == {}


async def followed(store: Store, folder: Path, at: dict[float, Callable[[], object]], until: float) -> None:
    """Follow the list from 0 s, while this happens at these times."""
    there = place(store, folder)
    await there.fetch()
    with anyio.move_on_after(until):
        async with anyio.create_task_group() as group:
            group.start_soon(there.follow)
            for moment, act in at.items():
                await anyio.sleep(moment - anyio.current_time())
                act()


async def test_the_copy_follows_the_object_until_there_is_none(store: Store, tmp_path: Path) -> None:
    seen: list[dict[str, bytes]] = []

    def look() -> None:
        seen.append(files(tmp_path))

    steps: dict[float, Callable[[], object]] = {
        1.0: lambda: store.put(KEPT, text(ANN)),
        1.9: look,
        2.1: look,
        3.0: lambda: store.put(KEPT, text(ANN, BOB)),
        4.1: look,
        7.0: store.kept.clear,
        8.1: look,
    }
    await followed(store, tmp_path, steps, 11.0)
    assert seen == [{}, {NAME: text(ANN)}, {NAME: text(ANN, BOB)}, {}]
    assert store.times("look", NAME) == [2.0, 4.0, 6.0, 8.0, 10.0]
    assert store.times("fetch", NAME) == [0.0, 2.0, 4.0, 8.0]


async def test_a_list_that_cannot_be_followed_is_said_once_each_time_and_holds(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store.put(KEPT, text(ANN))
    steps: dict[float, Callable[[], object]] = {
        1.0: lambda: setattr(store, "trouble", unreachable("look", times=4)),  # at 2, 4, 6 and 8 s
        11.0: lambda: setattr(store, "trouble", unreachable("look", "fetch", times=1)),
        13.0: lambda: store.put(KEPT, text(BOB)),
    }
    await followed(store, tmp_path, steps, 15.0)
    said = f"{KEPT}: s3: no answer. What was read of it before holds"
    assert caplog.record_tuples == [("bulk", logging.WARNING, said)] * 2
    assert files(tmp_path) == {NAME: text(BOB)}
